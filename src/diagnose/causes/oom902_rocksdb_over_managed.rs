use super::{marks, mib};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::ledger::HeadRoom;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::postmortem::signal::Strain;
use crate::model::{Area, Bytes, Component, Confidence, Finding, Severity};

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
        late: Some(Late {
            required,
            weight: Weight::Explains,
            area: |_| Area::ManagedRocksDb,
            title,
            decides: Some(Decides {
                evidence: "what RocksDB holds against its share, by its own figures",
                command: "grep -h -e 'Block cache LRUCache' -e 'capacity' *LOG",
            }),
            ..Late::UNMARKED
        }),
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
/// Beyond its bound by more than what is charged for a moment, in thousandths of it.
const ABOVE: u64 = 1100;

/// A container at its limit, while RocksDB's own figures are above its bound.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::killed_beside(case, above(case).into_iter().map(|(signal, _)| signal).collect())
}

fn above<'s>(case: &Case<'s>) -> Vec<(&'s Signal, &'s Strain)> {
    let above = marks::used_above(case, Area::ManagedRocksDb, ABOVE).into_iter();
    above.filter(|(_, strain)| strain.name == "block-cache-above-capacity").collect()
}

fn title(case: &Case<'_>) -> String {
    let strain = above(case).into_iter().map(|(_, strain)| (strain.usage, strain.limit)).next();
    let (Some(usage), Some(limit)) = strain.unwrap_or_default() else { return String::new() };
    format!(
        "RocksDB held {} in a cache of {}, and {} was killed with its container at {}",
        mib(usage),
        mib(limit),
        marks::victim(case),
        marks::its_limit(case)
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    fn cached(left: Left, used: u32) -> Left {
        let name = "block-cache-above-capacity";
        left.used(Origin::RocksDb, name, Area::ManagedRocksDb, Bytes::mib(used), Bytes::mib(213))
    }

    #[test]
    fn a_cache_far_above_its_capacity_explains_a_kill_at_the_limit() {
        let verdict = cached(Left::killed_by(Killer::YarnPmem, Area::Container), 400).verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM902"), Area::ManagedRocksDb));
        assert!(verdict.summary.contains("held 400.0 MiB in a cache of 213.0 MiB"), "{}", verdict.summary);
    }

    #[test]
    fn a_full_cache_and_one_without_a_kill_do_not() {
        assert!(!cached(Left::killed_by(Killer::YarnPmem, Area::Container), 214).codes().contains(&"OOM902"));
        assert!(!cached(Left::default(), 400).codes().contains(&"OOM902"));
        assert!(!cached(Left::killed_by(Killer::Jvm, Area::Heap), 400).codes().contains(&"OOM902"));
    }
}
