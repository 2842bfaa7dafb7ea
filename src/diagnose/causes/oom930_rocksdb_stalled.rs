use super::{marks, store_bound};
use crate::diagnose::cause::{Outlook, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::rocksdb_bound::Bound;
use crate::model::{Area, Finding};

cause! {
    /// RocksDB holds writes back: a job stands still or crawls while its TaskManager has nothing to do.
    ///
    /// ### What is seen
    /// RocksDB stops or delays writes, because memtables wait for their flush, because level 0 has too many files, or because
    /// too much waits to be compacted. Backpressure goes up to the source, checkpoints expire at the barrier's alignment.
    ///
    /// ### What it is not
    /// - A full heap (OOM908), which stands still as well, with collections in its counters.
    /// - Reads that miss the cache (OOM931): every record is slow then, and none is held back.
    ///
    /// ### How to prove it
    /// `grep -e 'Stalling writes' -e 'Stopping writes' *LOG`; the metrics of
    /// `state.backend.rocksdb.metrics.is-write-stopped` and `state.backend.rocksdb.metrics.actual-delayed-write-rate`.
    ///
    /// ### Cure
    /// By what is named as the cause. Level 0 and compactions: `state.backend.rocksdb.thread.num` while the disk is idle, a
    /// faster disk (`state.backend.rocksdb.localdir`) or more parallelism while it is busy. Memtables: more managed memory
    /// (`taskmanager.memory.managed.fraction`), `state.backend.rocksdb.writebuffer.count`.
    ///
    /// ### Sources
    /// - RocksDB, db/column_family.cc (`GetWriteStallConditionAndCause`); wiki, Write Stalls.
    "OOM930" "rocksdb-stalled" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Beside,
            area: |_| Area::ManagedRocksDb,
            title,
            decides: Some(Decides {
                evidence: "what holds writes back, and when",
                command: "grep -h -e 'Stalling writes' -e 'Stopping writes' *LOG",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    store_bound::early(&CAUSE, Bound::Stalled, outlook)
}

const STRAINS: [&str; 2] = ["write-stop", "write-stall"];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::strained(case, &STRAINS)
}

fn title(case: &Case<'_>) -> String {
    format!("RocksDB holds writes back, which kills nobody{}", marks::in_words(case, &STRAINS))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::{self, Tried};
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    #[test]
    fn the_verdict_is_told_with_its_evidence_and_the_keys_to_turn() {
        let finding = tried::store_waits(Bound::Stalled).finding(&CAUSE);
        assert!(finding.title.starts_with(&format!("RocksDB is {}: ", Bound::Stalled)), "{}", finding.title);
        assert_eq!(finding.notes.last().map(String::as_str), Some("seen in GroupAggregate 1/2"));
        assert!(finding.notes.len() > 1 && finding.help.is_some_and(|help| help.contains("state.backend")));
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }

    #[test]
    fn stalls_in_a_log_are_told_and_kill_nobody() {
        let stalled = |left: Left| left.strain(Origin::RocksDb, "write-stop", Some(Area::ManagedRocksDb));
        let verdict = stalled(Left::default()).verdict();
        assert_eq!((verdict.code, verdict.killer), (Some("OOM930"), Killer::NotOom));
        assert_eq!(stalled(Left::killed_by(Killer::YarnPmem, Area::Container)).first(), Some("OOM941"));
    }
}
