use super::store_bound;
use crate::diagnose::cause::{Outlook, cause};
use crate::diagnose::rocksdb_bound::Bound;
use crate::model::Finding;

cause! {
    /// RocksDB merges files more slowly than new ones come: reads look into more files, and in the end writes are held back.
    ///
    /// ### What is seen
    /// Files pile up in level 0, or the bytes that wait for compaction rise. Two background threads a database are shared by
    /// flushes and compactions by default. Disk usage and the time of a restore grow as well.
    ///
    /// ### What it is not
    /// - A burst: a savepoint or a restore leaves much to compact, which goes down by itself.
    /// - Writes that are held back already (OOM930).
    ///
    /// ### How to prove it
    /// `state.backend.rocksdb.metrics.estimate-pending-compaction-bytes` and
    /// `state.backend.rocksdb.metrics.num-running-compactions`; `iostat -x 1`: a busy disk is the bound, an idle one has too few
    /// threads.
    ///
    /// ### Cure
    /// Disk idle: `state.backend.rocksdb.thread.num`. Disk busy: faster disks under `state.backend.rocksdb.localdir`, more
    /// parallelism, larger files with `state.backend.rocksdb.compaction.level.target-file-size-base`, fewer flushes (OOM932).
    ///
    /// ### Sources
    /// - RocksDB, db/compaction/compaction_picker_level.cc; wiki, Compaction; `RocksDBConfigurableOptions`, Flink 1.13 to 2.3.
    "OOM933" "rocksdb-compaction-bound" {
        early: early,
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    store_bound::early(&CAUSE, Bound::Compactions, outlook)
}

#[cfg(test)]
mod tests {
    use super::super::tried::{self, Tried};
    use super::*;

    #[test]
    fn the_verdict_is_told_with_its_evidence_and_the_keys_to_turn() {
        let finding = tried::store_waits(Bound::Compactions).finding(&CAUSE);
        assert!(finding.title.starts_with(&format!("RocksDB is {}: ", Bound::Compactions)), "{}", finding.title);
        assert_eq!(finding.notes.last().map(String::as_str), Some("seen in GroupAggregate 1/2"));
        assert!(finding.notes.len() > 1 && finding.help.is_some_and(|help| help.contains("state.backend")));
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }
}
