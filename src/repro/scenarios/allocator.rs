//! The same work under three allocators.

use crate::model::{Area, Malloc};
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, CURED, Closes, FAILS, Needs, Scenario, Variant};

const POOL: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 6
state.backend.type: rocksdb
taskmanager.memory.managed.size: 240m
taskmanager.memory.jvm-overhead.min: 24m
taskmanager.memory.jvm-overhead.max: 24m
";

/// The label of the run with jemalloc.
pub const JEMALLOC: &str = "jemalloc";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "allocator",
    title: "The same work under glibc, glibc with few arenas, and jemalloc",
    story: "RocksDB's blocks come and go in all sizes, in many threads. glibc gives each thread an arena, and keeps what is \
            freed in the arena that it is from: eighteen tasks hold eighteen times a little that is free. One arena for all \
            of them (MALLOC_ARENA_MAX=1) holds the same blocks in less. jemalloc is run beside them, without a limit: how it \
            does depends on the sizes and on how long its memory lies idle, so it is measured, not assumed.",
    states: &[
        "With glibc and an arena for each thread the process is killed.",
        "With one arena the same work stays within the same container.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/allocator.yaml"),
    variants: &[
        Variant::fails(POOL),
        Variant { malloc: Malloc::Jemalloc, bound: Bound::None, ..Variant::new(JEMALLOC, POOL) },
        Variant { malloc: Malloc::Glibc { arenas: Some(1) }, ..Variant::cured(POOL) },
    ],
    closes: Some(Closes::killed_full_of(&[Area::Container, Area::Native])),
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        fails_of_memory("With an arena for each thread it is killed at the limit.", runs),
        cured_lives("With one arena it does all its work within the same limit.", runs),
        judging::about("Nothing but the allocator's setting is otherwise.", runs, &[FAILS, CURED], |found| {
            let [failing, cured] = found else { return (false, String::new()) };
            let same = failing.configuration == cured.configuration
                && failing.experiment.workload == cured.experiment.workload
                && failing.experiment.limit == cured.experiment.limit;
            (same, format!("{}; {}", failing.experiment.malloc, cured.experiment.malloc))
        }),
        judging::about("jemalloc does the same work.", runs, &[JEMALLOC, CURED], |found| {
            let [jemalloc, cured] = found else { return (false, String::new()) };
            let told = format!("{}; one arena {}", judging::ending(jemalloc), judging::peak(cured));
            (judging::records(jemalloc) == judging::records(cured), told)
        }),
    ]
}
