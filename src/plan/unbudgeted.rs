//! What Flink plans no memory for. It comes out of JVM overhead as long as that has room, then out of the container.

use super::store::{Scope, StoreMemory};
use super::{Backend, Plan};
use crate::model::{Bytes, Component, Reading, Role};

/// Something that takes memory and stands in no budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Unbudgeted {
    /// What.
    pub what: String,
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
            what: "rounding of the heap".to_owned(),
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
            what: "the JobManager's direct memory".to_owned(),
            size: unknown("as much as the heap by the JVM's default"),
            remark: "Off-heap is planned but not enforced: jobmanager.memory.enable-jvm-direct-memory-limit is false"
                .to_owned(),
        });
    }
    if plan.budget.part(Component::CutOff).is_some() && plan.direct.is_some() {
        list.push(Unbudgeted {
            what: "metaspace, stacks, code, RocksDB".to_owned(),
            size: unknown("the cut-off is given to direct memory once more"),
            remark: "-XX:MaxDirectMemorySize is the container minus the heap: heap and direct memory may fill the \
                     container, and nothing is left for anything else"
                .to_owned(),
        });
    }
    list.push(Unbudgeted {
        what: "freed memory that malloc keeps".to_owned(),
        size: unknown("with glibc, hundreds of MiB after some job restarts"),
        remark:
            "glibc keeps up to 8 arenas for each core; the official image preloads jemalloc from 1.12 on; elsewhere \
                 set MALLOC_ARENA_MAX or preload jemalloc"
                .to_owned(),
    });
    if role == Role::TaskManager {
        list.push(Unbudgeted {
            what: "page cache and mapped files".to_owned(),
            size: unknown("as much as is free"),
            remark: "counted to the container but given back under pressure; YARN counts mapped shuffle files as the \
                     process's own"
                .to_owned(),
        });
    }
    list
}

fn of_store(memory: &StoreMemory, slots: u32, backend: &Backend) -> Option<Unbudgeted> {
    let store = memory.store.label();
    match backend {
        Backend::Embedded(configured) if *configured != memory.store => return None,
        // A store that is only supposed is not held against the configuration, unless its memory is what is configured.
        Backend::Heap | Backend::Other(_) | Backend::Unset if memory.scope == Scope::SlotSharedManaged => return None,
        _ => {}
    }
    let fixed = |what: String, pools: u64| {
        let total = memory.pool.as_ref().and_then(|pool| pool.total.bytes.checked_mul(pools));
        Unbudgeted {
            what,
            size: total.map_or_else(|| unknown("beyond 64 bits"), Reading::Seen),
            remark: "a fixed size is native memory outside of managed memory: no part of the process pays for it"
                .to_owned(),
        }
    };
    Some(match memory.scope {
        Scope::SlotSharedUnmanaged => fixed(format!("{store}, a fixed size for each slot"), u64::from(slots)),
        Scope::TmSharedUnmanaged => fixed(format!("{store}, a fixed size for all slots"), 1),
        Scope::None => Unbudgeted {
            what: format!("{store} without memory control"),
            size: unknown(&format!("{} for each state in each slot", memory.column_family.as_ref()?.bound)),
            remark: "each state (timers count as one) has memtables and a cache of its own, and index and filter \
                     blocks come on top"
                .to_owned(),
        },
        Scope::SlotSharedManaged => Unbudgeted {
            what: format!("{store} beyond its pool"),
            size: unknown("what open iterators pin, and what compactions and flushes hold"),
            remark: "the cache's limit is not strict: pinned blocks stay above it".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::config::{Config, Value};
    use crate::flink::profile::Profile;
    use crate::model::{Place, Source};
    use crate::model::{Role, UseCase};
    use crate::plan::jvm::Machine;
    use crate::plan::store::Store;
    use crate::plan::{Deployment, Question, survey};

    #[rstest]
    #[case("forst", "state.backend.forst.memory.fixed-per-slot=512m", &["ForSt, a fixed size for each slot"])]
    #[case("forst", "state.backend.forst.memory.managed=false", &["ForSt without memory control"])]
    #[case("rocksdb", "state.backend.forst.memory.managed=false", &["RocksDB beyond its pool"])]
    #[case("hashmap", "state.backend.rocksdb.memory.fixed-per-slot=1g", &["RocksDB, a fixed size for each slot"])]
    fn a_store_is_told_by_its_own_name_and_only_the_one_in_use(
        #[case] backend: &str,
        #[case] setting: &str,
        #[case] expected: &[&str],
    ) {
        let mut config = Config::new();
        let backend = format!("state.backend.type={backend}");
        for text in ["taskmanager.memory.process.size=4g", &backend, setting] {
            let (key, value) = text.split_once('=').unwrap();
            config.set(key.to_owned(), Value::text(value), Place::of(Source::Caller));
        }
        let question = Question {
            role: Role::TaskManager,
            deployment: Deployment::Kubernetes,
            consumers: vec![UseCase::StateBackend],
            managed_backend: true,
            stores: vec![Store::RocksDb, Store::ForSt],
        };
        let survey = survey(&config, Profile::newest(), &question, Machine::default()).unwrap();
        let stores = survey.unbudgeted.iter().map(|item| item.what.as_str());
        let found: Vec<&str> = stores.filter(|what| what.contains("RocksDB") || what.contains("ForSt")).collect();
        assert_eq!(found, expected);
    }
}
