//! One slot, stepped through the workload: when memtables are flushed, what compactions make of the files, what the cache
//! holds. Slots are alike; where they share threads the others are counted in.

mod jobs;
mod sight;

use crate::model::{Accesses, Kind, Order, State, StoreSettings, Workload};

use super::coefficients::{Coefficients, Waste};
use super::family::{Done, Family, Run, TIMERS_READ};
use super::fixed;
use super::heap::Heap;
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
    /// Iterators themselves.
    pub iterators: u64,
    /// Buffers of jobs, at most so far: their threads keep them.
    pub background: u64,
    /// What malloc keeps free between blocks and memtables.
    pub kept: u64,
}

impl Moment {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.cache + self.memtables + self.index + self.pinned + self.iterators + self.background + self.kept
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

/// An instance with its task.
#[derive(Debug, Default)]
struct Instance {
    families: Vec<Family>,
    /// The phase that its task is in.
    phase: usize,
    /// Records of that phase that are left.
    left: u64,
    /// Records that were taken before.
    before: u64,
    /// Time on a core that a record took last.
    pace: u64,
    /// The task waits until its memtables are flushed.
    in_snapshot: bool,
    /// The task waits: for a snapshot, or because a memtable or a file too many is there.
    stopped: bool,
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
    /// Flushes that were scheduled.
    scheduled: u64,
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
        for instance in &mut instances {
            instance.left = workload.phases.first().map_or(0, |phase| phase.records);
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
            scheduled: 0,
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
        let does: Vec<_> = self.workload.phases.iter().map(|phase| self.does(&phase.accesses)).collect();
        let steps = self.steps(&does);
        loop {
            self.enter_phases();
            let Some(nanos) = self.next_step(&steps, &does) else {
                let busy = !self.flushes.is_empty() || !self.compactions.is_empty();
                if busy && self.instances.iter().any(|instance| instance.stopped) {
                    self.wait_for_a_job();
                    continue;
                }
                break;
            };
            for at in 0..self.instances.len() {
                self.take_records(at, nanos, &does);
            }
            self.flush_what_is_full();
            self.observe(nanos);
            self.pass(nanos);
            self.stop_and_go();
        }
        for instance in &self.instances {
            self.course.files += instance.families.iter().map(Family::files).sum::<u64>();
        }
        self.course
    }

    /// Tasks whose phase is over enter the next one; before a restore they wait for each other.
    fn enter_phases(&mut self) {
        let phases = &self.workload.phases;
        let over = |instance: &Instance| instance.left == 0 && instance.phase + 1 < phases.len();
        let first = self.instances.first().map_or(0, |instance| instance.phase);
        let together = self.instances.iter().all(|instance| over(instance) && instance.phase == first);
        if let Some(next) = phases.get(first + 1).filter(|next| together && next.restored > 0) {
            self.restore(u64::from(next.restored));
            for instance in &mut self.instances {
                (instance.phase, instance.left) = (first + 1, next.records);
            }
        }
        for instance in &mut self.instances {
            if let Some(next) = phases.get(instance.phase + 1).filter(|next| over(instance) && next.restored == 0) {
                (instance.phase, instance.left) = (instance.phase + 1, next.records);
            }
        }
    }

    /// Records of a step in each phase: few enough that a memtable fills in many, and not more steps than are quick.
    fn steps(&self, does: &[Vec<Vec<Accesses>>]) -> Vec<u64> {
        let records: u64 = self.workload.phases.iter().map(|phase| phase.records).sum();
        let families: u64 = self.instances.iter().map(|instance| instance.families.len() as u64).sum();
        let most_steps = (STEPS / families.max(1)).clamp(200, 6_000);
        let finest = records.div_ceil(most_steps).max(1);
        let coarsest = (records / 400).max(finest);
        let buffer = self.store.write_buffer.get();
        let full = if self.limit == 0 { buffer } else { self.limit.min(buffer) };
        let of_a_phase = |does: &Vec<Vec<Accesses>>| {
            let of_a_flush = fixed::scaled(full / 24, 1_000_000, self.growth(does).max(1));
            of_a_flush.clamp(finest, coarsest)
        };
        does.iter().map(of_a_phase).collect()
    }

    /// How long the next step lasts: the shortest that a task needs for its records. Nothing where none is at work.
    fn next_step(&mut self, steps: &[u64], does: &[Vec<Vec<Accesses>>]) -> Option<u64> {
        let mut shortest = None;
        for at in 0..self.instances.len() {
            let instance = &self.instances[at];
            if instance.left == 0 || instance.stopped {
                continue;
            }
            let mut records = steps.get(instance.phase).copied().unwrap_or(1).min(instance.left);
            if let Some(every) = self.workload.snapshot_every {
                records = records.min(every - instance.before % every.max(1));
            }
            if instance.pace == 0 {
                self.instances[at].pace = self.first_pace(at, does);
            }
            let nanos = records.saturating_mul(self.pace(at)).max(1);
            shortest = Some(shortest.map_or(nanos, |shortest: u64| shortest.min(nanos)));
        }
        shortest
    }

    /// Nanoseconds that a record takes in a task: it shares the cores, and may have to wait for its turn.
    fn pace(&self, at: usize) -> u64 {
        let cores = self.known.time.cores.max(1);
        let instance = &self.instances[at];
        let busy = fixed::scaled(instance.pace, self.running().max(cores), cores);
        let rate = self.workload.phases.get(instance.phase).and_then(|phase| phase.rate);
        busy.max(rate.map_or(0, |rate| 1_000_000_000 / rate.max(1))).max(1)
    }

    /// The same on a core, before any was seen.
    fn first_pace(&self, at: usize, does: &[Vec<Vec<Accesses>>]) -> u64 {
        let time = &self.known.time;
        let instance = &self.instances[at];
        let Some(does) = does.get(instance.phase).and_then(|does| does.get(at)) else { return 1 };
        let each = does.iter().map(|one| {
            (one.write + one.update + one.delete) * time.write_nanos + (one.read + one.iterate) * time.read_nanos
        });
        (each.sum::<u64>() / 1_000_000).max(1)
    }

    /// A task takes the records that it can take in so much time.
    fn take_records(&mut self, at: usize, nanos: u64, does: &[Vec<Vec<Accesses>>]) {
        let pace = self.pace(at);
        let every = self.workload.snapshot_every;
        let known = self.known;
        let block = self.store.block_size.get().max(1);
        let instance = &mut self.instances[at];
        if instance.left == 0 || instance.stopped {
            return;
        }
        let mut records = (nanos / pace).clamp(1, instance.left);
        if let Some(every) = every {
            records = records.min(every - instance.before % every.max(1));
        }
        let Some(does) = does.get(instance.phase).and_then(|does| does.get(at)) else { return };
        let before = instance.before;
        let times = |millionths: u64| {
            // Whole times, without losing what is rare: what had been done before is taken off.
            fixed::scaled(before + records, millionths, 1_000_000) - fixed::scaled(before, millionths, 1_000_000)
        };
        let time = &known.time;
        let (mut busy, mut closed) = (0, false);
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
            family.opened = does.iterate + does.scan;
            family.standing = (family.standing + done.iterate + done.scan).min(family.shape.held);
            let held = family.held.len();
            family.held.retain(|held| held.until > before);
            closed |= family.held.len() < held;
            let cached = family.cached();
            family.apply(done, before / copies, (before + records) / copies - before / copies);
            let loaded = family.cached().saturating_sub(cached);
            self.course.loaded += loaded;
            instance.loaded += loaded;
            let runs = family.runs.len() as u64 + 1;
            let bytes = family.shape.written();
            busy += (done.write + done.update) * (time.write_nanos + bytes * time.write_byte_picos / 1000)
                + done.delete * time.write_nanos
                + done.read * time.read_nanos
                + done.iterate * (time.open_nanos + runs * time.read_nanos + family.shape.walked * time.next_nanos)
                + done.scan.saturating_mul(family.entries()).saturating_mul(time.next_nanos)
                + fixed::scaled(loaded, time.load_nanos, block);
        }
        instance.pace = (busy / records).max(1);
        instance.before += records;
        instance.left -= records;
        let whole = every.is_some_and(|every| instance.before.is_multiple_of(every.max(1)));
        if closed {
            self.give_back();
        }
        if whole {
            self.snapshot(at);
        }
    }

    /// Copies of each instance are opened and read from the first to the last entry, and all of them is written into one
    /// more, family by family; then all are closed.
    fn restore(&mut self, copies: u64) {
        for at in 0..self.instances.len() {
            self.snapshot(at);
        }
        self.wait();
        let count = self.instances.len();
        for at in 0..count {
            let mut families = Vec::new();
            for family in &mut self.instances[at].families {
                self.born += 1;
                family.runs.iter_mut().for_each(Run::read_all);
                families.push(Family::new(family.shape.clone(), self.born));
            }
            self.instances.push(Instance { families, ..Instance::default() });
        }
        let readers = self.known.floor.table_reader.get();
        let target = self.store.target_file.get();
        let floor = self.known.floor.instance.get();
        let opened = |instance: &Instance| -> u64 {
            let families = instance.families.iter();
            let each = families
                .map(|family| family.file_count(target) * readers + self.known.floor.family.of(self.release).get());
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
                    into.apply(Done { write: writes, ..Done::default() }, 0, 0);
                    let time = &self.known.time;
                    let each =
                        time.next_nanos + time.write_nanos / 2 + into.shape.written() * time.write_byte_picos / 1000;
                    longest = longest.max(writes * each);
                }
                let cores = self.known.time.cores.max(1);
                let nanos = fixed::scaled(longest, self.running().max(cores), cores).max(1);
                self.flush_what_is_full();
                self.observe(nanos);
                self.pass(nanos);
                self.wait();
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
                    sum.iterate += 1_000_000 / TIMERS_READ;
                }
            }
            if let (Kind::Map { entries }, Order::Sequence { .. }) = (state.kind, state.order) {
                // A key's end is the end of its whole map.
                sum.delete *= u64::from(entries);
            }
            let copies = state.copies.max(1);
            for often in
                [&mut sum.read, &mut sum.write, &mut sum.update, &mut sum.delete, &mut sum.iterate, &mut sum.scan]
            {
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
            (does.write + does.update) * family.shape.in_memtable(true) / 1000
                + does.delete * family.shape.in_memtable(false) / 1000
        });
        // The largest of them: a family without a pool is full alone.
        match self.limit {
            0 => grown.max().unwrap_or(0),
            _ => grown.sum(),
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
}
