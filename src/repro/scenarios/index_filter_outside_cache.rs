//! Index and filter blocks that are not charged to the cache stay in memory with each open file.

use crate::model::{Area, Bytes};
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, CURED, Closes, FAILS, Needs, Scenario, Variant};

const FAILING: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
state.backend.rocksdb.memory.managed: false
taskmanager.memory.managed.size: 96m
taskmanager.memory.jvm-overhead.min: 160m
taskmanager.memory.jvm-overhead.max: 160m
state.backend.rocksdb.writebuffer.size: 16mb
state.backend.rocksdb.block.blocksize: 512b
state.backend.rocksdb.use-bloom-filter: true
state.backend.rocksdb.compaction.level.target-file-size-base: 8mb
state.backend.rocksdb.compaction.level.max-size-level-base: 32mb
";

const IN_THE_CACHE: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
state.backend.rocksdb.memory.managed: true
taskmanager.memory.managed.size: 48m
taskmanager.memory.jvm-overhead.min: 160m
taskmanager.memory.jvm-overhead.max: 160m
state.backend.rocksdb.writebuffer.size: 16mb
state.backend.rocksdb.block.blocksize: 512b
state.backend.rocksdb.use-bloom-filter: true
state.backend.rocksdb.compaction.level.target-file-size-base: 8mb
state.backend.rocksdb.compaction.level.max-size-level-base: 32mb
state.backend.rocksdb.memory.partitioned-index-filters: true
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "index-filter-outside-cache",
    title: "Index and filter blocks outside of the cache grow with the state",
    story: "Where RocksDB is not within managed memory, each open file keeps its index and its filter in memory, and Flink \
            keeps all files open. With long keys, small blocks and Bloom filters that is a good part of the state itself; no \
            option bounds it. Within managed memory they are blocks of the cache like others.",
    states: &[
        "Outside of the cache they grow with the state until the process is killed.",
        "Within the cache the same state stays within the same container.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/index-filter-outside-cache.yaml"),
    variants: &[Variant::fails(FAILING), Variant { bound: Bound::NativeOfTheFirst, ..Variant::cured(IN_THE_CACHE) }],
    closes: Some(Closes::killed_full_of(&[Area::ManagedRocksDb])),
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    let mib = |bytes| judging::mebibytes(Bytes::new(bytes));
    vec![
        fails_of_memory("Outside of the cache it is killed at the limit.", runs),
        judging::about(
            "More than a third of what it held then were index and filter blocks.",
            runs,
            &[FAILS],
            |found| {
                let held = found.iter().map(|run| judging::most(run, |said| said.table_readers)).max().unwrap_or(0);
                let peak = found.iter().filter_map(|run| run.peak_anonymous).max();
                let Some(peak) = peak else { return (false, "not seen".to_owned()) };
                (held * 3 > peak.get(), judging::of(held, peak.get()))
            },
        ),
        cured_lives("Within the cache it does all its work.", runs),
        judging::about("Hardly anything lies outside of the cache then.", runs, &[FAILS, CURED], |found| {
            let held = |run: &Run| judging::most(run, |said| said.table_readers);
            let [before, after] = found else { return (false, String::new()) };
            let (before, after) = (held(before), held(after));
            (after * 10 < before, format!("{}, {} before", mib(after), mib(before)))
        }),
    ]
}
