//! RocksDB: unmanaged, over its share, bound by reads or writes, flushing all the time (OOM902, OOM921, OOM930 to
//! OOM933, OOM968).

use super::amount;
use super::proof::{Case, Draft, Room, changes};
use super::{Advice, Step, allocator, mib, native};
use crate::flink::keys;
use crate::model::{Bytes, Component};
#[cfg(test)]
use crate::plan::Survey;
use crate::plan::settings::Settings;
use crate::plan::store::{Pool, Scope, Store};
use crate::recommend::change::{Change, applied};
use crate::recommend::option;

/// A pool's share of a slot that is worth having, in bytes (`store-pool-min` of `profiles/policy/rocksdb.yaml` is the
/// least).
const LEAST_MANAGED: Bytes = Bytes::mib(128);

const PREDEFINED: &str = "state.backend.rocksdb.predefined-options";
const THREADS: &str = "state.backend.rocksdb.thread.num";
const COUNT: &str = "state.backend.rocksdb.writebuffer.count";
const TO_MERGE: &str = "state.backend.rocksdb.writebuffer.number-to-merge";

/// Whether the configuration leaves RocksDB without a bound.
pub(super) fn is_unmanaged(case: &Case<'_>) -> bool {
    let managed = case.value(keys::ROCKSDB.managed.name());
    let fixed = [keys::ROCKSDB.fixed_per_slot.name(), keys::ROCKSDB.fixed_per_tm.name()];
    managed.is_some_and(|value| value.trim().eq_ignore_ascii_case("false"))
        && fixed.iter().all(|key| case.value(key).is_none())
}

/// OOM921: the bound that was switched off is switched on.
pub(super) fn unmanaged(case: &Case<'_>, advice: &mut Advice) {
    if case.is_cut_off() {
        super::no_room_outside_heap::cures(case, advice);
        return;
    }
    let managed = keys::ROCKSDB.managed.name();
    let mut steps = vec![Step::set(managed, "true")];
    // A share of nothing bounds nothing.
    let none = case.before.as_ref().is_some_and(|survey| survey.plan.budget.size(Component::Managed) < LEAST_MANAGED);
    if none {
        let names = [keys::MANAGED_SIZE.name(), keys::MANAGED_FRACTION.name()];
        let set: Vec<&str> = names.into_iter().filter(|name| case.value(name).is_some()).collect();
        steps.extend(set.into_iter().map(|name| Step::Change(Change::remove(name))));
    }
    let large = buffers_too_large(case, &steps);
    steps.extend(large.into_iter().map(Step::Change));
    case.offer(
        advice,
        Draft {
            title: "RocksDB in managed memory".to_owned(),
            steps,
            risk: "a cache that is smaller than what RocksDB took reads more from files; then managed memory may grow \
                   (OOM931)"
                .to_owned(),
            watch: "state.backend.rocksdb.metrics.block-cache-usage against managed memory, and the resident \
                    set"
            .to_owned(),
            why: "each state of each slot has a cache and memtables of its own, and nothing bounds their sum; managed \
                  memory is planned already"
                .to_owned(),
            source: "FLINK-7289, https://github.com/apache/flink/pull/10449; measured: Flink 1.20.5 unmanaged with \
                     memtables of 256 MiB was killed at 1216 MiB after 25 s, and managed stayed at 522 MB",
            ..Draft::default()
        },
    );
    let refusal =
        "more memory: nothing bounds what RocksDB takes, so it outgrows any container; the bound has to be on";
    advice.refused.push(refusal.to_owned());
}

/// What has to go so that memtables fit into the pool that is shared then.
fn buffers_too_large(case: &Case<'_>, steps: &[Step]) -> Vec<Change> {
    let config = applied(case.patient.config, &changes(steps));
    let mut question = case.patient.question.clone();
    if !question.stores.contains(&Store::RocksDb) {
        question.stores.push(Store::RocksDb);
    }
    let flushes = |config| {
        let plan = crate::plan::plan(config, case.patient.profile, &question).ok()?;
        let pool = pool_of(&plan)?;
        Some(pool.flushes_constantly || !pool.sizes.arena_ok)
    };
    if flushes(&config) != Some(true) {
        return Vec::new();
    }
    let names = [keys::ROCKSDB.write_buffer_size.name(), COUNT, TO_MERGE];
    names.into_iter().filter(|name| case.value(name).is_some()).map(Change::remove).collect()
}

fn pool_of(plan: &crate::plan::Plan) -> Option<&Pool> {
    let slots = plan.slots.as_ref()?.as_ref().ok()?;
    let (_, memory) = slots.stores.iter().find(|(store, _)| *store == Store::RocksDb)?;
    let memory = memory.as_ref().ok()?;
    memory.pool.as_ref().filter(|_| memory.scope != Scope::None)
}

/// OOM902: what iterators pin and caches overshoot lies beyond managed memory.
pub(super) fn over_managed(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return native::leak(case, advice);
    }
    if case.patient.evidence.rocksdb_unmanaged || is_unmanaged(case) {
        return unmanaged(case, advice);
    }
    native::larger_overhead(case, advice);
    allocator::offer(case, advice);
    partitioned(case, advice);
    advice.refused.push(
        "more managed memory: RocksDB's cache fills whatever it is given, and what iterators pin comes on top again; \
         it is right where reads are slow and the hit rate falls (OOM931)"
            .to_owned(),
    );
}

/// Index and filter blocks in parts.
fn partitioned(case: &Case<'_>, advice: &mut Advice) {
    let key = keys::ROCKSDB.partitioned_index_filters.name();
    let set = case.value(key).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !case.has(key) || set {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "index and filter blocks in parts".to_owned(),
            steps: vec![Step::set(key, "true")],
            risk: "a read of a part that is not in the cache takes one more".to_owned(),
            watch: "state.backend.rocksdb.metrics.block-cache-pinned-usage".to_owned(),
            why: "an index block of a large file is loaded and pinned whole; in parts only the top is".to_owned(),
            source: "RocksDBOptions.USE_PARTITIONED_INDEX_FILTERS, Flink 1.13 to 2.3; facebook/rocksdb#12579: blocks \
                     that are being loaded are not charged",
            ..Draft::default()
        },
    );
}

/// OOM931: the hit rate falls.
pub(super) fn read_bound(case: &Case<'_>, advice: &mut Advice) {
    larger_cache(case, advice);
    let mut steps = vec![Step::set(PREDEFINED, "SPINNING_DISK_OPTIMIZED_HIGH_MEM")];
    // Less for memtables and more for index and filter blocks, where nobody has gone further already.
    for (key, value, lower) in [
        (keys::ROCKSDB.write_buffer_ratio.name(), "0.4", true),
        (keys::ROCKSDB.high_prio_pool_ratio.name(), "0.2", false),
    ] {
        let now = case.value(key).and_then(|text| text.trim().parse::<f64>().ok());
        let wanted: f64 = value.parse().unwrap_or_default();
        let there = now.is_some_and(|now| if lower { now <= wanted } else { now >= wanted });
        if case.has(key) && !there {
            steps.push(Step::set(key, value));
        }
    }
    case.offer(
        advice,
        Draft {
            title: "options of RocksDB for many reads".to_owned(),
            steps,
            risk: "smaller memtables are flushed more often; an options factory of the job wins over these".to_owned(),
            watch: "block-cache-hit against block-cache-miss, and the number of flushes".to_owned(),
            why: "filters spare reads of files that do not hold a key, and less for memtables leaves more for \
                  blocks"
                .to_owned(),
            source: "PredefinedOptions.SPINNING_DISK_OPTIMIZED_HIGH_MEM, RocksDBOptions (defaults 0.5 and 0.1), Flink \
                     1.10 to 2.3",
            ..Draft::default()
        },
    );
}

/// More managed memory, which is RocksDB's cache.
fn larger_cache(case: &Case<'_>, advice: &mut Advice) {
    if case.is_cut_off() {
        advice.refused.push("more managed memory: RocksDB takes none of it before 1.10".to_owned());
        return;
    }
    let target = amount::target(case, Room::Part(Component::Managed), None, LEAST_MANAGED);
    let settings = Settings::new(case.patient.config, case.patient.profile).unheard();
    let fraction = settings.is_set(keys::MANAGED_FRACTION) && !settings.is_set(keys::MANAGED_SIZE);
    let mut steps = vec![Step::set(keys::MANAGED_SIZE.name(), option::text(target.size))];
    if fraction {
        // The size wins, and a share beside it would only mislead.
        steps.push(Step::Change(Change::remove(keys::MANAGED_FRACTION.name())));
    }
    case.offer_within_and_beyond(
        advice,
        Draft {
            title: format!("managed memory of {}", mib(target.size)),
            steps,
            room: Some((Room::Part(Component::Managed), target.shortfall)),
            more: target.more,
            risk: "where the disk is the bound and not the cache, it changes nothing".to_owned(),
            watch: "block-cache-hit against block-cache-miss over the hours after a checkpoint".to_owned(),
            why: format!("managed memory is RocksDB's block cache and memtables; {}", target.why),
            source: "RocksDBMemoryControllerUtils, Flink 1.10 to 2.3: cache and memtables out of a slot's managed \
                     memory",
            ..Draft::default()
        },
    );
}

/// OOM930, OOM932, OOM933: flushes and compactions are behind.
pub(super) fn write_bound(case: &Case<'_>, advice: &mut Advice) {
    let threads = case.reading(THREADS).and_then(|text| text.trim().parse::<u32>().ok()).unwrap_or(2);
    case.offer(
        advice,
        Draft {
            title: "more threads for flushes and compactions".to_owned(),
            steps: vec![Step::set(THREADS, threads.saturating_mul(2).max(4).to_string())],
            risk: "on a disk that is busy already they only wait for one another; they take processor time from tasks"
                .to_owned(),
            watch: "num-running-flushes, num-running-compactions and the disk's use".to_owned(),
            why: format!("{threads} threads flush and compact for all states of a database"),
            source: "RocksDBConfigurableOptions.MAX_BACKGROUND_THREADS: 2 since 1.13, 1 before",
            ..Draft::default()
        },
    );
    case.offer(
        advice,
        Draft {
            title: "more disks for the same writes".to_owned(),
            steps: vec![
                Step::advice("a higher parallelism over more machines: each disk gets less to write"),
                Step::advice("several directories on several disks in state.backend.rocksdb.localdir"),
            ],
            risk: "more TaskManagers; rescaling starts from a savepoint or checkpoint".to_owned(),
            watch: "estimate-pending-compaction-bytes: it falls between checkpoints".to_owned(),
            why: "the disk is what flushes and compactions wait for".to_owned(),
            source: "facebook/rocksdb wiki, Write Stalls; a feature join with tens of terabytes of state",
            ..Draft::default()
        },
    );
    advice.refused.push("more memory: memtables that wait for a disk fill whatever they are given".to_owned());
}

/// OOM968: an arena block is larger than what may be filled before a flush.
pub(super) fn arena_block(case: &Case<'_>, advice: &mut Advice) {
    let mut question = case.patient.question.clone();
    if !question.stores.contains(&Store::RocksDb) {
        question.stores.push(Store::RocksDb);
    }
    let flushes = |changes: &[Change]| {
        let config = applied(case.patient.config, changes);
        let plan = crate::plan::plan(&config, case.patient.profile, &question).ok()?;
        let pool = pool_of(&plan)?;
        Some(pool.flushes_constantly)
    };
    let key = keys::ROCKSDB.write_buffer_size.name();
    // The largest power of two whose arena block fits.
    let fitting = [64, 32, 16, 8, 4, 2, 1]
        .map(Bytes::mib)
        .into_iter()
        .find(|size| flushes(&[Change::set(key, option::text(*size))]) == Some(false));
    if let Some(size) = fitting {
        case.offer(
            advice,
            Draft {
                title: format!("memtables of {}", mib(size)),
                steps: vec![Step::set(key, option::text(size))],
                risk: "smaller files at level 0, and more compactions of them".to_owned(),
                watch: "\"flush memtable constantly\" in the TaskManager's log, and the number of flushes".to_owned(),
                why: "an arena block is an eighth of a memtable and has to be below seven eighths of what all \
                      memtables of a slot may take"
                    .to_owned(),
                source: "FLINK-19238, https://github.com/apache/flink/pull/13393",
                ..Draft::default()
            },
        );
    }
    larger_cache(case, advice);
}

/// Whether a survey's RocksDB has a bound of its own.
#[cfg(test)]
pub(super) fn is_bounded(survey: &Survey) -> bool {
    pool_of(&survey.plan).is_some()
}
