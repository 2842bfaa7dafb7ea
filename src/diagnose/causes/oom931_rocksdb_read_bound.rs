use super::store_bound;
use crate::diagnose::cause::{Outlook, cause};
use crate::diagnose::rocksdb_bound::Bound;
use crate::model::Finding;

cause! {
    /// RocksDB reads from files what its cache does not hold: the job waits for reads.
    ///
    /// ### What is seen
    /// The share of lookups that hit the block cache falls below nine tenths while the cache is full, and throughput falls
    /// with it. The working set of keys, or the index and filter blocks of large files, are larger than the cache.
    ///
    /// ### What it is not
    /// - A cache that fills: misses after a start are the first reads.
    /// - Writes that are held back (OOM930) or flushed too often (OOM932).
    ///
    /// ### How to prove it
    /// `state.backend.rocksdb.metrics.block-cache-hit` and `state.backend.rocksdb.metrics.block-cache-miss` (Flink 1.15 and
    /// later), as rates; `iostat -x 1` shows the reads.
    ///
    /// ### Cure
    /// More managed memory (`taskmanager.memory.managed.fraction`, `taskmanager.memory.managed.size`); more of it for blocks
    /// (a lower `state.backend.rocksdb.memory.write-buffer-ratio`); where index and filter blocks crowd it,
    /// `state.backend.rocksdb.memory.partitioned-index-filters`; bloom filters with
    /// `state.backend.rocksdb.use-bloom-filter` where keys are mostly absent.
    ///
    /// ### Sources
    /// - RocksDB, wiki, Block Cache and Partitioned Index Filters; `RocksDBConfigurableOptions`, Flink 1.13 to 2.3.
    "OOM931" "rocksdb-read-bound" {
        early: early,
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    store_bound::early(&CAUSE, Bound::Reads, outlook)
}

#[cfg(test)]
mod tests {
    use super::super::tried::{self, Tried};
    use super::*;

    #[test]
    fn the_verdict_is_told_with_its_evidence_and_the_keys_to_turn() {
        let finding = tried::store_waits(Bound::Reads).finding(&CAUSE);
        assert!(finding.title.starts_with(&format!("RocksDB is {}: ", Bound::Reads)), "{}", finding.title);
        assert_eq!(finding.notes.last().map(String::as_str), Some("seen in GroupAggregate 1/2"));
        assert!(finding.notes.len() > 1 && finding.help.is_some_and(|help| help.contains("state.backend")));
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }
}
