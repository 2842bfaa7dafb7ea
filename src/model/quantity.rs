//! Names for everything a derivation talks about.

use std::fmt;

use super::Component;

/// Who takes managed memory in a slot (`ManagedMemoryUseCase`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UseCase {
    /// Batch operators that sort and hash (`BATCH_OP` up to 1.12).
    Operator,
    /// RocksDB or ForSt.
    StateBackend,
    /// Python workers.
    Python,
}

impl UseCase {
    /// All of them, in Flink's order.
    pub const ALL: [UseCase; 3] = [UseCase::Operator, UseCase::StateBackend, UseCase::Python];

    /// Flink's name for it in configuration.
    pub fn name(self) -> &'static str {
        match self {
            UseCase::Operator => "OPERATOR",
            UseCase::StateBackend => "STATE_BACKEND",
            UseCase::Python => "PYTHON",
        }
    }
}

impl fmt::Display for UseCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A size with a name: what a table shows and what formulas are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// The whole process.
    TotalProcess,
    /// The process without metaspace and overhead.
    TotalFlink,
    /// Framework and task heap: `-Xmx`.
    JvmHeap,
    /// Framework off-heap, task off-heap and network: `-XX:MaxDirectMemorySize`.
    JvmDirect,
    /// One part of the budget.
    Part(Component),
    /// Total Flink memory before network is known.
    FlinkWithoutNetwork,
    /// Total Flink memory plus metaspace, before overhead is known.
    FlinkAndMetaspace,
    /// One slot's share of a part.
    SlotShare(Component),
    /// One consumer's share of a slot's managed memory.
    ConsumerShare(UseCase),
    /// What RocksDB or ForSt gets in one pool.
    StateBackendTotal,
    /// The block cache of one pool.
    BlockCache,
    /// The write-buffer manager of one pool.
    WriteBufferManager,
    /// The part of the block cache kept for index and filter blocks.
    HighPriorityPool,
    /// What a memtable allocates at a time, as Flink computes it.
    ArenaBlock,
    /// What a memtable allocates at a time, as RocksDB does it.
    RealArenaBlock,
    /// Above this RocksDB flushes.
    MutableLimit,
}

impl Quantity {
    /// The name in a sentence or table.
    pub fn label(self) -> &'static str {
        match self {
            Quantity::TotalProcess => "Total Process Memory",
            Quantity::TotalFlink => "Total Flink Memory",
            Quantity::JvmHeap => "JVM Heap",
            Quantity::JvmDirect => "JVM Direct Memory",
            Quantity::Part(component) | Quantity::SlotShare(component) => component.label(),
            Quantity::FlinkWithoutNetwork => "Total Flink Memory without Network",
            Quantity::FlinkAndMetaspace => "Total Flink Memory plus JVM Metaspace",
            Quantity::ConsumerShare(use_case) => use_case.name(),
            Quantity::StateBackendTotal => "memory of the pool",
            Quantity::BlockCache => "block cache",
            Quantity::WriteBufferManager => "write-buffer manager",
            Quantity::HighPriorityPool => "high-priority pool",
            Quantity::ArenaBlock => "arena block (Flink's figure)",
            Quantity::RealArenaBlock => "arena block (RocksDB's)",
            Quantity::MutableLimit => "mutable limit",
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
