//! Flink's own pools that ran short, and RocksDB in them.

use super::{Told, shown};
use crate::artefact::flink_log::memory_logger::{self, Usage};
use crate::artefact::flink_log::shortage::{self, RocksDb, Shortage};
use crate::diagnose::postmortem::signal::{Death, Origin, Says, Strain};
use crate::model::{Area, Bytes, Killer};

pub(super) fn tell(told: &mut Told<'_>) {
    let text = told.text();
    let (shortages, rocksdb) = (shortage::shortages(text), shortage::rocksdb(text));
    let usages = memory_logger::usages(text);
    // One shortage is told by every task that fails of it.
    for shortage in &shortages {
        let (key, says) = of(&shortage.what);
        told.flink(key, &shortage.span, says);
    }
    for said in &rocksdb {
        match &said.what {
            RocksDb::SharedCache(size) => {
                let says = Says::Given { key: SHARED_CACHE.to_owned(), value: format!("{}b", size.get()) };
                told.once(format!("cache {size}"), Origin::Given, &said.span, says);
            }
            RocksDb::ArenaBlock { block, limit, capacity } => {
                let says = arena(*block, *limit, *capacity);
                told.flink(format!("arena {block:?} {limit:?}"), &said.span, says);
            }
            RocksDb::Refused { error } => {
                // Each thread that reads or writes fails of it, with a file and an offset of its own.
                let key = format!("rocksdb refused {:?}", shortage::is_own_limit(error));
                told.flink(key, &said.span, refused(error));
            }
            RocksDb::NotOpened { error } => {
                if let Some(says) = not_opened(error.as_deref()) {
                    told.flink(format!("rocksdb {error:?}"), &said.span, says);
                }
            }
        }
    }
    let heaps = usages.iter().filter_map(|usage| match usage.what {
        Usage::Heap(heap) => Some((usage, heap.used, heap.max?)),
        Usage::Direct { .. } => None,
    });
    // 95 of 100 parts, without a product that may not fit.
    let full = heaps.filter(|(_, used, max)| max.get() > 0 && used.get() / 95 >= max.get() / 100);
    if let Some((usage, used, max)) = full.max_by_key(|(_, used, _)| *used) {
        let text = format!("Flink's memory logger saw {} of the {} of heap in use", shown(used), shown(max));
        let (usage_, limit) = (Some(used), Some(max));
        let strain = Strain { name: "heap-nearly-full", area: Some(Area::Heap), text, usage: usage_, limit };
        told.flink("heap".to_owned(), &usage.span, Says::Strain(strain));
    }
}

/// Under which name the cache that RocksDB's instances of a slot share is given: no key of Flink's sets it alone.
pub const SHARED_CACHE: &str = "rocksdb.shared-cache.size";

fn of(shortage: &Shortage) -> (String, Says) {
    match shortage {
        Shortage::NetworkBuffers { required, available, pool } => {
            let mut because = match (required, available) {
                (Some(required), Some(available)) => {
                    format!("a task needed {required} network buffers more, and {available} were left")
                }
                _ => "a task found too few network buffers".to_owned(),
            };
            if let Some(count) = pool.count {
                because += &format!(" of {count}");
            }
            if let (Some(buffer), Some(size)) = (pool.buffer, pool.size()) {
                because += &format!(" of {buffer} each, {} in all", shown(size));
            }
            let mut death = Death { area: Some(Area::Network), because, ..Death::by(Killer::Flink) };
            death.limit = pool.size();
            death.exact = death.limit.is_some();
            (format!("network {pool:?}"), Says::Death(death))
        }
        Shortage::NetworkTimeout { pool } => {
            let because = "a task waited for network buffers until it gave up".to_owned();
            let (limit, area) = (pool.size(), Some(Area::Network));
            let death = Death { area, because, limit, exact: limit.is_some(), ..Death::by(Killer::Flink) };
            ("network timeout".to_owned(), Says::Death(death))
        }
        Shortage::BatchReadTimeout => {
            let text = "batch shuffles waited for their read buffers, which framework off-heap memory holds".to_owned();
            let area = Some(Area::Direct);
            let strain = Strain { name: "batch-read-timeout", area, text, usage: None, limit: None };
            ("batch timeout".to_owned(), Says::Strain(strain))
        }
        Shortage::NetworkPoolNotAllocated { required, allocated } => {
            let mib = |mib: &Option<u64>| mib.and_then(|mib| mib.checked_mul(1 << 20)).map(Bytes::new);
            let text = match (mib(required), mib(allocated)) {
                (Some(required), Some(allocated)) => format!(
                    "the JVM gave {} of direct memory for the network buffers, and {} were wanted",
                    shown(allocated),
                    shown(required)
                ),
                _ => "the JVM did not give the direct memory for the network buffers".to_owned(),
            };
            let (area, usage) = (Some(Area::Network), mib(allocated));
            let strain = Strain { name: "network-pool", area, text, usage, limit: mib(required) };
            ("network pool".to_owned(), Says::Strain(strain))
        }
        Shortage::Managed { wanted, remaining, pages, rocksdb } => {
            let unit = if *pages { "pages" } else { "bytes" };
            let because = match (wanted, remaining) {
                (Some(wanted), Some(remaining)) => {
                    format!("{wanted} {unit} of managed memory were wanted, and {remaining} {unit} were left")
                }
                (Some(wanted), None) => format!("{wanted} {unit} of managed memory were wanted, and fewer were left"),
                _ => "managed memory did not suffice".to_owned(),
            };
            let bytes = |number: &Option<u64>| number.filter(|_| !*pages).map(Bytes::new);
            // Whose share it is, only the exceptions around it say; otherwise a budget was set too small.
            let area = Some(if *rocksdb { Area::ManagedRocksDb } else { Area::Config });
            let (usage, limit) = (bytes(wanted), bytes(remaining));
            let death = Death { area, because, usage, limit, exact: usage.is_some(), ..Death::by(Killer::Flink) };
            // The leftover differs from task to task.
            (format!("managed {wanted:?}"), Says::Death(death))
        }
        Shortage::NoShare => {
            let because = "a consumer of managed memory has a share of 0, by weights that leave it out".to_owned();
            let death = Death { area: Some(Area::Config), because, ..Death::by(Killer::Flink) };
            ("no share".to_owned(), Says::Death(death))
        }
        Shortage::Operator => {
            let because = "a batch operator had too little managed memory for its table".to_owned();
            let death = Death { area: Some(Area::Config), because, ..Death::by(Killer::Flink) };
            ("operator".to_owned(), Says::Death(death))
        }
    }
}

fn arena(block: Option<Bytes>, limit: Option<Bytes>, capacity: Option<Bytes>) -> Says {
    let mut text = match (block, limit) {
        (Some(block), Some(limit)) => format!(
            "RocksDB takes memory for writes in blocks of {}, and may hold {} of it: it flushes all the time",
            shown(block),
            shown(limit)
        ),
        _ => "RocksDB's blocks for writes do not fit in its share: it flushes all the time".to_owned(),
    };
    if let Some(capacity) = capacity {
        text += &format!(" (write buffers in all: {})", shown(capacity));
    }
    let area = Some(Area::ManagedRocksDb);
    Says::Strain(Strain { name: "arena-block", area, text, usage: block, limit })
}

fn not_opened(error: Option<&str>) -> Option<Says> {
    let error = error.unwrap_or("no error is given");
    // For want of memory: that is told of the exception itself.
    if shortage::is_own_limit(error).is_some() {
        return None;
    }
    Some(Says::OtherReason { reason: format!("RocksDB could not be opened ({error})"), ends: false })
}

fn refused(error: &str) -> Says {
    let because = format!("RocksDB was refused memory: {error}");
    // What the system refuses the library, it refuses the JVM's process.
    let (killer, area) = match shortage::is_own_limit(error) {
        Some(true) => (Killer::Flink, Area::ManagedRocksDb),
        _ => (Killer::Jvm, Area::Native),
    };
    Says::Death(Death { area: Some(area), because, ..Death::by(killer) })
}
