//! What Flink would accept in the place of what it refuses.

use super::super::Sheet;
use super::super::amount::{about, fraction};
use super::heading;
use crate::recommend::mend::{Cure, Kind};
use crate::report::table::wrapped;

pub fn section(sheet: &Sheet, width: usize) -> String {
    if sheet.cures.is_empty() {
        return String::new();
    }
    let mut out = heading("What would be accepted, each alone");
    for cure in &sheet.cures {
        out += &wrapped(&format!("{}: {}", cure.change, cost(cure)).replacen(": ", ":\u{a0}", 1), width, 2);
    }
    out.replace('\u{a0}', " ")
}

/// What a cure comes to, in words.
fn cost(cure: &Cure) -> String {
    let budget = &cure.plan.budget;
    let then =
        format!("then the process is {}, its heap {}", about(budget.total_process().bytes), about(budget.heap()));
    match cure.kind {
        Kind::Spelled => "as it seems to be meant".to_owned(),
        Kind::Moved { from, to, by_default } => {
            let (by, relation) = match to.checked_sub(from) {
                Some(by) => (by, "more"),
                None => (from.checked_sub(to).unwrap_or_default(), "less"),
            };
            let than = if by_default { "the default of" } else { "the" };
            format!("{} {relation} than {than} {}", about(by), about(from))
        }
        Kind::Lowered { from } => format!("less than the {} it is", fraction(from)),
        Kind::Given | Kind::TakenOut => then,
    }
}
