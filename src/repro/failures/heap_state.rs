//! `heap-state-surge`: state on the heap fills it.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};
use crate::repro::launch::spelled;

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "heap-state-surge",
    title: "A burst of keys fills a heap with state",
    story: "State on the heap is objects, and a burst of new keys fills it within seconds: OutOfMemoryError: Java heap \
            space, or nothing but collections, so that the JobManager gives the TaskManager up. RocksDB keeps the same state \
            in managed memory and on the disk.",
    role: Role::TaskManager,
    settings: |site| {
        let mut all = settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("heartbeat.timeout", "20000"),
            ("heartbeat.interval", "2000"),
        ]);
        all.insert(spelled(site.version, &["state.backend.type", "state.backend"]).to_owned(), "hashmap".to_owned());
        all
    },
    cure: |site| settings(&[(spelled(site.version, &["state.backend.type", "state.backend"]), "rocksdb")]),
    job: |_| jobs::many_keys(20_000_000, 400),
    parallelism: 2,
    fence: Fence::Nothing,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Fails,
    killers: &[Killer::Jvm, Killer::Flink],
    areas: &[Area::Heap],
    causes: &[],
    seconds: 90,
    usual_seconds: 95,
    memory: Bytes::gib(3),
    disk: Bytes::gib(4),
};
