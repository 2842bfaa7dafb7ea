//! Answers of `jcmd` that somebody pasted or kept: native memory tracking, the heap and metaspace at a glance, the head of a
//! histogram of classes (JDK 8 to 25; `memReporter.cpp`, `metaspace.cpp`, `heapInspection.cpp`).

use std::sync::LazyLock;

use regex::Regex;

use super::excerpt::Excerpt;
use super::nmt::Nmt;
use crate::model::Bytes;

/// The words by which such lines are found in a large log.
pub const ANCHORS: &[&str] = &["Native Memory Tracking:"];

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it stands.
    pub offset: usize,
    /// What it says.
    pub says: Says,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// `VM.native_memory`.
    NativeMemory(Nmt),
    /// `Native memory tracking is not enabled`.
    NotTracked,
    /// `GC.heap_info`, and the same block wherever it stands: `garbage-first heap   total 524288K, used 123456K`.
    Heap {
        /// Committed; newer JDKs say before it what is reserved.
        total: Bytes,
        /// In use.
        used: Bytes,
    },
    /// `Metaspace       used 44052K, committed 44608K, reserved 262144K` of the same block.
    Metaspace {
        /// In use.
        used: Bytes,
        /// Committed.
        committed: Bytes,
    },
    /// `GC.class_histogram`: the first row.
    Histogram {
        /// The class.
        class: String,
        /// How many.
        instances: u64,
        /// How much of the heap.
        bytes: Bytes,
    },
    /// `MaxMetaspaceSize: 256.00 MB` of `VM.metaspace`, as it stands.
    MaxMetaspace(String),
}

/// More answers in one text tell nothing more.
const MOST: usize = 64;
/// As many bytes as the answer of native memory tracking has without its details.
const LONGEST: usize = 60_000;

/// All of them, in the order of the text.
pub fn read(excerpt: &Excerpt) -> Vec<Answer> {
    let text = excerpt.text();
    let mut found = Vec::new();
    let starts = |words: &str| text.match_indices(words).take(MOST).map(|(at, _)| at).collect::<Vec<usize>>();
    let mut answers = starts("Native Memory Tracking:");
    // Who quotes such an answer often leaves its first line out.
    if answers.is_empty() {
        answers = starts("Total: reserved=");
    }
    for (index, &offset) in answers.iter().enumerate() {
        let next = answers.get(index + 1).copied().unwrap_or(text.len()).min(offset.saturating_add(LONGEST));
        let end = (offset..=next.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(offset);
        if let Ok(nmt) = Nmt::parse(text.get(offset..end).unwrap_or_default()) {
            found.push(Answer { offset, says: Says::NativeMemory(nmt) });
        }
    }
    let off = text.match_indices("ative memory tracking is not enabled").take(MOST);
    found.extend(off.map(|(at, _)| Answer { offset: at, says: Says::NotTracked }));
    found.extend(rows(text));
    found.sort_by_key(|answer| answer.offset);
    found
}

fn rows(text: &str) -> Vec<Answer> {
    static ROW: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?:gen|Gen|eneration|heap)\s+total (?:reserved \d+K, committed )?(\d+)K, used (\d+)K|Metaspace\s+used (\d+)K,(?: capacity \d+K,)? committed (\d+)K|#bytes\s+class name[^\n]*\n-+\n\s*1:\s+(\d+)\s+(\d+)\s+(\S+)|MaxMetaspaceSize:\s+([\d.]+ [KMG]B|unlimited)",
        )
        .ok()
    });
    if !["total ", "Metaspace", "#bytes"].iter().any(|word| text.contains(word)) {
        return Vec::new();
    }
    let Some(row) = ROW.as_ref() else { return Vec::new() };
    let each = row.captures_iter(text).take(MOST).filter_map(|found| {
        let part = |group| found.get(group).map(|part| part.as_str());
        let number = |group| part(group).and_then(|digits| digits.parse::<u64>().ok());
        let kib = |group| number(group).and_then(|kib| kib.checked_mul(1024)).map(Bytes::new);
        let says = if let (Some(total), Some(used)) = (kib(1), kib(2)) {
            Says::Heap { total, used }
        } else if let (Some(used), Some(committed)) = (kib(3), kib(4)) {
            Says::Metaspace { used, committed }
        } else if let (Some(instances), Some(bytes), Some(class)) = (number(5), number(6), part(7)) {
            Says::Histogram { class: class.to_owned(), instances, bytes: Bytes::new(bytes) }
        } else {
            Says::MaxMetaspace(part(8)?.to_owned())
        };
        Some(Answer { offset: found.get(0)?.start(), says })
    });
    each.collect()
}

#[cfg(test)]
mod tests;
