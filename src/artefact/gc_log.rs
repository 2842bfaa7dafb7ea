//! Logs of garbage collections: those of JDK 5 to 8 (`-Xloggc`, `-verbose:gc`; serial, parallel, CMS, G1) and unified logging
//! (JDK 9 to 25; serial, parallel, G1, Shenandoah, ZGC), whatever decorations are before a line.

use std::sync::LazyLock;

use regex::Regex;

use super::excerpt::Excerpt;
use crate::model::Bytes;

mod before_nine;
mod unified;

/// The words by which such lines are found in a large log.
pub const ANCHORS: &[&str] = &["Pause Full", "[Full GC", "ReportJavaOutOfMemory", "Out Of Memory ("];

/// What one collection says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Where it stands.
    pub offset: usize,
    /// Its number, in unified logging.
    pub number: Option<u64>,
    /// Of what.
    pub kind: Kind,
    /// Why, as it stands in brackets: `Ergonomics`, `G1 Evacuation Pause`, `System.gc()`; empty up to JDK 6.
    pub cause: String,
    /// The heap.
    pub heap: Change,
    /// Metaspace, or PermGen up to JDK 7, where the line has it.
    pub metaspace: Option<Change>,
    /// Whether that is PermGen.
    pub is_perm: bool,
    /// Whether there was no room to copy to: `to-space exhausted`, `promotion failed`, `concurrent mode failure`.
    pub exhausted: bool,
}

/// Which part of the heap is collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The young generation.
    Young,
    /// All of it, in one pause.
    Full,
    /// All of it beside the program, as ZGC does.
    Concurrent,
}

/// What is in use before and after, and what there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Before.
    pub before: Bytes,
    /// After.
    pub after: Bytes,
    /// What is committed; of metaspace, what is reserved up to JDK 15 and committed later.
    pub capacity: Option<Bytes>,
    /// Parts of a hundred of the heap in use after, as ZGC says it.
    pub percent: Option<u64>,
}

/// Something else that a log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The safepoint at which an `OutOfMemoryError` is reported to whom the flags name (`VM_ReportJavaOutOfMemory`).
    ReportsOutOfMemory,
    /// ZGC's `Out Of Memory (THREAD)`, which it prints as it lets an allocation fail.
    OutOfMemory,
    /// The safepoint at which the heap is dumped.
    HeapDump,
    /// A thread waited for memory: ZGC's `Allocation Stall (THREAD) 18.041ms`.
    Stall,
    /// `GC time is exceeding GCTimeLimit of 98%`, after which an error is thrown.
    OverTimeLimit,
    /// `GC time would exceed GCTimeLimit of 98%`.
    NearTimeLimit,
    /// The heap as it was when the JVM ended.
    Exit,
}

/// A log of collections.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GcLog {
    /// In the order of the text.
    pub collections: Vec<Collection>,
    /// In the order of the text.
    pub events: Vec<(usize, Event)>,
    /// The largest heap that the log's head names.
    pub max_heap: Option<Bytes>,
}

/// As many events of one kind are kept.
const MOST: usize = 4096;

/// Reads a text.
pub fn read(excerpt: &Excerpt) -> GcLog {
    let text = excerpt.text();
    let mut log = GcLog::default();
    if text.contains("GC(") {
        unified::read(text, &mut log.collections);
    }
    if text.contains("[GC") || text.contains("[Full GC") {
        before_nine::read(text, &mut log.collections);
    }
    log.collections.sort_by_key(|collection| collection.offset);
    log.events = events(text);
    // These are words of others too, where no collector speaks.
    if log.collections.is_empty() && !text.contains("[gc") && !text.contains("[safepoint") {
        log.events.retain(|(_, event)| *event == Event::ReportsOutOfMemory);
    }
    log.max_heap = max_heap(text);
    log
}

fn events(text: &str) -> Vec<(usize, Event)> {
    const WORDS: [(&str, Event); 8] = [
        ("ReportJavaOutOfMemory", Event::ReportsOutOfMemory),
        ("Out Of Memory (", Event::OutOfMemory),
        ("HeapDumper", Event::HeapDump),
        ("Allocation Stall (", Event::Stall),
        ("is exceeding GCTimeLimit", Event::OverTimeLimit),
        ("would exceed GCTimeLimit", Event::NearTimeLimit),
        ("gc,heap,exit", Event::Exit),
        ("\nHeap\n", Event::Exit),
    ];
    let mut found = Vec::new();
    for (words, event) in WORDS {
        found.extend(text.match_indices(words).take(MOST).map(|(offset, _)| (offset, event)));
    }
    found.sort_by_key(|(offset, _)| *offset);
    found
}

/// `Heap Max Capacity: 80M` (JDK 15 and later), ZGC's `Max Capacity: 512M`, `-XX:MaxHeapSize=8589934592` of JDK 8.
fn max_heap(text: &str) -> Option<Bytes> {
    static MAX: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?:\bMax Capacity: |-XX:MaxHeapSize=)(\d+[KMGkmg]?)\b").ok());
    if !text.contains("Max") {
        return None;
    }
    Bytes::parse_jvm(MAX.as_ref()?.captures(text)?.get(1)?.as_str()).ok()
}

impl Collection {
    /// What is asked for by a person or a tool, or for metaspace while the JVM starts, says nothing of the heap.
    pub fn is_asked_for(&self) -> bool {
        [
            "System.gc()",
            "System",
            "Heap Dump",
            "Heap Inspection",
            "Diagnostic Command",
            "Metadata GC Threshold",
            "JvmtiEnv",
        ]
        .iter()
        .any(|cause| self.cause.starts_with(cause))
    }

    /// Whether it was the last attempt to find room for classes: `Last ditch collection` up to JDK 8, `Metadata GC Clear
    /// Soft References` later.
    pub fn is_for_classes(&self) -> bool {
        self.cause.starts_with("Last ditch") || self.cause.starts_with("Metadata GC Clear")
    }

    /// What it freed.
    pub fn freed(&self) -> Bytes {
        self.heap.before.checked_sub(self.heap.after).unwrap_or_default()
    }
}

/// `24M`, `1023.9M`, `0.0B`, `896768K` in bytes.
fn size(number: &str, unit: &str) -> Option<Bytes> {
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let unit: u64 = match unit {
        "B" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        _ => return None,
    };
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let fraction = match fraction.len() {
        1..=6 => {
            fraction.parse::<u64>().ok()?.checked_mul(unit)? / 10u64.checked_pow(u32::try_from(fraction.len()).ok()?)?
        }
        _ => 0,
    };
    whole.checked_add(fraction).map(Bytes::new)
}

#[cfg(test)]
mod tests;
