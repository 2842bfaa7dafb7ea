//! What Flink's Prometheus reporter writes (`PrometheusReporter`, scope in the name, variables in the labels), as the
//! same values that REST gives.

use std::collections::BTreeMap;

use super::Sample;
use crate::artefact::flink_rest::{Metrics, ProcessMetrics, Property, RocksDbReading, whole};
use crate::model::Role;

/// A TaskManager of a thousand column families writes 23,000 values; what is beyond this is counted and left out.
const MOST_READINGS: usize = 200_000;

/// A Prometheus server may be asked for a whole fleet, but not for more than Flink could be made of.
const MOST_PROCESSES: usize = 10_000;

/// Gathers the samples of Flink's reporter; a sample of anything else is passed over.
#[derive(Debug, Default)]
pub struct FlinkView {
    processes: BTreeMap<(bool, String), (Option<String>, Metrics)>,
    readings: Vec<RocksDbReading>,
    left_out: u64,
}

/// One process of a scrape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScrapedProcess {
    /// Its role.
    pub role: Role,
    /// The label `tm_id` of a TaskManager, in which the reporter has made an underscore of each other character; a
    /// JobManager's host.
    pub id: String,
    /// The label `host`.
    pub host: Option<String>,
    /// What it measures of itself.
    pub metrics: ProcessMetrics,
}

impl FlinkView {
    /// All samples of a text.
    pub fn of_text(text: &str) -> FlinkView {
        let mut view = FlinkView::default();
        for sample in super::samples(text) {
            view.take(&sample);
        }
        view
    }

    /// One sample more.
    pub fn take(&mut self, sample: &Sample<'_>) {
        if let Some(rest) = sample.name.strip_prefix("flink_taskmanager_Status_") {
            let id = sample.label("tm_id").unwrap_or_default();
            self.status(true, id, rest, sample);
        } else if let Some(rest) = sample.name.strip_prefix("flink_jobmanager_Status_") {
            let id = sample.label("host").unwrap_or_default();
            self.status(false, id, rest, sample);
        } else if let Some(rest) = sample.name.strip_prefix("flink_taskmanager_job_task_operator_") {
            self.readings_of(rest, sample);
        }
    }

    fn status(&mut self, is_task_manager: bool, id: &str, rest: &str, sample: &Sample<'_>) {
        let key = (is_task_manager, id.to_owned());
        if self.processes.len() >= MOST_PROCESSES && !self.processes.contains_key(&key) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let host = || (sample.label("host").map(str::to_owned), Metrics::default());
        let (_, metrics) = self.processes.entry(key).or_insert_with(host);
        metrics.insert(&format!("Status_{rest}"), sample.value);
    }

    fn readings_of(&mut self, rest: &str, sample: &Sample<'_>) {
        let Some((family, property)) = parts(rest) else { return };
        let subtask = sample.label("subtask_index").and_then(|text| text.parse().ok());
        let Some(subtask) = subtask.filter(|_| self.readings.len() < MOST_READINGS) else {
            self.left_out = self.left_out.saturating_add(1);
            return;
        };
        let label = |name: &str| sample.label(name).map(str::to_owned);
        // An operator's id alone tells it from another of the same name.
        let operator = label("operator_id").or_else(|| label("operator_name"));
        self.readings.push(RocksDbReading {
            task_manager: label("tm_id"),
            job: label("job_id"),
            vertex: label("task_id"),
            sharing_group: None,
            subtask,
            operator: operator.unwrap_or_default(),
            column_family: label("column_family").or_else(|| family.map(str::to_owned)),
            property,
            value: whole(sample.value),
        });
    }

    /// The processes that were told of.
    pub fn processes(&self) -> Vec<ScrapedProcess> {
        let all = self.processes.iter().map(|((is_task_manager, id), (host, metrics))| ScrapedProcess {
            role: if *is_task_manager { Role::TaskManager } else { Role::JobManager },
            id: id.clone(),
            host: host.clone(),
            metrics: ProcessMetrics::of_metrics(metrics),
        });
        all.collect()
    }

    /// What RocksDB was measured at.
    pub fn readings(&self) -> &[RocksDbReading] {
        &self.readings
    }

    /// Samples that were too many to keep, or whose labels do not say which subtask they are of.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// `<column family>_rocksdb_<property>`, or `rocksdb_<ticker>` for the whole database.
fn parts(rest: &str) -> Option<(Option<&str>, Property)> {
    for store in ["rocksdb_", "forst_"] {
        if let Some(property) = rest.strip_prefix(store).and_then(Property::of_name) {
            return Some((None, property));
        }
        if let Some((family, property)) = rest.rsplit_once(&format!("_{store}")) {
            let property = Property::of_name(property)?;
            return Some(((family != "column_family").then_some(family), property));
        }
    }
    None
}
