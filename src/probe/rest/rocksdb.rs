//! RocksDB's metrics of the jobs that run.

use super::base::segment;
use super::{Rest, RestError, Until};
use crate::artefact::flink_rest::{self, Job, RocksDbReading, SubtaskPlace, TaskManager, Vertex};

impl Rest {
    /// The readings of all databases, or of those of one TaskManager, each with its TaskManager, job and vertex. None where
    /// native metrics are off.
    ///
    /// # Errors
    ///
    /// Where one answer is missing: a sum over the others would be too small.
    pub fn rocksdb(&self, task_managers: &[TaskManager], only: Option<&str>) -> Result<Vec<RocksDbReading>, RestError> {
        let until = self.until();
        let (_, readings) = self.rocksdb_until(task_managers, only, until)?;
        Ok(readings)
    }

    pub(super) fn rocksdb_until(
        &self,
        task_managers: &[TaskManager],
        only: Option<&str>,
        until: Until,
    ) -> Result<(Vec<Job>, Vec<RocksDbReading>), RestError> {
        let (mut jobs, mut readings) = (Vec::new(), Vec::new());
        for summary in self.ask("/jobs/overview", until, flink_rest::jobs)? {
            if summary.state.as_ref().is_ok_and(|state| state != "RUNNING") {
                continue;
            }
            let path = format!("/jobs/{}", segment(&summary.id));
            let Some(job) = ended(self.ask(&path, until, flink_rest::job))? else { continue };
            for vertex in &job.vertices {
                let of_vertex = self.of_vertex(&path, vertex, task_managers, only, until);
                let mut of_vertex = ended(of_vertex)?.unwrap_or_default();
                for reading in &mut of_vertex {
                    reading.job = Some(summary.id.clone());
                }
                readings.append(&mut of_vertex);
            }
            jobs.push(job);
        }
        Ok((jobs, readings))
    }

    fn of_vertex(
        &self,
        job: &str,
        vertex: &Vertex,
        task_managers: &[TaskManager],
        only: Option<&str>,
        until: Until,
    ) -> Result<Vec<RocksDbReading>, RestError> {
        let path = format!("{job}/vertices/{}", segment(&vertex.id));
        let mut names = self.ask(&format!("{path}/metrics"), until, flink_rest::metric_names)?;
        names.retain(|name| flink_rest::is_wanted(name));
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let places = self.ask(&path, until, flink_rest::subtask_places)?;
        let place = |subtask: u32| {
            let place = places.iter().find(|place| place.subtask == subtask)?;
            task_manager_of(place, task_managers)
        };
        if let Some(only) = only {
            names.retain(|name| {
                let subtask = name.split('.').next().and_then(|text| text.parse().ok());
                subtask.and_then(place).is_some_and(|id| id == only)
            });
        }
        let values = self.values(&format!("{path}/metrics"), &names, until)?;
        let mut readings = flink_rest::readings_of_vertex(&values);
        for reading in &mut readings {
            reading.task_manager = place(reading.subtask);
            reading.vertex = Some(vertex.id.clone());
            reading.sharing_group = vertex.sharing_group.clone().ok();
        }
        Ok(readings)
    }
}

/// A job that has ended since it was listed has no databases.
fn ended<T>(answer: Result<T, RestError>) -> Result<Option<T>, RestError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(RestError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn task_manager_of(place: &SubtaskPlace, task_managers: &[TaskManager]) -> Option<String> {
    if let Ok(id) = &place.task_manager {
        return Some(id.clone());
    }
    let (host, port) = place.endpoint.as_ref().ok()?.rsplit_once(':')?;
    let port: u64 = port.parse().ok()?;
    let is_it = |one: &&TaskManager| {
        one.data_port.as_ref().is_ok_and(|data| *data == port) && one.rpc().is_none_or(|(rpc_host, _)| rpc_host == host)
    };
    let mut found = task_managers.iter().filter(is_it);
    let id = found.next()?.id.clone().ok()?;
    found.next().is_none().then_some(id)
}
