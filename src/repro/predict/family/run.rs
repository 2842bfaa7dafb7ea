//! A sorted run in files: what is in it, and which of its blocks have been read.

use super::super::entries::Entries;
use super::super::fixed::{self, ONE};
use super::super::shape::{Blocks, Shape};

/// A sorted run in files.
#[derive(Clone, Debug)]
pub(in crate::repro::predict) struct Run {
    /// Its level.
    pub level: u8,
    /// What is in it.
    pub entries: Entries,
    /// Its blocks.
    pub blocks: Blocks,
    /// Keys of each class that single reads looked for in it.
    pub(super) looked: Vec<u64>,
    /// The same of iterations.
    pub(super) walked: Vec<u64>,
    /// Blocks that were never read, of all, in 2^-32.
    pub(super) unread: u64,
}

impl Run {
    pub(super) fn new(shape: &Shape, level: u8, entries: Entries) -> Run {
        let blocks = entries.blocks(shape);
        let none = vec![0; shape.classes.len()];
        Run { level, entries, blocks, looked: none.clone(), walked: none, unread: ONE }
    }

    /// Its blocks that were read.
    pub(super) fn read(&self) -> u64 {
        self.blocks.count - fixed::of(self.blocks.count, self.unread)
    }

    /// All of its blocks are read.
    pub fn read_all(&mut self) {
        self.unread = 0;
    }

    pub(super) fn touch(&mut self, blocks: u64) {
        self.unread = fixed::of(self.unread, fixed::untouched(blocks, self.blocks.count));
    }
}
