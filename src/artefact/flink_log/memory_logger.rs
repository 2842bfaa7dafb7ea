//! The lines of Flink's `MemoryLogger` (`taskmanager.debug.memory.log: true`): heap and everything else that the JVM
//! counts, in mebibytes, and direct buffers in bytes.

use std::sync::LazyLock;

use super::{At, Sentence, number, span};
use crate::model::Bytes;

/// One line's `used/committed/max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapUsage {
    /// What is used.
    pub used: Bytes,
    /// What the JVM has of it.
    pub committed: Bytes,
    /// The most that it may have; nothing for -1.
    pub max: Option<Bytes>,
}

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Of the heap.
    Heap(HeapUsage),
    /// Of direct buffers.
    Direct {
        /// How many.
        count: u64,
        /// What they hold.
        used: Bytes,
    },
}

static HEAP: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Memory usage stats: \[HEAP: (?<used>\d+)/(?<committed>\d+)/(?<max>-?\d+) MB"));
static DIRECT: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(r"Direct memory stats: Count: (?<count>\d+), Total Capacity: \d+, Used Memory: (?<used>\d+)")
});

/// Every such line, in the order of the text.
pub fn usages(text: &str) -> Vec<At<Usage>> {
    let mib = |mib: u64| mib.checked_mul(1 << 20).map(Bytes::new);
    let heap = HEAP.all(text).filter_map(|captures| {
        let (used, committed) = (mib(number(&captures, "used")?)?, mib(number(&captures, "committed")?)?);
        let max = number(&captures, "max").and_then(mib);
        Some(At { span: span(&captures), what: Usage::Heap(HeapUsage { used, committed, max }) })
    });
    let direct = DIRECT.all(text).filter_map(|captures| {
        let (count, used) = (number(&captures, "count")?, Bytes::new(number(&captures, "used")?));
        Some(At { span: span(&captures), what: Usage::Direct { count, used } })
    });
    let mut found: Vec<At<Usage>> = heap.chain(direct).collect();
    found.sort_by_key(|usage| usage.span.start);
    found
}
