//! One slot, stepped through the workload: when memtables are flushed, what compactions make of the files, what the cache
//! holds. Slots are alike; where they share threads the others are counted in.

use crate::model::{Accesses, Kind, Order, State, StoreSettings, Workload};

use super::coefficients::{Coefficients, Waste};
use super::family::{Done, Family};
use super::fixed;
use super::heap::{Heap, Taken};
use super::release::Release;
use super::shape::Shape;

/// What the slot takes at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// How long it lasts.
    pub nanos: u64,
    /// Blocks in the cache, with what is not charged.
    pub cache: u64,
    /// Pages of memtables that were touched.
    pub memtables: u64,
    /// Index and filter outside of the cache, and readers of open files.
    pub index: u64,
    /// What iterators hold beyond the cache.
    pub pinned: u64,
    /// Buffers of jobs, at most so far: their threads keep them.
    pub background: u64,
    /// What malloc keeps free between blocks and memtables.
    pub kept: u64,
}

impl Moment {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.cache + self.memtables + self.index + self.pinned + self.background + self.kept
    }
}

/// What came of a slot.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// Its moments, in order.
    pub moments: Vec<Moment>,
    /// Files at the end.
    pub files: u64,
    /// Bytes that flushes and compactions wrote.
    pub written: u64,
    /// Flushes.
    pub flushes: u64,
    /// Compactions.
    pub compactions: u64,
    /// Bytes allocated to memtables at most, with what no page stands behind.
    pub allocated: u64,
    /// What the cache is charged with at most.
    pub charged: u64,
    /// Bytes of blocks that were put into the cache over time.
    pub loaded: u64,
}

#[derive(Clone, Copy, Debug)]
struct Job {
    instance: usize,
    family: usize,
    /// Files of level 0 that came since a compaction began; memtables that a flush takes.
    count: usize,
    left: u64,
    buffers: u64,
}

#[derive(Debug, Default)]
struct Instance {
    families: Vec<Family>,
    /// The task waits until its memtables are flushed.
    in_snapshot: bool,
    /// Where its blocks and memtables come from.
    heap: Heap,
    /// Bytes of blocks that were loaded since the last look.
    loaded: u64,
    /// Bytes of blocks at the last look.
    blocks: u64,
}

/// A file of level 0 too many: writes stop (`ColumnFamilyOptions::level0_slowdown_writes_trigger`; a task at work feels that
/// as a stop).
const SLOWDOWN: u64 = 20;
/// Files of level 0 that start a compaction (`level0_file_num_compaction_trigger`).
const TRIGGER: u64 = 4;
/// A cache has shards of at least this (`cache/sharded_cache.cc`, `GetDefaultCacheShardBits`), up to 64 of them.
const LEAST_SHARD: u64 = 512 << 10;

pub(super) struct Simulation<'a> {
    workload: &'a Workload,
    store: &'a StoreSettings,
    release: Release,
    known: &'a Coefficients,
    waste: Waste,
    heap: Heap,
    instances: Vec<Instance>,
    flushes: Vec<Job>,
    compactions: Vec<Job>,
    born: u64,
    /// What the write-buffer manager charges to the cache.
    charged: u64,
    arena: u64,
    cache: u64,
    limit: u64,
    course: Course,
    /// What instances take that are read from for a while.
    beside: u64,
}

/// Steps of all families together at most: what is longer is stepped more coarsely.
const STEPS: u64 = 160_000;

impl<'a> Simulation<'a> {
    pub fn new(
        workload: &'a Workload,
        store: &'a StoreSettings,
        release: Release,
        known: &'a Coefficients,
        waste: Waste,
    ) -> Simulation<'a> {
        let share = if store.one_pool_for_all { u64::from(workload.slots.max(1)) } else { 1 };
        let mut born = 0;
        let mut instances = Vec::new();
        for operator in &workload.operators {
            let mut families = Vec::new();
            for state in &operator.states {
                let shape = Shape::new(state, store, release);
                for _ in 0..state.copies.max(1) {
                    born += 1;
                    families.push(Family::new(shape.clone(), born));
                }
            }
            instances.push(Instance { families, ..Instance::default() });
        }
        let arena = store.arena_block.unwrap_or_else(|| release.arena_block(store.write_buffer));
        Simulation {
            workload,
            store,
            release,
            known,
            waste,
            heap: Heap::default(),
            instances,
            flushes: Vec::new(),
            compactions: Vec::new(),
            born,
            charged: 0,
            arena: arena.get().max(4096),
            cache: store.pool.map_or(store.block_cache.get(), |pool| pool.cache.get() / share),
            limit: store.pool.map_or(0, |pool| pool.write_buffer_manager.get() / share),
            course: Course::default(),
            beside: 0,
        }
    }

    /// Runs it to the end.
    pub fn run(mut self) -> Course {
        let records: u64 = self.workload.phases.iter().map(|phase| phase.records).sum();
        let families: u64 = self.instances.iter().map(|instance| instance.families.len() as u64).sum();
        let most_steps = (STEPS / families.max(1)).clamp(200, 6_000);
        let coarsest = (records / 400).max(1);
        let finest = records.div_ceil(most_steps).max(1);
        let mut before = 0_u64;
        let workload = self.workload;
        for phase in &workload.phases {
            if phase.restored > 0 {
                self.restore(u64::from(phase.restored), before);
            }
            let does = self.does(&phase.accesses);
            let growth = self.growth(&does);
            let full = match self.limit {
                0 => self.store.write_buffer.get(),
                limit => limit.min(self.store.write_buffer.get()),
            };
            let of_a_flush = fixed::scaled(full / 24, 1_000_000, growth.max(1));
            let mut left = phase.records;
            while left > 0 {
                let mut step = of_a_flush.clamp(finest, coarsest.max(finest)).min(left);
                if let Some(every) = self.workload.snapshot_every {
                    step = step.min(every - before % every.max(1));
                }
                let nanos = self.step(&does, before, step, phase.rate);
                before += step;
                left -= step;
                if self.workload.snapshot_every.is_some_and(|every| before.is_multiple_of(every.max(1))) {
                    self.snapshot();
                }
                self.flush_what_is_full();
                self.observe(nanos);
                self.pass(nanos, before);
                self.wait(before);
            }
        }
        for instance in &self.instances {
            self.course.files += instance.families.iter().map(Family::files).sum::<u64>();
        }
        self.course
    }

    /// Copies of each instance are opened and read from the first to the last entry, and all of them is written into one
    /// more, family by family; then all are closed.
    fn restore(&mut self, copies: u64, before: u64) {
        self.snapshot();
        self.wait(before);
        let count = self.instances.len();
        for at in 0..count {
            let mut families = Vec::new();
            for family in &mut self.instances[at].families {
                self.born += 1;
                family.runs.iter_mut().for_each(super::family::Run::read_all);
                families.push(Family::new(family.shape.clone(), self.born));
            }
            self.instances.push(Instance { families, ..Instance::default() });
        }
        let readers = self.known.floor.table_reader.get();
        let target = self.store.target_file.get();
        let floor = self.known.floor.instance.get();
        let opened = |instance: &Instance| -> u64 {
            let families = instance.families.iter();
            let each = families.map(|family| family.file_count(target) * readers + self.known.floor.family.get());
            (floor + each.sum::<u64>()) * copies + floor
        };
        self.beside = self.instances.iter().take(count).map(opened).sum();
        let most = self.instances.iter().take(count).map(|instance| instance.families.len()).max().unwrap_or(0);
        for family in 0..most {
            // Small steps: a memtable fills many times.
            const STEPS: u64 = 400;
            for step in 0..STEPS {
                let mut longest = 0;
                for at in 0..count {
                    let Some(from) = self.instances[at].families.get(family) else { continue };
                    let all = from.entries() * copies;
                    let writes = all * (step + 1) / STEPS - all * step / STEPS;
                    let Some(into) = self.instances[at + count].families.get_mut(family) else { continue };
                    into.apply(Done { write: writes, ..Done::default() }, before, 0);
                    let time = &self.known.time;
                    let each = time.next_nanos + time.write_nanos / 2 + into.shape.written() * time.write_byte_picos / 1000;
                    longest = longest.max(writes * each);
                }
                let nanos = fixed::scaled(longest, self.running(), self.known.time.cores.max(1)).max(1);
                self.flush_what_is_full();
                self.observe(nanos);
                self.pass(nanos, before);
                self.wait(before);
            }
        }
        self.instances.truncate(count);
        self.flushes.retain(|job| job.instance < count);
        self.compactions.retain(|job| job.instance < count);
        self.beside = 0;
    }

    /// What a record does to each family, in the order of the instances; in millionths.
    fn does(&self, accesses: &[Accesses]) -> Vec<Vec<Accesses>> {
        let of_state = |state: &State| {
            let mut sum = Accesses::default();
            for one in accesses.iter().filter(|one| one.state == state.name) {
                sum.read += one.read + one.update;
                sum.write += one.write;
                sum.update += one.update;
                sum.delete += one.delete;
                sum.iterate += one.iterate;
                sum.scan += one.scan;
                if state.kind == Kind::Timers {
                    // One is taken off with each record.
                    sum.delete += 1_000_000;
                }
            }
            if let (Kind::Map { entries }, Order::Sequence { .. }) = (state.kind, state.order) {
                // A key's end is the end of its whole map.
                sum.delete *= u64::from(entries);
            }
            let copies = state.copies.max(1);
            for often in [&mut sum.read, &mut sum.write, &mut sum.update, &mut sum.delete, &mut sum.iterate, &mut sum.scan] {
                *often /= u64::from(copies);
            }
            vec![sum; copies as usize]
        };
        let operators = self.workload.operators.iter();
        operators.map(|operator| operator.states.iter().flat_map(of_state).collect()).collect()
    }

    /// Bytes by which the memtables of the slot grow in a million records.
    fn growth(&self, does: &[Vec<Accesses>]) -> u64 {
        let all = self.instances.iter().zip(does).flat_map(|(instance, does)| instance.families.iter().zip(does));
        let grown = all.map(|(family, does)| {
            (does.write + does.update) * family.shape.in_memtable(true) / 1000 + does.delete * family.shape.in_memtable(false) / 1000
        });
        // The largest of them: a family without a pool is full alone.
        match self.limit {
            0 => grown.max().unwrap_or(0),
            _ => grown.sum(),
        }
    }

    /// Takes so many records in each task; how long that takes.
    fn step(&mut self, does: &[Vec<Accesses>], before: u64, records: u64, rate: Option<u64>) -> u64 {
        let times = |millionths: u64| {
            // Whole times, without losing what is rare: what had been done before is taken off.
            fixed::scaled(before + records, millionths, 1_000_000) - fixed::scaled(before, millionths, 1_000_000)
        };
        let time = &self.known.time;
        let mut longest = 0;
        for (instance, does) in self.instances.iter_mut().zip(does) {
            let mut nanos = 0;
            for (family, does) in instance.families.iter_mut().zip(does) {
                let copies = family.shape.copies;
                family.writes_a_record = (does.write + does.update) * copies;
                let done = Done {
                    read: times(does.read),
                    write: times(does.write),
                    update: times(does.update),
                    delete: times(does.delete),
                    iterate: times(does.iterate),
                    scan: times(does.scan),
                };
                family.held.retain(|held| held.until > before);
                let loaded = family.cached();
                family.apply(done, before / copies, ((before + records) / copies) - before / copies);
                let loaded = family.cached().saturating_sub(loaded);
                self.course.loaded += loaded;
                instance.loaded += loaded;
                let runs = family.runs.len() as u64 + 1;
                nanos += (done.write + done.update) * (time.write_nanos + family.shape.written() * time.write_byte_picos / 1000)
                    + done.delete * time.write_nanos
                    + done.read * time.read_nanos
                    + done.iterate * (runs * time.read_nanos + family.shape.walked * time.next_nanos)
                    + done.scan * family.shape.population().min(1 << 40) * time.next_nanos
                    + fixed::scaled(loaded, time.load_nanos, self.store.block_size.get().max(1));
            }
            longest = longest.max(nanos);
        }
        let cores = time.cores.max(1);
        let wall = fixed::scaled(longest, self.running().max(cores), cores);
        match rate {
            Some(rate) => wall.max(fixed::scaled(records, 1_000_000_000, rate)),
            None => wall,
        }
    }

    fn memtable_bytes(&self) -> (u64, u64, u64) {
        let (mut active, mut all, mut used) = (0, 0, 0);
        for family in self.instances.iter().flat_map(|instance| &instance.families) {
            active += family.active.allocated(self.arena, family.entry());
            all += family.allocated(self.arena);
            used += family.memtables();
        }
        (active, all, used)
    }

    /// Switches memtables that are full, and where the write-buffer manager is.
    fn flush_what_is_full(&mut self) {
        let buffer = self.store.write_buffer.get();
        let arena = self.arena;
        for at in 0..self.instances.len() {
            for family in 0..self.instances[at].families.len() {
                let found = &self.instances[at].families[family];
                let (entry, used) = (found.entry(), found.active.used());
                let allocated = found.active.allocated(arena, entry);
                // `db/memtable.cc`, `ShouldFlushNow`: six tenths of a block may be too much; the last block is filled to
                // three quarters.
                let over = buffer + arena * 6 / 10;
                let full = match entry > arena / 4 {
                    true => allocated > over,
                    false => allocated + arena >= over && (allocated > over || allocated.saturating_sub(used) < arena / 4),
                };
                if full {
                    self.switch(at, family);
                }
            }
        }
        if self.limit == 0 {
            return;
        }
        let (mut active, all, _) = self.memtable_bytes();
        for at in 0..self.instances.len() {
            let too_much = active > self.limit / 8 * 7 || (all >= self.limit && active >= self.limit / 2);
            if !too_much {
                return;
            }
            let spares = self.release.spares_flushing_families();
            let families = self.instances[at].families.iter().enumerate();
            let pick = families
                .filter(|(_, family)| !family.active.is_empty() && (!spares || family.waiting.is_empty()))
                .min_by_key(|(_, family)| family.active.born)
                .map(|(family, _)| family);
            if let Some(family) = pick {
                let found = &self.instances[at].families[family];
                active -= found.active.allocated(arena, found.entry());
                self.switch(at, family);
            }
        }
    }

    fn switch(&mut self, instance: usize, family: usize) {
        self.born += 1;
        let found = &mut self.instances[instance].families[family];
        found.switch(self.born);
        let merged = self.store.merged_write_buffers.max(1) as usize;
        let queued: usize = self
            .flushes
            .iter()
            .filter(|job| job.instance == instance && job.family == family)
            .map(|job| job.count)
            .sum();
        let unqueued = found.waiting.len().saturating_sub(queued);
        if unqueued >= merged {
            self.schedule_flush(instance, family, unqueued, queued);
        }
    }

    fn schedule_flush(&mut self, instance: usize, family: usize, count: usize, from: usize) {
        let found = &self.instances[instance].families[family];
        let bytes: u64 = found.waiting.iter().skip(from).take(count).map(|memtable| memtable.used()).sum();
        let time = &self.known.time;
        let nanos = time.flush_least_nanos + fixed::scaled(bytes, 1_000_000_000, time.flushed_a_second.get());
        self.flushes.push(Job { instance, family, count, left: nanos, buffers: self.known.buffers.flush.get() });
    }

    fn snapshot(&mut self) {
        for at in 0..self.instances.len() {
            for family in 0..self.instances[at].families.len() {
                if self.instances[at].families[family].active.is_empty() {
                    continue;
                }
                self.born += 1;
                let born = self.born;
                let found = &mut self.instances[at].families[family];
                found.switch(born);
                let queued: usize =
                    self.flushes.iter().filter(|job| job.instance == at && job.family == family).map(|job| job.count).sum();
                let unqueued = self.instances[at].families[family].waiting.len().saturating_sub(queued);
                self.schedule_flush(at, family, unqueued, queued);
            }
            self.instances[at].in_snapshot = true;
        }
    }

    /// Where a task may not go on, time passes until a flush or a compaction ends.
    fn wait(&mut self, before: u64) {
        const MOST: u32 = 10_000;
        for _ in 0..MOST {
            let most = self.store.write_buffers.max(2) as usize;
            let mut stopped = false;
            for (at, instance) in self.instances.iter_mut().enumerate() {
                let flushing = self.flushes.iter().any(|job| job.instance == at);
                instance.in_snapshot &= flushing;
                let full = |family: &Family| family.waiting.len() >= most || family.level_0() >= SLOWDOWN;
                stopped |= instance.in_snapshot || instance.families.iter().any(full);
            }
            let next = self.flushes.first().into_iter().chain(self.compactions.first()).map(|job| job.left).min();
            let Some(nanos) = next.filter(|_| stopped) else { return };
            let nanos = self.time_for(nanos);
            self.observe(nanos);
            self.pass(nanos, before);
        }
    }

    /// Threads that want a core.
    fn running(&self) -> u64 {
        let tasks = u64::from(self.workload.slots.max(1)) * self.instances.len() as u64;
        let compactions = self.compactions.len().min(self.store.threads.max(1) as usize) as u64;
        tasks + u64::from(!self.flushes.is_empty()) + compactions
    }

    /// Nanoseconds of work that a flush or a compaction gets done in so many of time: tasks and jobs share the cores, and
    /// the slots the threads.
    fn work(&self, nanos: u64, threads: u64, jobs: u64) -> u64 {
        let slots = u64::from(self.workload.slots.max(1));
        let running = self.running();
        let cores = self.known.time.cores.max(1);
        // Of this slot's jobs; those of the others run in between.
        let of_a_job = nanos * threads.min(jobs * slots) / (jobs * slots).max(1);
        of_a_job * cores.min(running) / running.max(1)
    }

    /// The time that so much work takes.
    fn time_for(&self, work: u64) -> u64 {
        const UNIT: u64 = 1 << 20;
        fixed::scaled(work, UNIT, self.work(UNIT, 1, 1).max(1)).max(1)
    }

    /// Lets time pass for flushes, one thread for all (`Options::IncreaseParallelism`), and compactions.
    fn pass(&mut self, nanos: u64, before: u64) {
        let mut left = self.work(nanos, 1, 1);
        while let Some(job) = self.flushes.first_mut() {
            if job.left > left {
                job.left -= left;
                break;
            }
            left -= job.left;
            let job = self.flushes.remove(0);
            self.flushed(job, before);
        }
        let threads = u64::from(self.store.threads.max(1));
        let mut left = nanos;
        while left > 0 && !self.compactions.is_empty() {
            let at_work = (self.compactions.len() as u64).min(threads);
            let share = self.work(1 << 20, threads, at_work).max(1);
            let first = self.compactions.iter().take(at_work as usize).map(|job| job.left).min().unwrap_or(0);
            let takes = fixed::scaled(first, 1 << 20, share).max(1);
            let work = if takes <= left { first } else { fixed::scaled(left, share, 1 << 20) };
            self.compactions.iter_mut().take(at_work as usize).for_each(|job| job.left -= work.min(job.left));
            left -= takes.min(left);
            while let Some(at) = self.compactions.iter().take(at_work as usize).position(|job| job.left == 0) {
                let job = self.compactions.remove(at);
                self.compacted(job);
            }
        }
    }

    fn compacted(&mut self, job: Job) {
        let family = &mut self.instances[job.instance].families[job.family];
        let newer = (family.level_0() as usize).saturating_sub(job.count);
        family.compacted(newer, self.store.level_base.get());
        family.compacting = false;
        self.course.written += family.runs.get(newer).map_or(0, |run| run.blocks.stored);
        self.course.compactions += 1;
        self.compact(job.instance, job.family);
    }

    fn flushed(&mut self, job: Job, before: u64) {
        let arena = self.arena;
        let family = &mut self.instances[job.instance].families[job.family];
        let entry = family.entry();
        let until = match family.shape.held {
            0 => 0,
            held => before.saturating_add(held.saturating_mul(self.known.records_an_iteration(self.workload, job.instance))),
        };
        family.flushed(job.count, until, |memtable| memtable.allocated(arena, entry));
        self.course.flushes += 1;
        self.course.written += family.runs.first().map_or(0, |run| run.blocks.stored);
        let (_, all, _) = self.memtable_bytes();
        self.charged = self.release.charged_after(self.charged, all);
        self.compact(job.instance, job.family);
    }

    fn compact(&mut self, instance: usize, family: usize) {
        let busy = self.compactions.iter().filter(|job| job.instance == instance).count();
        let found = &mut self.instances[instance].families[family];
        if found.compacting || found.level_0() < TRIGGER || busy > 64 {
            return;
        }
        found.compacting = true;
        let time = &self.known.time;
        let bytes = found.compaction_input();
        let nanos = time.flush_least_nanos + fixed::scaled(bytes, 1_000_000_000, time.compacted_a_second.get());
        let index = found.compaction_index(self.store.target_file.get());
        let buffers = self.known.buffers.compaction.get() + 2 * index;
        let count = found.level_0() as usize;
        self.compactions.push(Job { instance, family, count, left: nanos, buffers });
    }

    /// Writes down what the slot takes, for so long.
    fn observe(&mut self, nanos: u64) {
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
            let runs = family.runs.iter();
            pinned_most += family.shape.held * runs.map(|run| run.blocks.charge).sum::<u64>();
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
                let pinned = family.shape.held * family.runs.iter().map(|run| run.blocks.charge).sum::<u64>();
                moment.pinned += pinned.saturating_sub(cache);
            }
            self.course.charged = self.course.charged.max(moment.cache + moment.pinned);
        }
        let at_work = u64::from(self.store.threads.max(1)) as usize;
        // Threads are those of the process: a slot's part of them.
        let running: u64 = self.flushes.iter().take(1).chain(self.compactions.iter().take(at_work)).map(|j| j.buffers).sum();
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

impl Coefficients {
    /// Records between two iterations of an instance's tasks that stay open, at least one.
    fn records_an_iteration(&self, workload: &Workload, instance: usize) -> u64 {
        let Some(operator) = workload.operators.get(instance) else { return 1 };
        let often = |state: &str| {
            let all = workload.phases.iter().flat_map(|phase| &phase.accesses).filter(|one| one.state == state);
            all.map(|one| one.iterate + one.scan).max().unwrap_or(0)
        };
        let held = operator.states.iter().filter(|state| state.held > 0).map(|state| often(&state.name)).max();
        held.filter(|often| *often > 0).map_or(1, |often| (1_000_000 / often).max(1))
    }
}

