//! What malloc keeps: room that memtables leave is large and fits anything; room that evicted blocks leave lies in pieces
//! between blocks that stay, and fits blocks alone.

use super::coefficients::Waste;

/// The part of a heap that blocks and memtables of one task come from: glibc gives each thread an arena of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heap {
    blocks: u64,
    memtables: u64,
    /// Free room that fits anything.
    wide: u64,
    /// Free room between blocks.
    narrow: u64,
    /// Whether a memtable was given back to the kernel yet: glibc maps the first ones, and none of their size after one of
    /// them was unmapped (`malloc.c`, `mmap_threshold`, dynamic up to 32 MiB).
    unmapped: bool,
}

impl Heap {
    /// Blocks and memtables take so much now; between, so much was evicted and loaded again. So much time has passed.
    pub fn change(&mut self, blocks: u64, memtables: u64, churned: u64, nanos: u64, waste: &Waste) {
        self.decay(nanos, waste);
        if memtables < self.memtables {
            let freed = self.memtables - memtables;
            // What is freed first was mapped for itself, and is gone.
            match self.unmapped || waste.decay_nanos > 0 {
                true => self.wide += freed,
                false => self.unmapped = true,
            }
        }
        let evicted = self.blocks.saturating_sub(blocks) + churned;
        let joined = evicted / 1000 * waste.joined;
        self.wide += joined;
        self.narrow += evicted - joined;
        let mut loaded = blocks.saturating_sub(self.blocks) + churned;
        let into_narrow = loaded.min(self.narrow);
        self.narrow -= into_narrow;
        loaded -= into_narrow;
        self.wide -= loaded.min(self.wide);
        let grown = memtables.saturating_sub(self.memtables);
        self.wide -= grown.min(self.wide);
        self.blocks = blocks;
        self.memtables = memtables;
    }

    /// jemalloc gives pages back that are free for a time; glibc keeps them. Room between blocks is in slabs of which some
    /// block is still there, and stays with both.
    fn decay(&mut self, nanos: u64, waste: &Waste) {
        if waste.decay_nanos == 0 {
            return;
        }
        let left = super::fixed::untouched(nanos, waste.decay_nanos);
        self.wide = super::fixed::of(self.wide, left);
    }

    /// Resident and free.
    pub fn kept(&self) -> u64 {
        self.wide + self.narrow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLIBC: Waste = Waste { joined: 0, decay_nanos: 0, one_heap: false, blocks: 0, memtables: 0, rest: 0 };
    const MIB: u64 = 1 << 20;

    #[test]
    fn blocks_fill_what_memtables_leave_and_memtables_do_not_fill_what_blocks_leave() {
        let mut heap = Heap::default();
        heap.change(0, 10 * MIB, 0, 1, &GLIBC);
        heap.change(0, 0, 0, 1, &GLIBC);
        assert_eq!(heap.kept(), 0, "the first are unmapped");
        heap.change(0, 40 * MIB, 0, 1, &GLIBC);
        heap.change(0, 0, 0, 1, &GLIBC);
        assert_eq!(heap.kept(), 40 * MIB);
        heap.change(40 * MIB, 0, 0, 1, &GLIBC);
        assert_eq!(heap.kept(), 0);
        heap.change(10 * MIB, 30 * MIB, 0, 1, &GLIBC);
        assert_eq!(heap.kept(), 30 * MIB);
        heap.change(40 * MIB, 30 * MIB, 0, 1, &GLIBC);
        assert_eq!(heap.kept(), 0);
    }

    #[test]
    fn what_is_given_back_with_time_is_not_kept() {
        let waste = Waste { decay_nanos: 1_000, ..GLIBC };
        let mut heap = Heap::default();
        heap.change(0, 40 * MIB, 0, 1, &waste);
        heap.change(0, 0, 0, 1, &waste);
        assert_eq!(heap.kept(), 40 * MIB);
        heap.change(0, 0, 0, 30_000, &waste);
        assert_eq!(heap.kept(), 0);
    }
}
