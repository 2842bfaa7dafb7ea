//! The JVM's own books of its native memory, where it keeps them.

use super::wrapped;
use crate::diagnose::examination::Examination;
use crate::model::Bytes;
use crate::report::amount::mib;

/// Categories that are worth a word; the others are summed up.
const SHOWN: usize = 6;

pub(super) fn section(examination: &Examination, width: usize) -> String {
    let Ok(nmt) = &examination.sample.nmt else { return String::new() };
    let mut by_malloc: Vec<(&str, u64)> = nmt
        .categories
        .iter()
        .map(|category| {
            let parts = [category.malloc, category.arena];
            (category.name.as_str(), parts.iter().flatten().map(|part| part.bytes).fold(0, u64::saturating_add))
        })
        .filter(|(_, bytes)| *bytes > 0)
        .collect();
    if by_malloc.is_empty() {
        return String::new();
    }
    by_malloc.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let total = by_malloc.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add);
    let (shown, rest) = by_malloc.split_at(SHOWN.min(by_malloc.len()));
    let mut named: Vec<String> = shown.iter().map(|(name, bytes)| format!("{name} {}", size(*bytes))).collect();
    if !rest.is_empty() {
        let rest = rest.iter().map(|(_, bytes)| *bytes).fold(0, u64::saturating_add);
        named.push(format!("the rest {}", size(rest)));
    }
    let text = format!("The JVM's own malloc (NMT), {} MiB: {}", size(total), named.join(", "));
    format!("\n{}", wrapped(&text, width, "  "))
}

fn size(bytes: u64) -> String {
    mib(Bytes::new(bytes))
}
