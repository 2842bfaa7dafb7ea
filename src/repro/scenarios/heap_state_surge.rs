//! `heap-state-surge`: a stream of ever new keys into state on the heap fills it, full collections leave no time for
//! checkpoints and heartbeats, and checkpoints expire; the same stream into RocksDB in a process of the same size goes on.

use crate::flink::Version;
use crate::repro::launch::{Settings, spelled};
use crate::repro::on_flink::Half;
use crate::repro::outcome::Statement;

/// Its name.
pub const NAME: &str = "heap-state-surge";

/// Its title.
pub const TITLE: &str = "A burst of keys fills a heap with state, and checkpoints expire";

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
    // `filesystem` is what 1.12 and earlier call it (`HashMapStateBackend` came with 1.13).
    let on_heap = if version.line() < (1, 13) { "filesystem" } else { "hashmap" };
    let backend = match backend {
        Backend::Heap => on_heap,
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
    let checkpoints = |half: &Half| {
        format!("{} completed, {} failed", half.checkpoints.completed, half.checkpoints.failed)
    };
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
            says: "RocksDB takes more of the same stream in a process of the same size, and its heap is not exhausted".to_owned(),
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
