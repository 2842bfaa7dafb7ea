//! What a `LOG` states, as values.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use super::dump::Dump;
use crate::artefact::Stated;
use crate::model::Bytes;

/// An address in the process that wrote the log: the same address is the same object, such as a slot's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointer(pub u64);

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// What a `LOG` states. Where something is stated again, the last statement counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RocksDbLog {
    /// `RocksDB version: 8.10.0`.
    pub version: Option<Stated<String>>,
    /// `DB Session ID:  RQFMH3ALND3YNCNSTFKB`.
    pub session: Option<Stated<String>>,
    /// The database's directory as its process names it.
    pub directory: Option<Stated<String>>,
    /// Options of the database as a whole.
    pub database: DatabaseOptions,
    /// The column families in the order in which they are first named.
    pub column_families: Vec<ColumnFamily>,
    /// What was flushed.
    pub flushes: Flushes,
    /// What was compacted.
    pub compactions: Compactions,
    /// Table files that were created and not deleted, by number.
    pub tables: BTreeMap<u64, Table>,
    /// Table files that were left out of `tables` because there were too many.
    pub tables_left_out: u64,
    /// The last dump of statistics. Flink turns them off (`stats_dump_period_sec` is 0), so most logs have none.
    pub dump: Option<Dump>,
    /// Writes that were delayed or stopped.
    pub stalls: Stalls,
    /// Errors.
    pub errors: Errors,
    /// The time of the first line, in microseconds since 1970 on the process's clock and in its time zone.
    pub first: Option<u64>,
    /// The time of the last line, likewise.
    pub last: Option<u64>,
    /// How many lines were read.
    pub lines: u32,
    /// Events whose JSON could not be read: cut off, or not JSON.
    pub unreadable_events: u32,
    /// Where the middle was left out: lines above this one are counted on as if they followed it.
    pub gap_after: Option<u32>,
}

impl RocksDbLog {
    /// The cache that the column families share, where they state one. Flink gives all databases of a slot the same.
    pub fn block_cache(&self) -> Option<Pointer> {
        self.column_families.iter().find_map(|family| family.table.block_cache.as_ref().map(|stated| stated.what))
    }

    /// A column family by its name.
    pub fn family(&self, name: &str) -> Option<&ColumnFamily> {
        self.column_families.iter().find(|family| family.name == name)
    }
}

/// Options of a database as a whole (`ImmutableDBOptions::Dump`, `MutableDBOptions::Dump`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseOptions {
    /// Shared by the databases of a slot where Flink manages their memory. Nothing where it is `(nil)`.
    pub write_buffer_manager: Option<Stated<Pointer>>,
    /// A limit of all memtables, 0 for none.
    pub db_write_buffer_size: Option<Stated<Bytes>>,
    /// How many files are kept open, -1 for all.
    pub max_open_files: Option<Stated<i64>>,
    /// Threads for flushes and compactions.
    pub max_background_jobs: Option<Stated<i64>>,
    /// Seconds between two dumps of statistics, 0 for none.
    pub stats_dump_period: Option<Stated<u64>>,
    /// Where the log is, where it is not in the database's directory.
    pub log_directory: Option<Stated<String>>,
}

/// A column family, which is one of Flink's states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnFamily {
    /// Its name.
    pub name: String,
    /// A memtable is flushed at this size.
    pub write_buffer_size: Option<Stated<Bytes>>,
    /// How many memtables there may be.
    pub max_write_buffer_number: Option<Stated<u64>>,
    /// What a memtable allocates at a time.
    pub arena_block_size: Option<Stated<Bytes>>,
    /// With so many files in level 0, writes are delayed.
    pub level0_slowdown: Option<Stated<u64>>,
    /// With so many files in level 0, writes are stopped.
    pub level0_stop: Option<Stated<u64>>,
    /// With so much to compact, writes are delayed.
    pub soft_pending: Option<Stated<Bytes>>,
    /// With so much to compact, writes are stopped.
    pub hard_pending: Option<Stated<Bytes>>,
    /// `kCompactionStyleLevel` and others.
    pub compaction_style: Option<Stated<String>>,
    /// How its files are built and cached.
    pub table: TableOptions,
    /// Its files on each level after its last flush or compaction.
    pub files_by_level: Option<Stated<Vec<u64>>>,
}

/// How table files are built and cached (`BlockBasedTableFactory::GetPrintableOptions`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableOptions {
    /// The cache. Nothing where it is `(nil)`.
    pub block_cache: Option<Stated<Pointer>>,
    /// `LRUCache`, `ClockCache` and others.
    pub cache_name: Option<Stated<String>>,
    /// The cache's capacity.
    pub cache_capacity: Option<Stated<Bytes>>,
    /// Whether the cache refuses to grow above its capacity.
    pub strict_capacity_limit: Option<Stated<bool>>,
    /// The share of the cache for index and filter blocks, as written.
    pub high_pri_pool_ratio: Option<Stated<String>>,
    /// Whether index and filter blocks are in the cache and not beside it.
    pub cache_index_and_filter_blocks: Option<Stated<bool>>,
    /// Whether those of level 0 stay in the cache.
    pub pin_l0_filter_and_index_blocks: Option<Stated<bool>>,
    /// Whether there is no cache at all.
    pub no_block_cache: Option<Stated<bool>>,
    /// A data block's size before it is compressed.
    pub block_size: Option<Stated<Bytes>>,
    /// The filter's name; `nullptr` is none.
    pub filter_policy: Option<Stated<String>>,
    /// `BlockBasedTableOptions::IndexType` as a number: 0 is a binary search, 2 an index in two levels.
    pub index_type: Option<Stated<u64>>,
    /// Whether filters are split into blocks of their own.
    pub partition_filters: Option<Stated<bool>>,
}

/// A table file as its creation states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// The position of its column family in [`RocksDbLog::column_families`].
    pub family: Option<usize>,
    /// The file's size.
    pub file: Bytes,
    /// Its data blocks.
    pub data: Option<Bytes>,
    /// Its index.
    pub index: Option<Bytes>,
    /// Its filter.
    pub filter: Option<Bytes>,
    /// Its entries.
    pub entries: Option<u64>,
}

/// Flushes of memtables to files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flushes {
    /// How many were started.
    pub count: u64,
    /// How many for each reason.
    pub by_reason: BTreeMap<String, u64>,
    /// The last of them, oldest first.
    pub recent: VecDeque<Flush>,
}

/// One flush (`flush_started`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flush {
    /// When, in microseconds since 1970.
    pub at: Option<u64>,
    /// What its memtables took: arena blocks, filled or not.
    pub memory: Option<Bytes>,
    /// The keys and values in them.
    pub data: Option<Bytes>,
    /// `Write Buffer Manager`, `Write Buffer Full`, `Get Live Files` (a checkpoint) and others.
    pub reason: Option<String>,
}

/// Compactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compactions {
    /// How many ended.
    pub count: u64,
    /// How long they took in all, in microseconds.
    pub micros: u64,
    /// What they wrote in all.
    pub written: u64,
}

/// Why writes are delayed or stopped (`WriteStallCause`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StallCause {
    /// Memtables wait to be flushed.
    Memtables,
    /// Level 0 has too many files.
    Level0,
    /// Too much waits to be compacted.
    PendingCompaction,
}

/// How hard writes are held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StallKind {
    /// Slowed down.
    Delayed,
    /// Stopped.
    Stopped,
}

/// `[accState] Stopping writes because we have 2 immutable memtables`: it is only logged when it begins, never when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StallLine {
    /// When, as [`RocksDbLog::first`].
    pub at: Option<u64>,
    /// In which column family.
    pub family: Option<String>,
    /// Why.
    pub cause: StallCause,
    /// How hard.
    pub kind: StallKind,
    /// Memtables, files or bytes, by cause.
    pub figure: u64,
}

/// Writes that were delayed or stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stalls {
    /// How many lines say so.
    pub counts: BTreeMap<(StallCause, StallKind), u64>,
    /// The last of them, oldest first.
    pub recent: VecDeque<Stated<StallLine>>,
}

/// A line that tells of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedError {
    /// When, as [`RocksDbLog::first`].
    pub at: Option<u64>,
    /// The line's text without its head, cut off where it is long.
    pub text: String,
    /// Whether it says that a file is broken.
    pub corruption: bool,
    /// Whether it says that the disk is full.
    pub no_space: bool,
}

/// Lines that tell of errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<Stated<LoggedError>>,
    /// The last one.
    pub last: Option<Stated<LoggedError>>,
}
