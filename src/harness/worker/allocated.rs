//! What the allocator says of itself.

/// What an allocator says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allocated {
    /// Bytes that the program has.
    pub used: u64,
    /// Bytes that the allocator keeps for later.
    pub kept: u64,
}
