//! `page-cache`: the files of a batch shuffle fill the container's counter, and nobody dies.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "page-cache",
    title: "The files of a batch shuffle fill the container's counter, and nobody dies",
    story: "What is written to files stays in the page cache and is charged to the container until it is full, as a dashboard \
            shows it. The kernel takes it back when memory is needed: a container at its limit is no death, and no memory is \
            to be raised.",
    role: Role::TaskManager,
    settings: |_| {
        settings(&[
            ("taskmanager.memory.process.size", "1152m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("execution.batch-shuffle-mode", "ALL_EXCHANGES_BLOCKING"),
        ])
    },
    cure: |_| settings(&[]),
    job: |_| jobs::batch(4_000_000, 400),
    parallelism: 2,
    fence: Fence::Container,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Lives,
    killers: &[Killer::NotOom],
    areas: &[Area::PageCache, Area::Other],
    causes: &[],
    seconds: 90,
    usual_seconds: 55,
    memory: Bytes::gib(4),
    disk: Bytes::gib(6),
};
