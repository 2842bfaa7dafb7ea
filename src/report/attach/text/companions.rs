//! The other processes of a cgroup, by name.

use crate::artefact::cgroup::{Cgroup, Companion};
use crate::model::Bytes;
use crate::report::amount::mib;
use crate::report::table::{self, Align};

/// So many are named, the largest first; a machine's own group holds hundreds.
const SHOWN: usize = 8;

/// Smaller ones are only counted.
const LEAST: Bytes = Bytes::kib(1024);

pub(super) fn section(cgroup: &Cgroup, width: usize) -> String {
    let mut others: Vec<_> = cgroup.others.iter().collect();
    if others.is_empty() {
        return String::new();
    }
    // Workers are Flink's own: they come first, however small.
    others.sort_by_key(|other| (!other.is_python_worker, std::cmp::Reverse(other.rss_anon), other.pid));
    let is_named = |other: &&&Companion| other.is_python_worker || other.rss_anon.is_some_and(|bytes| bytes >= LEAST);
    let shown = others.iter().filter(is_named).count().min(SHOWN);
    let command = |text: &str, room: usize| match text.char_indices().nth(room) {
        Some(_) => text.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    };
    let rows = others.iter().take(shown).map(|other| {
        let mark = if other.is_python_worker { "Python worker: " } else { "" };
        let room = width.saturating_sub(24 + mark.len()).max(12);
        let size = other.rss_anon.or_else(|| other.rss.as_ref().ok().copied());
        vec![
            other.pid.to_string(),
            size.map_or("?".to_owned(), mib),
            format!("{mark}{}", command(&other.command, room)),
        ]
    });
    let mut out = "\nOther processes of its cgroup\n".to_owned();
    let align = [Align::Right, Align::Right, Align::Left];
    let rows: Vec<Vec<String>> = rows.collect();
    if !rows.is_empty() {
        out += &table::plain(2, &["PID", "MiB", "what it is"], &align, &rows);
    }
    if let Some(more) = others.get(shown..).filter(|more| !more.is_empty()) {
        let sizes = more.iter().filter_map(|other| other.rss_anon).map(Bytes::get);
        let sum = Bytes::new(sizes.fold(0, u64::saturating_add));
        out += &format!("  and {} smaller ones, {} MiB together\n", more.len(), mib(sum));
    }
    out
}
