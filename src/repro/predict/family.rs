//! One column family of one instance: its memtables, its sorted runs, and which of their blocks have been read.

mod memtable;
mod run;

pub(super) use memtable::Memtable;
pub(super) use run::Run;

use crate::model::Kind;

use super::entries::{Entries, meet, merged, split};
use super::fixed::{self, ONE};
use super::shape::Shape;

/// A memtable that was flushed while iterators stood on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Bytes allocated.
    pub allocated: u64,
    /// Bytes in use.
    pub used: u64,
    /// The record at which the last of those iterators is closed.
    pub until: u64,
}

/// Timers that Flink reads at a time (`RocksDBPriorityQueueSetFactory.DEFAULT_CACHES_SIZE`).
pub(super) const TIMERS_READ: u64 = 128;

/// What a record does to it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    /// Reads of one entry.
    pub read: u64,
    /// Writes of one entry.
    pub write: u64,
    /// Writes of an entry that was written before: in a sequence those are not new.
    pub update: u64,
    /// Deletions of one entry.
    pub delete: u64,
    /// Iterations over a key.
    pub iterate: u64,
    /// Iterations over everything.
    pub scan: u64,
}

/// The column family.
#[derive(Clone, Debug)]
pub(super) struct Family {
    /// Its entries.
    pub shape: Shape,
    /// Into which writes go.
    pub active: Memtable,
    /// Those that wait for their flush, the oldest first.
    pub waiting: Vec<Memtable>,
    /// Those that iterators hold.
    pub held: Vec<Held>,
    /// The newest first.
    pub runs: Vec<Run>,
    /// Bytes of blocks in the cache whose files are gone.
    pub dead: u64,
    /// The same with what is not charged.
    pub dead_memory: u64,
    /// Whether it is being compacted.
    pub compacting: bool,
    /// Index and filter blocks of deleted files, in the cache.
    pub dead_index: u64,
    /// Iterators that are open and stay so.
    pub standing: u64,
    /// Iterators that each record opens, in millionths.
    pub opened: u64,
    /// Writes of each record in the phase, for the age of what expires; in millionths.
    pub writes_a_record: u64,
}

impl Family {
    /// An empty one.
    pub fn new(shape: Shape, born: u64) -> Family {
        let active = Memtable::new(&shape, born);
        Family {
            shape,
            active,
            waiting: Vec::new(),
            held: Vec::new(),
            runs: Vec::new(),
            dead: 0,
            dead_memory: 0,
            compacting: false,
            dead_index: 0,
            standing: 0,
            opened: 0,
            writes_a_record: 0,
        }
    }

    /// What its memtables use, those that wait or are held included.
    pub fn memtables(&self) -> u64 {
        self.active.used()
            + self.waiting.iter().map(Memtable::used).sum::<u64>()
            + self.held.iter().map(|held| held.used).sum::<u64>()
    }

    /// The same as it is allocated, with arena blocks of this size.
    pub fn allocated(&self, arena: u64) -> u64 {
        let entry = self.entry();
        let waiting: u64 = self.waiting.iter().map(|memtable| memtable.allocated(arena, entry)).sum();
        self.active.allocated(arena, entry) + waiting + self.held.iter().map(|held| held.allocated).sum::<u64>()
    }

    /// Charged bytes of data blocks that were read and lie in the cache, of live files and of deleted ones.
    pub fn cached(&self) -> u64 {
        self.dead + self.runs.iter().map(|run| run.read() * run.blocks.charge).sum::<u64>()
    }

    /// The same with what is not charged.
    pub fn cached_memory(&self) -> u64 {
        self.dead_memory + self.runs.iter().map(|run| run.read() * run.blocks.memory).sum::<u64>()
    }

    /// Charged bytes of the blocks that open iterators stand on: one of each sorted run, and some stand on the same.
    pub fn stood_on(&self) -> u64 {
        let of_run = |run: &Run| fixed::met(0, run.blocks.count, self.standing) * run.blocks.charge;
        self.runs.iter().map(of_run).sum()
    }

    /// Index and filter of all live files.
    pub fn index(&self) -> u64 {
        self.runs.iter().map(|run| run.blocks.index + run.blocks.filter).sum()
    }

    /// Index and filter of level 0, which stay in the cache.
    pub fn index_of_level_0(&self) -> u64 {
        self.runs.iter().filter(|run| run.level == 0).map(|run| run.blocks.index + run.blocks.filter).sum()
    }

    /// Bytes of all files.
    pub fn files(&self) -> u64 {
        self.runs.iter().map(|run| run.blocks.stored + run.blocks.index + run.blocks.filter).sum()
    }

    /// Files of level 0.
    pub fn level_0(&self) -> u64 {
        self.runs.iter().filter(|run| run.level == 0).count() as u64
    }

    /// Entries of all sorted runs.
    pub fn entries(&self) -> u64 {
        self.runs.iter().map(|run| run.entries.count()).sum()
    }

    /// How many files there are.
    pub fn file_count(&self, target: u64) -> u64 {
        let files = |run: &Run| if run.level == 0 { 1 } else { run.blocks.stored.div_ceil(target.max(1)) };
        self.runs.iter().map(files).sum()
    }

    /// Bytes of an entry in the memtable.
    pub fn entry(&self) -> u64 {
        self.shape.in_memtable(true) / 1000
    }

    /// Applies what so many records do, of which `before` came before.
    pub fn apply(&mut self, done: Done, before: u64, records: u64) {
        self.read(done.read, before);
        self.iterate(done.iterate);
        if done.scan > 0 {
            self.runs.iter_mut().for_each(Run::read_all);
        }
        self.write(done.write, done.update);
        let deleted = match self.shape.window {
            Some(window) if before < window => {
                fixed::scaled(done.delete, (before + records).saturating_sub(window).min(records), records)
            }
            _ => done.delete,
        };
        self.delete(deleted);
        self.active.records += records;
    }

    fn write(&mut self, writes: u64, updates: u64) {
        let all = writes + updates;
        if all == 0 {
            return;
        }
        self.active.milli += all * self.shape.in_memtable(true);
        self.active.puts += all;
        let entries = &mut self.active.entries;
        if self.shape.window.is_some() {
            // Of the updates as many meet a key of this memtable as it has of those that wait.
            let values = entries.count().saturating_sub(entries.deletions);
            let window = self.shape.window.unwrap_or(1).max(values).max(1);
            let older = updates - fixed::scaled(updates, values, window);
            let older = older.min((window - values).saturating_sub(entries.repeated.min(window - values)));
            entries.found[0] += writes + older;
            entries.repeated += older;
            return;
        }
        let writes = all;
        let before = entries.count();
        meet(&mut entries.found, &self.shape, writes);
        if self.shape.kind == Kind::List {
            let added = entries.count() - before;
            // Elements are gathered when a memtable is flushed: one more byte sets them apart.
            entries.more += (writes - added.min(writes)) * (self.shape.value() + 1);
        }
    }

    fn delete(&mut self, deletions: u64) {
        if deletions == 0 {
            return;
        }
        self.active.milli += deletions * self.shape.in_memtable(false);
        self.active.puts += deletions;
        let entries = &mut self.active.entries;
        if let Some(window) = self.shape.window {
            // Of the keys that were written into this memtable some are deleted within it; the deletions stay.
            let span = self.active.records.max(1);
            let within = if span > window { fixed::scaled(deletions, span - window, span) } else { 0 };
            let values = entries.found[0].saturating_sub(entries.deletions);
            entries.found[0] += deletions - within.min(values);
            entries.deletions += deletions;
            return;
        }
        let before = entries.count();
        meet(&mut entries.found, &self.shape, deletions);
        let added = entries.count() - before;
        let hidden = fixed::scaled(deletions - added.min(deletions), before - entries.deletions.min(before), before);
        let all = before.max(1);
        entries.more -= fixed::scaled(entries.more, hidden.min(all), all);
        entries.deletions = (entries.deletions + added + hidden).min(entries.count());
    }

    /// Single reads: the memtable, then each run from the newest on, until the key is found.
    fn read(&mut self, reads: u64, before: u64) {
        if reads == 0 {
            return;
        }
        if let Some(window) = self.shape.window {
            return self.read_window(reads, window.min(before.max(1)));
        }
        for (at, class) in self.shape.classes.iter().enumerate() {
            let mut draws = fixed::of(reads, class.chance);
            let in_memory: u64 = self.active.entries.found[at]
                + self.waiting.iter().map(|memtable| memtable.entries.found[at]).sum::<u64>();
            // Elements of a list are gathered from everywhere.
            let ends = self.shape.kind != Kind::List;
            if ends {
                draws -= fixed::of(draws, fixed::share(in_memory, class.entries));
            }
            for run in &mut self.runs {
                let there = fixed::of(draws, fixed::share(run.entries.found[at], class.entries));
                // A Bloom filter of 10 bits lets one in a hundred through.
                let looked = if self.shape.has_bloom() { there + (draws - there) / 100 } else { draws };
                let met = fixed::met(run.looked[at], class.entries, looked);
                let new = met - run.looked[at];
                run.looked[at] = met;
                run.touch(new);
                if ends {
                    draws -= there;
                }
            }
        }
    }

    /// Reads of keys that wait: the younger a run, the later its keys were written, all of the window alike often.
    fn read_window(&mut self, reads: u64, window: u64) {
        let mut left = reads;
        let mut rest = window;
        let values = |entries: &Entries| entries.count().saturating_sub(entries.deletions);
        let memory = values(&self.active.entries) + self.waiting.iter().map(|m| values(&m.entries)).sum::<u64>();
        let there = fixed::of(left, fixed::share(memory, rest));
        (left, rest) = (left - there, rest.saturating_sub(memory));
        for run in &mut self.runs {
            let there = fixed::of(left, fixed::share(values(&run.entries), rest.max(1)));
            let looked = if self.shape.has_bloom() { there + (left - there) / 100 } else { left };
            run.touch(looked);
            (left, rest) = (left - there, rest.saturating_sub(values(&run.entries)));
        }
    }

    /// Walks over a key's entries: in each run they lie side by side.
    fn iterate(&mut self, iterations: u64) {
        if iterations == 0 {
            return;
        }
        let population = self.shape.population();
        for run in &mut self.runs {
            let count = run.entries.count();
            let walked = match self.shape.window {
                Some(_) if self.shape.kind == Kind::Timers => TIMERS_READ,
                Some(_) => 1,
                None => fixed::scaled(self.shape.walked, count, population),
            };
            let each = count.checked_div(run.blocks.count).unwrap_or(1).max(1);
            let blocks_of = |keys: u64| keys + fixed::scaled(keys, walked, each);
            for (at, class) in self.shape.classes.iter().enumerate() {
                let keys = class.entries / self.shape.entries;
                let draws = fixed::of(iterations, class.chance);
                let met = fixed::met(run.walked[at], keys, draws);
                let new = met - run.walked[at];
                run.walked[at] = met;
                run.touch(blocks_of(new));
            }
        }
    }

    /// Ends the memtable: it waits for its flush now.
    pub fn switch(&mut self, born: u64) {
        let next = Memtable::new(&self.shape, born);
        self.waiting.push(std::mem::replace(&mut self.active, next));
    }

    /// The oldest waiting memtables are files of level 0 now.
    pub fn flushed(&mut self, memtables: usize, until: u64, sizes: impl Fn(&Memtable) -> u64) {
        let taken: Vec<Memtable> = self.waiting.drain(..memtables.min(self.waiting.len())).collect();
        let mut all: Option<Entries> = None;
        for memtable in taken {
            if until > 0 {
                self.held.push(Held { allocated: sizes(&memtable), used: memtable.used(), until });
            }
            all = Some(match all {
                Some(older) => merged(&self.shape, &memtable.entries, &older),
                None => memtable.entries,
            });
        }
        if let Some(entries) = all.filter(|entries| entries.count() > 0) {
            self.runs.insert(0, Run::new(&self.shape, 0, entries));
        }
    }

    /// What a compaction of level 0 would read, all of level 0 and level 1: entries, and bytes before compression.
    pub fn compaction_input(&self) -> (u64, u64) {
        let read = self.runs.iter().filter(|run| run.level <= 1);
        read.fold((0, 0), |(entries, bytes), run| (entries + run.entries.count(), bytes + run.blocks.raw))
    }

    /// What one file that it writes has as index, at most.
    pub fn compaction_index(&self, target: u64) -> u64 {
        let of_a_file = |run: &Run| match run.blocks.stored {
            0 => 0,
            stored => fixed::scaled(run.blocks.index + run.blocks.filter, target.min(stored), stored),
        };
        self.runs.iter().map(of_a_file).max().unwrap_or(0)
    }

    /// The files that were there when the compaction began are one level now; `newer` came after.
    pub fn compacted(&mut self, newer: usize, level_base: u64) {
        let newer = newer.min(self.runs.len());
        let end = self.runs.iter().position(|run| run.level > 1).unwrap_or(self.runs.len());
        if newer >= end {
            return;
        }
        let taken: Vec<Run> = self.runs.drain(newer..end).collect();
        let mut all = self.bury(taken);
        if self.runs.len() == newer {
            self.settle(&mut all);
        }
        let mut level = 1_u8;
        let mut base = level_base;
        let mut at = newer;
        loop {
            let run = Run::new(&self.shape, level, all);
            let stored = run.blocks.stored;
            if stored <= base || stored == 0 {
                self.runs.insert(at, run);
                return;
            }
            // What is too much goes one level down, file by file.
            let excess = fixed::share(stored - base, stored);
            let (stays, moves) = split(&run.entries, excess);
            self.runs.insert(at, Run::new(&self.shape, level, stays));
            at += 1;
            all = match self.runs.get(at).filter(|below| below.level == level + 1) {
                Some(_) => {
                    let below = self.runs.remove(at);
                    let below = self.bury(vec![below]);
                    merged(&self.shape, &moves, &below)
                }
                None => moves,
            };
            if at == self.runs.len() {
                self.settle(&mut all);
            }
            level += 1;
            base = base.saturating_mul(10);
        }
    }

    /// Merges runs, the newest first; their blocks in the cache are dead.
    fn bury(&mut self, runs: Vec<Run>) -> Entries {
        let mut all: Option<Entries> = None;
        for run in runs {
            self.dead += run.read() * run.blocks.charge;
            self.dead_memory += run.read() * run.blocks.memory;
            self.dead_index += run.blocks.index + run.blocks.filter;
            all = Some(match all {
                Some(newer) => merged(&self.shape, &newer, &run.entries),
                None => run.entries,
            });
        }
        all.unwrap_or_else(|| Entries::none(&self.shape))
    }

    /// In the last level there are no deletions, and nothing that has expired.
    fn settle(&self, entries: &mut Entries) {
        let count = entries.count();
        let kept = fixed::share(count.saturating_sub(entries.deletions), count);
        match self.shape.window {
            Some(_) => entries.found[0] = entries.found[0].saturating_sub(entries.deletions),
            None => entries.found.iter_mut().for_each(|found| *found = fixed::of(*found, kept)),
        }
        entries.deletions = 0;
        entries.repeated = 0;
        let Some(ttl) = self.shape.ttl else { return };
        let writes = fixed::scaled(ttl, self.writes_a_record, 1_000_000);
        for (at, class) in self.shape.classes.iter().enumerate() {
            let alive = match self.shape.window {
                Some(_) => writes,
                None => fixed::met(0, class.entries, fixed::of(writes, class.chance)),
            };
            entries.found[at] = entries.found[at].min(alive);
        }
    }

    /// The cache drops so much of what it has (in 2^-32), the blocks of deleted files first.
    pub fn evict(&mut self, bytes: u64) {
        let of_index = bytes.min(self.dead_index);
        self.dead_index -= of_index;
        let bytes = bytes - of_index;
        let of_dead = bytes.min(self.dead);
        self.dead_memory -= fixed::scaled(self.dead_memory, of_dead, self.dead);
        self.dead -= of_dead;
        let (live, left) = (self.cached() - self.dead, bytes - of_dead);
        if left == 0 || live == 0 {
            return;
        }
        let stays = ONE - fixed::share(left, live);
        for run in &mut self.runs {
            run.unread = ONE - fixed::of(ONE - run.unread, stays);
            for met in run.looked.iter_mut().chain(&mut run.walked) {
                *met = fixed::of(*met, stays);
            }
        }
    }
}
