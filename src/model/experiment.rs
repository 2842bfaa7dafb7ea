//! What an experiment is made of: the stream of accesses to state, RocksDB's settings, the allocator, the engine and the
//! limit. It is handed to a worker as JSON.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Bytes, Limit};

/// Accesses to keyed state, as the tasks of one TaskManager make them. The same seed gives the same accesses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Workload {
    /// Its name: that of its file.
    pub name: String,
    /// What it stands for.
    pub about: String,
    /// Slots of the TaskManager: each has a cache and a write-buffer manager of its own where there is a pool.
    pub slots: u32,
    /// The operators with state; each slot runs one subtask of each, with a RocksDB instance and a thread of its own.
    pub operators: Vec<Operator>,
    /// What is done, one after another.
    pub phases: Vec<Phase>,
    /// Records between two snapshots of each instance; each flushes its memtables and links its files.
    pub snapshot_every: Option<u64>,
    /// Where randomness begins.
    pub seed: u64,
    /// Native memory that is taken each second and never given back, as a leak of user code is.
    pub leak: Option<Bytes>,
    /// A Python process beside the worker, in the same group, that grows by this much each second.
    pub python: Option<Bytes>,
    /// Files written as a blocking shuffle writes them, beside or in place of state.
    pub shuffle: Option<Shuffle>,
}

/// Writing of a blocking shuffle: each task writes its partitions' files one after another, and reads them once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Shuffle {
    /// Bytes that are written in all.
    pub bytes: Bytes,
    /// Bytes of one file.
    pub file: Bytes,
    /// Bytes a second at most.
    pub rate: Option<Bytes>,
    /// Whether pages are written back and given up as soon as a file's part is written.
    pub written_back: bool,
}

/// An operator that keeps state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Operator {
    /// Its name.
    pub name: String,
    /// Its states: a column family each.
    pub states: Vec<State>,
}

/// A state, as large as in one instance (slot and operator).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct State {
    /// Its name.
    pub name: String,
    /// How many alike there are; their names are numbered then.
    pub copies: u32,
    /// What is kept for a key.
    pub kind: Kind,
    /// Keys that there are at most.
    pub keys: u64,
    /// The user's key, serialised; Flink puts the key group before it and the namespace behind it.
    pub key_size: Bytes,
    /// The smallest value.
    pub value_least: Bytes,
    /// The largest value; sizes are spread evenly between them.
    pub value_most: Bytes,
    /// The part of a value that compression takes away, in percent.
    pub compressible: u8,
    /// Which keys are met.
    pub order: Order,
    /// Records after which an entry that was not written again is expired: compaction drops it, as Flink's filter does.
    pub ttl: Option<u64>,
    /// The entries of a map that an iteration walks over before it is closed; all of the key's where it is nothing.
    pub walked: Option<u64>,
    /// Iterations that each task keeps open at a time; the oldest is closed when one more is opened.
    pub held: u32,
}

/// What a state keeps for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One value.
    Value,
    /// A map: so many entries a key, each an entry of RocksDB.
    Map {
        /// Entries a key.
        entries: u32,
    },
    /// A list: a write appends with the merge operator.
    List,
    /// Timers: a write registers one, that falls due after the window of the order and is taken off then.
    Timers,
}

/// Which keys are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Any, each as likely.
    Uniform,
    /// Few very often: Zipf's law with the exponent in hundredths, below 100.
    Zipf {
        /// The exponent, times 100.
        exponent: u8,
    },
    /// One after another: record n writes key n, reads one of the keys of the window behind it, and deletes that at the
    /// end of the window.
    Sequence {
        /// Records that a key waits.
        window: u64,
    },
}

/// Something done for a number of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// Records that each task takes.
    pub records: u64,
    /// Snapshots that each task loads in bulk before its records, as after a restart with another parallelism: so many
    /// copies of its last snapshot are opened and written into an empty instance.
    pub restored: u32,
    /// Records a second and task at most.
    pub rate: Option<u64>,
    /// What a record does to each state, by its name.
    pub accesses: Vec<Accesses>,
}

/// How often a record does what to a state: in millionths, so that 1,000,000 is once a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Accesses {
    /// The state.
    pub state: String,
    /// Reads of one entry.
    pub read: u64,
    /// Writes of one entry.
    pub write: u64,
    /// Reads followed by a write of the same entry.
    pub update: u64,
    /// Deletions of one entry.
    pub delete: u64,
    /// Iterations over a key's entries.
    pub iterate: u64,
    /// Iterations over the whole state.
    pub scan: u64,
}

/// RocksDB as Flink sets it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StoreSettings {
    /// The memory that instances share; where there is none, each column family has its own.
    pub pool: Option<SharedPool>,
    /// Whether all slots share one pool in place of one each.
    pub one_pool_for_all: bool,
    /// The block cache of a column family where there is no pool.
    pub block_cache: Bytes,
    /// A memtable is flushed at this size.
    pub write_buffer: Bytes,
    /// Memtables of a column family at most, flushing ones included.
    pub write_buffers: u32,
    /// Memtables that are flushed together at least.
    pub merged_write_buffers: u32,
    /// What a memtable allocates at a time; nothing leaves it to RocksDB, as Flink does.
    pub arena_block: Option<Bytes>,
    /// A data block before compression.
    pub block_size: Bytes,
    /// The size of a block of a partitioned index.
    pub metadata_block_size: Bytes,
    /// Files of level 1.
    pub target_file: Bytes,
    /// All of level 1.
    pub level_base: Bytes,
    /// Whether levels are sized from the last one upwards.
    pub dynamic_levels: bool,
    /// Whether index and filter blocks are charged to the cache; else they stay with each open file.
    pub index_and_filter_in_cache: bool,
    /// Whether index and filter are split, with only their top pinned.
    pub partitioned: bool,
    /// Bits a key of Bloom filters.
    pub bloom_bits: Option<u8>,
    /// Threads for flushes and compactions.
    pub threads: u32,
    /// Files that are kept open; nothing is all of them.
    pub open_files: Option<u32>,
    /// Whether blocks are compressed with Snappy.
    pub snappy: bool,
    /// Values that a write batch gathers; 0 writes each alone.
    pub write_batch: Bytes,
}

/// A block cache, and a write-buffer manager that charges memtables to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SharedPool {
    /// The cache.
    pub cache: Bytes,
    /// The write-buffer manager.
    pub write_buffer_manager: Bytes,
    /// The part of the cache for index and filter blocks, in percent of it.
    pub high_priority_percent: u8,
    /// Whether the cache refuses what would not fit. Flink never sets it.
    pub strict: bool,
}

/// Who hands out native memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Malloc {
    /// The C library.
    Glibc {
        /// `MALLOC_ARENA_MAX`.
        arenas: Option<u32>,
    },
    /// jemalloc.
    Jemalloc,
}

impl fmt::Display for Malloc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malloc::Glibc { arenas: None } => f.pad("glibc"),
            Malloc::Glibc { arenas: Some(arenas) } => f.pad(&format!("glibc, MALLOC_ARENA_MAX={arenas}")),
            Malloc::Jemalloc => f.pad("jemalloc"),
        }
    }
}

/// Which RocksDB.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EngineChoice {
    /// That which oomph is built with.
    Embedded,
    /// A library that was taken out of flink-dist.
    Library {
        /// Where it lies.
        path: String,
        /// The jar that it is from.
        of: String,
    },
}

/// One run of one workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Experiment {
    /// Its name, for messages.
    pub name: String,
    /// What is done.
    pub workload: Workload,
    /// How RocksDB is set up.
    pub store: StoreSettings,
    /// Who hands out memory.
    pub malloc: Malloc,
    /// Which RocksDB.
    pub engine: EngineChoice,
    /// What its group may take.
    pub limit: Limit,
    /// Where its databases go.
    pub directory: String,
}

/// What a worker says of itself while it works: one JSON line each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Progress {
    /// Milliseconds since it began.
    pub millis: u64,
    /// The phase it is in.
    pub phase: String,
    /// Records that all tasks took.
    pub records: u64,
    /// Records that all tasks will take.
    pub of: u64,
    /// Single reads, writes, steps of iterators.
    pub operations: u64,
    /// Bytes of keys and values that were written.
    pub written: u64,
    /// What each block cache is charged with.
    pub cache_usage: Vec<u64>,
    /// What each block cache may hold.
    pub cache_capacity: Vec<u64>,
    /// What of each block cache is in use at this moment.
    pub cache_pinned: Vec<u64>,
    /// All memtables, those that wait for a flush or are held by iterators included (`rocksdb.size-all-mem-tables`).
    pub memtables: u64,
    /// Index and filter blocks outside of the cache (`rocksdb.estimate-table-readers-mem`).
    pub table_readers: u64,
    /// All files (`rocksdb.total-sst-files-size`).
    pub files: u64,
    /// Flushes that run (`rocksdb.num-running-flushes`).
    pub flushes: u64,
    /// Compactions that run (`rocksdb.num-running-compactions`).
    pub compactions: u64,
    /// What the allocator has handed out: jemalloc's `stats.allocated`, glibc's `uordblks` and `hblkhd`.
    pub allocated: u64,
    /// What the allocator keeps free: jemalloc's `stats.resident` less `stats.allocated`, glibc's `fordblks`.
    pub kept: u64,
    /// Iterators that are open.
    pub iterators: u64,
}

/// A worker's last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// Everything was done.
    Done,
    /// It could not go on.
    Failed(String),
}

/// A line of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// The engine is loaded: its release, and what could not be set up as Flink does.
    Began {
        /// RocksDB's release, such as `6.20.3`.
        release: String,
        /// What differs from Flink's own set-up.
        deviations: Vec<String>,
    },
    /// How far it is.
    Progress(Box<Progress>),
    /// Its own `/proc/self/status` when all is done: a run may be shorter than the time between two looks.
    Status(String),
    /// It ended.
    Ended(Ended),
}
