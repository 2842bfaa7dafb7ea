//! `thread-limit`: no more threads for the process. The JVM calls it `OutOfMemoryError`, and memory has nothing to do with it.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "thread-limit",
    title: "The container has no more threads for the process",
    story: "Each task, connector and pool has threads, and containers bound their number (pids.max, podPidsLimit, nproc). At \
            that bound the JVM says OutOfMemoryError: unable to create native thread, while memory is free; more of it does \
            not help, a higher bound does.",
    role: Role::TaskManager,
    settings: |_| settings(&[("taskmanager.memory.process.size", "1024m"), ("taskmanager.numberOfTaskSlots", "2")]),
    cure: |_| settings(&[]),
    job: |_| jobs::small(),
    parallelism: 2,
    fence: Fence::Threads(2),
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Fails,
    killers: &[Killer::Jvm, Killer::Flink],
    areas: &[Area::Threads, Area::Config],
    causes: &[],
    seconds: 60,
    usual_seconds: 45,
    memory: Bytes::gib(3),
    disk: Bytes::mib(512),
};
