use super::mib;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::ledger::HeadRoom;
use crate::model::{Bytes, Component, Confidence, Finding, Severity};

cause! {
    /// RocksDB takes more native memory than managed memory plans for it.
    ///
    /// ### What is seen
    /// Blocks and memtables in use are larger than managed memory, while Flink shows managed memory as fully used, which
    /// it always does: that figure is a reservation. The process is killed by its container, without an
    /// OutOfMemoryError.
    ///
    /// ### What it is not
    /// - Memory that malloc keeps after it was freed (OOM901): that is not in use.
    /// - The charge in RocksDB's block-cache metrics: FRocksDB 6.20 counts write-buffer charges that no memory stands
    ///   behind.
    ///
    /// ### How to prove it
    /// `oomph attach PID` counts malloc's chunks of RocksDB's sizes. RocksDB's LOG names the caches by their addresses and
    /// says whether their capacity is strict.
    ///
    /// ### Cure
    /// With `state.backend.rocksdb.memory.managed: false`, set it to true. Else the cache is passed by what iterators pin
    /// and by memtables that wait for a flush, since its limit is a soft one: give managed memory what is really used
    /// (`taskmanager.memory.managed.fraction`), or the difference to
    /// `taskmanager.memory.jvm-overhead.fraction`.
    ///
    /// ### Sources
    /// - `RocksDBMemoryControllerUtils`, Flink 1.10 to 2.3: `new LRUCache(capacity, -1, false, ratio)`.
    /// - [FLINK-15532](https://issues.apache.org/jira/browse/FLINK-15532), the limit is not strict.
    "OOM902" "rocksdb-over-managed" {
        early: early,
    }
}

/// RocksDB's handles and the rounding of malloc's chunks may come on top without a fault.
const TOLERATED: u64 = 20;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let managed = outlook.now.ledger.as_ref().ok()?.row(Component::Managed)?;
    let used = *managed.used.as_ref().ok()?;
    let HeadRoom::Over(over) = HeadRoom::of(managed.budget, used) else { return None };
    if over <= Bytes::new(managed.budget.get() / TOLERATED) {
        return None;
    }
    let mut finding = CAUSE.finding(
        Severity::Error,
        Confidence::Medium,
        format!("RocksDB has {} in use, {} more than its managed memory", mib(used), mib(over)),
    );
    for (pool, bytes) in &managed.pools {
        finding = finding.note(format!("{}: {}", pool.label(), mib(*bytes)));
    }
    Some(finding.help(
        "see that state.backend.rocksdb.memory.managed is true, and raise taskmanager.memory.managed.size to what is used",
    ))
}
