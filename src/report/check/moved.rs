//! What moves in the budgets of a file, as lines and as a table.

use crate::check::moved::{Moved, What};
use crate::plan::compare::{Amount, Row};
use crate::report::amount::about;
use crate::report::table::{self, Align};

/// The process that is meant.
fn title(moved: &Moved) -> String {
    match &moved.subject {
        Some(subject) => format!("{} of {subject}", moved.role),
        None => moved.role.to_string(),
    }
}

/// What became of it, where that is no list of sizes.
fn outcome(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Sizes(_) => return None,
        What::Appeared => "was not planned before",
        What::Gone => "is not planned any more",
        What::Refused => "was accepted by Flink and is refused now",
        What::Accepted => "was refused by Flink and is accepted now",
    })
}

fn side(amount: Option<Amount>) -> String {
    match amount {
        None => "-".to_owned(),
        Some(Amount::Size(bytes)) => about(bytes),
        Some(Amount::Count(count)) => count.to_string(),
    }
}

/// `RocksDB block cache per slot 85 MiB -> 43 MiB`, a line each.
pub fn lines(all: &[Moved]) -> String {
    let mut out = String::new();
    for moved in all {
        match &moved.what {
            What::Sizes(rows) => {
                out += &format!("  {}\n", title(moved));
                for Row { measure, a, b } in rows {
                    out += &format!("    {} {} -> {}\n", measure.label(), side(*a), side(*b));
                }
            }
            other => out += &format!("  {} {}\n", title(moved), outcome(other).unwrap_or_default()),
        }
    }
    out
}

/// The same as tables of Markdown.
pub fn markdown(all: &[Moved]) -> String {
    let mut out = String::new();
    for moved in all {
        match &moved.what {
            What::Sizes(rows) => {
                let rows: Vec<Vec<String>> =
                    rows.iter().map(|row| vec![row.measure.label(), side(row.a), side(row.b)]).collect();
                let header = [&*title(moved), "before", "after"];
                out += &table::markdown(&header, &[Align::Left, Align::Right, Align::Right], &rows);
            }
            other => out += &format!("{} {}.\n", title(moved), outcome(other).unwrap_or_default()),
        }
        out.push('\n');
    }
    out
}
