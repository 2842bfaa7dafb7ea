//! RocksDB's native metrics: what each counts, and whose it is.

use std::fmt;

use super::number::whole;
use crate::model::Seen;

/// What a property is a property of (`internal_stats.cc` of RocksDB 6.0: where each handler reads).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shared {
    /// The block cache that a column family uses, and may share with all of its slot.
    Cache,
    /// The whole database; each column family reports it again.
    Database,
    /// The column family alone.
    ColumnFamily,
    /// A ticker, counted once a database.
    Ticker,
}

/// A metric of RocksDB that says something of memory or of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Property {
    /// What the block cache may be charged with, in bytes.
    CacheCapacity,
    /// What the block cache is charged with, in bytes: blocks, and memtables where a write-buffer manager charges them.
    CacheUsage,
    /// The part of it that cannot be thrown out: blocks that are being read, and every charge that is no block.
    CachePinned,
    /// Memtables, active and not flushed yet, in bytes.
    Memtables,
    /// The active memtable, in bytes.
    ActiveMemtable,
    /// Memtables, flushed ones that an iterator still holds included, in bytes.
    MemtablesWithPinned,
    /// How many memtables wait for their flush.
    ImmutableMemtables,
    /// Index and filter blocks and other parts of open files that are not in the block cache, in bytes.
    TableReaders,
    /// Files of all versions, in bytes.
    FilesTotal,
    /// Files of the newest version, in bytes.
    FilesLive,
    /// 1 where writes are stopped.
    WriteStopped,
    /// Bytes a second that writes are slowed to; 0 where they are not.
    DelayedWriteRate,
    /// 1 where a compaction is due.
    CompactionPending,
    /// 1 where a flush is due.
    FlushPending,
    /// Compactions that run.
    RunningCompactions,
    /// Flushes that run.
    RunningFlushes,
    /// What compactions must rewrite until no level is too large, in bytes.
    PendingCompactionBytes,
    /// Flushes and compactions that failed, since the start.
    BackgroundErrors,
    /// Blocks found in the cache, since the start.
    CacheHit,
    /// Blocks not found in it, since the start.
    CacheMiss,
    /// Microseconds that writers waited, since the start.
    StallMicros,
    /// Bytes read by `Get`, since the start.
    BytesRead,
    /// Bytes written, since the start.
    BytesWritten,
}

/// Each with its name in RocksDB (`RocksDBProperty`, `RocksDBNativeMetricOptions`), as Flink gives it behind `rocksdb_`,
/// in underscores.
const PROPERTIES: [(Property, &str, Shared); 23] = [
    (Property::CacheCapacity, "block_cache_capacity", Shared::Cache),
    (Property::CacheUsage, "block_cache_usage", Shared::Cache),
    (Property::CachePinned, "block_cache_pinned_usage", Shared::Cache),
    (Property::Memtables, "cur_size_all_mem_tables", Shared::ColumnFamily),
    (Property::ActiveMemtable, "cur_size_active_mem_table", Shared::ColumnFamily),
    (Property::MemtablesWithPinned, "size_all_mem_tables", Shared::ColumnFamily),
    (Property::ImmutableMemtables, "num_immutable_mem_table", Shared::ColumnFamily),
    (Property::TableReaders, "estimate_table_readers_mem", Shared::ColumnFamily),
    (Property::FilesTotal, "total_sst_files_size", Shared::ColumnFamily),
    (Property::FilesLive, "live_sst_files_size", Shared::ColumnFamily),
    (Property::WriteStopped, "is_write_stopped", Shared::Database),
    (Property::DelayedWriteRate, "actual_delayed_write_rate", Shared::Database),
    (Property::CompactionPending, "compaction_pending", Shared::ColumnFamily),
    (Property::FlushPending, "mem_table_flush_pending", Shared::ColumnFamily),
    (Property::RunningCompactions, "num_running_compactions", Shared::Database),
    (Property::RunningFlushes, "num_running_flushes", Shared::Database),
    (Property::PendingCompactionBytes, "estimate_pending_compaction_bytes", Shared::ColumnFamily),
    (Property::BackgroundErrors, "background_errors", Shared::ColumnFamily),
    (Property::CacheHit, "block_cache_hit", Shared::Ticker),
    (Property::CacheMiss, "block_cache_miss", Shared::Ticker),
    (Property::StallMicros, "stall_micros", Shared::Ticker),
    (Property::BytesRead, "bytes_read", Shared::Ticker),
    (Property::BytesWritten, "bytes_written", Shared::Ticker),
];

impl Property {
    /// The property of a name, whether it is written with `-`, `.` or `_`.
    pub fn of_name(name: &str) -> Option<Property> {
        let plain = name.replace(['-', '.'], "_");
        PROPERTIES.iter().find(|(_, known, _)| *known == plain).map(|(property, _, _)| *property)
    }

    /// What it is a property of.
    pub fn shared(self) -> Shared {
        let found = PROPERTIES.iter().find(|(property, _, _)| *property == self);
        found.map_or(Shared::ColumnFamily, |(_, _, shared)| *shared)
    }
}

/// As in the option that turns it on, `state.backend.rocksdb.metrics.block-cache-usage`.
impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = PROPERTIES.iter().find(|(property, _, _)| property == self);
        f.pad(&found.map_or(String::new(), |(_, name, _)| name.replace('_', "-")))
    }
}

/// One value of one property, with all that tells whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RocksDbReading {
    /// The TaskManager, where it is known.
    pub task_manager: Option<String>,
    /// The job, where it is known.
    pub job: Option<String>,
    /// The vertex, where it is known.
    pub vertex: Option<String>,
    /// The vertex's slot sharing group, where it is known.
    pub sharing_group: Option<String>,
    /// The subtask of the vertex.
    pub subtask: u32,
    /// The operator: each has a database of its own in each subtask.
    pub operator: String,
    /// The column family: one a state. Tickers have none.
    pub column_family: Option<String>,
    /// What was measured.
    pub property: Property,
    /// How much.
    pub value: Seen<u64>,
}

/// Whether a metric's name is that of a property that [`readings_of_vertex`] reads.
pub fn is_wanted(name: &str) -> bool {
    parts(name).is_some()
}

/// `<subtask>.<operator>[.<column family>].rocksdb_<property>`. Flink writes no dot into a part (`MetricQueryService`);
/// a column family may stand as `column_family.NAME` (`state.backend.rocksdb.metrics.column-family-as-variable`).
fn parts(name: &str) -> Option<(u32, &str, Option<&str>, Property)> {
    let (scope, last) = name.rsplit_once('.')?;
    let (store, property) = last.split_once(['_', '-'])?;
    let property = Property::of_name(property).filter(|_| matches!(store, "rocksdb" | "forst"))?;
    let (subtask, scope) = scope.split_once('.')?;
    let (operator, family) = match scope.split_once('.') {
        Some((operator, family)) => (operator, Some(family.strip_prefix("column_family.").unwrap_or(family))),
        None => (scope, None),
    };
    Some((subtask.parse().ok()?, operator, family, property))
}

/// The readings among the metrics of one vertex, `/jobs/:id/vertices/:id/metrics?get=…`; whose job and TaskManager they
/// are, the names do not say.
pub fn readings_of_vertex(values: &[(String, String)]) -> Vec<RocksDbReading> {
    let readings = values.iter().filter_map(|(name, value)| {
        let (subtask, operator, family, property) = parts(name)?;
        Some(RocksDbReading {
            task_manager: None,
            job: None,
            vertex: None,
            sharing_group: None,
            subtask,
            operator: operator.to_owned(),
            column_family: family.map(str::to_owned),
            property,
            value: whole(value),
        })
    });
    readings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_however_their_parts_are_joined() {
        let cases = [
            ("0.Rank[7].accState.rocksdb_block-cache-usage", (0, "Rank[7]", Some("accState"), Property::CacheUsage)),
            ("1.Rank[7].rocksdb_block_cache_hit", (1, "Rank[7]", None, Property::CacheHit)),
            (
                "2.A._timer_state/event_user-timers.rocksdb_is_write_stopped",
                (2, "A", Some("_timer_state/event_user-timers"), Property::WriteStopped),
            ),
            ("3.A.column_family.s.rocksdb_block-cache-usage", (3, "A", Some("s"), Property::CacheUsage)),
            ("0.A.s.forst_cur-size-all-mem-tables", (0, "A", Some("s"), Property::Memtables)),
        ];
        for (name, expected) in cases {
            assert_eq!(parts(name), Some(expected), "{name}");
        }
        for name in
            ["", "0", "0.A", "x.A.s.rocksdb_block-cache-usage", "0.A.s.rocksdb_num-files-at-level0", "0.numRecordsIn"]
        {
            assert!(!is_wanted(name), "{name}");
        }
    }

    #[test]
    fn every_property_has_one_row() {
        for (property, name, shared) in PROPERTIES {
            assert_eq!(Property::of_name(name), Some(property));
            assert_eq!(property.shared(), shared);
        }
    }
}
