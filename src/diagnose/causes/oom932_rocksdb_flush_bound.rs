use super::store_bound;
use crate::diagnose::cause::{Outlook, cause};
use crate::diagnose::rocksdb_bound::Bound;
use crate::model::Finding;

cause! {
    /// RocksDB flushes small memtables all the time: files are tiny, and compaction rewrites them again and again.
    ///
    /// ### What is seen
    /// Memtables are written long before they are full, several a minute. The write-buffer manager of a slot gives all states
    /// together half of its managed memory, and each memtable that is not empty takes an arena block at least: 8 MiB in
    /// Flink 1.x. With many states and little managed memory, one block is above what all may take, and every write flushes.
    ///
    /// ### What it is not
    /// - Flushes of checkpoints: each makes one a state, and the log names the reason.
    /// - A disk that is too slow (OOM933).
    ///
    /// ### How to prove it
    /// `grep flush_started *LOG`: `flush_reason` is `Write Buffer Manager`, and `memory_usage` far below the write buffer's size.
    ///
    /// ### Cure
    /// More managed memory a slot: `taskmanager.memory.managed.fraction`, fewer `taskmanager.numberOfTaskSlots`, or a higher
    /// `state.backend.rocksdb.memory.write-buffer-ratio`. In code a smaller arena block size.
    ///
    /// ### Sources
    /// - [FLINK-19238](https://issues.apache.org/jira/browse/FLINK-19238), Flink warns of the arena block since 1.12.
    /// - RocksDB, memtable/write_buffer_manager.cc (mutable limit, 7/8), db/column_family.cc (`SanitizeOptions`).
    "OOM932" "rocksdb-flush-bound" {
        early: early,
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    store_bound::early(&CAUSE, Bound::Flushes, outlook)
}

#[cfg(test)]
mod tests {
    use super::super::tried::{self, Tried};
    use super::*;

    #[test]
    fn the_verdict_is_told_with_its_evidence_and_the_keys_to_turn() {
        let finding = tried::store_waits(Bound::Flushes).finding(&CAUSE);
        assert!(finding.title.starts_with(&format!("RocksDB is {}: ", Bound::Flushes)), "{}", finding.title);
        assert_eq!(finding.notes.last().map(String::as_str), Some("seen in GroupAggregate 1/2"));
        assert!(finding.notes.len() > 1 && finding.help.is_some_and(|help| help.contains("state.backend")));
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }
}
