//! What a setting keeps on a JobManager's heap, against that heap.

use crate::check::Case;
use crate::check::policy::threshold;
use crate::model::{Bytes, Role, Severity};

/// More than one setting should keep there.
pub struct HeapShare {
    /// What is kept.
    pub kept: Bytes,
    /// The heap, where the configuration tells it.
    pub heap: Option<Bytes>,
}

impl HeapShare {
    /// What is kept, where that is too much.
    pub fn too_large(case: &Case<'_>, kept: Bytes) -> Option<HeapShare> {
        let heap = case.survey(Role::JobManager).map(|survey| survey.plan.budget.heap());
        let limit = match heap {
            Some(heap) => percent(heap, case.policy.count(&threshold::JOBMANAGER_HELD_PERCENT)),
            None => case.policy.size(&threshold::JOBMANAGER_HELD),
        };
        (kept >= limit).then_some(HeapShare { kept, heap })
    }

    /// An error where it is more than there is.
    pub fn severity(&self) -> Severity {
        if self.heap.is_some_and(|heap| self.kept >= heap) { Severity::Error } else { Severity::Warning }
    }

    /// The heap in words.
    pub fn heap_in_words(&self) -> String {
        match self.heap {
            Some(heap) => format!("the JobManager's heap is {heap}"),
            None => "no JobManager memory is set here; Flink's own configuration gives a heap of 1 GiB".to_owned(),
        }
    }
}

/// A product, or the largest size there is.
pub fn times(bytes: Bytes, count: u64) -> Bytes {
    bytes.checked_mul(count).unwrap_or(Bytes::FLINK_MAX)
}

/// So many percent.
pub fn percent(bytes: Bytes, percent: u64) -> Bytes {
    let share = u128::from(bytes.get()) * u128::from(percent) / 100;
    Bytes::new(u64::try_from(share).unwrap_or(u64::MAX)).min(Bytes::FLINK_MAX)
}

/// An estimate in whole MiB, so that it does not look exact.
pub fn about(bytes: Bytes) -> Bytes {
    match bytes.round_up_to(Bytes::mib(1)) {
        Some(rounded) if bytes >= Bytes::mib(1) => rounded,
        _ => bytes,
    }
}
