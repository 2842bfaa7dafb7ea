//! A restart loads in bulk: memtables fill as fast as files can be read, with more instances open than ever after.

use crate::model::{Area, Bytes};
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, Closes, FAILS, Needs, Scenario, Variant};

const FAILING: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 2
state.backend.type: rocksdb
state.backend.rocksdb.memory.managed: false
taskmanager.memory.managed.size: 192m
taskmanager.memory.jvm-overhead.min: 96m
taskmanager.memory.jvm-overhead.max: 96m
state.backend.rocksdb.writebuffer.size: 64mb
state.backend.rocksdb.writebuffer.count: 4
";

const MANAGED: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 2
state.backend.type: rocksdb
state.backend.rocksdb.memory.managed: true
taskmanager.memory.managed.size: 192m
taskmanager.memory.jvm-overhead.min: 96m
taskmanager.memory.jvm-overhead.max: 96m
state.backend.rocksdb.writebuffer.size: 64mb
state.backend.rocksdb.writebuffer.count: 4
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "restore-burst",
    title: "A restart with another parallelism takes more than the job ever did",
    story: "After a change of parallelism each subtask opens the snapshots of several old ones and writes all of them into a \
            new instance, as fast as it can. A job whose memtables never met their size at its own pace meets it now, in \
            every state at once.",
    states: &[
        "At its own pace the job stays; while it is restored it is killed.",
        "Within managed memory the restore stays within the same container.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/restore-burst.yaml"),
    variants: &[Variant::fails(FAILING), Variant { bound: Bound::NativeOfTheFirst, ..Variant::cured(MANAGED) }],
    closes: Some(Closes::killed_full_of(&[Area::ManagedRocksDb])),
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        fails_of_memory("While it is restored it is killed at the limit.", runs),
        judging::about("Before that it took much less.", runs, &[FAILS], |found| {
            let before = |run: &Run| {
                let in_phase =
                    run.moments.iter().filter(|moment| moment.said.as_ref().is_some_and(|said| said.phase == "before"));
                in_phase.map(|moment| moment.anonymous).max().unwrap_or(Bytes::ZERO)
            };
            let less = found.iter().all(|run| {
                before(run).get() > 0 && run.peak_anonymous.is_some_and(|peak| before(run).get() * 10 < peak.get() * 8)
            });
            (
                less,
                found
                    .iter()
                    .map(|run| format!("{} of {}", judging::mebibytes(before(run)), judging::peak(run)))
                    .collect(),
            )
        }),
        cured_lives("Within managed memory it is restored, and goes on.", runs),
    ]
}
