//! What a column family costs before it holds anything: 1, 10, 100 and 400 of them under the same records.

use crate::model::{Area, Bytes};
use crate::repro::judging::{self, cured_lives, fails_of_memory};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, CURED, Closes, Needs, Scenario, Variant};

const UNMANAGED: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
state.backend.rocksdb.memory.managed: false
taskmanager.memory.managed.size: 32m
taskmanager.memory.jvm-overhead.min: 32m
taskmanager.memory.jvm-overhead.max: 32m
";

/// The labels of the runs between.
const TEN: &str = "10 states";
const HUNDRED: &str = "100 states";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "many-states",
    title: "The floor of 1, 10, 100 and 400 column families",
    story: "Each state is a column family with memtables, version sets and file handles of its own. The same few records, \
            spread over more states, take more memory, which no budget of Flink's has: here up to the limit.",
    states: &[
        "With 400 states the process is killed.",
        "With one state the same records stay within the same container.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/many-states.yaml"),
    variants: &[
        Variant::fails(UNMANAGED),
        Variant {
            bound: Bound::None,
            workload: Some(include_str!("../../../profiles/workload/many-states-100.yaml")),
            ..Variant::new(HUNDRED, UNMANAGED)
        },
        Variant {
            bound: Bound::None,
            workload: Some(include_str!("../../../profiles/workload/many-states-10.yaml")),
            ..Variant::new(TEN, UNMANAGED)
        },
        Variant {
            bound: Bound::NativeOfTheFirst,
            workload: Some(include_str!("../../../profiles/workload/many-states-1.yaml")),
            ..Variant::cured(UNMANAGED)
        },
    ],
    closes: Some(Closes::killed_full_of(&[Area::ManagedRocksDb])),
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        fails_of_memory("With 400 states it is killed at the limit.", runs),
        cured_lives("With one state it does all its work.", runs),
        judging::about("Each state more has its floor.", runs, &[HUNDRED, TEN, CURED], |found| {
            let [hundred, ten, one] = found else { return (false, String::new()) };
            let peaks = (hundred.peak_anonymous, ten.peak_anonymous, one.peak_anonymous);
            let (Some(hundred), Some(ten), Some(one)) = peaks else { return (false, "not seen".to_owned()) };
            let peaks = [hundred, ten, one];
            let grows = peaks[0] > peaks[1] && peaks[1] > peaks[2];
            let each = Bytes::new(peaks[0].get().saturating_sub(peaks[1].get()) / 90);
            let told = peaks.map(judging::mebibytes).join(", ");
            (grows, format!("{told} with 100, 10 and 1; {} KiB a state", each.get() / 1024))
        }),
    ]
}
