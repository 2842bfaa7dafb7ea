//! Flink's RocksDB metrics, corrected where they mislead. What is corrected is shown beside what was reported, and why.

mod caches;
#[cfg(test)]
mod captured;

use std::collections::{BTreeMap, BTreeSet};

pub use caches::{CacheCount, Sharing};

use crate::artefact::flink_rest::{ProcessMetrics, Property, RocksDbReading, Shared};
use crate::flink::Version;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Seen, Unseen};

/// A value that says something else than it seems to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// What it is a value of, as a noun.
    pub what: String,
    /// What the metrics say, taken at their word.
    pub as_reported: Bytes,
    /// What is meant; `Unseen` where the metric says nothing of it.
    pub corrected: Seen<Bytes>,
    /// Why, in a sentence without a full stop.
    pub why: String,
}

/// What is known beside the readings. All may be unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The version of the RocksDB: [`rocksdb_of_flink`] knows it.
    pub rocksdb_version: Option<String>,
    /// Who shares a cache, as the configuration says.
    pub sharing: Option<Sharing>,
    /// The TaskManager's slots that a job has.
    pub slots_in_use: Option<u64>,
    /// How many different `block_cache` pointers the databases' LOG files name.
    pub caches_in_logs: Option<u64>,
}

/// The RocksDB inside a Flink version, `6.20.3` for `1.20.5`.
pub fn rocksdb_of_flink(version: &str) -> Option<&'static str> {
    let version: Version = version.parse().ok()?;
    let is_this = |profile: &&Profile| profile.version().line() == version.line();
    Profile::all().iter().find(is_this).map(|profile| profile.rocksdb.version)
}

/// What RocksDB uses in one TaskManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RocksDbUse {
    /// Databases: one an operator and subtask.
    pub databases: usize,
    /// How many block caches there are.
    pub caches: Seen<CacheCount>,
    /// What the caches are charged with, each counted once.
    pub cache_usage: Seen<Bytes>,
    /// The same as it is reported: once a column family.
    pub cache_usage_reported: Seen<Bytes>,
    /// What the caches may be charged with.
    pub cache_capacity: Seen<Bytes>,
    /// What cannot be thrown out of them.
    pub cache_pinned: Seen<Bytes>,
    /// Memtables.
    pub memtables: Seen<Bytes>,
    /// What open files hold beside the caches.
    pub table_readers: Seen<Bytes>,
    /// The memory that is there: caches without charges for nothing, memtables, open files.
    pub in_use: Seen<Bytes>,
    /// Files of all versions.
    pub files: Seen<Bytes>,
    /// Files of the newest version.
    pub live_files: Seen<Bytes>,
    /// Blocks found in a cache, since the start.
    pub hits: Seen<u64>,
    /// Blocks not found, since the start.
    pub misses: Seen<u64>,
    /// What waits.
    pub stalls: Stalls,
    /// What was corrected.
    pub corrections: Vec<Correction>,
}

/// What waits in the databases of one TaskManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stalls {
    /// Databases whose writes are stopped.
    pub stopped: Seen<u64>,
    /// Databases whose writes are slowed.
    pub slowed: Seen<u64>,
    /// The slowest rate among them in bytes a second; `Unseen` where none is slowed.
    pub slowest_rate: Seen<u64>,
    /// Column families that a compaction is due in.
    pub compactions_due: Seen<u64>,
    /// Column families that a flush is due in.
    pub flushes_due: Seen<u64>,
    /// Compactions that run.
    pub compactions_running: Seen<u64>,
    /// Flushes that run.
    pub flushes_running: Seen<u64>,
    /// Bytes that compactions must rewrite.
    pub pending_compaction: Seen<u64>,
    /// Those of the column family that has the most: RocksDB's limits hold for one.
    pub most_pending_compaction: Seen<u64>,
    /// Memtables that wait to be flushed, of the column family that has the most.
    pub most_waiting_memtables: Seen<u64>,
    /// Flushes and compactions that failed, since the start.
    pub background_errors: Seen<u64>,
    /// Microseconds that writers waited, since the start.
    pub stalled_micros: Seen<u64>,
}

/// A database: TaskManager, job, vertex, subtask, operator.
type Database<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>, u32, &'a str);

fn database(reading: &RocksDbReading) -> Database<'_> {
    let names = (reading.task_manager.as_deref(), reading.job.as_deref(), reading.vertex.as_deref());
    (names.0, names.1, names.2, reading.subtask, &reading.operator)
}

/// One TaskManager's use of RocksDB.
///
/// # Errors
///
/// `Unseen` where there is no reading at all: native metrics are off by default.
pub fn use_of(readings: &[RocksDbReading], known: &Known) -> Seen<RocksDbUse> {
    if readings.is_empty() {
        return Err(Unseen::because("Flink gives no native metric of RocksDB").granted_by(
            "set state.backend.rocksdb.metrics.block-cache-usage, .block-cache-pinned-usage, .block-cache-capacity and \
             .cur-size-all-mem-tables to true and restart the job",
        ));
    }
    let caches = caches::count(readings, known);
    let of_caches = |value: fn(&caches::Cache) -> Option<u64>, property: Property| {
        let all = caches.as_ref().map_err(Clone::clone)?;
        let values: Option<Vec<u64>> = all.each.iter().map(value).collect();
        values.and_then(total).map(Bytes::new).ok_or_else(|| missing(property))
    };
    let cache_usage = of_caches(|cache| cache.usage, Property::CacheUsage);
    let cache_capacity = of_caches(|cache| Some(cache.capacity), Property::CacheCapacity);
    let cache_pinned = of_caches(|cache| cache.pinned, Property::CachePinned);
    let sum = |property| sum_of(readings, property).map(Bytes::new);
    let memtables = sum(Property::Memtables);
    let table_readers = sum(Property::TableReaders);
    let cache_usage_reported = sum(Property::CacheUsage);
    let sharing = caches.as_ref().ok().map(|caches| caches.count.sharing);
    let mut corrections = Vec::new();
    if let (Ok(reported), Ok(corrected), Ok(caches)) = (&cache_usage_reported, &cache_usage, &caches)
        && reported != corrected
    {
        corrections.push(once_a_cache(*reported, *corrected, caches, readings));
    }
    let charged = cache_usage.clone().and_then(|usage| {
        let memtables = memtables.clone()?;
        let (held, correction) = held(usage, cache_pinned.as_ref().ok().copied(), memtables, sharing, known);
        corrections.extend(correction);
        held
    });
    let in_use = charged.and_then(|held| match &table_readers {
        Ok(readers) => held.checked_add(*readers).ok_or_else(|| Unseen::because("the sum is larger than any memory")),
        // In managed mode index and filters lie in the cache and this is next to nothing.
        Err(_) if sharing != Some(Sharing::ColumnFamily) => Ok(held),
        Err(unseen) => Err(unseen.clone()),
    });
    corrections.extend(readers_meaning(&table_readers, sharing));
    Ok(RocksDbUse {
        databases: readings.iter().map(database).collect::<BTreeSet<_>>().len(),
        caches: caches.map(|caches| caches.count),
        cache_usage,
        cache_usage_reported,
        cache_capacity,
        cache_pinned,
        memtables,
        table_readers,
        in_use,
        files: sum(Property::FilesTotal),
        live_files: sum(Property::FilesLive),
        hits: sum_of(readings, Property::CacheHit),
        misses: sum_of(readings, Property::CacheMiss),
        stalls: stalls(readings),
        corrections,
    })
}

fn missing(property: Property) -> Unseen {
    Unseen::because(format!("RocksDB's {property} was not among the metrics"))
        .granted_by(format!("set state.backend.rocksdb.metrics.{property} to true and restart the job"))
}

fn total(values: impl IntoIterator<Item = u64>) -> Option<u64> {
    values.into_iter().try_fold(0_u64, u64::checked_add)
}

/// A property's values, one for each thing that it is a property of: the largest where several report one.
fn each(readings: &[RocksDbReading], property: Property) -> Seen<Vec<u64>> {
    let mut all: BTreeMap<(Database<'_>, Option<&str>), u64> = BTreeMap::new();
    let mut refused = None;
    for reading in readings.iter().filter(|reading| reading.property == property) {
        let family = match property.shared() {
            Shared::Database | Shared::Ticker => None,
            Shared::Cache | Shared::ColumnFamily => reading.column_family.as_deref(),
        };
        match &reading.value {
            Ok(value) => {
                let known = all.entry((database(reading), family)).or_insert(*value);
                *known = (*known).max(*value);
            }
            Err(unseen) => refused = Some(unseen),
        }
    }
    match refused {
        // A sum without one of its parts is too small and looks right.
        Some(unseen) => Err(unseen.clone()),
        None if all.is_empty() => Err(missing(property)),
        None => Ok(all.into_values().collect()),
    }
}

fn sum_of(readings: &[RocksDbReading], property: Property) -> Seen<u64> {
    total(each(readings, property)?).ok_or_else(|| Unseen::because("the sum is larger than 64 bits hold"))
}

fn stalls(readings: &[RocksDbReading]) -> Stalls {
    let sum = |property| sum_of(readings, property);
    let most = |property| each(readings, property)?.into_iter().max().ok_or_else(|| missing(property));
    let rates = each(readings, Property::DelayedWriteRate);
    let slowed = |rates: &Vec<u64>| rates.iter().filter(|rate| **rate > 0).count() as u64;
    let slowest = |rates: &Vec<u64>| rates.iter().copied().filter(|rate| *rate > 0).min();
    Stalls {
        stopped: sum(Property::WriteStopped),
        slowed: rates.as_ref().map(slowed).map_err(Clone::clone),
        slowest_rate: rates.and_then(|rates| slowest(&rates).ok_or_else(|| Unseen::because("no database is slowed"))),
        compactions_due: sum(Property::CompactionPending),
        flushes_due: sum(Property::FlushPending),
        compactions_running: sum(Property::RunningCompactions),
        flushes_running: sum(Property::RunningFlushes),
        pending_compaction: sum(Property::PendingCompactionBytes),
        most_pending_compaction: most(Property::PendingCompactionBytes),
        most_waiting_memtables: most(Property::ImmutableMemtables),
        background_errors: sum(Property::BackgroundErrors),
        stalled_micros: sum(Property::StallMicros),
    }
}

fn once_a_cache(reported: Bytes, corrected: Bytes, caches: &caches::Caches, readings: &[RocksDbReading]) -> Correction {
    let families = readings.iter().filter(|reading| reading.property == Property::CacheUsage).count();
    Correction {
        what: "block cache usage".to_owned(),
        as_reported: reported,
        corrected: Ok(corrected),
        why: format!(
            "a cache's usage is reported once for each column family that uses it, {families} times here; there {}: {}",
            match caches.each.len() {
                1 => "is 1 cache".to_owned(),
                more => format!("are {more} caches"),
            },
            caches.count.how
        ),
    }
}

/// How a RocksDB takes back the charges of memtables that are flushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Release {
    /// One entry of 256 KiB a freed memtable, while less than three quarters of the charges are used
    /// (`WriteBufferManager::FreeMemWithCache`, up to 6.20).
    OneEntryAtATime,
    /// All at once (`CacheReservationManager`, from 7 on).
    AllAtOnce,
}

fn release(version: Option<&str>) -> Option<Release> {
    let major: u32 = version?.split('.').next()?.parse().ok()?;
    Some(if major < 7 { Release::OneEntryAtATime } else { Release::AllAtOnce })
}

/// The memory behind caches and memtables, and what was corrected on the way.
fn held(
    usage: Bytes,
    pinned: Option<Bytes>,
    memtables: Bytes,
    sharing: Option<Sharing>,
    known: &Known,
) -> (Seen<Bytes>, Option<Correction>) {
    let too_large = || Unseen::because("the sum is larger than any memory");
    if sharing == Some(Sharing::ColumnFamily) {
        return (usage.checked_add(memtables).ok_or_else(too_large), None);
    }
    match (release(known.rocksdb_version.as_deref()), pinned) {
        (Some(Release::AllAtOnce), _) => (Ok(usage), None),
        (Some(Release::OneEntryAtATime), Some(pinned)) => {
            let blocks = usage.checked_sub(pinned).unwrap_or(Bytes::ZERO);
            let held = blocks.checked_add(memtables).ok_or_else(too_large);
            let version = known.rocksdb_version.as_deref().unwrap_or_default();
            let measured = if version.starts_with("6.20") { "" } else { " (measured with 6.20; the code is the same)" };
            let correction = Correction {
                what: "memory behind the block cache's usage".to_owned(),
                as_reported: usage,
                corrected: held.clone(),
                why: format!(
                    "RocksDB {version} charges memtables to the cache and takes the charge back slowly after a flush{measured}: \
                     {} bytes are pinned, memtables have {}; usage without what is pinned, and memtables, is what is there. \
                     Blocks that are pinned by a read are missing in it",
                    pinned.get(),
                    memtables.get()
                ),
            };
            (held, Some(correction))
        }
        (Some(Release::OneEntryAtATime), None) => (Err(missing(Property::CachePinned)), None),
        (None, _) => {
            let why =
                "the version of RocksDB is not known: up to 6.20 the cache's usage counts memtables that are gone";
            (Err(Unseen::because(why)), None)
        }
    }
}

fn readers_meaning(readers: &Seen<Bytes>, sharing: Option<Sharing>) -> Option<Correction> {
    let readers = readers.as_ref().ok().filter(|readers| **readers > Bytes::mib(1))?;
    let why = match sharing? {
        Sharing::ColumnFamily => {
            "with managed memory off, index and filters of every open file lie outside each cache and each budget, and grow \
             with the files: state.backend.rocksdb.memory.managed: true puts them into the cache"
        }
        Sharing::Slot | Sharing::TaskManager => {
            "with a shared cache, index and filters lie in it, and this is what open files hold beside it: no budget pays for it"
        }
    };
    Some(Correction {
        what: "estimate-table-readers-mem".to_owned(),
        as_reported: *readers,
        corrected: Ok(*readers),
        why: why.to_owned(),
    })
}

/// Direct memory beside the network pool, which the JVM counts as direct too.
pub fn direct_beside_network(metrics: &ProcessMetrics) -> (Seen<Bytes>, Option<Correction>) {
    let seen = || Ok::<_, Unseen>((metrics.direct.used.clone()?, metrics.network.total.clone()?));
    let (direct, network) = match seen() {
        Ok(both) => both,
        Err(unseen) => return (Err(unseen), None),
    };
    let beside = direct.checked_sub(network).ok_or_else(|| {
        Unseen::because(format!(
            "direct memory ({} bytes) is less than the network pool ({} bytes): the two were not read at one moment, or the \
             pool is not in direct memory",
            direct.get(),
            network.get()
        ))
    });
    let why = format!("the JVM counts the network pool as direct memory, {} bytes of it", network.get());
    let what = "direct memory".to_owned();
    (beside.clone(), Some(Correction { what, as_reported: direct, corrected: beside, why }))
}

/// `Status.Flink.Memory.Managed.Used` counts what is reserved.
pub fn managed_reservation(metrics: &ProcessMetrics) -> Option<Correction> {
    let why =
        "a slot reserves its share of managed memory for RocksDB whether it is used or not, and RocksDB may use more";
    Some(Correction {
        what: "managed memory in use".to_owned(),
        as_reported: *metrics.managed_reserved.as_ref().ok()?,
        corrected: Err(Unseen::because("Flink counts what is reserved, not what is used")),
        why: why.to_owned(),
    })
}
