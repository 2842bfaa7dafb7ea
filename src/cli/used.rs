//! What an examined process uses, as recommendations want it.

use crate::artefact::hsperfdata::{CollectorKind, HsPerf};
use crate::diagnose::examination::Examination;
use crate::diagnose::over_time::OverTime;
use crate::diagnose::trend::{Troughs, Verdict};
use crate::model::{Bytes, Component, Measure, Pool, Role, Seen, Unseen};
use crate::recommend::from_use::Use;

/// What one look shows, and what came before it where there was more than one.
pub fn of(now: &Examination, before: Option<&OverTime>) -> Use {
    let sample = &now.sample;
    let jvm = sample.jvm.as_ref().map_err(Clone::clone);
    let missing = || Unseen::because("this collector or JDK does not count it");
    let rest = sample.rest.as_ref().map_err(Clone::clone);
    let is_taskmanager = sample.flink.as_ref().is_some_and(|flink| flink.role == Role::TaskManager);
    let account = now.account.as_ref().map_err(Clone::clone);
    let divided = account.clone().and_then(|account| match account.bytes(Pool::MallocUndivided) {
        Bytes::ZERO => Ok(account),
        _ => Err(Unseen::because("malloc could not be looked into")),
    });
    Use {
        seconds: jvm.clone().and_then(|jvm| Ok(jvm.uptime_nanoseconds.ok_or_else(missing)? / 1_000_000_000)),
        collections: jvm.clone().and_then(|jvm| collections(jvm).ok_or_else(missing)),
        live_set: live_set(before),
        live_at_most: jvm.clone().and_then(|jvm| {
            let old = jvm.old_used().map(Bytes::new);
            old.ok_or_else(|| Unseen::because("this collector does not tell the old generation apart"))
        }),
        metaspace: jvm
            .and_then(|jvm| jvm.metaspace.as_ref().and_then(|space| space.used).ok_or_else(missing))
            .map(Bytes::new),
        metaspace_growth: before.and_then(growth),
        network: match is_taskmanager {
            true => rest.clone().and_then(|rest| rest.metrics.network.used.clone()),
            false => Err(Unseen::because("a JobManager has no network buffers")),
        },
        store: divided.clone().map(|account| {
            account.sum(|pool| matches!(pool, Pool::BlockCache | Pool::Memtables | Pool::IndexAndFilter))
        }),
        managed_reserved: rest.clone().and_then(|rest| rest.metrics.managed_reserved.clone()),
        slots_in_use: rest.and_then(|rest| {
            rest.slots_in_use.ok_or_else(|| Unseen::because("REST does not say how many slots have a job"))
        }),
        overhead: now.ledger.as_ref().map_err(Clone::clone).and_then(|ledger| {
            match ledger.row(Component::JvmOverhead) {
                Some(row) => row.used.clone(),
                None => Err(Unseen::because("this model has no JVM Overhead")),
            }
        }),
        retained: divided.map(|account| account.bytes(Pool::AllocatorRetained)),
    }
}

/// Collections that tell what lives: those of the old generation where they are counted, else all.
fn collections(jvm: &HsPerf) -> Option<u64> {
    let count = |collector: Option<&crate::artefact::hsperfdata::Collector>| collector.and_then(|one| one.invocations);
    match jvm.collector? {
        CollectorKind::G1 => {
            // A cycle that marks beside the program pauses twice, for remark and cleanup.
            let cycles = count(jvm.concurrent_pauses()).unwrap_or(0) / 2;
            Some(cycles.saturating_add(count(jvm.full_collections())?))
        }
        _ => count(jvm.full_collections()),
    }
}

/// What was left in the old generation: its last trough, or where it is flat.
fn live_set(before: Option<&OverTime>) -> Seen<Bytes> {
    let trend = before.and_then(|before| before.trend(Measure::OldUsed));
    let trough = trend.and_then(|trend| match trend.verdict {
        // The level of a sawtooth is its peak.
        Verdict::Sawtooth { height, troughs: Troughs::Level | Troughs::Falling, .. } => trend.level.checked_sub(height),
        Verdict::Plateau { .. } => Some(trend.level),
        _ => None,
    });
    trough.map(Bytes::new).ok_or_else(|| {
        Unseen::because("no collections were watched").granted_by("look for longer, with --watch or with oomph record")
    })
}

/// What metaspace gains in an hour, where it grows.
fn growth(before: &OverTime) -> Option<Bytes> {
    let trend = before.trend(Measure::MetaspaceUsed).filter(|trend| trend.is_growing())?;
    Some(Bytes::new((trend.slope?.per_second * 3600.0).max(0.0) as u64)).filter(|bytes| *bytes > Bytes::ZERO)
}
