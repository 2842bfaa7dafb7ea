//! What Flink plans no memory for. It comes out of JVM overhead as long as that has room, then out of the container.

use super::store::{Scope, StoreMemory};
use super::{Backend, Plan};
use crate::model::{Bytes, Component, Reading, Role};

/// Something that takes memory and stands in no budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Unbudgeted {
    /// What.
    pub what: &'static str,
    /// How much, where that can be said.
    pub size: Reading,
    /// What to know about it.
    pub remark: String,
}

fn unknown(why: &str) -> Reading {
    Reading::Unseen(why.to_owned())
}

/// What this process may take beyond its budget. `heap_excess` is what the JVM adds to `-Xmx` by rounding it up.
pub fn list(plan: &Plan, backend: &Backend, heap_excess: Option<Bytes>) -> Vec<Unbudgeted> {
    let mut list = Vec::new();
    if let Some(excess) = heap_excess.filter(|excess| *excess > Bytes::ZERO) {
        list.push(Unbudgeted {
            what: "rounding of the heap",
            size: Reading::Seen(excess),
            remark: "the JVM rounds -Xmx up to its own alignment".to_owned(),
        });
    }
    let role = plan.budget.role();
    if let Some(Ok(slots)) = &plan.slots {
        for (_, outcome) in &slots.stores {
            if let Ok(memory) = outcome {
                list.extend(of_store(memory, slots.count, backend));
            }
        }
    }
    if role == Role::JobManager && plan.direct.is_none() && plan.budget.part(Component::OffHeap).is_some() {
        list.push(Unbudgeted {
            what: "the JobManager's direct memory",
            size: unknown("as much as the heap by the JVM's default"),
            remark: "Off-heap is planned but not enforced: jobmanager.memory.enable-jvm-direct-memory-limit is false"
                .to_owned(),
        });
    }
    if plan.budget.part(Component::CutOff).is_some() && plan.direct.is_some() {
        list.push(Unbudgeted {
            what: "metaspace, stacks, code, RocksDB",
            size: unknown("the cut-off is given to direct memory once more"),
            remark: "-XX:MaxDirectMemorySize is the container minus the heap: heap and direct memory may fill the \
                     container, and nothing is left for anything else"
                .to_owned(),
        });
    }
    list.push(Unbudgeted {
        what: "freed memory that malloc keeps",
        size: unknown("with glibc, hundreds of MiB after some job restarts"),
        remark:
            "glibc keeps up to 8 arenas for each core; the official image preloads jemalloc from 1.12 on; elsewhere \
                 set MALLOC_ARENA_MAX or preload jemalloc"
                .to_owned(),
    });
    if role == Role::TaskManager {
        list.push(Unbudgeted {
            what: "page cache and mapped files",
            size: unknown("as much as is free"),
            remark: "counted to the container but given back under pressure; YARN counts mapped shuffle files as the \
                     process's own"
                .to_owned(),
        });
    }
    list
}

fn of_store(memory: &StoreMemory, slots: u32, backend: &Backend) -> Vec<Unbudgeted> {
    // A store that is only supposed is not held against the configuration, unless its memory is what is configured.
    let supposed = *backend != Backend::Embedded(memory.store);
    let fixed = |what, pools: u64| {
        let total = memory.pool.as_ref().and_then(|pool| pool.total.bytes.checked_mul(pools));
        Unbudgeted {
            what,
            size: total.map_or_else(|| unknown("beyond 64 bits"), Reading::Seen),
            remark: "a fixed size is native memory outside of managed memory: no part of the process pays for it"
                .to_owned(),
        }
    };
    match memory.scope {
        Scope::SlotSharedUnmanaged => vec![fixed("RocksDB, a fixed size for each slot", u64::from(slots))],
        Scope::TmSharedUnmanaged => vec![fixed("RocksDB, a fixed size for all slots", 1)],
        Scope::None if supposed && memory.column_family.is_none() => Vec::new(),
        Scope::None => {
            let bound = memory.column_family.as_ref().map_or(Bytes::ZERO, |family| family.bound);
            vec![Unbudgeted {
                what: "RocksDB without memory control",
                size: unknown(&format!("{bound} for each state in each slot")),
                remark: "each state (timers count as one) has memtables and a cache of its own, and index and filter \
                         blocks come on top"
                    .to_owned(),
            }]
        }
        Scope::SlotSharedManaged if supposed => Vec::new(),
        Scope::SlotSharedManaged => vec![Unbudgeted {
            what: "RocksDB beyond its pool",
            size: unknown("what open iterators pin, and what compactions and flushes hold"),
            remark: "the cache's limit is not strict: pinned blocks stay above it".to_owned(),
        }],
    }
}
