//! What a slot takes at a moment: the cache with what is charged to it, memtables, indexes, what iterators hold.

use super::{LEAST_SHARD, Moment, Simulation};
use crate::repro::predict::family::Family;
use crate::repro::predict::fixed;
use crate::repro::predict::heap::Taken;

impl Simulation<'_> {
    /// Writes down what the slot takes, for so long.
    pub(super) fn observe(&mut self, nanos: u64) {
        let (_, all, used) = self.memtable_bytes();
        let dummy = self.release.dummy_entry();
        let mut moment = Moment { nanos, memtables: used, index: self.beside, ..Moment::default() };
        self.course.allocated = self.course.allocated.max(all);
        let readers = self.known.floor.table_reader.get();
        let target = self.store.target_file.get();
        let open = |family: &Family| {
            let files = family.file_count(target);
            self.store.open_files.map_or(files, |open| files.min(u64::from(open)))
        };
        let mut pinned_most = 0;
        let mut indexes = 0;
        for family in self.instances.iter().flat_map(|instance| &instance.families) {
            moment.index += open(family) * readers;
            let files = family.file_count(target).max(1);
            match self.store.index_and_filter_in_cache {
                true => indexes += family.index(),
                false => moment.index += fixed::scaled(family.index(), open(family), files),
            }
            pinned_most += family.stood_on();
            let floor = &self.known.floor;
            let each = floor.iterator.get() + family.runs.len() as u64 * floor.iterator_run.get();
            moment.iterators += family.standing * each;
        }
        if self.limit > 0 {
            self.charged = self.charged.max(all.next_multiple_of(dummy));
        }
        if self.store.pool.is_some() {
            let shards = shards(self.cache);
            let room = self.cache.saturating_sub(displaced(self.charged, dummy, self.cache, shards));
            let families = || self.instances.iter().flat_map(|instance| &instance.families);
            let data: u64 = families().map(Family::cached).sum();
            let dead_index: u64 = families().map(|family| family.dead_index).sum();
            let stays: u64 = families().map(Family::index_of_level_0).sum::<u64>();
            let wanted = data + dead_index + if self.store.index_and_filter_in_cache { indexes } else { 0 };
            let excess = wanted.saturating_sub(room);
            if excess > 0 {
                self.evict(excess, data + dead_index);
            }
            let families = || self.instances.iter().flat_map(|instance| &instance.families);
            let data: u64 = families().map(Family::cached_memory).sum();
            let index = if self.store.index_and_filter_in_cache {
                indexes.min(room.saturating_sub(data)).max(stays) + families().map(|f| f.dead_index).sum::<u64>()
            } else {
                0
            };
            let kept = pinned_most.min(families().map(Family::cached).sum());
            moment.cache = data + index;
            moment.pinned = pinned_most.saturating_sub(kept.max(room.min(pinned_most)));
            self.course.charged = self.course.charged.max(self.charged + moment.cache + moment.pinned);
        } else {
            let cache = self.cache;
            let in_cache = self.store.index_and_filter_in_cache;
            for family in self.instances.iter_mut().flat_map(|instance| &mut instance.families) {
                let index = if in_cache { family.index() } else { 0 };
                let wanted = family.cached() + index + if in_cache { family.dead_index } else { 0 };
                if !in_cache {
                    family.dead_index = 0;
                }
                if wanted > cache {
                    family.evict(wanted - cache);
                }
                let data = family.cached_memory();
                moment.cache += data + index.min(cache.saturating_sub(data)) + family.dead_index;
                moment.pinned += family.stood_on().saturating_sub(cache);
            }
            self.course.charged = self.course.charged.max(moment.cache + moment.pinned);
        }
        let at_work = u64::from(self.store.threads.max(1)) as usize;
        // Threads are those of the process: a slot's part of them.
        let running: u64 =
            self.flushes.iter().take(1).chain(self.compactions.iter().take(at_work)).map(|j| j.buffers).sum();
        // Where threads have arenas of their own, what a job leaves stays with its thread.
        let before = self.course.moments.last().map_or(0, |last| last.background);
        moment.background = if self.waste.one_heap { running } else { running.max(before) };
        moment.kept = self.kept(nanos);
        self.course.moments.push(moment);
    }

    /// What malloc keeps, after it has followed what changed.
    fn kept(&mut self, nanos: u64) -> u64 {
        let (mut all, mut kept) = (Taken::default(), 0);
        let arena = self.arena;
        for instance in &mut self.instances {
            let families = || instance.families.iter();
            let blocks = families().map(|family| family.cached_memory() + family.dead_index).sum();
            // What was loaded and is not there took the place of something.
            let churned = (instance.blocks + instance.loaded).saturating_sub(blocks).min(instance.loaded);
            let taken = Taken {
                blocks,
                allocated: families().map(|family| family.allocated(arena)).sum(),
                used: families().map(Family::memtables).sum(),
                churned,
            };
            (instance.blocks, instance.loaded) = (blocks, 0);
            all.blocks += taken.blocks;
            all.allocated += taken.allocated;
            all.used += taken.used;
            all.churned += taken.churned;
            if !self.waste.one_heap {
                instance.heap.change(taken, nanos, &self.waste);
                kept += instance.heap.kept();
            }
        }
        if self.waste.one_heap {
            self.heap.change(all, nanos, &self.waste);
            kept = self.heap.kept();
        }
        kept
    }

    fn evict(&mut self, excess: u64, of: u64) {
        for family in self.instances.iter_mut().flat_map(|instance| &mut instance.families) {
            let part = fixed::scaled(excess.min(of), family.cached() + family.dead_index, of);
            family.evict(part);
        }
    }
}

/// Shards of a cache: as many as have 512 KiB, a power of two, 64 at most.
fn shards(capacity: u64) -> u64 {
    match capacity / LEAST_SHARD {
        0 | 1 => 1,
        many => (1 << many.ilog2()).min(64),
    }
}

/// What charged entries take from blocks: they fall into shards by chance, and one that is over-full takes nothing from the
/// others.
fn displaced(charged: u64, dummy: u64, capacity: u64, shards: u64) -> u64 {
    let of_a_shard = capacity / shards.max(1);
    let entries = charged / dummy.max(1);
    if of_a_shard < dummy {
        // One is more than a shard: those that have any are full.
        return of_a_shard * fixed::met(0, shards, entries);
    }
    // Poisson: chances of 0, 1, 2, … entries in a shard.
    let mut chance = fixed::untouched(entries, shards);
    let mut taken = 0_u64;
    let mut sum = 0_u64;
    for times in 0..64_u64 {
        sum += chance;
        taken += fixed::of((times * dummy).min(of_a_shard), chance);
        chance = fixed::scaled(chance, entries, shards * (times + 1));
    }
    let rest = fixed::ONE.saturating_sub(sum);
    (taken + fixed::of(of_a_shard, rest)).saturating_mul(shards).min(capacity).min(charged)
}
