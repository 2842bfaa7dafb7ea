//! What a workload will take in JSON.

use serde::Serialize;

use crate::repro::need::{Fit, WorkloadNeed};
use crate::repro::prediction::Prediction;
use crate::repro::settings::SettingsError;

/// What a workload will take, beside what the process has for it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum WorkloadNeedV1 {
    /// It could be predicted.
    Known(Box<KnownV1>),
    /// It could not.
    Unseen {
        /// Why.
        unseen: String,
    },
}

/// What a workload will take, beside what the process has for it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KnownV1 {
    workload: String,
    /// Slots of the workload.
    workload_slots: u32,
    /// Slots of the process.
    slots: u32,
    /// `glibc`, `glibc, MALLOC_ARENA_MAX=1` or `jemalloc`.
    allocator: String,
    /// RocksDB's release.
    rocksdb: &'static str,
    /// `fits`, `small_pool` (RocksDB passes its pool, and JVM overhead has room for that) or `small_overhead` (the container is passed).
    fit: &'static str,
    managed: HadV1,
    /// Needed by RocksDB alone: the JVM's own comes on top.
    overhead: HadV1,
    prediction: Prediction,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct HadV1 {
    needed: u64,
    had: u64,
}

impl WorkloadNeedV1 {
    pub fn of(answer: &Result<WorkloadNeed, SettingsError>) -> WorkloadNeedV1 {
        let need = match answer {
            Ok(need) => need,
            Err(error) => return WorkloadNeedV1::Unseen { unseen: format!("could not {error}") },
        };
        let prediction = need.prediction.clone();
        WorkloadNeedV1::Known(Box::new(KnownV1 {
            workload: need.workload.clone(),
            workload_slots: need.workload_slots,
            slots: need.slots,
            allocator: need.malloc.to_string(),
            rocksdb: need.release.text(),
            fit: match need.fit() {
                Fit::Fits => "fits",
                Fit::SmallPool => "small_pool",
                Fit::SmallOverhead => "small_overhead",
            },
            managed: HadV1 { needed: prediction.managed_needed.get(), had: need.managed.get() },
            overhead: HadV1 { needed: prediction.overhead_needed.get(), had: need.overhead.get() },
            prediction,
        }))
    }
}
