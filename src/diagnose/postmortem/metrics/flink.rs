//! What Flink measures of itself and of RocksDB, by its Prometheus reporter.

use std::collections::BTreeMap;

use super::{Found, is_nearly};
use crate::artefact::prometheus::Sample;
use crate::diagnose::postmortem::signal::Says;
use crate::model::{Area, Bytes};

/// A fleet has no more processes, and a job no more states in all of its subtasks.
const MOST: usize = 100_000;

/// Processes, and the caches and states of RocksDB.
#[derive(Debug, Default)]
pub(super) struct Flink {
    /// By role and TaskManager, the metrics by their name behind `Status_`.
    processes: BTreeMap<(bool, String), BTreeMap<String, (u64, usize)>>,
    /// By TaskManager and subtask. All states of a slot tell of the same cache: the largest counts, nothing is summed.
    caches: BTreeMap<[String; 3], Cache>,
    /// How many states cannot be written to, or only slowly, and where the first one stands.
    stopped: Option<(u64, usize)>,
    slowed: Option<(u64, usize)>,
}

#[derive(Debug, Default)]
struct Cache {
    capacity: u64,
    usage: u64,
    pinned: u64,
    at: usize,
}

impl Flink {
    pub fn take(&mut self, sample: &Sample<'_>, value: u64, at: usize) {
        let Some(rest) = sample.name.strip_prefix("flink_") else { return };
        if let Some((role, name)) = rest.split_once("_Status_") {
            let is_worker = role == "taskmanager";
            let id = sample.label("tm_id").or_else(|| sample.label("host")).unwrap_or_default();
            let known = self.processes.len() < MOST || self.processes.contains_key(&(is_worker, id.to_owned()));
            let is_kept = name.starts_with("JVM_Memory_")
                || name.starts_with("Network_")
                || name.starts_with("Shuffle_Netty_")
                || name.starts_with("Flink_Memory_");
            if known && is_kept {
                let metrics = self.processes.entry((is_worker, id.to_owned())).or_default();
                metrics.insert(name.to_owned(), (value, at));
            }
        } else if let Some((_, property)) = rest.rsplit_once("rocksdb_") {
            self.rocksdb(property, sample, value, at);
        }
    }

    fn rocksdb(&mut self, property: &str, sample: &Sample<'_>, value: u64, at: usize) {
        match property.replace('-', "_").as_str() {
            "is_write_stopped" if value > 0 => {
                let (count, _) = self.stopped.get_or_insert((0, at));
                *count = count.saturating_add(1);
            }
            "actual_delayed_write_rate" if value > 0 => {
                let (count, _) = self.slowed.get_or_insert((0, at));
                *count = count.saturating_add(1);
            }
            "block_cache_capacity" => self.cache(sample, at, |cache| cache.capacity = cache.capacity.max(value)),
            "block_cache_usage" => self.cache(sample, at, |cache| cache.usage = cache.usage.max(value)),
            "block_cache_pinned_usage" => self.cache(sample, at, |cache| cache.pinned = cache.pinned.max(value)),
            _ => {}
        }
    }

    fn cache(&mut self, sample: &Sample<'_>, at: usize, learn: impl FnOnce(&mut Cache)) {
        let key = ["tm_id", "job_id", "subtask_index"].map(|name| sample.label(name).unwrap_or_default().to_owned());
        if self.caches.len() < MOST || self.caches.contains_key(&key) {
            let cache = self.caches.entry(key).or_default();
            cache.at = at;
            learn(cache);
        }
    }

    pub fn tell(&self, found: &mut Found<'_>) {
        for ((is_worker, id), metrics) in &self.processes {
            let who = if *is_worker { "TaskManager" } else { "JobManager" };
            process(&format!("{who} {id}"), metrics, found);
        }
        // One slot's cache is as good as another's.
        let mut told = Vec::new();
        for cache in self.caches.values() {
            let Some((name, text, usage)) = cache.strain() else { continue };
            if !told.contains(&name) {
                told.push(name);
                found.strain(cache.at, name, Area::ManagedRocksDb, text, Some((usage, cache.capacity)));
            }
        }
        if let Some((states, at)) = self.stopped {
            let text = format!("{states} states of RocksDB take no writes");
            found.strain(at, "write-stop", Area::ManagedRocksDb, text, None);
        }
        if let Some((states, at)) = self.slowed {
            let text = format!("{states} states of RocksDB take writes slowly");
            found.strain(at, "write-stall", Area::ManagedRocksDb, text, None);
        }
    }
}

impl Cache {
    fn strain(&self) -> Option<(&'static str, String, u64)> {
        let (capacity, usage, pinned) = (Bytes::new(self.capacity), Bytes::new(self.usage), Bytes::new(self.pinned));
        if self.capacity == 0 {
            None
        } else if usage > capacity {
            let text = format!("a block cache holds {usage} of {capacity}");
            Some(("block-cache-above-capacity", text, self.usage))
        } else if is_nearly(self.pinned, self.capacity) {
            let text = format!("{pinned} of a block cache of {capacity} are pinned: nothing of that can be dropped");
            Some(("block-cache-pinned", text, self.pinned))
        } else if is_nearly(self.usage, self.capacity) {
            let text = format!("a block cache holds {usage} of {capacity}");
            Some(("block-cache-full", text, self.usage))
        } else {
            None
        }
    }
}

fn process(who: &str, metrics: &BTreeMap<String, (u64, usize)>, found: &mut Found<'_>) {
    let of = |name: &str| metrics.get(name).copied();
    let pools = [
        ("JVM_Memory_Heap_Used", "JVM_Memory_Heap_Max", "heap-nearly-full", Area::Heap, "heap"),
        (
            "JVM_Memory_Metaspace_Used",
            "JVM_Memory_Metaspace_Max",
            "metaspace-nearly-full",
            Area::Metaspace,
            "metaspace",
        ),
        (
            "Shuffle_Netty_UsedMemory",
            "Shuffle_Netty_TotalMemory",
            "network-nearly-full",
            Area::Network,
            "network memory",
        ),
    ];
    for (used, most, name, area, what) in pools {
        let (Some((used, at)), Some((most, _))) = (of(used), of(most)) else { continue };
        if is_nearly(used, most) {
            let text = format!("{who} uses {} of {} {what}", Bytes::new(used), Bytes::new(most));
            found.strain(at, name, area, text, Some((used, most)));
        }
    }
    let segments = [
        ("Shuffle_Netty_AvailableMemorySegments", "Shuffle_Netty_TotalMemorySegments"),
        ("Network_AvailableMemorySegments", "Network_TotalMemorySegments"),
    ];
    let segments = segments.into_iter().find_map(|(free, all)| Some((of(free)?, of(all)?)));
    if let Some(((0, at), (all @ 1.., _))) = segments {
        let text = format!("{who} has none of its {all} network buffers free");
        found.strain(at, "no-free-network-buffers", Area::Network, text, None);
    }
    if let Some((managed, at)) = of("Flink_Memory_Managed_Total").filter(|(managed, _)| *managed > 0) {
        let key = "taskmanager.memory.managed.size".to_owned();
        found.push(at, Says::Given { key, value: format!("{managed}b") });
    }
    if let Some((most, at)) = of("JVM_Memory_Metaspace_Max").filter(|(most, _)| (1..1 << 52).contains(most)) {
        found.push(at, Says::Given { key: "-XX:MaxMetaspaceSize".to_owned(), value: most.to_string() });
    }
}
