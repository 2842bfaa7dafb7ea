//! The option behind a setting, its type, and its value as it stands in the text.

use super::known::{self, Standing};
use crate::check::{Case, Written};
use crate::flink::options::{Declared, ValueKind};
use crate::model::{Edit, Position};

/// The option that a key is read as.
fn option_of(standing: &Standing) -> Option<&'static Declared> {
    match standing {
        Standing::Option(row) => Some(row),
        Standing::Old(rows) => rows.first().copied(),
        _ => None,
    }
}

/// Sizes that Flink 1.9 declares as texts.
const SIZES_OF_1_9: [&str; 6] = [
    "jobmanager.heap.size",
    "taskmanager.heap.size",
    "taskmanager.memory.segment-size",
    "taskmanager.memory.size",
    "taskmanager.network.memory.max",
    "taskmanager.network.memory.min",
];

/// Whether an option is a size, whatever its version calls the type.
pub fn is_size(row: &Declared) -> bool {
    row.kind == ValueKind::Size || (row.kind == ValueKind::String && SIZES_OF_1_9.contains(&row.key))
}

/// Settings of options of this version that somebody typed, with what they are.
pub fn options<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = (Written<'a>, &'static Declared)> + use<'c, 'a> {
    known::typed(case).iter().filter_map(|(written, standing)| Some((*written, option_of(standing)?)))
}

/// A setting's value as it stands in the input, with its place there.
pub fn raw<'a>(case: &Case<'a>, written: &Written<'_>) -> Option<(&'a str, Position)> {
    let place = written.place();
    let position = place.position?;
    if *case.lines.source() != place.source {
        return None;
    }
    let line = case.lines.line(position.line)?;
    let skipped = usize::try_from(position.column).ok()?.checked_sub(1)?;
    let start = line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(skipped)?;
    let text = line.get(start..start + position.end.checked_sub(position.start)?)?;
    Some((text, position))
}

/// The edit that writes another text where a value stands, whatever Flink makes of that one.
pub fn replaced(case: &Case<'_>, written: &Written<'_>, text: &str) -> Option<Vec<Edit>> {
    let (typed, position) = raw(case, written)?;
    let width = u32::try_from(typed.chars().count()).ok()?;
    let from = position.column;
    Some(vec![Edit::Replace { line: position.line, from, to: from + width, text: text.to_owned() }])
}
