//! The dump of a process tree (`ProcfsBasedProcessTree.getProcessTreeDump`).

use std::sync::LazyLock;

use regex::Regex;

use super::plain::{Blanks, Plain};

/// The processes of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Those that could be read.
    pub processes: Vec<Process>,
    /// Rows that could not: cut off, or with columns run together.
    pub torn: usize,
}

/// A row: `|- PID PPID PGRPID SESSID CMD_NAME USER_MODE_TIME(MILLIS) SYSTEM_TIME(MILLIS) VMEM_USAGE(BYTES)
/// RSSMEM_USAGE(PAGES) FULL_CMD_LINE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Where the line starts.
    pub at: usize,
    /// The process; none where its columns have run together.
    pub pid: Option<u32>,
    /// What the kernel calls it: `java`, `bash`.
    pub name: String,
    /// Mapped, in bytes.
    pub mapped: u64,
    /// Resident, in pages. Before Hadoop 0.23 there is none.
    pub resident_pages: Option<u64>,
    /// Its command line, in one line.
    pub command: String,
}

/// No process has more memory than the address space.
const MOST_BYTES: u64 = 1 << 57;
/// Mails are wrapped before this column.
const WIDEST_WRAP: usize = 160;
/// Of a command line so much is kept.
const LONGEST_COMMAND: usize = 64 << 10;

static ROW: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?:(\d{1,10})\s+(-?\d{1,10})\s+)?(-?\d{1,21})\s+(-?\d{1,21})\s*",
        r"\(([^()\n]{1,64}(?:\([^()\n]{0,32}\)[^()\n]{0,32})?)\)\s*(\d{1,20}(?:\s+\d{1,20}){0,3})(?:\s|$)",
    ))
    .ok()
});
static MARK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?:\|\s?-|:-)\s?\d+\s+\d+").ok());
static HEADER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"PGRPID\s+SESSID\s+CMD_NAME\s+([A-Z_()\s]{4,200}?)\s*FULL_CMD_LINE").ok());
/// What is written behind a dump.
const TAILS: [&str; 4] = ["Container killed on request", "Container exited with", "Killed by external signal", "\n\n"];

/// The columns of numbers behind the name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Mapped,
    Resident,
    Other,
}

impl Tree {
    /// The dump in a part of a text.
    pub(super) fn read(text: &str, from: usize, until: usize) -> Tree {
        let Some((row, mark)) = ROW.as_ref().zip(MARK.as_ref()) else { return Tree::default() };
        // Many a kill is told without one.
        let words = ["process", "PPID", "|-"];
        if !text.get(from..until).is_some_and(|part| words.iter().any(|word| part.contains(word))) {
            return Tree::default();
        }
        let plain = Plain::of(text, from, until, Blanks::Kept);
        let columns = columns(&plain.text);
        let mut tree = Tree::default();
        let mut marks = mark.find_iter(&plain.text).count();
        let mut rows = row.captures_iter(&plain.text).peekable();
        while let Some(caught) = rows.next() {
            let Some(whole) = caught.get(0) else { continue };
            let next = rows.peek().and_then(|next| next.get(0)).map_or(plain.text.len(), |next| next.start());
            let numbers: Vec<u64> =
                caught.get(6).map_or("", |part| part.as_str()).split_whitespace().flat_map(str::parse).collect();
            let Some((mapped, resident_pages)) = sizes(&numbers, &columns) else { continue };
            let command = plain.text.get(whole.end()..next).map_or("", command);
            marks = marks.saturating_sub(1);
            tree.processes.push(Process {
                at: plain.raw(whole.start()),
                pid: caught.get(1).and_then(|digits| digits.as_str().parse().ok()),
                name: caught.get(5).map_or("", |name| name.as_str()).trim().to_owned(),
                mapped,
                resident_pages,
                command: command.split_whitespace().collect::<Vec<_>>().join(" "),
            });
        }
        tree.torn = marks;
        tree
    }

    /// Mapped memory of all, where every row could be read and that of a process is there.
    pub fn mapped(&self, root: Option<u32>) -> Option<u64> {
        self.whole(root)?.try_fold(0, |sum: u64, process| sum.checked_add(process.mapped))
    }

    /// Resident pages of all, likewise.
    pub fn resident_pages(&self, root: Option<u32>) -> Option<u64> {
        self.whole(root)?.try_fold(0, |sum: u64, process| sum.checked_add(process.resident_pages?))
    }

    fn whole(&self, root: Option<u32>) -> Option<impl Iterator<Item = &Process>> {
        let has_root =
            root.is_none_or(|pid| self.processes.iter().any(|process| process.pid.is_none_or(|own| own == pid)));
        (self.torn == 0 && !self.processes.is_empty() && has_root).then(|| self.processes.iter())
    }

    /// The process that is the container's work: the largest JVM, else what sets a heap, else the largest.
    pub fn main(&self) -> Option<&Process> {
        let largest = |all: &mut dyn Iterator<Item = &'_ Process>| {
            let mut best: Option<usize> = None;
            let mut most = 0;
            for (at, process) in all.enumerate() {
                let size = process.resident_pages.unwrap_or(process.mapped);
                if best.is_none() || size > most {
                    (best, most) = (Some(at), size);
                }
            }
            best
        };
        let is_java = |process: &&Process| process.name == "java";
        let sets_heap = |process: &&Process| process.command.contains("-Xmx");
        if let Some(at) = largest(&mut self.processes.iter().filter(is_java)) {
            return self.processes.iter().filter(is_java).nth(at);
        }
        if let Some(at) = largest(&mut self.processes.iter().filter(sets_heap)) {
            return self.processes.iter().filter(sets_heap).nth(at);
        }
        largest(&mut self.processes.iter()).and_then(|at| self.processes.get(at))
    }
}

/// The columns that the header names; those of Hadoop 0.23 and later where it is gone.
fn columns(text: &str) -> Vec<Column> {
    let named = HEADER.as_ref().and_then(|header| header.captures(text)).and_then(|caught| caught.get(1));
    let named: Vec<Column> = named
        .map_or("", |part| part.as_str())
        .split_whitespace()
        // A unit may have been torn from its name.
        .filter(|word| !word.starts_with('('))
        .map(|word| match word {
            _ if word.starts_with("VMEM") => Column::Mapped,
            _ if word.starts_with("RSSMEM") => Column::Resident,
            _ => Column::Other,
        })
        .collect();
    if named.contains(&Column::Mapped) && named.len() <= 8 {
        named
    } else {
        vec![Column::Other, Column::Other, Column::Mapped, Column::Resident]
    }
}

/// Mapped bytes and resident pages. Where columns have run together, those at the end are counted from the end: times
/// come first, and are the small ones.
fn sizes(numbers: &[u64], columns: &[Column]) -> Option<(u64, Option<u64>)> {
    let missing = columns.len().checked_sub(numbers.len().min(columns.len()))?;
    let of = |wanted: Column| {
        let at = columns.iter().position(|column| *column == wanted)?;
        numbers.get(at.checked_sub(missing)?).copied()
    };
    let (mapped, resident) = (of(Column::Mapped)?, of(Column::Resident));
    if columns.contains(&Column::Resident) && resident.is_none() {
        return None;
    }
    // More resident than mapped: the wrong columns.
    let fits = resident.is_none_or(|pages| pages.checked_mul(1024).is_some_and(|bytes| bytes <= mapped));
    (mapped <= MOST_BYTES && fits).then_some((mapped, resident))
}

/// The command line at the start of a text: to the end of its line, or of its lines where they were wrapped.
fn command(text: &str) -> &str {
    let tail = TAILS.iter().filter_map(|tail| text.find(tail)).min().unwrap_or(text.len());
    let mut end = tail.min(LONGEST_COMMAND);
    let mut from = 0;
    while let Some(length) = text.get(from..).and_then(|rest| rest.find('\n')) {
        if from + length >= end {
            break;
        }
        if length > WIDEST_WRAP {
            end = from + length;
            break;
        }
        from += length + 1;
    }
    text.get(..text.floor_char_boundary(end)).unwrap_or_default()
}
