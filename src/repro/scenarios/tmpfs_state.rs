//! The same files, on a tmpfs: memory, charged to the container, which nobody can take back.

use crate::model::Bytes;
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, CURED, FAILS, Home, Needs, Scenario, Variant};

const POOL: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 96m
taskmanager.memory.jvm-overhead.min: 192m
taskmanager.memory.jvm-overhead.max: 192m
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "tmpfs-state",
    title: "State on a tmpfs is memory of the container",
    story: "Where the directory of the state backend lies on a tmpfs (an emptyDir with medium Memory, /dev/shm, /tmp on some \
            images), its files are memory that is charged to the container. RocksDB stays within its budget, and the \
            container is killed for its files.",
    states: &["On a tmpfs the process is killed.", "On a disk the same state stays within the same container."],
    needs: Needs { flink: false, python: false, tmpfs: true, group: true },
    workload: include_str!("../../../profiles/workload/tmpfs-state.yaml"),
    variants: &[
        Variant { home: Home::Tmpfs(Bytes::gib(2)), ..Variant::fails(POOL) },
        Variant { bound: Bound::NativeOfTheFirst, ..Variant::cured(POOL) },
    ],
    closes: None,
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    let shared = |run: &Run| judging::most_seen(run, |moment| moment.shmem).unwrap_or(Bytes::ZERO);
    vec![
        fails_of_memory("On a tmpfs it is killed at the limit.", runs),
        judging::about("Most of the container was files on the tmpfs.", runs, &[FAILS], |found| {
            let most = found.iter().all(|run| run.peak_anonymous.is_some_and(|own| shared(run) > own));
            let told =
                |run: &&Run| format!("{} of files, {} of its own", judging::mebibytes(shared(run)), judging::peak(run));
            (most, found.iter().map(told).collect())
        }),
        cured_lives("On a disk it does all its work.", runs),
        judging::about("No file is memory then.", runs, &[CURED], |found| {
            (
                found.iter().all(|run| shared(run) < Bytes::mib(1)),
                found.iter().map(|run| judging::mebibytes(shared(run))).collect(),
            )
        }),
    ]
}
