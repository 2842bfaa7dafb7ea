//! `framework-off-heap-zero`: no direct memory for Flink's own network stack.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "framework-off-heap-zero",
    title: "Framework off-heap memory is set to nothing",
    story: "Direct memory is network buffers, framework off-heap and task off-heap, and what is neither of Flink's buffers, \
            Netty's and Pekko's, lives in the second. Set to nothing, the JVM refuses what a TaskManager needs to work at all.",
    role: Role::TaskManager,
    settings: |_| {
        settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("taskmanager.memory.framework.off-heap.size", "0"),
        ])
    },
    cure: |_| settings(&[("taskmanager.memory.framework.off-heap.size", "128m")]),
    job: |_| jobs::small(),
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
    usual_seconds: 45,
    memory: Bytes::gib(3),
    disk: Bytes::mib(512),
};
