//! What malloc keeps: room that memtables leave is large and fits anything; room that evicted blocks leave lies in pieces
//! between blocks that stay, and fits blocks alone.

use super::coefficients::Waste;

/// The part of a heap that blocks and memtables of one task come from: glibc gives each thread an arena of its own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heap {
    blocks: u64,
    /// Allocated to memtables.
    allocated: u64,
    /// What they use of it.
    used: u64,
    /// What of it was resident before it was used.
    recycled: u64,
    /// Free room that fits anything.
    wide: u64,
    /// Free room between blocks.
    narrow: u64,
    /// Whether a memtable was given back to the kernel yet: glibc maps the first ones, and none of their size after one of
    /// them was unmapped (`malloc.c`, `mmap_threshold`, dynamic up to 32 MiB).
    unmapped: bool,
}

/// What a task takes from it at a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    /// Blocks in the cache.
    pub blocks: u64,
    /// Allocated to memtables.
    pub allocated: u64,
    /// What they use of it.
    pub used: u64,
    /// What was evicted and loaded again since the last look.
    pub churned: u64,
}

impl Heap {
    /// So much is taken now; so much time has passed since the last look.
    pub fn change(&mut self, now: Taken, nanos: u64, waste: &Waste) {
        self.decay(nanos, waste);
        if let Some(freed) = self.allocated.checked_sub(now.allocated).filter(|freed| *freed > 0) {
            let resident = self.recycled.max(self.used);
            let resident = super::fixed::scaled(resident, freed, self.allocated);
            self.recycled -= super::fixed::scaled(self.recycled, freed, self.allocated);
            // What is freed first was mapped for itself, and is gone.
            match self.unmapped || waste.decay_nanos > 0 {
                true => self.wide += resident,
                false => self.unmapped = true,
            }
        }
        let evicted = self.blocks.saturating_sub(now.blocks) + now.churned;
        let joined = evicted / 1000 * waste.joined;
        self.wide += joined;
        self.narrow += evicted - joined;
        let mut loaded = now.blocks.saturating_sub(self.blocks) + now.churned;
        let into_narrow = loaded.min(self.narrow);
        self.narrow -= into_narrow;
        loaded -= into_narrow;
        self.wide -= loaded.min(self.wide);
        let recycled = now.allocated.saturating_sub(self.allocated).min(self.wide);
        self.wide -= recycled;
        self.recycled += recycled;
        (self.blocks, self.allocated, self.used) = (now.blocks, now.allocated, now.used);
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

    /// Resident and not in use.
    pub fn kept(&self) -> u64 {
        self.wide + self.narrow + self.recycled.saturating_sub(self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bytes;

    const GLIBC: Waste =
        Waste { joined: 0, decay_nanos: 0, one_heap: false, blocks: 0, memtables: 0, rest: 0, thread: Bytes::ZERO };
    const MIB: u64 = 1 << 20;

    fn taken(blocks: u64, memtables: u64) -> Taken {
        Taken { blocks: blocks * MIB, allocated: memtables * MIB, used: memtables * MIB, churned: 0 }
    }

    #[test]
    fn blocks_fill_what_memtables_leave_and_memtables_do_not_fill_what_blocks_leave() {
        let mut heap = Heap::default();
        let mut kept = |blocks, memtables| {
            heap.change(taken(blocks, memtables), 1, &GLIBC);
            heap.kept() / MIB
        };
        kept(0, 10);
        assert_eq!(kept(0, 0), 0, "the first are unmapped");
        kept(0, 40);
        assert_eq!(kept(0, 0), 40);
        assert_eq!(kept(40, 0), 0);
        assert_eq!(kept(10, 30), 30);
        assert_eq!(kept(40, 30), 0);
    }

    #[test]
    fn a_memtable_that_is_not_full_keeps_what_others_left() {
        let mut heap = Heap::default();
        heap.change(taken(0, 1), 1, &GLIBC);
        heap.change(taken(0, 0), 1, &GLIBC);
        heap.change(taken(0, 8), 1, &GLIBC);
        heap.change(taken(0, 0), 1, &GLIBC);
        heap.change(Taken { allocated: 8 * MIB, used: MIB, ..Taken::default() }, 1, &GLIBC);
        assert_eq!(heap.kept(), 7 * MIB);
        heap.change(Taken { blocks: 7 * MIB, allocated: 8 * MIB, used: MIB, churned: 0 }, 1, &GLIBC);
        assert_eq!(heap.kept(), 7 * MIB, "blocks do not go into it");
    }

    #[test]
    fn what_is_given_back_with_time_is_not_kept() {
        let waste = Waste { decay_nanos: 1_000, ..GLIBC };
        let mut heap = Heap::default();
        heap.change(taken(0, 40), 1, &waste);
        heap.change(taken(0, 0), 1, &waste);
        assert_eq!(heap.kept(), 40 * MIB);
        heap.change(taken(0, 0), 30_000, &waste);
        assert_eq!(heap.kept(), 0);
    }
}
