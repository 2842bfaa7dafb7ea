//! What the memory model says before a run: each part with what it takes most of the time and at most.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::Bytes;

/// A part of a worker's anonymous memory that the memory model tells from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Data blocks in the block cache, and index and filter blocks where they are charged to it.
    BlockCache,
    /// Memtables, flushing ones and those that iterators hold included.
    Memtables,
    /// Index and filter blocks that stay with open files, outside of the cache.
    IndexAndFilter,
    /// Blocks that open iterators hold beyond the cache's capacity.
    Pinned,
    /// Blocks that are being read, before they are in the cache.
    BlockLoads,
    /// Buffers of flushes and compactions.
    Background,
    /// What each instance and each column family takes before there is any data.
    Floor,
    /// What the allocator keeps or rounds up.
    #[serde(rename = "allocator")]
    AllocatorWaste,
    /// Stacks of threads.
    Stacks,
    /// The worker itself.
    Worker,
}

impl Part {
    /// All of them, in the order of tables.
    pub const ALL: [Part; 10] = [
        Part::BlockCache,
        Part::Memtables,
        Part::IndexAndFilter,
        Part::Pinned,
        Part::BlockLoads,
        Part::Background,
        Part::Floor,
        Part::AllocatorWaste,
        Part::Stacks,
        Part::Worker,
    ];

    /// The name in tables.
    pub fn label(self) -> &'static str {
        match self {
            Part::BlockCache => "Block cache",
            Part::Memtables => "Memtables",
            Part::IndexAndFilter => "Index and filter outside the cache",
            Part::Pinned => "Pinned by iterators",
            Part::BlockLoads => "Blocks being read",
            Part::Background => "Flushes and compactions",
            Part::Floor => "Instances and column families",
            Part::AllocatorWaste => "Allocator",
            Part::Stacks => "Thread stacks",
            Part::Worker => "The process itself",
        }
    }

    /// The name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Part::BlockCache => "block_cache",
            Part::Memtables => "memtables",
            Part::IndexAndFilter => "index_and_filter",
            Part::Pinned => "pinned",
            Part::BlockLoads => "block_loads",
            Part::Background => "background",
            Part::Floor => "floor",
            Part::AllocatorWaste => "allocator",
            Part::Stacks => "stacks",
            Part::Worker => "worker",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// A size that is not known exactly: it is expected to be this, and to lie between the two others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Band {
    /// Hardly less.
    pub low: Bytes,
    /// Most likely.
    pub expected: Bytes,
    /// Hardly more.
    pub high: Bytes,
}

/// One part of a prediction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Predicted {
    /// Which.
    pub part: Part,
    /// Most of the time.
    pub steady: Band,
    /// At most.
    pub peak: Band,
    /// By which formula, with its numbers.
    pub why: String,
}

/// What a workload will take with given settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Prediction {
    /// One a part, in the order of [`Part::ALL`].
    pub parts: Vec<Predicted>,
    /// Anonymous memory most of the time. Not the sum of the parts' bounds: they do not all meet theirs together.
    pub steady: Band,
    /// Anonymous memory at most.
    pub peak: Band,
    /// Bytes of all files at the end.
    pub files: Band,
    /// Managed memory with which the job keeps within its pool.
    pub managed_needed: Bytes,
    /// JVM overhead with which it keeps within its container: what lies outside of the pool, the JVM's own not included.
    pub overhead_needed: Bytes,
    /// What the reader should know: parts of the workload that the model does not know well.
    pub notes: Vec<String>,
}
