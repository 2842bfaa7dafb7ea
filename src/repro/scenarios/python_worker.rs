//! Another process of the container grows: the Python worker, which no budget of the JVM's has.

use crate::model::Bytes;
use crate::repro::judging::{self, cured_lives};
use crate::repro::outcome::Ending;
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, FAILS, Needs, Scenario, Variant};

const POOL: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 96m
taskmanager.memory.jvm-overhead.min: 128m
taskmanager.memory.jvm-overhead.max: 128m
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "python-worker",
    title: "A Python worker grows beside the TaskManager",
    story: "PyFlink runs user functions in Python processes of their own. Their memory is the container's, and none of the \
            JVM's figures shows it. When the container is full the kernel chooses among all of its processes: here the one \
            that grew.",
    states: &[
        "The Python process grows until the kernel kills in the group; the TaskManager's own memory hardly moved.",
        "Where it is bounded, both stay.",
    ],
    needs: Needs { flink: false, python: true, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/python-worker.yaml"),
    variants: &[
        Variant::fails(POOL),
        Variant {
            bound: Bound::NativeOfTheFirst,
            workload: Some(include_str!("../../../profiles/workload/python-worker-bounded.yaml")),
            ..Variant::cured(POOL)
        },
    ],
    closes: None,
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        judging::about("The kernel kills in the group.", runs, &[FAILS], |found| {
            let killed = found.iter().all(|run| match &run.ending {
                Ending::KilledByKernel { .. } => true,
                // The worker outlives its Python process by a moment.
                Ending::Failed(_) | Ending::Died { .. } => {
                    run.verdict.as_ref().is_some_and(|verdict| verdict.killer.contains("kernel"))
                }
                _ => false,
            });
            (killed, found.iter().map(|run| judging::ending(run)).collect())
        }),
        judging::about("Most of the group was another process.", runs, &[FAILS], |found| {
            let others = |run: &Run| {
                let others =
                    |moment: &crate::repro::outcome::Moment| moment.group_anonymous?.checked_sub(moment.anonymous);
                judging::most_seen(run, others).unwrap_or(Bytes::ZERO)
            };
            let most = found.iter().all(|run| run.peak_anonymous.is_some_and(|own| others(run) > own));
            let told = |run: &&Run| {
                format!("{} of others, {} of its own", judging::mebibytes(others(run)), judging::peak(run))
            };
            (most, found.iter().map(told).collect())
        }),
        cured_lives("Where it is bounded, the job does all its work.", runs),
    ]
}
