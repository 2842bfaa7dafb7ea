//! The table of the tasks that could have been killed. Its columns differ between kernels and are read from its header;
//! sizes are pages.

use std::sync::LazyLock;

use regex::Regex;

/// A process in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Where its row starts.
    pub at: usize,
    /// The process, as the machine counts them and not its container.
    pub pid: u32,
    /// Its mappings, in pages.
    pub total_vm: u64,
    /// Its resident set, in pages.
    pub rss: u64,
    /// The part of it that is its own memory, from 6.8 on.
    pub rss_anon: Option<u64>,
    /// What of it is swapped out, in pages.
    pub swapped: Option<u64>,
    /// How willingly it is killed: 1000 first, -1000 never.
    pub score_adjustment: Option<i32>,
    /// The name, at most 15 bytes of it.
    pub name: String,
}

/// A row starts with the process in brackets.
static ROW: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\\?\[\s*(\d+)\\?\]([ \t]+-?\d[^\n]*)").ok());

/// The columns between `[ pid ]` and `name`, as the header names them.
pub(super) fn columns(header: &str) -> Vec<String> {
    let between = header.split_once(']').map_or(header, |(_, rest)| rest);
    between
        .split(|c: char| c.is_whitespace() || c == '>')
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('\\', ""))
        .collect()
}

/// The rows below a header, in a text that starts at `from`. Those that are torn are left out.
pub(super) fn rows(columns: &[String], from: usize, text: &str) -> Vec<Task> {
    let Some(row) = ROW.as_ref() else { return Vec::new() };
    let read = |found: regex::Captures<'_>| {
        task(columns, from + found.get(0)?.start(), found.get(1)?.as_str(), found.get(2)?.as_str())
    };
    row.captures_iter(text).filter_map(read).collect()
}

fn task(columns: &[String], at: usize, pid: &str, rest: &str) -> Option<Task> {
    let mut rest = rest.trim();
    let mut values: Vec<i64> = Vec::new();
    // The last column is the name, which may hold blanks.
    for _ in 0..columns.len().checked_sub(1)? {
        let (value, after) = rest.split_once(char::is_whitespace)?;
        values.push(value.parse().ok()?);
        rest = after.trim_start();
    }
    let value = |name: &str| columns.iter().position(|column| column == name).and_then(|at| values.get(at)).copied();
    let pages = |name: &str| value(name).and_then(|value| u64::try_from(value).ok());
    Some(Task {
        at,
        pid: pid.parse().ok()?,
        total_vm: pages("total_vm")?,
        rss: pages("rss")?,
        rss_anon: pages("rss_anon"),
        swapped: pages("swapents"),
        score_adjustment: value("oom_score_adj").and_then(|value| i32::try_from(value).ok()),
        name: rest.trim_end().to_owned(),
    })
}
