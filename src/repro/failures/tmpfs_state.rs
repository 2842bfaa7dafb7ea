//! `tmpfs-state`: RocksDB's files in memory.

use super::jobs;
use crate::model::{Area, Bytes, Killer, Role};
use crate::repro::failure::{End, Failure, Fence, settings};
use crate::repro::launch::spelled;

/// The failure.
pub const FAILURE: Failure = Failure {
    name: "tmpfs-state",
    title: "RocksDB's files lie in a directory in memory",
    story: "A volume in memory (emptyDir with medium Memory, /dev/shm, /tmp on some nodes) is charged to the container that \
            writes to it, and nobody can take it back. RocksDB's files fill it until the kernel kills.",
    role: Role::TaskManager,
    settings: |site| {
        let mut all = settings(&[
            ("taskmanager.memory.process.size", "1408m"),
            ("taskmanager.numberOfTaskSlots", "2"),
            ("state.backend.rocksdb.localdir", site.tmpfs.unwrap_or(site.directory)),
        ]);
        all.insert(spelled(site.version, &["state.backend.type", "state.backend"]).to_owned(), "rocksdb".to_owned());
        all
    },
    cure: |site| settings(&[("state.backend.rocksdb.localdir", &format!("{}/rocksdb", site.directory))]),
    job: |_| jobs::many_keys(20_000_000, 800),
    parallelism: 2,
    fence: Fence::Container,
    tmpfs: Some(Bytes::gib(2)),
    restarts: false,
    python: None,
    end: End::Killed,
    killers: &[Killer::KernelMemcg],
    areas: &[Area::Tmpfs],
    causes: &[],
    seconds: 120,
    usual_seconds: 70,
    memory: Bytes::gib(4),
    disk: Bytes::gib(4),
};
