//! A leak that is too slow to see by eye, and the forecast of when it kills.

use crate::model::{Bytes, Limit};
use crate::repro::forecast;
use crate::repro::judging::{self, fails_of_memory, lives};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{Bound, CURED, FAILS, Needs, Scenario, Variant};

const POOL: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 48m
taskmanager.memory.jvm-overhead.min: 128m
taskmanager.memory.jvm-overhead.max: 128m
";

/// The part of the run after which the forecast is asked, in percent.
const AFTER_PERCENT: u64 = 20;
/// How far it may lie from the truth, in percent of the time of death.
const WITHIN_PERCENT: u64 = 15;

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "slow-leak",
    title: "A leak too slow to see by eye, and when it will kill",
    story: "A TaskManager that lives for days and dies of memory does not look ill at any moment. Its memory over time does: \
            after a fifth of the run, the trend that attach --watch shows names the time of death.",
    states: &[
        "The process is killed at the limit after about six minutes.",
        "After a fifth of that, the forecast lies within 15 % of the time of death.",
        "Without the leak no time of death is named.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: true },
    workload: include_str!("../../../profiles/workload/slow-leak.yaml"),
    variants: &[
        Variant { bound: Bound::Fixed(Bytes::mib(112)), seconds: 600, usual_seconds: 350, ..Variant::fails(POOL) },
        Variant {
            bound: Bound::Fixed(Bytes::mib(112)),
            workload: Some(include_str!("../../../profiles/workload/slow-leak-mended.yaml")),
            usual_seconds: 75,
            ..Variant::cured(POOL)
        },
    ],
    closes: None,
    compares_engines: false,
    judge,
};

fn judge(runs: &[Run]) -> Vec<Statement> {
    let forecast = |run: &Run, percent: u64| {
        let until = run.millis * percent / 100;
        let moments: Vec<_> = run.moments.iter().filter(|moment| moment.millis <= until).cloned().collect();
        match run.experiment.limit {
            Limit::AtMost(limit) => forecast::of_moments(&moments, limit),
            Limit::Unlimited => None,
        }
    };
    vec![
        fails_of_memory("It is killed at the limit.", runs),
        judging::about("After a fifth of the run the forecast is within 15 %.", runs, &[FAILS], |found| {
            let Some(run) = found.first() else { return (false, String::new()) };
            let Some(named) = forecast(run, AFTER_PERCENT) else { return (false, "it named no time".to_owned()) };
            let off = named.abs_diff(run.millis) * 100 / run.millis.max(1);
            let told = format!("{} named, {} true, {off} % off", judging::seconds(named), judging::seconds(run.millis));
            (run.ending.is_death_of_memory() && off <= WITHIN_PERCENT, told)
        }),
        lives("Without the leak it lives.", runs, CURED),
        judging::about("No death is named then within ten times the run.", runs, &[CURED], |found| {
            let named: Vec<u64> =
                found.iter().filter_map(|run| forecast(run, 100).filter(|at| *at < run.millis * 10)).collect();
            let told =
                named.first().map_or("none was named".to_owned(), |at| format!("{} was named", judging::seconds(*at)));
            (named.is_empty(), told)
        }),
    ]
}
