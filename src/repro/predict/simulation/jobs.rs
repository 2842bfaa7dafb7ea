//! Flushes and compactions of a slot: when they begin, how long they last, who waits for them.

use super::{Instance, Job, SLOWDOWN, Simulation, TRIGGER};
use crate::repro::predict::family::{Family, Memtable};
use crate::repro::predict::fixed;

/// One flush in so many is slow.
const SLOW_FLUSH: u64 = 4;
/// One in so many waits for the disk.
const STALLED_FLUSH: u64 = 48;

impl Simulation<'_> {
    /// Switches memtables that are full, and where the write-buffer manager is.
    pub(super) fn flush_what_is_full(&mut self) {
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
                    false => {
                        allocated + arena >= over && (allocated > over || allocated.saturating_sub(used) < arena / 4)
                    }
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
        let taken = || found.waiting.iter().skip(from).take(count);
        let (puts, bytes) = (taken().map(|one| one.puts).sum::<u64>(), taken().map(Memtable::used).sum::<u64>());
        let time = &self.known.time;
        let work = puts * time.flush_entry_nanos + bytes * time.flush_byte_picos / 1000;
        // Disks are not always as quick, and memtables grow most while a flush is slow.
        let slow = if self.scheduled % SLOW_FLUSH == SLOW_FLUSH - 1 { work / 1000 * time.slow_flush } else { 0 };
        let stalled = if self.scheduled % STALLED_FLUSH == STALLED_FLUSH - 1 { time.stall_nanos } else { 0 };
        let nanos = time.job_nanos + work + slow + stalled;
        self.scheduled += 1;
        let buffers = self.known.buffers.least.get() + self.known.buffers.flush.get().min(bytes);
        self.flushes.push(Job { instance, family, count, left: nanos, buffers });
    }

    /// A checkpoint of an instance: all of its memtables are flushed, and its task waits for that.
    pub(super) fn snapshot(&mut self, at: usize) {
        for family in 0..self.instances[at].families.len() {
            if self.instances[at].families[family].active.is_empty() {
                continue;
            }
            self.born += 1;
            let born = self.born;
            self.instances[at].families[family].switch(born);
            let of_this = self.flushes.iter().filter(|job| job.instance == at && job.family == family);
            let queued: usize = of_this.map(|job| job.count).sum();
            let unqueued = self.instances[at].families[family].waiting.len().saturating_sub(queued);
            self.schedule_flush(at, family, unqueued, queued);
        }
        self.instances[at].in_snapshot = true;
        self.instances[at].stopped = true;
    }

    /// Which tasks may not go on: those in a snapshot, and those with a memtable or a file of level 0 too many.
    pub(super) fn stop_and_go(&mut self) {
        let most = self.store.write_buffers.max(2) as usize;
        for (at, instance) in self.instances.iter_mut().enumerate() {
            instance.in_snapshot &= self.flushes.iter().any(|job| job.instance == at);
            let full =
                |family: &Family| family.waiting.len() >= most || (family.compacting && family.level_0() >= SLOWDOWN);
            instance.stopped = instance.in_snapshot || instance.families.iter().any(full);
        }
    }

    /// Time passes until a flush or a compaction ends.
    pub(super) fn wait_for_a_job(&mut self) {
        let next = self.flushes.first().into_iter().chain(self.compactions.first()).map(|job| job.left).min();
        let nanos = self.time_for(next.unwrap_or(1).max(1));
        self.observe(nanos);
        self.pass(nanos);
        self.stop_and_go();
    }

    /// Time passes until every task may go on.
    pub(super) fn wait(&mut self) {
        const MOST: u32 = 10_000;
        for _ in 0..MOST {
            self.stop_and_go();
            let busy = !self.flushes.is_empty() || !self.compactions.is_empty();
            if !busy || !self.instances.iter().any(|instance| instance.stopped) {
                return;
            }
            self.wait_for_a_job();
        }
    }

    /// Threads that want a core.
    pub(super) fn running(&self) -> u64 {
        let at_work = |instance: &&Instance| instance.left > 0 && !instance.stopped;
        let tasks = u64::from(self.workload.slots.max(1)) * self.instances.iter().filter(at_work).count() as u64;
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
    pub(super) fn pass(&mut self, nanos: u64) {
        let mut left = self.work(nanos, 1, 1);
        while let Some(job) = self.flushes.first_mut() {
            if job.left > left {
                job.left -= left;
                break;
            }
            left -= job.left;
            let job = self.flushes.remove(0);
            self.flushed(job);
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

    fn flushed(&mut self, job: Job) {
        let arena = self.arena;
        let before = self.instances[job.instance].before;
        let family = &mut self.instances[job.instance].families[job.family];
        let entry = family.entry();
        // As many records as it takes to open so many iterators anew.
        let each = family.opened * family.shape.copies;
        let until = match family.shape.held * u64::from(each > 0) {
            0 => 0,
            held => before.saturating_add(fixed::scaled(held, 1_000_000, each.max(1))),
        };
        family.flushed(job.count, until, |memtable| memtable.allocated(arena, entry));
        self.course.flushes += 1;
        self.course.written += family.runs.first().map_or(0, |run| run.blocks.stored);
        self.give_back();
        self.compact(job.instance, job.family);
    }

    /// The write-buffer manager sees that a memtable is gone.
    pub(super) fn give_back(&mut self) {
        let (_, all, _) = self.memtable_bytes();
        self.charged = self.release.charged_after(self.charged, all);
    }

    fn compact(&mut self, instance: usize, family: usize) {
        let busy = self.compactions.iter().filter(|job| job.instance == instance).count();
        let found = &mut self.instances[instance].families[family];
        if found.compacting || found.level_0() < TRIGGER || busy > 64 {
            return;
        }
        found.compacting = true;
        let time = &self.known.time;
        let (entries, bytes) = found.compaction_input();
        let nanos = time.job_nanos + entries * time.compact_entry_nanos + bytes * time.compact_byte_picos / 1000;
        let index = found.compaction_index(self.store.target_file.get());
        let buffers = self.known.buffers.least.get() + self.known.buffers.compaction.get().min(bytes) + 2 * index;
        let count = found.level_0() as usize;
        self.compactions.push(Job { instance, family, count, left: nanos, buffers });
    }
}
