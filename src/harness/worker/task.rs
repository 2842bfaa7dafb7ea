//! One task: takes records one after another and does to its instance what the workload says.

use std::collections::VecDeque;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::engine::{DatabaseIterator, EngineError};
use crate::model::{Accesses, Experiment, Kind, Order, Phase, State, Workload};
use crate::repro::stream::{self, Chance, Chooser, Material};

use super::databases::Instance;
use super::gauge::Gauge;
use super::restore;

/// Records between two looks at the clock and the counters of all.
const STEP: u64 = 32;

/// One task with its instance.
pub struct Task {
    workload: Workload,
    store: crate::model::StoreSettings,
    operator: String,
    states: Vec<State>,
    instance: Arc<Instance>,
    gauge: Arc<Gauge>,
    seed: u64,
}

/// A state with where it lies and which keys are met.
struct Site<'a> {
    state: &'a State,
    /// Its first column family.
    first: usize,
    chooser: Chooser,
}

/// What a task keeps between two records.
struct Hand<'a> {
    chance: Chance,
    material: Material,
    key: Vec<u8>,
    value: Vec<u8>,
    read: Vec<u8>,
    held: VecDeque<DatabaseIterator<'a>>,
    records: u64,
    operations: u64,
    written: u64,
}

impl Task {
    /// The task of an instance.
    pub fn new(experiment: &Experiment, instance: Arc<Instance>, gauge: Arc<Gauge>) -> Task {
        let operator = experiment.workload.operators.get(instance.operator);
        let seed = experiment.workload.seed ^ (u64::from(instance.slot) << 32) ^ ((instance.operator as u64) << 40);
        Task {
            operator: operator.map(|operator| operator.name.clone()).unwrap_or_default(),
            states: operator.map(|operator| operator.states.clone()).unwrap_or_default(),
            workload: experiment.workload.clone(),
            store: experiment.store.clone(),
            instance,
            gauge,
            seed,
        }
    }

    /// The operator and the slot.
    pub fn name(&self) -> String {
        format!("{}-{}", self.operator, self.instance.slot)
    }

    /// Runs all phases.
    pub fn run(&self, stop: &AtomicBool) -> Result<(), String> {
        self.phases(stop).map_err(|error| format!("could not {error}"))
    }

    fn phases(&self, stop: &AtomicBool) -> Result<(), EngineError> {
        let mut first = 0;
        let mut sites = Vec::new();
        for state in &self.states {
            sites.push(Site { state, first, chooser: Chooser::new(state) });
            first += state.copies as usize;
        }
        let mut hand = Hand {
            chance: Chance::new(self.seed),
            material: Material::new(self.seed),
            key: Vec::new(),
            value: Vec::new(),
            read: Vec::new(),
            held: VecDeque::new(),
            records: 0,
            operations: 0,
            written: 0,
        };
        let mut n = 0;
        for phase in &self.workload.phases {
            self.gauge.enter(&phase.name);
            if phase.restored > 0 {
                let written = restore::run(&self.instance, &self.store, phase.restored, &self.gauge, stop)?;
                hand.written += written;
            }
            self.phase(phase, &sites, &mut hand, &mut n, stop)?;
        }
        self.gauge.iterators.fetch_sub(hand.held.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn phase<'a>(
        &'a self,
        phase: &Phase,
        sites: &[Site<'a>],
        hand: &mut Hand<'a>,
        n: &mut u64,
        stop: &AtomicBool,
    ) -> Result<(), EngineError> {
        // Accesses of a phase that name a state of another operator are that one's.
        let mine: Vec<(&Site<'a>, &Accesses)> = phase
            .accesses
            .iter()
            .filter_map(|accesses| Some((sites.iter().find(|site| site.state.name == accesses.state)?, accesses)))
            .collect();
        let began = Instant::now();
        for record in 0..phase.records {
            if record % STEP == 0 {
                self.count(hand);
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                if let Some(rate) = phase.rate {
                    pace(rate, record, began);
                }
                self.instance.now.store(*n, Ordering::Relaxed);
            }
            for (site, accesses) in &mine {
                self.record(site, accesses, *n, hand)?;
            }
            *n += 1;
            hand.records += 1;
            if self.workload.snapshot_every.is_some_and(|every| n.is_multiple_of(every)) {
                self.snapshot(*n)?;
            }
        }
        self.count(hand);
        Ok(())
    }

    /// Hands over what was counted. Not at each record: all tasks and their cores would fight for one line of memory.
    fn count(&self, hand: &mut Hand<'_>) {
        self.gauge.records.fetch_add(std::mem::take(&mut hand.records), Ordering::Relaxed);
        self.gauge.operations.fetch_add(std::mem::take(&mut hand.operations), Ordering::Relaxed);
        self.gauge.written.fetch_add(std::mem::take(&mut hand.written), Ordering::Relaxed);
    }

    /// What one record does to one state. Of alike states the records take one after another.
    fn record<'a>(
        &'a self,
        site: &Site<'a>,
        accesses: &Accesses,
        n: u64,
        hand: &mut Hand<'a>,
    ) -> Result<(), EngineError> {
        let copies = u64::from(site.state.copies);
        let family = site.first + (n % copies) as usize;
        // Alike states count their own records, so that each of them has a whole sequence.
        let n = n / copies;
        for _ in 0..hand.chance.times(accesses.write) {
            self.write(site, family, n, hand)?;
        }
        for _ in 0..hand.chance.times(accesses.read) {
            let id = site.chooser.met(n, &mut hand.chance);
            self.get(site, family, id, hand)?;
        }
        for _ in 0..hand.chance.times(accesses.update) {
            let id = site.chooser.met(n, &mut hand.chance);
            let entry = self.get(site, family, id, hand)?;
            self.put(site, family, id, entry, hand)?;
        }
        for _ in 0..hand.chance.times(accesses.delete) {
            if let Some(id) = site.chooser.deleted(n, &mut hand.chance) {
                self.delete(site, family, id, hand)?;
            }
        }
        for _ in 0..hand.chance.times(accesses.iterate) {
            let id = site.chooser.met(n, &mut hand.chance);
            self.iterate(site, family, Some(id), hand)?;
        }
        for _ in 0..hand.chance.times(accesses.scan) {
            self.iterate(site, family, None, hand)?;
        }
        if let (Kind::Timers, Order::Sequence { window }) = (site.state.kind, site.state.order) {
            self.fire(site, family, n, window, hand)?;
        }
        Ok(())
    }

    fn write(&self, site: &Site<'_>, family: usize, n: u64, hand: &mut Hand<'_>) -> Result<(), EngineError> {
        if let (Kind::Timers, Order::Sequence { window }) = (site.state.kind, site.state.order) {
            stream::timer_key(&mut hand.key, site.state.key_size, n, n + window);
            hand.count_write(0);
            return self.instance.database.put(family, &hand.key, &[]);
        }
        let id = site.chooser.written(n, &mut hand.chance);
        let entry = hand.entry(site.state);
        self.put(site, family, id, entry, hand)
    }

    fn put(
        &self,
        site: &Site<'_>,
        family: usize,
        id: u64,
        entry: Option<u32>,
        hand: &mut Hand<'_>,
    ) -> Result<(), EngineError> {
        hand.value.clear();
        if site.state.ttl.is_some() {
            hand.value.extend_from_slice(&self.instance.now.load(Ordering::Relaxed).to_be_bytes());
        }
        hand.material.value(&mut hand.value, site.state, &mut hand.chance);
        hand.address(site.state, id, entry);
        hand.count_write(hand.value.len() as u64);
        match site.state.kind {
            Kind::List => self.instance.database.merge(family, &hand.key, &hand.value),
            _ => self.instance.database.put(family, &hand.key, &hand.value),
        }
    }

    /// Reads one entry; says which of a map's it was.
    fn get(&self, site: &Site<'_>, family: usize, id: u64, hand: &mut Hand<'_>) -> Result<Option<u32>, EngineError> {
        let entry = hand.entry(site.state);
        hand.address(site.state, id, entry);
        self.instance.database.get(family, &hand.key, &mut hand.read)?;
        hand.operations += 1;
        Ok(entry)
    }

    fn delete(&self, site: &Site<'_>, family: usize, id: u64, hand: &mut Hand<'_>) -> Result<(), EngineError> {
        let entries = match site.state.kind {
            // A key's end is the end of its whole map where keys come one after another.
            Kind::Map { entries } if matches!(site.state.order, Order::Sequence { .. }) => entries,
            _ => 1,
        };
        for index in 0..entries {
            let entry = match (site.state.kind, entries) {
                (Kind::Map { .. }, 1) => hand.entry(site.state),
                (Kind::Map { .. }, _) => Some(index),
                _ => None,
            };
            hand.address(site.state, id, entry);
            hand.operations += 1;
            self.instance.database.delete(family, &hand.key)?;
        }
        Ok(())
    }

    /// Walks over the entries of a key, or over the whole state, and keeps the iterator as long as it is to be kept.
    fn iterate<'a>(
        &'a self,
        site: &Site<'a>,
        family: usize,
        id: Option<u64>,
        hand: &mut Hand<'a>,
    ) -> Result<(), EngineError> {
        let mut iterator = self.instance.database.iterator(family);
        match id {
            Some(id) => stream::key(&mut hand.key, site.state.key_size, id),
            None => {
                // A walk over everything begins anywhere: that of a restarted or a slower task is elsewhere.
                let anywhere = hand.chance.next_bits();
                stream::key(&mut hand.key, site.state.key_size, anywhere);
            }
        }
        iterator.seek(&hand.key);
        let most = site.state.walked.unwrap_or(u64::MAX);
        let mut steps = 0;
        while steps < most {
            match iterator.key() {
                Some(key) if id.is_none() || key.starts_with(&hand.key) => {
                    std::hint::black_box(iterator.value());
                    steps += 1;
                }
                _ => break,
            }
            iterator.step();
        }
        hand.operations += steps + 1;
        iterator.check()?;
        let most_held = site.state.held as usize;
        if most_held > 0 {
            hand.held.push_back(iterator);
            self.gauge.iterators.fetch_add(1, Ordering::Relaxed);
            while hand.held.len() > most_held {
                hand.held.pop_front();
                self.gauge.iterators.fetch_sub(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }

    /// Takes off the timer that falls due at this record. As Flink's queue does, the first 128 are read at a time.
    fn fire(
        &self,
        site: &Site<'_>,
        family: usize,
        n: u64,
        window: u64,
        hand: &mut Hand<'_>,
    ) -> Result<(), EngineError> {
        let Some(registered) = n.checked_sub(window) else { return Ok(()) };
        if registered.is_multiple_of(TIMERS_READ) {
            stream::timer_key(&mut hand.key, site.state.key_size, registered, n);
            let mut iterator = self.instance.database.iterator(family);
            iterator.seek(&hand.key);
            for _ in 0..TIMERS_READ {
                if iterator.key().is_none() {
                    break;
                }
                iterator.step();
                hand.operations += 1;
            }
        }
        stream::timer_key(&mut hand.key, site.state.key_size, registered, n);
        hand.operations += 1;
        self.instance.database.delete(family, &hand.key)
    }

    /// A checkpoint of RocksDB: memtables are flushed, files are linked. The one before goes, as when Flink has uploaded it.
    fn snapshot(&self, n: u64) -> Result<(), EngineError> {
        let name = |n: u64| self.instance.directory.join(format!("chk-{n}"));
        self.instance.database.checkpoint(&name(n))?;
        let every = self.workload.snapshot_every.unwrap_or(n);
        if let Some(before) = n.checked_sub(every).filter(|before| *before > 0) {
            // It may never have been there.
            let gone = fs::remove_dir_all(name(before));
            drop(gone);
        }
        Ok(())
    }
}

/// Timers that Flink reads at a time (`RocksDBPriorityQueueSetFactory.DEFAULT_CACHES_SIZE`).
const TIMERS_READ: u64 = 128;

impl Hand<'_> {
    /// An entry of a map, any of them.
    fn entry(&mut self, state: &State) -> Option<u32> {
        match state.kind {
            Kind::Map { entries } => Some(self.chance.below(u64::from(entries)) as u32),
            _ => None,
        }
    }

    fn address(&mut self, state: &State, id: u64, entry: Option<u32>) {
        match entry {
            Some(entry) => stream::map_key(&mut self.key, state.key_size, id, entry),
            None => stream::key(&mut self.key, state.key_size, id),
        }
    }

    fn count_write(&mut self, value: u64) {
        self.operations += 1;
        self.written += self.key.len() as u64 + value;
    }
}

/// Sleeps until so many records are due.
fn pace(rate: u64, records: u64, began: Instant) {
    let due = Duration::from_micros((u128::from(records) * 1_000_000 / u128::from(rate.max(1))) as u64);
    if let Some(early) = due.checked_sub(began.elapsed()) {
        thread::sleep(early);
    }
}
