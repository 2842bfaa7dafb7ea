//! Questions to the REST interface of a cluster of ours that [`crate::probe::rest`] does not ask of a stranger's:
//! counts of checkpoints, lists of metrics. Asking for a job has the JobManager fetch metrics, as the dashboard does.

use std::time::Duration;

use serde_json::Value;
use thiserror::Error;
use ureq::Agent;

use crate::repro::on_flink::Checkpoints;

/// How long is waited for an answer; a JobManager without heap gives none.
const PATIENCE: Duration = Duration::from_secs(5);

/// Names of all metrics of a subtask with thousands of histograms are some megabytes.
const LARGEST: u64 = 256 << 20;

/// What ends the name of a histogram's median in the metric store (`MetricStore.addMetric`): one name a histogram.
const MEDIAN: &str = "_median";

/// Why there is no answer. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum AskError {
    /// None came.
    #[error("ask {url}: {reason}")]
    NoAnswer {
        /// For what was asked.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// It is not what Flink answers.
    #[error("read the answer of {url}: it has no {missing}")]
    Answer {
        /// For what was asked.
        url: String,
        /// What is not there.
        missing: &'static str,
    },
}

/// A job as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Job {
    /// `RUNNING`, `FAILED` and so on.
    pub state: String,
    /// The most records that one of its vertices took, all attempts that run now together.
    pub records: u64,
    /// Its vertices.
    pub vertices: Vec<Vertex>,
}

/// A vertex of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vertex {
    /// Its id.
    pub id: String,
    /// Subtasks.
    pub parallelism: u64,
}

/// The interface of one cluster.
#[derive(Clone, Debug)]
pub struct Ask {
    agent: Agent,
    /// Its address.
    pub url: String,
}

impl Ask {
    /// On a port of this machine.
    pub fn at(port: u16) -> Ask {
        let config = Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE)).build();
        Ask { agent: config.new_agent(), url: format!("http://127.0.0.1:{port}") }
    }

    /// What is answered to a path.
    ///
    /// # Errors
    ///
    /// Where there is no answer of JSON.
    pub fn get(&self, path: &str) -> Result<Value, AskError> {
        let url = format!("{}{path}", self.url);
        let answer = self
            .agent
            .get(&url)
            .call()
            .and_then(|mut answer| answer.body_mut().with_config().limit(LARGEST).read_to_vec());
        let bytes = answer.map_err(|error| AskError::NoAnswer { url: url.clone(), reason: error.to_string() })?;
        serde_json::from_slice(&bytes).map_err(|error| AskError::NoAnswer { url, reason: error.to_string() })
    }

    fn field<T>(
        &self,
        path: &str,
        missing: &'static str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, AskError> {
        let value = self.get(path)?;
        read(&value).ok_or_else(|| AskError::Answer { url: format!("{}{path}", self.url), missing })
    }

    /// TaskManagers that have registered.
    ///
    /// # Errors
    ///
    /// As [`Ask::get`].
    pub fn taskmanagers(&self) -> Result<u64, AskError> {
        self.field("/overview", "taskmanagers", |value| value.get("taskmanagers")?.as_u64())
    }

    /// A job.
    ///
    /// # Errors
    ///
    /// As [`Ask::get`].
    pub fn job(&self, id: &str) -> Result<Job, AskError> {
        self.field(&format!("/jobs/{id}"), "state and vertices", job)
    }

    /// A job's checkpoints.
    ///
    /// # Errors
    ///
    /// As [`Ask::get`].
    pub fn checkpoints(&self, id: &str) -> Result<Checkpoints, AskError> {
        self.field(&format!("/jobs/{id}/checkpoints"), "counts", checkpoints)
    }

    /// How many histograms of latency the JobManager has of a job: those of each subtask, where Flink 1.20 and 2.3 have
    /// them, and those of the job itself, where 1.13 has them.
    ///
    /// # Errors
    ///
    /// As [`Ask::get`].
    pub fn latency_histograms(&self, id: &str) -> Result<u64, AskError> {
        let count = |path: &str| self.field(path, "list of metrics", latency_histograms);
        let mut all = count(&format!("/jobs/{id}/metrics"))?;
        for vertex in self.job(id)?.vertices {
            // One subtask at a time: all names of a vertex together would take as much of the heap as what is measured.
            for subtask in 0..vertex.parallelism {
                all += count(&format!("/jobs/{id}/vertices/{}/subtasks/{subtask}/metrics", vertex.id))?;
            }
        }
        Ok(all)
    }
}

fn job(value: &Value) -> Option<Job> {
    let vertices = value.get("vertices")?.as_array()?;
    let records = vertices.iter().filter_map(|vertex| vertex.pointer("/metrics/read-records")?.as_u64());
    Some(Job {
        state: value.get("state")?.as_str()?.to_owned(),
        records: records.max().unwrap_or_default(),
        vertices: vertices
            .iter()
            .map(|vertex| {
                let id = vertex.get("id")?.as_str()?.to_owned();
                // Of a batch job it is -1 until it is decided.
                let parallelism = vertex.get("parallelism")?.as_i64()?;
                Some(Vertex { id, parallelism: u64::try_from(parallelism).unwrap_or_default() })
            })
            .collect::<Option<_>>()?,
    })
}

fn checkpoints(value: &Value) -> Option<Checkpoints> {
    let count = |name: &str| value.pointer(&format!("/counts/{name}"))?.as_u64();
    Some(Checkpoints { completed: count("completed")?, failed: count("failed")? })
}

fn latency_histograms(value: &Value) -> Option<u64> {
    let names = value.as_array()?.iter().filter_map(|metric| metric.get("id")?.as_str());
    Some(names.filter(|name| name.contains("latency.") && name.ends_with(MEDIAN)).count() as u64)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_histogram_is_counted_once_whatever_else_there_is() {
        let name = "latency.source_id.bc76.source_subtask_index.6.operator_id.5c51.operator_subtask_index.2.latency";
        let ids: Vec<Value> = ["_min", "_median", "_p99"].map(|end| json!({ "id": format!("{name}{end}") })).into();
        let more = [json!({ "id": "mailboxLatencyMs_median" }), json!({ "id": "numRecordsIn" })];
        let all: Vec<Value> = ids.into_iter().chain(more).collect();
        assert_eq!(latency_histograms(&Value::Array(all)), Some(1));
    }

    #[test]
    fn a_job_is_told_by_its_state_and_the_vertex_that_took_most() {
        let answer = json!({ "state": "RUNNING", "vertices": [
            { "id": "a", "parallelism": 2, "metrics": { "read-records": 0 } },
            { "id": "b", "parallelism": 4, "metrics": { "read-records": 17 } },
        ]});
        let job = job(&answer).unwrap();
        assert_eq!((job.state.as_str(), job.records, job.vertices[1].parallelism), ("RUNNING", 17, 4));
        assert_eq!(super::job(&json!({ "errors": ["Job not found"] })), None);
    }

    #[test]
    fn a_batch_job_of_undecided_parallelism_is_a_job() {
        let answer = json!({ "state": "RUNNING", "vertices": [{ "id": "a", "parallelism": -1, "metrics": {} }] });
        assert_eq!(job(&answer).unwrap().vertices[0].parallelism, 0);
    }

    #[test]
    fn checkpoints_are_counted_by_how_they_ended() {
        let answer = json!({ "counts": { "restored": 1, "total": 9, "in_progress": 1, "completed": 5, "failed": 3 } });
        assert_eq!(checkpoints(&answer), Some(Checkpoints { completed: 5, failed: 3 }));
    }
}
