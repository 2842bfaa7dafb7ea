//! `oomph repro list`: the scenarios by name.

use super::Entry;
use super::words::{plain, roughly};
use crate::report::amount::count;
use crate::report::table::hanging;

/// A line a scenario: its name, about how long it takes, what it is about, and what it needs; behind them the failures on a real
/// Flink.
pub fn list(entries: &[Entry], failures: &[Entry], width: usize) -> String {
    let widest = entries.iter().chain(failures).map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    let mut out = lines(entries, widest, width);
    out += &format!("\n{}, about {} in all\n", count(entries.len() as u64, "scenario", "scenarios"), together(entries));
    if !failures.is_empty() {
        out += &hanging(
            "\nOn a real Flink: `oomph repro loop NAME --flink-home DIR` fails, is explained, is changed as diagnose proposes, \
             and runs again; `run NAME --on flink` takes the cure that each knows itself",
            width,
            "  ",
        );
        out.push('\n');
        out += &lines(failures, widest, width);
        out += &format!(
            "\n{}, about {} in all\n",
            count(failures.len() as u64, "failure", "failures"),
            together(failures)
        );
    }
    out
}

fn together(entries: &[Entry]) -> String {
    roughly(entries.iter().map(|entry| entry.seconds).fold(0, u64::saturating_add))
}

fn lines(entries: &[Entry], widest: usize, width: usize) -> String {
    let indent = " ".repeat(widest + 11);
    let mut out = String::new();
    for entry in entries {
        let needs = entry.needs.as_ref().map_or_else(String::new, |needs| format!(" (needs {})", plain(needs)));
        let head = format!("{:<widest$}  {:>7}  ", plain(&entry.name), roughly(entry.seconds));
        out += &hanging(&format!("{head}{}{needs}", plain(&entry.title)), width, &indent);
    }
    out
}

#[cfg(test)]
mod tests;
