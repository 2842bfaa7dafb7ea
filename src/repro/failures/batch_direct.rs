//! `batch-direct`: the read buffers of a batch shuffle do not fit into direct memory.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "batch-direct",
    title: "The read buffers of a batch shuffle do not fit into direct memory",
    story: "A blocking exchange is read through buffers that Flink takes from framework off-heap memory, 64 MiB by default \
            (taskmanager.memory.framework.off-heap.batch-shuffle.size). With 8 MiB there the JVM refuses them.",
    role: Role::TaskManager,
    settings: |_| {
        settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("taskmanager.memory.framework.off-heap.size", "8m"),
            ("execution.batch-shuffle-mode", "ALL_EXCHANGES_BLOCKING"),
        ])
    },
    cure: |_| settings(&[("taskmanager.memory.framework.off-heap.size", "128m")]),
    job: |_| jobs::batch(300_000, 200),
    parallelism: 2,
    fence: Fence::Nothing,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Fails,
    killers: &[Killer::Jvm, Killer::Flink],
    areas: &[Area::Direct],
    causes: &[],
    seconds: 60,
    usual_seconds: 35,
    memory: Bytes::gib(3),
    disk: Bytes::gib(2),
};
