//! What was written last, in memory: what it takes there, and what its sorted entries will be.

use super::super::entries::Entries;
use super::super::fixed;
use super::super::shape::Shape;

/// A memtable.
#[derive(Clone, Debug)]
pub(in crate::repro::predict) struct Memtable {
    /// What it will be when it is sorted.
    pub entries: Entries,
    /// What its entries take, thousandfold.
    pub(super) milli: u64,
    /// How many entries were put into it.
    pub puts: u64,
    /// Records since it was begun.
    pub records: u64,
    /// When it was begun, among all memtables of the process.
    pub born: u64,
}

impl Memtable {
    pub(super) fn new(shape: &Shape, born: u64) -> Memtable {
        Memtable { entries: Entries::none(shape), milli: 0, puts: 0, records: 0, born }
    }

    /// Takes no more than so much of what was written: the rest went into files before.
    pub fn shrink(&mut self, part: u64, of: u64) {
        self.milli = fixed::scaled(self.milli, part, of);
        self.puts = fixed::scaled(self.puts, part, of);
    }

    /// Whether anything was written.
    pub fn is_empty(&self) -> bool {
        self.milli == 0
    }

    /// Bytes in use. Where there is nothing, its inline block (`memory/arena.h`, `kInlineSize`) is part of the floor.
    pub fn used(&self) -> u64 {
        self.milli / 1000
    }

    /// Bytes allocated: what the write-buffer manager counts.
    pub fn allocated(&self, arena: u64, entry: u64) -> u64 {
        const INLINE: u64 = 2048;
        /// What the skip list's head takes of the inline block (12 levels and the node).
        const HEAD: u64 = 128;
        let used = self.used();
        if used + HEAD <= INLINE {
            return INLINE;
        }
        // An entry above a quarter of a block is allocated alone (`memory/arena.cc`, `AllocateFallback`).
        match entry > arena / 4 {
            true => INLINE + used,
            false => INLINE + (used + HEAD - INLINE).next_multiple_of(arena),
        }
    }
}
