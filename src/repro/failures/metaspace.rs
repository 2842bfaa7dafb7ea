//! `metaspace`: metaspace too small for the classes of Flink and the job.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "metaspace",
    title: "Metaspace is too small for the classes of Flink and the job",
    story: "A TaskManager with a job in SQL loads more classes than 44 MiB of metaspace hold: OutOfMemoryError: Metaspace, and \
            Flink ends the process, since a JVM without metaspace does nothing right.",
    role: Role::TaskManager,
    settings: |_| {
        settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("taskmanager.memory.jvm-metaspace.size", "44m"),
        ])
    },
    cure: |_| settings(&[("taskmanager.memory.jvm-metaspace.size", "128m")]),
    job: |_| jobs::small(),
    parallelism: 2,
    fence: Fence::Nothing,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Fails,
    killers: &[Killer::Jvm, Killer::Flink],
    areas: &[Area::Metaspace],
    causes: &[],
    seconds: 60,
    usual_seconds: 45,
    memory: Bytes::gib(3),
    disk: Bytes::mib(512),
};
