//! What the allocator says of itself, and a probe that shows whether RocksDB's memory comes from it.

/// What an allocator says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// Bytes that the program has.
    pub used: u64,
    /// Bytes that the allocator keeps for later.
    pub kept: u64,
}

/// The argument with which a worker fills a block cache and tells what its allocator saw of it.
pub const SPREAD_PROBE: &str = "--fill-cache";
