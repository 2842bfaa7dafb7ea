//! `latency-metrics`: histograms by subtask fill the JobManager's heap while somebody looks at a dashboard.

use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};
use crate::repro::scenarios::latency_metrics::{self, Granularity};

/// 19,800 histograms of 10 KB each in both versions that were measured (1.20.5, 2.3.0), with what a JobManager needs
/// beside them, are 230 MiB.
const HEAP: Bytes = Bytes::mib(176);

/// Subtasks of each operator.
const PARALLELISM: u32 = 30;

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "latency-metrics",
    title: "Latency histograms fill the JobManager's heap",
    story: "Latency tracking by subtask keeps a histogram for each pair of subtasks of a source and of an operator, and the \
            JobManager keeps them all while anybody reads metrics, as this run does each second: OutOfMemoryError there. Told \
            apart by operator they are a thirtieth.",
    role: Role::JobManager,
    settings: |site| latency_metrics::settings(site.version, Granularity::Subtask, HEAP, PARALLELISM),
    cure: |_| settings(&[("metrics.latency.granularity", "operator")]),
    job: |_| latency_metrics::script(),
    parallelism: PARALLELISM,
    fence: Fence::Nothing,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Fails,
    killers: &[Killer::Jvm, Killer::Flink],
    areas: &[Area::Heap],
    causes: &[],
    seconds: 90,
    usual_seconds: 280,
    memory: Bytes::gib(3),
    disk: Bytes::mib(512),
};
