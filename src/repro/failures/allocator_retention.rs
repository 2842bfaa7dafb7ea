//! `allocator-retention`: a job fails and starts again, and again. Each time RocksDB gives its memory back to malloc, which
//! keeps a part of it, until the kernel kills the TaskManager. No metric of Flink's or RocksDB's shows it.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};
use crate::repro::launch::spelled;

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "allocator-retention",
    title: "With each restart of a job glibc's malloc keeps more of what was freed",
    story: "A job that fails starts again with new threads and a new RocksDB, and glibc gives each thread one of eight arenas a \
            core. What was freed in an arena stays there, unless its last block is free. After a dozen restarts the container \
            is full of memory that nobody uses. More of it only takes longer; one arena, or jemalloc, ends it.",
    role: Role::TaskManager,
    settings: |site| {
        let mut all = settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("taskmanager.memory.managed.size", "256m"),
            ("taskmanager.memory.framework.off-heap.size", "64m"),
            ("taskmanager.memory.network.max", "64m"),
            ("taskmanager.memory.jvm-metaspace.size", "128m"),
            ("taskmanager.memory.jvm-overhead.max", "192m"),
            ("taskmanager.numberOfTaskSlots", "2"),
        ]);
        let mut spell = |spellings: &[&str], value: &str| {
            all.insert(spelled(site.version, spellings).to_owned(), value.to_owned());
        };
        spell(&["state.backend.type", "state.backend"], "rocksdb");
        spell(&["restart-strategy.type", "restart-strategy"], "fixed-delay");
        spell(&["restart-strategy.fixed-delay.attempts"], "1000");
        // Longer than from one look to the next: what the process has between two jobs is what tells.
        spell(&["restart-strategy.fixed-delay.delay"], "5 s");
        all
    },
    // As YARN and Kubernetes are told of a variable in the environment.
    cure: |_| settings(&[("containerized.taskmanager.env.MALLOC_ARENA_MAX", "1")]),
    job: |_| jobs::failing(400_000),
    parallelism: 2,
    fence: Fence::Container,
    tmpfs: None,
    restarts: true,
    python: None,
    end: End::Killed,
    killers: &[Killer::KernelMemcg],
    areas: &[Area::Native],
    causes: &[],
    seconds: 400,
    usual_seconds: 400,
    memory: Bytes::gib(3),
    disk: Bytes::gib(2),
};
