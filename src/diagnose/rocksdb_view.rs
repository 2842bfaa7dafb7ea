//! RocksDB inside one TaskManager: what its metrics say once corrected, what its files say, and what it waits for.

use super::rocksdb_bound::{self, Bound, Figures, Judged, Setting, Verdict};
use super::rocksdb_metrics::{self, Correction, Known, RocksDbUse, Sharing};
use super::sample::Sample;
use crate::artefact::rocksdb_directory::Databases;
use crate::model::{Bytes, Seen, Unseen};
use crate::plan::Survey;
use crate::plan::store::{Scope, Store};

/// What is known of RocksDB in one process.
#[derive(Clone, Debug)]
pub struct RocksDbView {
    /// What the metrics say, corrected.
    pub metrics: Seen<RocksDbUse>,
    /// What it waits for, each verdict once, with the databases it was found in.
    pub verdicts: Vec<(Verdict, Vec<String>)>,
    /// What could not be judged, and why.
    pub undecided: Vec<(Bound, Unseen)>,
    /// Flink's figures that say something else than they seem to.
    pub corrections: Vec<Correction>,
    /// Direct memory beside the network buffers.
    pub other_direct: Seen<Bytes>,
}

/// Puts together what REST and the files say.
pub fn view(sample: &Sample, planned: Option<&Survey>) -> RocksDbView {
    let rest = sample.rest.as_ref().map_err(Clone::clone);
    let databases = sample.rocksdb.as_ref().ok();
    let metrics = rest.clone().and_then(|rest| {
        let readings = rest.readings.as_ref().map_err(Clone::clone)?;
        rocksdb_metrics::use_of(readings, &known(sample, planned, databases))
    });
    let mut corrections = metrics.as_ref().map(|metrics| metrics.corrections.clone()).unwrap_or_default();
    let other_direct = rest.and_then(|rest| {
        let (beside, correction) = rocksdb_metrics::direct_beside_network(&rest.metrics);
        corrections.extend(correction);
        corrections.extend(rocksdb_metrics::managed_reservation(&rest.metrics));
        beside
    });
    let mut view = RocksDbView { metrics, verdicts: Vec::new(), undecided: Vec::new(), corrections, other_direct };
    let setting = setting(planned);
    if let Ok(used) = &view.metrics {
        let judged = rocksdb_bound::judge(&figures(used, databases), &setting);
        view.add(judged, "all databases");
    }
    for instance in databases.into_iter().flat_map(|databases| &databases.instances) {
        let Ok(log) = &instance.log else { continue };
        let name = instance.owner.as_ref().map_or_else(
            || instance.directory.display().to_string(),
            |owner| format!("{} {}/{}", owner.operator, owner.subtask, owner.of),
        );
        view.add(rocksdb_bound::judge(&Figures::from_log(log), &setting), &name);
    }
    view
}

impl RocksDbView {
    fn add(&mut self, judged: Judged, database: &str) {
        for verdict in judged.verdicts {
            let same =
                |known: &&mut (Verdict, Vec<String>)| (known.0.bound, known.0.cause) == (verdict.bound, verdict.cause);
            match self.verdicts.iter_mut().find(same) {
                Some((_, databases)) => databases.push(database.to_owned()),
                None => self.verdicts.push((verdict, vec![database.to_owned()])),
            }
        }
        for (bound, unseen) in judged.undecided {
            if !self.undecided.iter().any(|(known, _)| *known == bound) {
                self.undecided.push((bound, unseen));
            }
        }
        let decided: Vec<Bound> = self.verdicts.iter().map(|(verdict, _)| verdict.bound).collect();
        self.undecided.retain(|(bound, _)| !decided.contains(bound));
    }
}

fn known(sample: &Sample, planned: Option<&Survey>, databases: Option<&Databases>) -> Known {
    let rest = sample.rest.as_ref().ok();
    let logged = databases.and_then(|databases| databases.instances.iter().find_map(|instance| instance.version()));
    let flink = planned.map(|survey| survey.plan.profile.version().to_string());
    let configuration = rest.and_then(|rest| rest.configuration.as_ref().ok());
    Known {
        rocksdb_version: logged
            .or_else(|| flink.as_deref().and_then(rocksdb_metrics::rocksdb_of_flink))
            .map(str::to_owned),
        sharing: configuration.and_then(|options| Sharing::of_configuration(options)),
        slots_in_use: rest.and_then(|rest| rest.slots_in_use),
        caches_in_logs: databases.map(|databases| databases.slots().len() as u64).filter(|caches| *caches > 0),
    }
}

fn setting(planned: Option<&Survey>) -> Setting<'static> {
    let store = planned.and_then(|survey| {
        let slots = survey.plan.slots.as_ref()?.as_ref().ok()?;
        slots.stores.iter().find_map(|(store, memory)| Some((*store, memory.as_ref().ok()?.scope)))
    });
    Setting {
        store: store.map_or(Store::RocksDb, |(store, _)| store),
        scope: store.map(|(_, scope): (Store, Scope)| scope),
        profile: planned.map(|survey| survey.plan.profile),
    }
}

/// The fewest memtables that any column family may have: no metric tells, the databases' logs do.
fn write_buffers(databases: Option<&Databases>) -> Option<u64> {
    let logs = databases?.instances.iter().filter_map(|instance| instance.log.as_ref().ok());
    let families = logs.flat_map(|log| &log.column_families);
    families.filter_map(|family| Some(family.max_write_buffer_number.as_ref()?.what)).min()
}

/// What the metrics of a TaskManager's databases say together.
fn figures(used: &RocksDbUse, databases: Option<&Databases>) -> Figures {
    let seen = |value: &Seen<u64>| value.as_ref().ok().copied();
    let size = |value: &Seen<Bytes>| value.as_ref().ok().copied();
    Figures {
        cache_hits: seen(&used.hits),
        cache_misses: seen(&used.misses),
        cache_usage: size(&used.cache_usage),
        cache_capacity: size(&used.cache_capacity),
        table_bytes: size(&used.files),
        flush_pending: seen(&used.stalls.flushes_due).map(|due| due > 0),
        pending_compaction: seen(&used.stalls.most_pending_compaction).map(Bytes::new),
        immutable_memtables: seen(&used.stalls.most_waiting_memtables),
        max_write_buffers: write_buffers(databases),
        writes_stopped: seen(&used.stalls.stopped),
        // No rate is the slowest of none.
        delayed_write_rate: seen(&used.stalls.slowest_rate).or(seen(&used.stalls.slowed).filter(|slowed| *slowed == 0)),
        ..Figures::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::flink_rest::{Property, RocksDbReading};

    fn figures_of(readings: &[(&str, Property, u64)]) -> Figures {
        let readings: Vec<RocksDbReading> = readings
            .iter()
            .map(|(family, property, value)| RocksDbReading {
                task_manager: None,
                job: None,
                vertex: None,
                sharing_group: None,
                subtask: 0,
                operator: "a".to_owned(),
                column_family: Some((*family).to_owned()),
                property: *property,
                value: Ok(*value),
            })
            .collect();
        figures(&rocksdb_metrics::use_of(&readings, &Known::default()).unwrap(), None)
    }

    #[test]
    fn limits_of_a_column_family_are_held_against_the_one_that_has_the_most() {
        let mut readings = Vec::new();
        for (family, gib, waiting) in [("x", 30, 0), ("y", 40, 2), ("z", 20, 1)] {
            readings.push((family, Property::PendingCompactionBytes, gib << 30));
            readings.push((family, Property::ImmutableMemtables, waiting));
        }
        let figures = figures_of(&readings);
        assert_eq!((figures.pending_compaction, figures.immutable_memtables), (Some(Bytes::gib(40)), Some(2)));
    }

    #[test]
    fn a_database_that_is_not_slowed_is_seen_not_to_be() {
        let free = figures_of(&[("x", Property::DelayedWriteRate, 0)]);
        assert_eq!((free.delayed_write_rate, free.writes_stopped), (Some(0), None));
        let slowed = figures_of(&[("x", Property::DelayedWriteRate, 700), ("x", Property::WriteStopped, 1)]);
        assert_eq!((slowed.delayed_write_rate, slowed.writes_stopped), (Some(700), Some(1)));
    }
}
