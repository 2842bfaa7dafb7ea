//! The same work under three allocators.

use crate::model::Malloc;
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, CURED, FAILS, Needs, Scenario, Variant};

const POOL: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 2
state.backend.type: rocksdb
taskmanager.memory.managed.size: 160m
taskmanager.memory.jvm-overhead.min: 40m
taskmanager.memory.jvm-overhead.max: 40m
";

/// The label of the run with two arenas.
pub const FEW_ARENAS: &str = "two arenas";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "allocator",
    title: "The same work under glibc, glibc with few arenas, and jemalloc",
    story: "RocksDB's blocks come and go in all sizes, in many threads. glibc keeps what is freed in arenas of each thread \
            and gives back only what lies at their end; jemalloc gives pages back wherever they are free. The same records \
            under the same configuration take more memory with the one than with the other.",
    states: &[
        "With glibc and an arena for each thread the process is killed.",
        "With jemalloc the same work stays within the same container.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/allocator.yaml"),
    variants: &[
        Variant::fails(POOL),
        Variant { malloc: Malloc::Glibc { arenas: Some(2) }, bound: Bound::None, ..Variant::new(FEW_ARENAS, POOL) },
        Variant { malloc: Malloc::Jemalloc, ..Variant::cured(POOL) },
    ],
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        fails_of_memory("With glibc it is killed at the limit.", runs),
        cured_lives("With jemalloc it does all its work within the same limit.", runs),
        judging::about("jemalloc takes less than glibc with two arenas.", runs, &[FEW_ARENAS, CURED], |found| {
            let [few, cured] = found else { return (false, String::new()) };
            let (few, cured) = (few.peak_anonymous, cured.peak_anonymous);
            (cured < few, format!("{} at most, {}", judging::mebibytes(cured), judging::mebibytes(few)))
        }),
        judging::about("The configurations are the same.", runs, &[FAILS, CURED], |found| {
            let same = found
                .windows(2)
                .all(|pair| pair.first().map(|run| &run.configuration) == pair.last().map(|run| &run.configuration));
            let malloc = found.iter().map(|run| run.experiment.malloc.to_string()).collect::<Vec<_>>().join(", ");
            (same, malloc)
        }),
    ]
}
