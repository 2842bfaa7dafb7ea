//! What Flink would accept in the place of what it refuses.

use super::super::Sheet;
use super::super::amount::{about, fraction};
use super::heading;
use crate::recommend::mend::{Cure, Kind};
use crate::report::table::wrapped;

/// The cures of a refusal; nothing where none were looked for.
pub fn section(sheet: &Sheet, width: usize) -> String {
    let Some(cures) = &sheet.cures else { return String::new() };
    if cures.is_empty() {
        let none = "No change of one key alone was found with which Flink accepts it.";
        return format!("\n{}", wrapped(none, width, 0));
    }
    let mut out = heading("What would be accepted, each alone");
    for cure in cures {
        // A key is not torn from its value.
        let change = cure.change.to_string().replace(' ', "\u{a0}");
        out += &wrapped(&format!("{change} ({})", cost(cure)), width, 2);
    }
    out.replace('\u{a0}', " ")
}

/// What a cure comes to, in words.
fn cost(cure: &Cure) -> String {
    let budget = &cure.plan.budget;
    match cure.kind {
        Kind::Spelled => "as it seems to be meant".to_owned(),
        Kind::Moved { from, to, by_default } => {
            let (by, relation) = match to.checked_sub(from) {
                Some(by) => (by, "more"),
                None => (from.checked_sub(to).unwrap_or_default(), "less"),
            };
            let (than, set) = if by_default { ("its default,", "") } else { ("the", " set") };
            format!("{} {relation} than {than} {}{set}", about(by), about(from))
        }
        Kind::Lowered { from } => format!("less than the {} it is", fraction(from)),
        Kind::Given | Kind::TakenOut => {
            format!("then process {}, heap {}", about(budget.total_process().bytes), about(budget.heap()))
        }
    }
}
