//! Neither the write-buffer manager nor the block cache is a bound: both are exceeded by memtables that cannot go.

use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{CURED, FAILS, Needs, Scenario, Variant};

const FAILING: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 64m
taskmanager.memory.jvm-overhead.min: 64m
taskmanager.memory.jvm-overhead.max: 64m
";

const WITH_OVERHEAD: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 64m
taskmanager.memory.jvm-overhead.min: 320m
taskmanager.memory.jvm-overhead.max: 320m
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "soft-cache",
    title: "The write-buffer manager and the cache are soft limits",
    story: "Flink gives RocksDB a cache of 5/6 of managed memory and a write-buffer manager of 1/3, in the belief that \
            together they stay within it. Both only ask for a flush. A memtable that is flushed stays as long as a walk \
            sees it: with walks open, memtables grow beyond the manager, and the cache, which is charged with them, beyond \
            its capacity. Nobody plans for that but JVM overhead, if it is large enough.",
    states: &[
        "With little overhead the process is killed although every option was kept.",
        "With overhead for what is exceeded it stays.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/soft-cache.yaml"),
    variants: &[Variant::fails(FAILING), Variant::cured(WITH_OVERHEAD)],
    closes: None,
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        fails_of_memory("With little overhead it is killed at the limit.", runs),
        cured_lives("With overhead it does all its work.", runs),
        judging::about(
            "The cache is charged with more than its capacity, and the overhead pays for it.",
            runs,
            &[CURED, FAILS],
            |found| {
                let [cured, failing] = found else { return (false, String::new()) };
                let (usage, capacity) = judging::over_capacity(cured);
                (
                    usage > capacity + capacity / 4 && cured.experiment.limit != failing.experiment.limit,
                    judging::of(usage, capacity),
                )
            },
        ),
    ]
}
