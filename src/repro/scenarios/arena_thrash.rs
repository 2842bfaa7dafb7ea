//! Small managed memory and many states: RocksDB flushes with hardly anything in its memtables.

use crate::repro::judging::{self, lives};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{CURED, FAILS, Needs, Scenario, Variant};

const LITTLE: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 24m
taskmanager.memory.jvm-overhead.min: 256m
taskmanager.memory.jvm-overhead.max: 256m
";

/// Each of the twelve states has an arena block of 8 MiB in RocksDB 5.17 and 6.20: all of them have room here.
const ENOUGH: &str = "\
taskmanager.memory.process.size: 1536m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 512m
taskmanager.memory.jvm-overhead.min: 192m
taskmanager.memory.jvm-overhead.max: 192m
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "arena-thrash",
    title: "Arena blocks larger than the write-buffer manager allows: flushes without end",
    story: "A memtable takes memory an arena block at a time. In RocksDB 5.17 and 6.20 that is an eighth of the write buffer, \
            8 MiB; Flink warns where one such block is above the write-buffer manager's limit, since every write then flushes. \
            In 8.10 an arena block is 1 MiB at most, so the warning that Flink 2.x still gives is not true there; what \
            remains is the price of many states in little memory. The flushes of each RocksDB are counted.",
    states: &[
        "With little managed memory each second has many flushes.",
        "With enough of it the same records need a tenth of them.",
        "Flink's warning is held against what each RocksDB does.",
    ],
    needs: Needs { flink: false, python: false, tmpfs: false, group: false },
    workload: include_str!("../../../profiles/workload/arena-thrash.yaml"),
    variants: &[Variant::fails(LITTLE), Variant::cured(ENOUGH)],
    closes: None,
    compares_engines: true,
    judge,
};

/// Flushes for a million records from which on memtables hold hardly anything: one for fewer than a hundred records. With
/// the arena blocks of 6.20.3 there was one for 13, with those of 8.10.0 one for 900: many states in little memory have small
/// memtables there, too.
const THRASHING: u64 = 10_000;

/// Flushes for a million records.
fn flushes(run: &Run) -> u64 {
    let flushes = run.background.map_or(0, |background| background.flushes);
    flushes * 1_000_000 / judging::records(run).max(1)
}

fn told(run: &Run) -> String {
    let count = run.background.map_or(0, |background| background.flushes);
    let tenths = count * 10_000 / run.millis.max(1);
    let each =
        judging::records(run).checked_div(count).map_or_else(String::new, |each| format!(", one for {each} records"));
    format!("{count} flushes, {}.{} a second{each}", tenths / 10, tenths % 10)
}

fn judge(runs: &[Run]) -> Vec<Statement> {
    let mut statements = vec![
        judging::about("With little managed memory there are ten times the flushes.", runs, &[FAILS, CURED], |found| {
            let [little, enough] = found else { return (false, String::new()) };
            (flushes(little) > 10 * flushes(enough).max(1), format!("{}; with enough {}", told(little), told(enough)))
        }),
        lives("Both do all their work.", runs, CURED),
    ];
    // Those of other RocksDBs are named by their release behind the label.
    for run in runs.iter().filter(|run| run.label.starts_with(FAILS)) {
        let Some(pool) = run.experiment.store.pool else { continue };
        let Some(release) = &run.release else { continue };
        let believed = run.experiment.store.write_buffer.get() / 8;
        let mutable = pool.write_buffer_manager.get() / 8 * 7;
        let warns = believed > mutable;
        let thrashes = flushes(run) > THRASHING;
        let real = match release.starts_with('8') {
            true => believed.min(1 << 20),
            false => believed,
        };
        let true_there = real > mutable;
        let says = format!(
            "Flink's warning {} on RocksDB {release}.",
            match (warns, true_there) {
                (true, true) => "is right",
                (true, false) => "is wrong",
                (false, _) => "is not given",
            }
        );
        statements.push(Statement { says, held: thrashes == true_there, measured: told(run) });
    }
    statements
}
