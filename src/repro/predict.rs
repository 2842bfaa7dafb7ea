//! The memory model: what a workload will take with RocksDB's settings, before it is run.
//!
//! A slot is stepped through the workload (`simulation`): memtables fill and are flushed as that release of RocksDB does it,
//! compactions make files out of files, reads fill the cache. What is allocated before there is data, how long jobs take
//! and what allocators waste was measured once (`coefficients`). Nothing is fitted to the workload that is asked for.

mod coefficients;
mod entries;
mod family;
mod fixed;
mod heap;
mod release;
mod shape;
mod simulation;

use crate::model::{Bytes, Malloc, StoreSettings, Workload};

pub use coefficients::{Buffers, ByRelease, Coefficients, CoefficientsError, Floor, Spread, Time, Waste};
pub use release::Release;

use super::prediction::{Band, Part, Predicted, Prediction};
use simulation::{Course, Moment, Simulation};

/// What is added to a peak, since a peak is the highest of many moments and the simulation has one course: too low costs a
/// container, too high a few MiB. A choice, not a measurement: 2.5 MiB and a hundredth.
const MARGIN: u64 = 5 << 19;

/// A task keeps material for its values (`crate::repro::stream::Material`): 1 MiB.
const MATERIAL: u64 = 1 << 20;

/// Predicts.
pub fn predict(
    workload: &Workload,
    store: &StoreSettings,
    malloc: Malloc,
    release: Release,
    known: &Coefficients,
) -> Prediction {
    let course = Simulation::new(workload, store, release, known, known.waste(malloc)).run();
    Sheet { workload, store, malloc, release, known, course }.prediction()
}

/// What is made of a course.
struct Sheet<'a> {
    workload: &'a Workload,
    store: &'a StoreSettings,
    malloc: Malloc,
    release: Release,
    known: &'a Coefficients,
    course: Course,
}

/// A part in bytes: most of the time, at most, and why.
struct Line {
    part: Part,
    steady: u64,
    peak: u64,
    why: String,
}

impl Sheet<'_> {
    fn slots(&self) -> u64 {
        u64::from(self.workload.slots.max(1))
    }

    fn prediction(&self) -> Prediction {
        let lines = self.lines();
        let (below, above) = (self.known.spread.below, self.known.spread.above);
        let band = |expected: u64| Band {
            low: Bytes::new(expected - expected / 1000 * below),
            expected: Bytes::new(expected),
            high: Bytes::new(expected + expected / 1000 * above),
        };
        let sum = |of: fn(&Line) -> u64| lines.iter().map(of).fold(0, u64::saturating_add);
        let (steady, peak) = (sum(|line| line.steady), sum(|line| line.peak));
        let in_pool = [Part::BlockCache, Part::Memtables, Part::Pinned];
        let of = |parts: &[Part]| -> u64 {
            lines.iter().filter(|line| parts.contains(&line.part)).map(|line| line.peak).sum()
        };
        let pooled = self.store.pool.map_or_else(|| of(&in_pool), |pool| self.pool_needed(pool.cache.get()));
        let outside = [Part::IndexAndFilter, Part::BlockLoads, Part::Background, Part::Floor];
        let outside = of(&outside) + of(&[Part::AllocatorWaste, Part::Stacks]);
        let whole = |bytes: u64| Bytes::new(bytes.next_multiple_of(1 << 20));
        Prediction {
            steady: band(steady),
            peak: band(peak),
            files: band(self.course.files * self.slots()),
            managed_needed: whole(pooled),
            overhead_needed: whole(outside + outside / 1000 * above),
            notes: self.notes(),
            parts: lines
                .into_iter()
                .map(|line| Predicted {
                    part: line.part,
                    steady: band(line.steady),
                    peak: band(line.peak),
                    why: line.why,
                })
                .collect(),
        }
    }

    /// The pool with which its cache would hold what the slot charges to it: Flink gives the cache five sixths of a pool
    /// where half of it may be memtables, and blocks that find no room are evicted.
    fn pool_needed(&self, cache: u64) -> u64 {
        let pools = if self.store.one_pool_for_all { 1 } else { self.slots() };
        let managed = |cache: u64| fixed::scaled(cache, 6, 5);
        let beyond = self.course.moments.iter().map(|m| m.pinned).max().unwrap_or(0);
        let charged =
            (self.course.charged + beyond).max(1) * if self.store.one_pool_for_all { self.slots() } else { 1 };
        managed(charged.min(cache + beyond)) * pools
    }

    /// The moment that takes most.
    fn fullest(&self) -> Moment {
        self.course.moments.iter().copied().max_by_key(Moment::total).unwrap_or_default()
    }

    /// What one part takes most of the time: the median over the second half of the time.
    fn median(&self, of: impl Fn(&Moment) -> u64) -> u64 {
        let all: u64 = self.course.moments.iter().map(|moment| moment.nanos).sum();
        let mut passed = 0;
        let mut second: Vec<(u64, u64)> = Vec::new();
        for moment in &self.course.moments {
            passed += moment.nanos;
            if passed * 2 >= all {
                second.push((of(moment), moment.nanos));
            }
        }
        second.sort_unstable();
        let half = second.iter().map(|(_, nanos)| nanos).sum::<u64>() / 2;
        let mut passed = 0;
        for (size, nanos) in &second {
            passed += nanos;
            if passed >= half {
                return *size;
            }
        }
        0
    }

    fn lines(&self) -> Vec<Line> {
        let slots = self.slots();
        let fullest = self.fullest();
        let most = |of: fn(&Moment) -> u64| self.course.moments.iter().map(of).max().unwrap_or(0);
        let floor = &self.known.floor;
        let instances = self.workload.operators.len() as u64 * slots;
        let of_an_operator = |operator: &crate::model::Operator| {
            operator.states.iter().map(|state| u64::from(state.copies.max(1))).sum::<u64>() + 1
        };
        let families: u64 = self.workload.operators.iter().map(of_an_operator).sum::<u64>() * slots;
        let shown = |bytes: u64| Bytes::new(bytes).to_string();
        let steady_cache = self.median(|moment| moment.cache);
        let steady_memtables = self.median(|moment| moment.memtables);
        let mut lines = Vec::new();
        let mut line = |part, steady: u64, peak: u64, why: String| lines.push(Line { part, steady, peak, why });
        let cache_why = match (self.store.pool, self.store.one_pool_for_all) {
            (Some(pool), _) => format!(
                "blocks that are read, up to {} of cache less what is charged for memtables ({} at most in {slots} slots, \
                 {} read into it)",
                pool.cache,
                shown(most(|m| m.cache) * slots),
                shown(self.course.loaded * slots)
            ),
            (None, _) => format!("{families} column families with {} each at most", self.store.block_cache),
        };
        line(Part::BlockCache, steady_cache * slots, fullest.cache * slots, cache_why);
        let memtables_why = format!(
            "{} allocated at most in each of {slots} slots, {} touched; {} flushes, arena blocks of {}",
            shown(self.course.allocated),
            shown(most(|m| m.memtables)),
            self.course.flushes * slots,
            self.store.arena_block.unwrap_or_else(|| self.release.arena_block(self.store.write_buffer)),
        );
        line(Part::Memtables, steady_memtables * slots, fullest.memtables * slots, memtables_why);
        let index_why = match self.store.index_and_filter_in_cache {
            true => "readers of open files; index and filter are in the cache".to_owned(),
            false => format!("index, filter and readers of the files open at once, RocksDB {}", self.release.text()),
        };
        line(Part::IndexAndFilter, self.median(|m| m.index) * slots, fullest.index * slots, index_why);
        let iterators: u64 = self.workload.operators.iter().flat_map(|o| &o.states).map(|s| u64::from(s.held)).sum();
        line(
            Part::Pinned,
            self.median(|m| m.pinned + m.iterators) * slots,
            (fullest.pinned + fullest.iterators) * slots,
            format!(
                "{} iterators stay open: {} themselves, and {} of blocks that they hold beyond the cache",
                iterators * slots,
                shown(fullest.iterators * slots),
                shown(fullest.pinned * slots)
            ),
        );
        let tasks = instances.max(1);
        let loads = tasks * (2 * self.store.block_size.get() + (16 << 10));
        line(
            Part::BlockLoads,
            loads / 2,
            loads,
            format!("{tasks} tasks read a block of {} and what it is before compression", self.store.block_size),
        );
        let jobs = self.background(&fullest);
        line(
            Part::Background,
            self.median(|m| m.background).min(jobs),
            jobs,
            format!("buffers of up to {} compactions and a flush at a time", self.store.threads),
        );
        let family = floor.family.of(self.release);
        let own_caches = if self.store.pool.is_none() { families * floor.own_cache.get() } else { 0 };
        let pools = match self.store.pool {
            None => 0,
            Some(_) if self.store.one_pool_for_all => floor.pool.get(),
            Some(_) => floor.pool.get() * slots,
        };
        let bottom = instances * floor.instance.get() + families * family.get() + own_caches + pools;
        line(
            Part::Floor,
            bottom,
            bottom,
            format!("{instances} instances of {} and {families} column families of {family}", floor.instance),
        );
        let waste = self.known.waste(self.malloc);
        let rest: u64 = fullest.index * slots + jobs + bottom;
        let permille = |bytes: u64, of: u64| bytes / 1000 * of;
        let rounding = |cache: u64, memtables: u64| {
            permille(memtables * slots, waste.memtables)
                + permille(cache * slots, waste.blocks)
                + permille(rest, waste.rest)
                + waste.thread.get() * tasks
        };
        line(
            Part::AllocatorWaste,
            self.median(|m| m.kept) * slots + rounding(steady_cache, steady_memtables),
            fullest.kept * slots + rounding(fullest.cache, fullest.memtables),
            format!(
                "{}: {} free between blocks and memtables, that neither fills for the other; {} thousandths of the cache by \
                 rounding",
                self.malloc,
                shown(fullest.kept * slots),
                waste.blocks
            ),
        );
        let threads = tasks + u64::from(self.store.threads) + 3;
        line(
            Part::Stacks,
            threads * floor.stack.get(),
            threads * floor.stack.get(),
            format!("{threads} threads with {} touched", floor.stack),
        );
        let worker = match self.malloc {
            Malloc::Jemalloc => floor.worker_jemalloc.of(self.release),
            Malloc::Glibc { .. } => floor.worker.of(self.release),
        };
        let seconds = self.course.moments.iter().map(|moment| moment.nanos).sum::<u64>() / 1_000_000_000;
        let leaked = self.workload.leak.map_or(0, |leak| leak.get().saturating_mul(seconds));
        let worker = worker.get() + tasks * MATERIAL;
        line(
            Part::Worker,
            worker + leaked * 3 / 4,
            worker + leaked,
            format!(
                "the program, {} of material for values a task, and a margin of 2.5 MiB and 1 %",
                Bytes::new(MATERIAL)
            ),
        );
        let others: u64 = lines.iter().map(|line| line.peak).sum();
        if let Some(worker) = lines.last_mut() {
            worker.peak += MARGIN + others / 100;
        }
        lines
    }

    /// Jobs that run at once: threads are those of the process, not of a slot.
    fn background(&self, fullest: &Moment) -> u64 {
        let one = self.known.buffers.compaction.get().max(1);
        let most = self.course.moments.iter().map(|moment| moment.background).max().unwrap_or(0);
        let threads = u64::from(self.store.threads.max(1));
        let jobs = (most / one).max(1);
        let of_all = most / jobs * (jobs * self.slots()).min(threads + 1);
        of_all.max(fullest.background)
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.workload.phases.iter().any(|phase| phase.restored > 0) {
            notes.push(
                "what a restore loads is reckoned roughly: instances that are read from take room beside it".to_owned(),
            );
        }
        if self.workload.python.is_some() {
            notes.push("the Python process is not part of it".to_owned());
        }
        if self.store.partitioned {
            notes.push("of a partitioned index all blocks are taken to be in the cache".to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests;
