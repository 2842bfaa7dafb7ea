//! RocksDB: what its metrics say once corrected, what lies on disk, and what it waits for with the option to turn.

use super::wrapped;
use crate::artefact::rocksdb_directory::{Databases, RocksDbInstance};
use crate::diagnose::examination::Examination;
use crate::diagnose::rocksdb_bound::{Amount, Direction, Evidence, Verdict};
use crate::diagnose::rocksdb_metrics::RocksDbUse;
use crate::model::{Bytes, Seen};
use crate::report::amount::{count, mib};
use crate::report::table::{self, Align};

/// Databases that are listed, the largest first.
const SHOWN: usize = 8;

pub(super) fn section(examination: &Examination, width: usize) -> String {
    let view = &examination.rocksdb;
    let mut out = String::new();
    if let Ok(used) = &view.metrics {
        out += &metrics(used, width);
    }
    if let Ok(databases) = &examination.sample.rocksdb {
        out += &files(databases, width);
    }
    for (verdict, databases) in &view.verdicts {
        out += &waits(verdict, databases, width);
    }
    if out.is_empty() { out } else { format!("\nRocksDB, in MiB\n{out}") }
}

fn metrics(used: &RocksDbUse, width: usize) -> String {
    let mut parts = Vec::new();
    let size = |value: &Seen<Bytes>| value.as_ref().ok().map(|bytes| mib(*bytes));
    let databases = count(used.databases as u64, "database", "databases");
    let caches = used.caches.as_ref().ok().map(|count| {
        let range = if count.at_least == count.at_most {
            count.caches.to_string()
        } else {
            format!("{} to {}", count.at_least, count.at_most)
        };
        format!("{range} {}", if count.at_most == 1 { "cache" } else { "caches" })
    });
    parts.push(match caches {
        Some(caches) => format!("{databases} with {caches}"),
        None => databases,
    });
    parts.extend(size(&used.in_use).map(|bytes| format!("{bytes} in use")));
    let usage = size(&used.cache_usage).map(|usage| {
        let of = size(&used.cache_capacity).map_or(String::new(), |capacity| format!(" of {capacity}"));
        let pinned = size(&used.cache_pinned).map_or(String::new(), |pinned| format!(" ({pinned} pinned)"));
        format!("blocks and charges {usage}{of}{pinned}")
    });
    parts.extend(usage);
    if let (Ok(reported), Ok(usage)) = (&used.cache_usage_reported, &used.cache_usage)
        && reported != usage
    {
        parts.push(format!("which Flink reports as {}", mib(*reported)));
    }
    parts.extend(size(&used.memtables).map(|bytes| format!("memtables {bytes}")));
    parts.extend(size(&used.table_readers).map(|bytes| format!("open files {bytes}")));
    if let (Ok(hits), Ok(misses)) = (&used.hits, &used.misses) {
        let all = u128::from(*hits) + u128::from(*misses);
        if let Some(share) = (u128::from(*hits) * 1_000).checked_div(all) {
            parts.push(format!("{}.{} % of {all} block lookups hit", share / 10, share % 10));
        }
    }
    wrapped(&format!("  Metrics: {}", parts.join(", ")), width, "    ")
}

fn files(databases: &Databases, width: usize) -> String {
    let mut instances: Vec<&RocksDbInstance> = databases.instances.iter().collect();
    if instances.is_empty() {
        return String::new();
    }
    let bytes = |instance: &RocksDbInstance| instance.tables.as_ref().ok().map(|tables| tables.bytes);
    instances.sort_by_key(|instance| (std::cmp::Reverse(bytes(instance)), instance.directory.clone()));
    let unknown = || "?".to_owned();
    let rows: Vec<Vec<String>> = instances
        .iter()
        .take(SHOWN)
        .map(|instance| {
            let tables = instance.tables.as_ref().ok();
            let part = |of: Option<Bytes>| of.map_or(unknown(), mib);
            vec![
                name(instance),
                tables.map_or(unknown(), |tables| tables.files.to_string()),
                part(tables.map(|tables| tables.bytes)),
                part(tables.and_then(|tables| tables.index.estimate())),
                part(tables.and_then(|tables| tables.filter.estimate())),
                part(instance.arena_block()),
                instance.version().map_or(unknown(), str::to_owned),
            ]
        })
        .collect();
    let header = ["  On disk", "files", "size", "index", "filter", "arena block", "version"];
    let align = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right];
    let mut out = table::fitting(width, &[6, 5, 4, 3], &header, &align, &rows);
    let more = instances.len().saturating_sub(SHOWN) + databases.left_out;
    if more > 0 {
        out += &format!("    and {more} more; all table files: {} MiB\n", mib(databases.table_bytes()));
    }
    for shared in databases.slots() {
        let capacity = shared.capacity.map_or(String::new(), |bytes| format!(" of {} MiB", mib(bytes)));
        let strict = match shared.strict {
            Some(true) => ", strict",
            Some(false) => ", not strict",
            None => "",
        };
        let families = count(shared.families as u64, "column family", "column families");
        let databases = count(shared.instances.len() as u64, "database", "databases");
        let text = format!("    Cache {}{capacity}{strict}: {families}, {databases}", shared.cache);
        out += &wrapped(&text, width, "      ");
    }
    out
}

/// A database by the subtask that has it, else by its directory's end.
fn name(instance: &RocksDbInstance) -> String {
    let room = 32;
    let text = match &instance.owner {
        Some(owner) => format!("{} {}/{}", owner.operator, owner.subtask, owner.of),
        None => instance.directory.display().to_string(),
    };
    let closed = if instance.open { "" } else { " (not open)" };
    let skip = text.chars().count().saturating_sub(room);
    let shown: String =
        if skip == 0 { text } else { std::iter::once('…').chain(text.chars().skip(skip + 1)).collect() };
    format!("    {shown}{closed}")
}

fn waits(verdict: &Verdict, databases: &[String], width: usize) -> String {
    let whose = match databases {
        [one] => one.clone(),
        [one, more @ ..] => format!("{one} and {} more", more.len()),
        [] => String::new(),
    };
    let head =
        format!("  {} ({} confidence), {whose}: {}", verdict.bound, verdict.confidence, verdict.cause.sentence());
    let mut out = wrapped(&head, width, "    ");
    let evidence: Vec<String> = verdict.evidence.iter().map(evidence).collect();
    if !evidence.is_empty() {
        out += &wrapped(&format!("    {}", evidence.join("; ")), width, "      ");
    }
    for turn in &verdict.turns {
        let how = match turn.direction {
            Direction::Raise => "raise",
            Direction::Lower => "lower",
            Direction::On => "set to true",
        };
        out += &wrapped(&format!("    {how} {}: {}", turn.key, turn.why), width, "      ");
    }
    out
}

fn evidence(evidence: &Evidence) -> String {
    let limit = evidence.limit.map_or(String::new(), |limit| format!(" (limit {})", amount(limit)));
    format!("{} {}{limit}", evidence.what, amount(evidence.is))
}

fn amount(amount: Amount) -> String {
    match amount {
        Amount::Bytes(bytes) => format!("{} MiB", mib(bytes)),
        Amount::Count(count) => count.to_string(),
        Amount::Permille(share) => format!("{}.{} %", share / 10, share % 10),
    }
}
