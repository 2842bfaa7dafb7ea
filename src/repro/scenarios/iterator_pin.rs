//! Open iterators hold their blocks, and the cache cannot take them back: its limit is soft.

use crate::model::Bytes;
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, CURED, FAILS, Needs, Scenario, Variant};

const FAILING: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 96m
taskmanager.memory.jvm-overhead.min: 128m
taskmanager.memory.jvm-overhead.max: 128m
state.backend.rocksdb.block.blocksize: 128kb
";

const CURED_BY_SMALL_BLOCKS: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 96m
taskmanager.memory.jvm-overhead.min: 128m
taskmanager.memory.jvm-overhead.max: 128m
state.backend.rocksdb.block.blocksize: 4kb
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "iterator-pin",
    title: "Open iterators pin blocks beyond the cache",
    story: "A walk over map state holds one block of each sorted run until its iterator is closed. The block cache may not \
            give such blocks back, and because its limit is soft it takes new ones beside them: with large blocks and many \
            walks at a time it grows far beyond its capacity, which Flink took for its bound.",
    states: &[
        "With blocks of 128 KiB the cache holds more than its capacity, and the process is killed.",
        "With blocks of 4 KiB the same walks stay within the container.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/iterator-pin.yaml"),
    variants: &[
        Variant::fails(FAILING),
        Variant { bound: Bound::NativeOfTheFirst, ..Variant::cured(CURED_BY_SMALL_BLOCKS) },
    ],
    closes: None,
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        fails_of_memory("With large blocks it is killed at the limit.", runs),
        judging::about("The cache holds more than its capacity then.", runs, &[FAILS], |found| {
            let over = found.iter().map(|run| judging::over_capacity(run)).max().unwrap_or((0, 0));
            (over.0 > over.1 + over.1 / 4, judging::of(over.0, over.1))
        }),
        cured_lives("With small blocks it does all its walks.", runs),
        judging::about("It pins less than half then.", runs, &[FAILS, CURED], |found| {
            let pinned = |run: &Run| judging::most(run, |said| said.cache_pinned.iter().sum());
            let [before, after] = found else { return (false, String::new()) };
            let (before, after) = (pinned(before), pinned(after));
            let mib = |bytes| judging::mebibytes(Bytes::new(bytes));
            (after * 2 < before, format!("{} at most, {} before", mib(after), mib(before)))
        }),
    ]
}
