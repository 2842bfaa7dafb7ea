//! `checkpoint-expiry`: a heap full of state has no time for checkpoints, and they expire.

use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence};
use crate::repro::scenarios::heap_state_surge::{self, Backend};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "checkpoint-expiry",
    title: "A heap full of state has no time for checkpoints",
    story: "What a user sees first are expired checkpoints, and raising their timeout does not help: the heap is full of \
            state, and the JVM collects instead of working. RocksDB keeps the same state elsewhere, and checkpoints complete.",
    role: Role::TaskManager,
    settings: |site| {
        let checkpoints = format!("{}/checkpoints", site.directory);
        heap_state_surge::settings(site.version, Backend::Heap, &checkpoints, 1)
    },
    cure: |site| {
        let checkpoints = format!("{}/checkpoints", site.directory);
        heap_state_surge::settings(site.version, Backend::RocksDb, &checkpoints, 1)
    },
    job: |_| heap_state_surge::script(1),
    parallelism: 2,
    fence: Fence::Nothing,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Fails,
    killers: &[Killer::Jvm, Killer::Flink],
    areas: &[Area::Heap],
    causes: &[],
    seconds: 75,
    usual_seconds: 220,
    memory: Bytes::gib(3),
    disk: Bytes::gib(2),
};
