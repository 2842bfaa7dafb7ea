//! What a workload will take of a process as it is configured: the memory model beside the budget.

use super::predict::{self, Coefficients, Release};
use super::prediction::Prediction;
use super::settings::{self, SettingsError};
use crate::config::Config;
use crate::model::{Bytes, Malloc, Workload};
use crate::plan::Survey;

/// A prediction, and what the process has for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadNeed {
    /// The workload's name.
    pub workload: String,
    /// Its slots; the configuration may have more.
    pub workload_slots: u32,
    /// Slots of the process.
    pub slots: u32,
    /// The allocator.
    pub malloc: Malloc,
    /// RocksDB's release.
    pub release: Release,
    /// What it will take.
    pub prediction: Prediction,
    /// Managed memory that the process has.
    pub managed: Bytes,
    /// JVM overhead that it has.
    pub overhead: Bytes,
}

/// What comes of a process with such a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It has what is needed.
    Fits,
    /// RocksDB passes its pool, and what is outside of it still fits: JVM overhead pays for both.
    SmallPool,
    /// What lies outside of the pool does not fit into JVM overhead: nobody keeps it, and the container is passed.
    SmallOverhead,
}

impl WorkloadNeed {
    /// What comes of it.
    pub fn fit(&self) -> Fit {
        let above_pool = self.prediction.managed_needed.checked_sub(self.managed).unwrap_or(Bytes::ZERO);
        let outside = self.prediction.overhead_needed.checked_add(above_pool);
        if outside.is_none_or(|outside| outside > self.overhead) {
            Fit::SmallOverhead
        } else if above_pool > Bytes::ZERO {
            Fit::SmallPool
        } else {
            Fit::Fits
        }
    }
}

/// Predicts what a workload takes of a planned process.
///
/// # Errors
///
/// Where the configuration gives RocksDB no settings: another state backend, a JobManager, a value that is not read.
pub fn need(
    workload: &Workload,
    config: &Config,
    survey: &Survey,
    malloc: Malloc,
    known: &Coefficients,
) -> Result<WorkloadNeed, SettingsError> {
    if workload.operators.is_empty() {
        return Err(SettingsError::NoStore(format!("the workload {} has no state", workload.name)));
    }
    let derived = settings::derive(config, survey)?;
    let release = Release::from_text(survey.plan.profile.rocksdb.version);
    Ok(WorkloadNeed {
        workload: workload.name.clone(),
        workload_slots: workload.slots,
        slots: derived.slots,
        malloc,
        release,
        prediction: predict::predict(workload, &derived.store, malloc, release, known),
        managed: derived.managed,
        overhead: derived.overhead,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repro::prediction::Band;

    fn needing(managed: u32, overhead: u32) -> WorkloadNeed {
        WorkloadNeed {
            workload: "w".to_owned(),
            workload_slots: 1,
            slots: 1,
            malloc: Malloc::Jemalloc,
            release: Release::R8,
            prediction: Prediction {
                parts: Vec::new(),
                steady: Band::default(),
                peak: Band::default(),
                files: Band::default(),
                managed_needed: Bytes::mib(managed),
                overhead_needed: Bytes::mib(overhead),
                notes: Vec::new(),
            },
            managed: Bytes::mib(100),
            overhead: Bytes::mib(50),
        }
    }

    #[test]
    fn what_passes_the_pool_has_to_fit_into_overhead_too() {
        assert_eq!(needing(100, 50).fit(), Fit::Fits);
        assert_eq!(needing(110, 40).fit(), Fit::SmallPool);
        assert_eq!(needing(111, 40).fit(), Fit::SmallOverhead);
        assert_eq!(needing(0, 51).fit(), Fit::SmallOverhead);
    }
}
