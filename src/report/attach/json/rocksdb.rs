//! RocksDB: metrics as reported and as corrected, verdicts, and what lies on disk.

use serde::Serialize;

use crate::artefact::rocksdb_directory::{RocksDbInstance, SharedCache};
use crate::diagnose::examination::Examination;
use crate::diagnose::rocksdb_bound::{Amount, Direction, Evidence, Verdict};
use crate::diagnose::rocksdb_metrics::{Correction, RocksDbUse};
use crate::model::{Bytes, Seen};

/// RocksDB in one process.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RocksDbV1 {
    /// What Flink's metrics say, corrected; null without REST or with native metrics off.
    metrics: Option<MetricsV1>,
    /// What it waits for.
    verdicts: Vec<VerdictV1>,
    /// What could not be judged, and why.
    undecided: Vec<UndecidedV1>,
    /// The databases that it has open; null where they could not be found.
    databases: Option<Vec<DatabaseV1>>,
    /// The block caches, as the databases' logs name them.
    caches: Option<Vec<CacheV1>>,
}

/// Bytes, where nothing else is said; each null is a metric that is off.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct MetricsV1 {
    /// How many databases.
    databases: usize,
    caches: Option<CacheCountV1>,
    /// The memory that is there: caches without charges for nothing, memtables, open files.
    in_use: Option<u64>,
    /// What the caches are charged with, each counted once.
    cache_usage: Option<u64>,
    /// The same as it is reported: once a column family.
    cache_usage_reported: Option<u64>,
    cache_capacity: Option<u64>,
    /// What cannot be thrown out of them.
    cache_pinned: Option<u64>,
    memtables: Option<u64>,
    /// What open files hold beside the caches.
    table_readers: Option<u64>,
    /// Files of all versions.
    files: Option<u64>,
    /// Files of the newest version.
    live_files: Option<u64>,
    /// Blocks found in a cache, a number.
    hits: Option<u64>,
    /// Blocks not found, a number.
    misses: Option<u64>,
    stalls: StallsV1,
}

/// How many caches there are.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CacheCountV1 {
    /// The number that is counted with.
    caches: u64,
    at_least: u64,
    at_most: u64,
    /// How that is known.
    how: String,
}

/// What waits. Numbers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StallsV1 {
    /// Databases whose writes are stopped.
    stopped: Option<u64>,
    /// Databases whose writes are slowed.
    slowed: Option<u64>,
    compactions_due: Option<u64>,
    flushes_due: Option<u64>,
    compactions_running: Option<u64>,
    flushes_running: Option<u64>,
    /// Bytes that compactions must rewrite.
    pending_compaction: Option<u64>,
    background_errors: Option<u64>,
    /// Microseconds that writers waited, since the start.
    stalled_micros: Option<u64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct VerdictV1 {
    /// `stalled`, `read-bound`, `flush-bound` or `compaction-bound`.
    bound: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    /// Why, in a sentence.
    cause: &'static str,
    /// The databases that it was found in.
    databases: Vec<String>,
    evidence: Vec<EvidenceV1>,
    /// What to turn, the most promising first.
    turns: Vec<TurnV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EvidenceV1 {
    what: &'static str,
    is: u64,
    /// What it is held against.
    limit: Option<u64>,
    /// `bytes`, `count`, `permille` or `milliseconds`.
    unit: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct TurnV1 {
    key: String,
    /// `raise`, `lower` or `on`.
    direction: &'static str,
    why: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UndecidedV1 {
    bound: &'static str,
    why: String,
    grant: Option<String>,
}

/// A database on disk.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct DatabaseV1 {
    /// As its process names it.
    directory: String,
    /// Whether the process has it open.
    open: bool,
    owner: Option<OwnerV1>,
    /// RocksDB's version.
    version: Option<String>,
    /// Table files: how many.
    files: Option<u64>,
    /// Their size.
    bytes: Option<u64>,
    /// Their indexes; the share of files of which it is not known is taken to be that of the others.
    index: Option<u64>,
    /// Their filters, likewise.
    filter: Option<u64>,
    /// Why `files` is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What a memtable allocates at a time.
    arena_block: Option<u64>,
    /// The address of its cache: those of one address share it.
    block_cache: Option<String>,
    /// The address of its write-buffer manager.
    write_buffer_manager: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct OwnerV1 {
    job: String,
    operator: String,
    operator_id: String,
    /// From 1.
    subtask: u32,
    of: u32,
}

/// Column families that share a cache.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CacheV1 {
    /// Its address.
    cache: String,
    capacity: Option<u64>,
    /// Whether it refuses to grow above its capacity.
    strict: Option<bool>,
    databases: usize,
    column_families: usize,
    write_buffer_managers: Vec<String>,
}

/// A figure of Flink's that says something else than it seems to.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CorrectionV1 {
    what: String,
    as_reported: u64,
    /// What is meant; null where the metric says nothing of it.
    corrected: Option<u64>,
    why: String,
}

impl CorrectionV1 {
    pub(super) fn of(correction: &Correction) -> CorrectionV1 {
        CorrectionV1 {
            what: correction.what.clone(),
            as_reported: correction.as_reported.get(),
            corrected: correction.corrected.as_ref().ok().map(|bytes| bytes.get()),
            why: correction.why.clone(),
        }
    }
}

impl RocksDbV1 {
    pub(super) fn of(examination: &Examination) -> RocksDbV1 {
        let view = &examination.rocksdb;
        let databases = examination.sample.rocksdb.as_ref().ok();
        RocksDbV1 {
            metrics: view.metrics.as_ref().ok().map(metrics),
            verdicts: view.verdicts.iter().map(|(found, whose)| verdict(found, whose)).collect(),
            undecided: view
                .undecided
                .iter()
                .map(|(bound, unseen)| UndecidedV1 {
                    bound: bound.label(),
                    why: unseen.why.clone(),
                    grant: unseen.grant.clone(),
                })
                .collect(),
            databases: databases.map(|databases| databases.instances.iter().map(database).collect()),
            caches: databases.map(|databases| databases.slots().iter().map(cache).collect()),
        }
    }
}

fn metrics(used: &RocksDbUse) -> MetricsV1 {
    let bytes = |value: &Seen<Bytes>| value.as_ref().ok().map(|bytes| bytes.get());
    let number = |value: &Seen<u64>| value.as_ref().ok().copied();
    let stalls = &used.stalls;
    MetricsV1 {
        databases: used.databases,
        caches: used.caches.as_ref().ok().map(|count| CacheCountV1 {
            caches: count.caches,
            at_least: count.at_least,
            at_most: count.at_most,
            how: count.how.clone(),
        }),
        in_use: bytes(&used.in_use),
        cache_usage: bytes(&used.cache_usage),
        cache_usage_reported: bytes(&used.cache_usage_reported),
        cache_capacity: bytes(&used.cache_capacity),
        cache_pinned: bytes(&used.cache_pinned),
        memtables: bytes(&used.memtables),
        table_readers: bytes(&used.table_readers),
        files: bytes(&used.files),
        live_files: bytes(&used.live_files),
        hits: number(&used.hits),
        misses: number(&used.misses),
        stalls: StallsV1 {
            stopped: number(&stalls.stopped),
            slowed: number(&stalls.slowed),
            compactions_due: number(&stalls.compactions_due),
            flushes_due: number(&stalls.flushes_due),
            compactions_running: number(&stalls.compactions_running),
            flushes_running: number(&stalls.flushes_running),
            pending_compaction: number(&stalls.pending_compaction),
            background_errors: number(&stalls.background_errors),
            stalled_micros: number(&stalls.stalled_micros),
        },
    }
}

fn verdict(found: &Verdict, databases: &[String]) -> VerdictV1 {
    VerdictV1 {
        bound: found.bound.label(),
        confidence: found.confidence.name(),
        cause: found.cause.sentence(),
        databases: databases.to_vec(),
        evidence: found.evidence.iter().map(evidence).collect(),
        turns: found
            .turns
            .iter()
            .map(|turn| TurnV1 {
                key: turn.key.clone(),
                direction: match turn.direction {
                    Direction::Raise => "raise",
                    Direction::Lower => "lower",
                    Direction::On => "on",
                },
                why: turn.why,
            })
            .collect(),
    }
}

fn evidence(evidence: &Evidence) -> EvidenceV1 {
    let (is, unit) = amount(evidence.is);
    EvidenceV1 { what: evidence.what, is, limit: evidence.limit.map(|limit| amount(limit).0), unit }
}

fn amount(amount: Amount) -> (u64, &'static str) {
    match amount {
        Amount::Bytes(bytes) => (bytes.get(), "bytes"),
        Amount::Count(count) => (count, "count"),
        Amount::Permille(share) => (share, "permille"),
    }
}

fn database(instance: &RocksDbInstance) -> DatabaseV1 {
    let tables = instance.tables.as_ref().ok();
    DatabaseV1 {
        directory: instance.directory.display().to_string(),
        open: instance.open,
        owner: instance.owner.as_ref().map(|owner| OwnerV1 {
            job: owner.job.clone(),
            operator: owner.operator.clone(),
            operator_id: owner.operator_id.clone(),
            subtask: owner.subtask,
            of: owner.of,
        }),
        version: instance.version().map(str::to_owned),
        files: tables.map(|tables| tables.files),
        bytes: tables.map(|tables| tables.bytes.get()),
        index: tables.and_then(|tables| tables.index.estimate()).map(Bytes::get),
        filter: tables.and_then(|tables| tables.filter.estimate()).map(Bytes::get),
        why: instance.tables.as_ref().err().map(ToString::to_string),
        arena_block: instance.arena_block().map(Bytes::get),
        block_cache: instance.block_cache().map(|pointer| pointer.to_string()),
        write_buffer_manager: instance.write_buffer_manager().map(|pointer| pointer.to_string()),
    }
}

fn cache(shared: &SharedCache) -> CacheV1 {
    CacheV1 {
        cache: shared.cache.to_string(),
        capacity: shared.capacity.map(Bytes::get),
        strict: shared.strict,
        databases: shared.instances.len(),
        column_families: shared.families,
        write_buffer_managers: shared.write_buffer_managers.iter().map(ToString::to_string).collect(),
    }
}
