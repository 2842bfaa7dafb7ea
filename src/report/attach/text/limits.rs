//! Other limits that end a process, each with what is used of it.

use crate::diagnose::limits::{Bound, Limits};
use crate::model::{Bytes, Unit};
use crate::report::amount::mib;
use crate::report::table::{self, Align};

pub(super) fn section(limits: &Limits, width: usize) -> String {
    // A machine without swap has a limit of 0, at which nothing happens.
    let is_met = |bound: &&Bound| bound.at_most.is_some_and(|most| most > 0 || bound.used.is_some_and(|used| used > 0));
    let bounded = limits.bounds.iter().filter(is_met);
    let mut rows: Vec<Vec<String>> = bounded.map(row).collect();
    rows.extend(
        limits
            .switches
            .iter()
            .map(|switch| vec![switch.label.to_owned(), String::new(), switch.is.to_owned(), switch.then.to_owned()]),
    );
    if rows.is_empty() {
        return String::new();
    }
    let header = ["Other limits", "used", "limit", "what happens there"];
    let align = [Align::Left, Align::Right, Align::Right, Align::Left];
    format!("\n{}", table::fitting(width, &[3], &header, &align, &rows))
}

fn row(bound: &Bound) -> Vec<String> {
    let amount = |value: u64| match bound.unit {
        Unit::Bytes => format!("{} MiB", mib(Bytes::new(value))),
        Unit::Count | Unit::Nanoseconds => value.to_string(),
    };
    vec![
        bound.label.to_owned(),
        bound.used.map_or("?".to_owned(), amount),
        bound.at_most.map_or("none".to_owned(), amount),
        bound.then.to_owned(),
    ]
}
