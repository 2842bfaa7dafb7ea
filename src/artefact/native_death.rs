//! The last words of programs that no JVM speaks for: the C++ and C runtimes, allocators, Go, Rust, the shell.

use std::sync::LazyLock;

use regex::Regex;

use super::excerpt::Excerpt;
use super::part::line_before;
use crate::model::Bytes;

/// The words by which such lines are found in a large log.
pub const ANCHORS: &[&str] = &["bad_alloc", "annot allocate memory", "No space left on device"];

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// `terminate called after throwing an instance of 'std::bad_alloc'`, and other runtimes that end for want of memory.
    RanOut,
    /// An allocation was refused, and the program may have gone on: `error=12, Cannot allocate memory`.
    Refused,
    /// A process or a thread could not be started: `fork: Resource temporarily unavailable`.
    NotStarted,
    /// The heap's own records are damaged: `double free or corruption`, `malloc(): corrupted top size`.
    Corrupted,
    /// A program died of SIGKILL, as a shell or docker compose saw it: `start.sh: line 12: 4711 Killed   java …`,
    /// `taskmanager_1 exited with code 137`.
    Killed,
    /// A length beyond what a container may have, which is an error of the program: `std::length_error`.
    Length,
    /// `Segmentation fault`.
    Segfault,
    /// `No space left on device`, `Disk quota exceeded`.
    DiskFull,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeDeath {
    /// Where it stands.
    pub offset: usize,
    /// What.
    pub said: Said,
    /// By which runtime: `C++`, `Go`, `jemalloc`.
    pub by: &'static str,
    /// What was asked for.
    pub size: Option<Bytes>,
}

/// More of them tell nothing more.
const MOST: usize = 128;

/// By words that stand as they are.
const WORDS: &[(&str, Said, &str)] = &[
    ("std::bad_alloc", Said::RanOut, "C++"),
    ("std::bad\\_alloc", Said::RanOut, "C++"),
    ("St9bad_alloc", Said::RanOut, "C++"),
    ("std::length_error", Said::Length, "C++"),
    ("fatal error: runtime: out of memory", Said::RanOut, "Go"),
    ("fatal error: out of memory", Said::RanOut, "Go"),
    ("runtime: cannot allocate memory", Said::RanOut, "Go"),
    ("<jemalloc>: Error in malloc", Said::RanOut, "jemalloc"),
    ("<jemalloc>: Error allocating", Said::RanOut, "jemalloc"),
    ("tcmalloc: allocation failed", Said::RanOut, "tcmalloc"),
    ("error=12, Cannot allocate memory", Said::Refused, "Java"),
    ("error=12, Not enough space", Said::Refused, "Java"),
    ("fork: Cannot allocate memory", Said::NotStarted, "a shell"),
    ("fork: retry: Cannot allocate memory", Said::NotStarted, "a shell"),
    ("fork: Resource temporarily unavailable", Said::NotStarted, "a shell"),
    ("fork: retry: Resource temporarily unavailable", Said::NotStarted, "a shell"),
    ("error=11, Resource temporarily unavailable", Said::NotStarted, "Java"),
    ("virtual memory exhausted", Said::RanOut, "a compiler"),
    ("double free or corruption", Said::Corrupted, "glibc"),
    ("malloc(): ", Said::Corrupted, "glibc"),
    ("free(): invalid", Said::Corrupted, "glibc"),
    ("realloc(): invalid", Said::Corrupted, "glibc"),
    ("munmap_chunk(): invalid", Said::Corrupted, "glibc"),
    ("corrupted size vs. prev_size", Said::Corrupted, "glibc"),
    ("corrupted double-linked list", Said::Corrupted, "glibc"),
    ("stack smashing detected", Said::Corrupted, "glibc"),
    ("exited with code 137", Said::Killed, "a container runtime"),
    ("Segmentation fault", Said::Segfault, "the kernel"),
    ("No space left on device", Said::DiskFull, "the kernel"),
    ("Disk quota exceeded", Said::DiskFull, "the kernel"),
    ("Cannot allocate memory", Said::Refused, "the kernel"),
];

/// All of them, in the order of the text; of several names that stand on one line the first counts.
pub fn read(excerpt: &Excerpt) -> Vec<NativeDeath> {
    let text = excerpt.text();
    let mut found: Vec<NativeDeath> = Vec::new();
    for (words, said, by) in WORDS {
        found.extend(text.match_indices(words).take(MOST).map(|(offset, _)| NativeDeath {
            offset,
            said: *said,
            by,
            size: None,
        }));
    }
    found.extend(sized(text));
    found.extend(killed(text));
    found.retain(|one| !is_of_others(text, one));
    // The table's order stands before the text's: the particular wording of a line is kept.
    let mut lines = std::collections::BTreeMap::new();
    for one in found {
        lines.entry(excerpt.line(one.offset).offset).or_insert(one);
    }
    lines.into_values().collect()
}

/// Words that a JVM or Python says in sentences of their own, which are read elsewhere.
fn is_of_others(text: &str, one: &NativeDeath) -> bool {
    if one.said != Said::Refused || one.by == "Java" {
        return false;
    }
    let line = line_before(text, one.offset, 300);
    line.contains("_memory(") || line.contains("[Errno 12]") || line.contains("fork") || line.contains("OutOfMemory")
}

/// Rust's `memory allocation of 8589934592 bytes failed`, and `FATAL: Out of memory trying to allocate 1073741824 bytes`.
fn sized(text: &str) -> Vec<NativeDeath> {
    static SIZED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"memory allocation of (\d+) bytes failed|(?:FATAL|fatal)[^\n]{0,40}Out of memory trying to allocate (\d+) bytes").ok()
    });
    if !text.contains("memory allocation of ") && !text.contains("trying to allocate ") {
        return Vec::new();
    }
    let Some(sized) = SIZED.as_ref() else { return Vec::new() };
    let each = sized.captures_iter(text).take(MOST).filter_map(|found| {
        let bytes = found.get(1).or(found.get(2))?.as_str().parse().ok().map(Bytes::new);
        Some(NativeDeath { offset: found.get(0)?.start(), said: Said::RanOut, by: "Rust or C", size: bytes })
    });
    each.collect()
}

/// What bash writes of a job in a script, and every shell of one in the background.
fn killed(text: &str) -> Vec<NativeDeath> {
    static KILLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"\bline \d+:[ \t]+\d+ Killed(?:[ \t]{2,}|[ \t]*\n)",
            r"|(?:^|\n)\[\d+\][ \t]*[+-]?[ \t]+(?:\d+[ \t]+)?[kK]illed[ \t]{2,}"
        ))
        .ok()
    });
    let Some(killed) = KILLED.as_ref().filter(|_| text.contains("illed ") || text.contains("Killed\n")) else {
        return Vec::new();
    };
    let each = killed.find_iter(text).take(MOST);
    each.map(|found| NativeDeath { offset: found.end() - 1, said: Said::Killed, by: "a shell", size: None }).collect()
}

/// Whether the text around is of a JVM, so that what its native part says is the JVM's.
pub fn is_of_jvm(excerpt: &Excerpt) -> bool {
    const WORDS: [&str; 9] =
        ["java.", "Java", "libjvm", "JVM", "org.apache.", "jobmanager", "taskmanager", "TaskManager", "frocksdb"];
    WORDS.iter().any(|word| excerpt.text().contains(word))
}

#[cfg(test)]
mod tests;
