//! What Flink's REST says of a process of this machine.

use crate::artefact::flink_rest::{ProcessMetrics, RocksDbReading};
use crate::diagnose::sample::{RestLook, Sample};
use crate::model::{Role, Seen};
use crate::probe::ports;
use crate::probe::rest::{LocalTaskManager, Patience, Rest};
use crate::probe::root::Root;

/// Asks for the process, and for RocksDB's metrics of the jobs in it.
pub(super) fn look(url: &str, root: &Root, sample: &Sample) -> Seen<RestLook> {
    let rest = Rest::new(url, Patience::default()).map_err(|error| error.unseen())?;
    let configuration = match rest.configuration() {
        // Each question would wait for the name anew.
        Err(error) if error.is_of_name() => return Err(error.unseen()),
        other => other.map_err(|error| error.unseen()),
    };
    let overview = rest.overview().map_err(|error| error.unseen());
    let jobs = rest.jobs().map_err(|error| error.unseen());
    let look = |metrics: ProcessMetrics| RestLook {
        url: rest.shown().to_owned(),
        version: overview.and_then(|overview| overview.version),
        memory: None,
        metrics,
        slots_in_use: None,
        readings: Ok(Vec::new()),
        configuration,
        jobs,
    };
    if sample.flink.as_ref().is_some_and(|flink| flink.role == Role::JobManager) {
        return rest.job_manager().map(look).map_err(|error| error.unseen());
    }
    let found = rest.find(&local(root, sample))?;
    let readings: Seen<Vec<RocksDbReading>> =
        rest.rocksdb(std::slice::from_ref(&found), None).map_err(|error| error.unseen());
    let slots_in_use = found.slots_in_use();
    Ok(RestLook { memory: Some(found.memory), slots_in_use, readings, ..look(found.metrics) })
}

/// What tells the process among the TaskManagers of a cluster.
fn local(root: &Root, sample: &Sample) -> LocalTaskManager {
    LocalTaskManager {
        resource_id: sample.flink.as_ref().and_then(|flink| flink.resource_id.clone()),
        ports: ports::listening(root, sample.pid),
        hosts: Vec::new(),
    }
}
