//! All that a row a TaskManager needs.

use super::{Rest, RestError};
use crate::artefact::flink_rest::{self, Job, RocksDbReading, TaskManager};
use crate::model::Seen;

/// A whole cluster, as its JobManager tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster {
    /// Flink's version.
    pub version: Seen<String>,
    /// The JobManager's configuration; a TaskManager's or a job's may differ.
    pub configuration: Seen<Vec<(String, String)>>,
    /// The TaskManagers, each with what it measures; one that did not answer has its budget alone.
    pub task_managers: Vec<TaskManager>,
    /// The jobs that run, and RocksDB's metrics of all of them; empty where these are off.
    pub jobs: Seen<(Vec<Job>, Vec<RocksDbReading>)>,
}

impl Cluster {
    /// The readings of one TaskManager.
    ///
    /// # Errors
    ///
    /// `Unseen` where not all jobs could be asked.
    pub fn readings_of(&self, task_manager: &TaskManager) -> Seen<Vec<RocksDbReading>> {
        let (_, readings) = self.jobs.as_ref().map_err(Clone::clone)?;
        let id = task_manager.id.clone()?;
        let own = readings.iter().filter(|reading| reading.task_manager.as_deref() == Some(id.as_str()));
        Ok(own.cloned().collect())
    }
}

impl Rest {
    /// Asks for a whole cluster: 4 requests, 2 for each TaskManager, and some for each vertex that has RocksDB's metrics.
    /// What does not come in time is `Unseen`.
    ///
    /// # Errors
    ///
    /// Where there is no list of TaskManagers.
    pub fn cluster(&self) -> Result<Cluster, RestError> {
        let until = self.until();
        let listed = self.ask("/taskmanagers", until, flink_rest::task_managers)?;
        let overview = self.ask("/overview", until, flink_rest::overview);
        let configuration = self.ask("/jobmanager/config", until, flink_rest::configuration);
        let jobs = self.rocksdb_until(&listed, None, until).map_err(|error| error.unseen());
        let whole = |listed: TaskManager| match &listed.id {
            Ok(id) => self.task_manager_until(id, until).unwrap_or(listed),
            Err(_) => listed,
        };
        Ok(Cluster {
            version: overview.map_err(|error| error.unseen()).and_then(|overview| overview.version),
            configuration: configuration.map_err(|error| error.unseen()),
            jobs,
            task_managers: listed.into_iter().map(whole).collect(),
        })
    }
}
