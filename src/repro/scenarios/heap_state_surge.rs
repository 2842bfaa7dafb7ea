//! `heap-state-surge`: a stream of ever new keys into state on the heap fills it, full collections leave no time for
//! checkpoints and heartbeats, and checkpoints expire; the same stream into RocksDB in a process of the same size goes
//! on.

use crate::flink::Version;
use crate::model::Bytes;
use crate::repro::launch::{Settings, spelled};
use crate::repro::on_flink::Half;
use crate::repro::outcome::Statement;
use crate::repro::scenarios::OnFlink;

/// The scenario.
pub const SCENARIO: OnFlink = OnFlink {
    name: "heap-state-surge",
    title: "A burst of keys fills a heap with state, and checkpoints expire",
    story: "State on the heap is objects, and a burst of new keys fills it within seconds. Full collections follow one \
            another, nothing else has time: checkpoints expire, heartbeats are missed, the JobManager gives the \
            TaskManager up. RocksDB keeps the same state in managed memory and on the disk.",
    states: &[
        "State on the heap exhausts it, and its checkpoints fail.",
        "RocksDB takes more of the same stream in a process of the same size, and its checkpoints complete.",
    ],
    seconds: 150,
    // Two processes of 1 GiB, and Flink's client beside them.
    memory: Bytes::gib(3),
    // Some 460 MiB were seen: the databases and checkpoints of a minute.
    disk: Bytes::gib(1),
};

/// Where state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// On the heap.
    Heap,
    /// In RocksDB.
    RocksDb,
}

/// The spellings of the option that tells where state is kept: since 1.18, and before.
const BACKEND: [&str; 2] = ["state.backend.type", "state.backend"];

/// The settings of a cluster that keeps its checkpoints in a directory; a factor makes process and stream larger.
pub fn settings(version: Version, backend: Backend, checkpoints: &str, factor: u32) -> Settings {
    let backend = match backend {
        Backend::Heap => "hashmap",
        Backend::RocksDb => "rocksdb",
    };
    let size = format!("{}m", 1024_u32.saturating_mul(factor.max(1)));
    let directory = format!("file://{checkpoints}");
    let pairs = [
        ("jobmanager.memory.process.size", "1024m"),
        ("taskmanager.memory.process.size", size.as_str()),
        ("taskmanager.numberOfTaskSlots", "2"),
        (spelled(version, &BACKEND), backend),
        (spelled(version, &["execution.checkpointing.dir", "state.checkpoints.dir"]), directory.as_str()),
        (spelled(version, &["execution.checkpointing.incremental", "state.backend.incremental"]), "true"),
        ("execution.checkpointing.interval", "5s"),
        ("execution.checkpointing.timeout", "10s"),
        ("execution.checkpointing.tolerable-failed-checkpoints", "1000"),
        // Flink's 50 s, made shorter so that it is seen within the time of a half.
        ("heartbeat.timeout", "20000"),
        ("heartbeat.interval", "2000"),
        ("metrics.fetcher.update-interval", "2000"),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The stream: hardly a key comes twice, and each keeps a text of 100 characters.
pub fn script(factor: u32) -> String {
    let rate = 20_000_u32.saturating_mul(factor.max(1));
    format!(
        "CREATE TABLE records (k BIGINT, v STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}', \
         'fields.k.min' = '1', 'fields.k.max' = '1000000000', 'fields.v.length' = '100');\n\
         CREATE TABLE gone (k BIGINT, c BIGINT, v STRING) WITH ('connector' = 'blackhole');\n\
         INSERT INTO gone SELECT k, COUNT(*), MAX(v) FROM records GROUP BY k;\n"
    )
}

/// The settings in which two clusters differ, the directory of each aside.
fn differing<'h>(one: &'h Half, other: &'h Half) -> Vec<&'h str> {
    let keys = one.settings.keys().filter(|key| one.settings.get(*key) != other.settings.get(*key));
    keys.map(String::as_str).filter(|key| !key.ends_with(".dir")).collect()
}

/// Holds what was seen against what must happen.
pub fn judge(fails: &Half, cured: &Half) -> Vec<Statement> {
    let checkpoints =
        |half: &Half| format!("{} completed, {} failed", half.checkpoints.completed, half.checkpoints.failed);
    let differ = differing(fails, cured);
    vec![
        Statement {
            says: "the halves differ in where state is kept and in nothing else".to_owned(),
            held: matches!(differ.as_slice(), [key] if BACKEND.contains(key)),
            measured: differ.join(", "),
        },
        Statement {
            says: "state on the heap exhausts it".to_owned(),
            held: fails.heap_is_exhausted(),
            measured: format!("{}; {}", fails.end_in_words(), fails.heap_in_words()),
        },
        Statement {
            says: "its checkpoints fail: they expire, or the TaskManager is lost".to_owned(),
            held: fails.checkpoints.failed > 0
                && fails.checkpoints.completed < cured.checkpoints.completed
                && (fails.marks.expired > 0 || fails.marks.lost || fails.died()),
            measured: format!(
                "{}; {} expired; the TaskManager was {}",
                checkpoints(fails),
                fails.marks.expired,
                if fails.marks.lost { "given up" } else { "kept" }
            ),
        },
        Statement {
            says: "RocksDB takes more of the same stream in a process of the same size, and its heap is not exhausted"
                .to_owned(),
            held: !cured.died() && !cured.heap_is_exhausted() && cured.records > fails.records.saturating_mul(3) / 2,
            measured: format!(
                "{} records against {}; {}; {}",
                cured.records,
                fails.records,
                cured.end_in_words(),
                cured.heap_in_words()
            ),
        },
        Statement {
            says: "its checkpoints complete".to_owned(),
            held: cured.checkpoints.completed >= 3 && cured.checkpoints.failed * 4 <= cured.checkpoints.completed,
            measured: checkpoints(cured),
        },
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::repro::on_flink::Checkpoints;
    use crate::repro::on_flink::made::{half, look};
    use crate::repro::outcome::Ending;

    /// As it was seen with Flink 1.20.5 on two busy cores.
    fn recorded() -> (Half, Half) {
        let of = |backend| settings("1.20.5".parse().unwrap(), backend, "/tmp/checkpoints", 1);
        let mut fails = half(153, vec![look(5, 120, 900), look(25, 152, 15_000), look(35, 152, 24_500)]);
        fails.settings = of(Backend::Heap);
        fails.records = 240_000;
        fails.checkpoints = Checkpoints { completed: 2, failed: 3 };
        (fails.marks.expired, fails.marks.lost) = (1, true);
        let mut cured = half(153, vec![look(5, 90, 300), look(50, 110, 500), look(60, 113, 540)]);
        cured.settings = of(Backend::RocksDb);
        cured.ending = Ending::Finished;
        cured.records = 1_140_000;
        cured.checkpoints = Checkpoints { completed: 11, failed: 0 };
        (fails, cured)
    }

    fn held(statements: &[Statement]) -> Vec<bool> {
        statements.iter().map(|statement| statement.held).collect()
    }

    #[test]
    fn what_was_seen_is_what_is_stated() {
        let (fails, cured) = recorded();
        let statements = judge(&fails, &cured);
        assert_eq!(held(&statements), [true; 5], "{statements:#?}");
        assert_eq!(statements[0].measured, "state.backend.type");
    }

    #[test]
    fn halves_that_are_swapped_hold_nothing_but_that_they_differ() {
        let (fails, cured) = recorded();
        assert_eq!(held(&judge(&cured, &fails)), [true, false, false, false, false]);
    }

    #[test]
    fn halves_with_another_size_are_not_held_against_one_another() {
        let (fails, mut cured) = recorded();
        cured.settings.insert("taskmanager.memory.process.size".to_owned(), "4096m".to_owned());
        assert!(!judge(&fails, &cured)[0].held);
    }
}
