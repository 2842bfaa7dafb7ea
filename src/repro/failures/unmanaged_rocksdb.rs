//! `unmanaged-rocksdb`: RocksDB outside of managed memory, with large memtables, outgrows its container, and the kernel
//! kills the TaskManager. No log of the process says a word.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, Site, settings};
use crate::repro::launch::{Settings, spelled};

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "unmanaged-rocksdb",
    title: "RocksDB outside of managed memory outgrows its container",
    story: "Each state has memtables of its own, 256 MiB large and six of them, and nobody counts them. They lie outside of \
            the heap, so that the JVM sees nothing; the container's limit does, and the kernel kills. In managed memory the \
            same job stays in its budget.",
    role: Role::TaskManager,
    settings: |site| {
        let mut all = settings(&[
            ("taskmanager.memory.process.size", "1152m"),
            ("taskmanager.memory.managed.fraction", "0.2"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("state.backend.rocksdb.memory.managed", "false"),
            ("state.backend.rocksdb.writebuffer.size", "256mb"),
            ("state.backend.rocksdb.writebuffer.count", "6"),
            ("state.backend.rocksdb.writebuffer.number-to-merge", "4"),
        ]);
        all.insert(spelled(site.version, &["state.backend.type", "state.backend"]).to_owned(), "rocksdb".to_owned());
        all
    },
    cure: |_: &Site<'_>| -> Settings { settings(&[("state.backend.rocksdb.memory.managed", "true")]) },
    job: |_| jobs::many_keys(20_000_000, 800),
    parallelism: 2,
    fence: Fence::Container,
    tmpfs: None,
    restarts: false,
    python: None,
    end: End::Killed,
    killers: &[Killer::KernelMemcg],
    areas: &[Area::ManagedRocksDb, Area::Native],
    causes: &[],
    seconds: 90,
    usual_seconds: 80,
    memory: Bytes::gib(3),
    disk: Bytes::gib(4),
};
