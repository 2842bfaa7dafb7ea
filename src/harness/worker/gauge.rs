//! Counters of all tasks, written by them and read by the one who tells.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::{Progress, Workload};

/// What all tasks have done so far.
#[derive(Debug)]
pub struct Gauge {
    /// Records taken.
    pub records: AtomicU64,
    /// Single accesses.
    pub operations: AtomicU64,
    /// Bytes of keys and values that were written.
    pub written: AtomicU64,
    /// Iterators that are open.
    pub iterators: AtomicU64,
    of: u64,
    phase: Mutex<String>,
}

impl Gauge {
    /// Nothing is done yet.
    pub fn new(workload: &Workload) -> Gauge {
        let records: u64 = workload.phases.iter().map(|phase| phase.records).sum();
        let tasks = u64::from(workload.slots) * workload.operators.len() as u64;
        let of = match &workload.shuffle {
            Some(shuffle) if tasks == 0 => shuffle.bytes.get(),
            _ => records.saturating_mul(tasks),
        };
        Gauge {
            records: AtomicU64::new(0),
            operations: AtomicU64::new(0),
            written: AtomicU64::new(0),
            iterators: AtomicU64::new(0),
            of,
            phase: Mutex::default(),
        }
    }

    /// A task begins a phase; the last to do so names it for all.
    pub fn enter(&self, phase: &str) {
        if let Ok(mut name) = self.phase.lock() {
            phase.clone_into(&mut name);
        }
    }

    /// What is counted here; the rest is left at nothing.
    pub fn progress(&self) -> Progress {
        Progress {
            phase: self.phase.lock().map(|name| name.clone()).unwrap_or_default(),
            records: self.records.load(Ordering::Relaxed),
            of: self.of,
            operations: self.operations.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            iterators: self.iterators.load(Ordering::Relaxed),
            ..Progress::default()
        }
    }
}
