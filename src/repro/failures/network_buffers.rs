//! `network-buffers`: too few network buffers for the job's exchanges.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "network-buffers",
    title: "Too few network buffers for the exchanges of the job",
    story: "Each channel of an exchange needs a buffer of its own before anything flows. Ten buffers are too few for this \
            job: Insufficient number of network buffers, and the job does not start.",
    role: Role::TaskManager,
    settings: |_| {
        settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("taskmanager.memory.network.min", "320kb"),
            ("taskmanager.memory.network.max", "320kb"),
        ])
    },
    cure: |_| settings(&[("taskmanager.memory.network.min", "8mb"), ("taskmanager.memory.network.max", "8mb")]),
    job: |_| jobs::small(),
    parallelism: 2,
    fence: Fence::Nothing,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::DoesNotStart,
    killers: &[Killer::Flink],
    areas: &[Area::Network],
    causes: &[],
    seconds: 45,
    usual_seconds: 40,
    memory: Bytes::gib(3),
    disk: Bytes::mib(512),
};
