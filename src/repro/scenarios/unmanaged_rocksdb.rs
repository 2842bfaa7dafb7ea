//! RocksDB outside of managed memory: nothing bounds the sum of its column families.

use crate::model::Area;
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{CURED, Closes, FAILS, Needs, Scenario, Variant};

const FAILING: &str = "\
taskmanager.memory.process.size: 1024m
taskmanager.numberOfTaskSlots: 2
state.backend.type: rocksdb
state.backend.rocksdb.memory.managed: false
";

const BOUNDED: &str = "\
taskmanager.memory.process.size: 1024m
taskmanager.numberOfTaskSlots: 2
state.backend.type: rocksdb
state.backend.rocksdb.memory.managed: true
taskmanager.memory.jvm-overhead.min: 256m
taskmanager.memory.jvm-overhead.max: 256m
taskmanager.memory.managed.size: 160m
taskmanager.memory.network.max: 64m
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "unmanaged-rocksdb",
    title: "RocksDB outside of managed memory grows past the container",
    story: "Each state has memtables of 64 MiB, two of them, and a cache of its own; there are twelve states in two slots. Flink \
            plans nothing for that, so the process grows until the container is full: on YARN after days, here within \
            seconds. The cure is what ended the incident: RocksDB within managed memory, and overhead for what lies \
            outside of it.",
    states: &["Unbounded, it is killed at the limit.", "Within managed memory, it takes more records and stays."],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/unmanaged-rocksdb.yaml"),
    variants: &[Variant::fails(FAILING), Variant::cured(BOUNDED)],
    closes: Some(Closes::killed_full_of(&[Area::ManagedRocksDb])),
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        fails_of_memory("Unbounded, it is killed at the limit.", runs),
        cured_lives("Within managed memory, it does all its work.", runs),
        judging::about(
            "The pool bounds memtables: they are a fraction of what they were.",
            runs,
            &[FAILS, CURED],
            |found| {
                let [failing, cured] = found else { return (false, String::new()) };
                let (before, after) =
                    (judging::most(failing, |said| said.memtables), judging::most(cured, |said| said.memtables));
                let mib = |bytes| judging::mebibytes(crate::model::Bytes::new(bytes));
                (after * 2 < before, format!("{} at most, {} before", mib(after), mib(before)))
            },
        ),
    ]
}
