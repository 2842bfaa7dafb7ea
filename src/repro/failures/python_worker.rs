//! `python-worker`: the Python process beside the JVM holds a table, and no part of the budget is its own.

use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, Module, Worker, settings};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "python-worker",
    title: "A Python worker's table does not fit beside the JVM",
    story: "PyFlink runs Python functions in processes of their own, which count into the TaskManager's container. Here \
            a function loads a table of 640 MiB when it starts, as others load a model. Flink plans the whole container \
            for the JVM and hands out a share of managed memory that nothing holds the worker to, so the kernel kills. \
            With room outside of the JVM the same job works.",
    role: Role::TaskManager,
    settings: |site| {
        let worker = site.python.unwrap_or(Worker { program: "python3", module: MODULE.file });
        settings(&[
            ("taskmanager.memory.process.size", "1024m"),
            ("taskmanager.numberOfTaskSlots", "1"),
            ("python.executable", worker.program),
            // That which plans the job.
            ("python.client.executable", worker.program),
            ("python.files", worker.module),
        ])
    },
    cure: |_| {
        settings(&[("taskmanager.memory.process.size", "2816m"), ("taskmanager.memory.task.off-heap.size", "768m")])
    },
    job: |_| {
        "CREATE TEMPORARY FUNCTION looked_up AS 'lookup.looked_up' LANGUAGE PYTHON;\n\
         CREATE TABLE records (k BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '1000', 'fields.k.min' = '1', \
         'fields.k.max' = '1000000');\n\
         CREATE TABLE gone (k BIGINT, v BIGINT) WITH ('connector' = 'blackhole');\n\
         INSERT INTO gone SELECT k, looked_up(k) FROM records;\n"
            .to_owned()
    },
    parallelism: 1,
    fence: Fence::Container,
    tmpfs: None,
    restarts: false,
    python: Some(MODULE),
    end: End::Killed,
    killers: &[Killer::KernelMemcg],
    areas: &[Area::Container],
    causes: &["OOM911", "OOM959"],
    seconds: 180,
    usual_seconds: 120,
    memory: Bytes::gib(4),
    disk: Bytes::mib(512),
};

const MODULE: Module = Module { file: "lookup.py", text: include_str!("python/lookup.py") };
