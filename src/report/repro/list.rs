//! `oomph repro list`: the scenarios by name.

use super::Entry;
use super::words::{plain, roughly};
use crate::report::table::hanging;

/// A line a scenario: its name, about how long it takes, what it is about, and what it needs.
pub fn list(entries: &[Entry], width: usize) -> String {
    let widest = entries.iter().map(|entry| entry.name.chars().count()).max().unwrap_or(0);
    let indent = " ".repeat(widest + 11);
    let mut out = String::new();
    for entry in entries {
        let needs = entry.needs.as_ref().map_or_else(String::new, |needs| format!(" (needs {})", plain(needs)));
        let head = format!("{:<widest$}  {:>7}  ", plain(&entry.name), roughly(entry.seconds));
        out += &hanging(&format!("{head}{}{needs}", plain(&entry.title)), width, &indent);
    }
    let seconds = entries.iter().map(|entry| entry.seconds).fold(0, u64::saturating_add);
    out + &format!("\n{} scenarios, about {} in all\n", entries.len(), roughly(seconds))
}

#[cfg(test)]
mod tests;
