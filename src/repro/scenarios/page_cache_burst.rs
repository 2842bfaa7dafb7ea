//! A batch shuffle fills its container with page cache: usage at the limit, hardly any memory of its own.

use crate::model::{Bytes, Limit};
use crate::repro::judging;
use crate::repro::outcome::Ending;
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{CURED, FAILS, Needs, Scenario, Variant};

const CONTAINER: &str = "\
taskmanager.memory.process.size: 1024m
taskmanager.numberOfTaskSlots: 1
state.backend.type: hashmap
execution.runtime-mode: BATCH
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "page-cache-burst",
    title: "Shuffle files fill the container with page cache",
    story: "Pages of files that a container writes are charged to it. The kernel takes them back when it needs them, but pages \
            that are not written yet it cannot: on a slow disk, a kernel that does not slow down writers by the group's own \
            share (cgroup v1 without writeback accounting) finds nothing to take, and kills, although the process itself is \
            small. Kernels since 4.2 with cgroup v2, and v1 since it waits for writeback of its own pages, reclaim instead: \
            then usage stands at the limit and nobody dies.",
    states: &[
        "The working set meets the limit while anonymous memory is small.",
        "Where writes are written back and given up at once, usage stays below.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/page-cache-burst.yaml"),
    variants: &[
        Variant { bound: crate::repro::scenario::Bound::Fixed(Bytes::mib(256)), ..Variant::fails(CONTAINER) },
        Variant {
            bound: crate::repro::scenario::Bound::Fixed(Bytes::mib(256)),
            workload: Some(include_str!("../../../profiles/workload/page-cache-throttled.yaml")),
            ..Variant::cured(CONTAINER)
        },
    ],
    closes: None,
    compares_engines: false,
    judge,
};

fn limit(run: &Run) -> u64 {
    match run.experiment.limit {
        Limit::AtMost(limit) => limit.get(),
        Limit::Unlimited => u64::MAX,
    }
}

fn judge(runs: &[Run]) -> Vec<Statement> {
    let usage = |run: &Run| judging::most_seen(run, |moment| moment.usage).map_or(0, Bytes::get);
    vec![
        judging::about("Usage meets the limit.", runs, &[FAILS], |found| {
            let met = found.iter().all(|run| usage(run) >= limit(run) / 100 * 95);
            (met, found.iter().map(|run| judging::of(usage(run), limit(run))).collect())
        }),
        judging::about("Its own memory is below a tenth of the limit then.", runs, &[FAILS], |found| {
            let small = found.iter().all(|run| run.peak_anonymous.is_some_and(|own| own.get() < limit(run) / 10));
            (
                small,
                found
                    .iter()
                    .map(|run| format!("{} of {}", judging::peak(run), judging::mebibytes(Bytes::new(limit(run)))))
                    .collect(),
            )
        }),
        judging::about("This kernel takes pages back, or says that it killed.", runs, &[FAILS], |found| {
            let told = found.iter().all(|run| matches!(run.ending, Ending::Finished | Ending::KilledByKernel { .. }));
            (told, found.iter().map(|run| judging::ending(run)).collect())
        }),
        judging::about("Written back at once, usage stays below half of the limit.", runs, &[CURED], |found| {
            let below = found.iter().all(|run| usage(run) < limit(run) / 2 && run.ending == Ending::Finished);
            (below, found.iter().map(|run| judging::of(usage(run), limit(run))).collect())
        }),
    ]
}
