//! Small target files: many files in each checkpoint, many operations at the file system that keeps them.

use crate::repro::judging::{self, lives};
use crate::repro::outcome::{Run, Statement};
use crate::repro::scenario::{CURED, FAILS, Needs, Scenario, Variant};

const SMALL: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 256m
state.backend.rocksdb.compaction.level.target-file-size-base: 1mb
state.backend.rocksdb.compaction.level.max-size-level-base: 16mb
state.backend.rocksdb.writebuffer.size: 16mb
";

const LARGE: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.numberOfTaskSlots: 1
state.backend.type: rocksdb
taskmanager.memory.managed.size: 256m
state.backend.rocksdb.compaction.level.target-file-size-base: 64mb
state.backend.rocksdb.compaction.level.max-size-level-base: 256mb
state.backend.rocksdb.writebuffer.size: 64mb
";

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "small-files",
    title: "Checkpoints of many small files",
    story: "An incremental checkpoint uploads each new table as a file. With small target files a checkpoint has hundreds of \
            them, and each retained one keeps its own; the name node or the object store counts operations, not bytes. \
            Target files of 64 to 256 MB end that.",
    states: &["With target files of 1 MB there are ten times the files and operations of 64 MB."],
    needs: Needs { flink: false, python: false, tmpfs: false, group: false },
    workload: include_str!("../../../profiles/workload/small-files.yaml"),
    variants: &[Variant::fails(SMALL), Variant::cured(LARGE)],
    closes: None,
    compares_engines: false,
    judge,
};

/// Files written and deleted.
fn operations(run: &Run) -> u64 {
    run.background.map_or(0, |background| background.tables_written + background.tables_deleted)
}

fn judge(runs: &[Run]) -> Vec<Statement> {
    vec![
        judging::about(
            "Small target files make ten times the files of a checkpoint.",
            runs,
            &[FAILS, CURED],
            |found| {
                let [small, large] = found else { return (false, String::new()) };
                let files = |run: &Run| run.snapshot_files.unwrap_or(0);
                (
                    files(small) >= 10 * files(large).max(1),
                    format!("{} files, {} with large ones", files(small), files(large)),
                )
            },
        ),
        judging::about("And five times the operations.", runs, &[FAILS, CURED], |found| {
            let [small, large] = found else { return (false, String::new()) };
            let (small, large) = (operations(small), operations(large));
            (small >= 5 * large.max(1), format!("{small} files written and deleted, {large} with large ones"))
        }),
        lives("Both do all their work.", runs, CURED),
    ]
}
