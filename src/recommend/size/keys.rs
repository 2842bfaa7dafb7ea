//! The sizes as options, each with its reason.

use super::load::Load;
use super::needs::Needs;
use super::{Chosen, Split};
use crate::config::workload::{Access, Allocator, StateHome};
use crate::flink::keys;
use crate::flink::profile::{ConsumerNames, HeapBackend, Profile};
use crate::model::Bytes;
use crate::recommend::Change;
use crate::recommend::mib;

fn mebibytes(bytes: Bytes) -> String {
    format!("{}m", bytes.whole_mib())
}

/// The whole configuration.
pub fn chosen(load: &Load, needs: &Needs, split: &Split, profile: &Profile) -> Vec<Chosen> {
    let mut all: Vec<Chosen> = Vec::new();
    let mut put =
        |key: &str, value: String, reason: String| all.push(Chosen { change: Change::set(key, value), reason });
    put(keys::TM_PROCESS.name(), mebibytes(load.container), "the container, whole".to_owned());
    put(
        keys::SLOTS.name(),
        load.slots.to_string(),
        format!("TaskManagers for {} subtasks: {}", load.parallelism, load.task_managers),
    );
    put(
        "parallelism.default",
        load.parallelism.to_string(),
        "what the buffers and the state of a slot are computed for".to_owned(),
    );
    let backend = match profile.option(keys::STATE_BACKEND.name()) {
        Some(_) => keys::STATE_BACKEND,
        None => keys::STATE_BACKEND_UNTIL_1_16,
    };
    let name = match (load.home, profile.behaviour.heap_backend) {
        (StateHome::RocksDb, _) => "rocksdb",
        (StateHome::ForSt, _) => "forst",
        (StateHome::Heap, HeapBackend::Hashmap) => "hashmap",
        (StateHome::Heap, HeapBackend::Filesystem) => "filesystem",
    };
    let held = format!("{} of state in each slot, {} on a TaskManager", mib(load.slot_state), mib(load.state));
    put(backend.name(), name.to_owned(), held);
    put(
        keys::TM_METASPACE.name(),
        "256m".to_owned(),
        "classes of Flink and one job: the default; more for many jobs in one session".to_owned(),
    );
    let why = match (load.home, load.allocator) {
        (StateHome::Heap, _) => "what the JVM takes for itself: see the table".to_owned(),
        (_, Allocator::Jemalloc) => "the JVM, what iterators pin, and what jemalloc keeps: see the table".to_owned(),
        (_, Allocator::Glibc) => {
            "the JVM, what iterators pin, and what glibc keeps: see the table; with jemalloc less".to_owned()
        }
    };
    put(keys::TM_OVERHEAD_MIN.name(), mebibytes(split.overhead), why);
    put(keys::TM_OVERHEAD_MAX.name(), mebibytes(split.overhead), "pinned: the same".to_owned());
    put(
        keys::FRAMEWORK_OFF_HEAP.name(),
        mebibytes(needs.framework_off_heap),
        "netty's arenas and what batch shuffle reads with, with 32m to spare; 128m is the default".to_owned(),
    );
    put(
        keys::NETWORK_MIN.name(),
        mebibytes(needs.network),
        format!("the job must have {} buffers on a TaskManager", needs.demand.required),
    );
    put(keys::NETWORK_MAX.name(), mebibytes(needs.network), "pinned: the same".to_owned());
    let managed = match load.home {
        StateHome::Heap if split.managed == Bytes::ZERO => {
            "state is on the heap: nobody takes managed memory".to_owned()
        }
        _ => format!("for each slot: {}", split.managed_words(needs)),
    };
    put(keys::MANAGED_SIZE.name(), mebibytes(split.managed), managed);
    if let Some(weights) = weights(needs, split, profile) {
        put(keys::CONSUMER_WEIGHTS.name(), weights, "the MiB of a slot that each consumer is meant to have".to_owned());
    }
    let store = match load.home {
        StateHome::ForSt => keys::FORST,
        _ => keys::ROCKSDB,
    };
    if let Some(ratio) = needs.write_buffer_ratio {
        let reason = match load.access {
            Access::ReadHeavy => "state is read more than written: more cache, less memtables (0.5 is the default)",
            _ => "memtables against cache",
        };
        put(store.write_buffer_ratio.name(), ratio.to_owned(), reason.to_owned());
    }
    if needs.partitioned {
        put(
            store.partitioned_index_filters.name(),
            "true".to_owned(),
            "index blocks of so much state would fill the cache: only their top must be there".to_owned(),
        );
    }
    all
}

/// The weights, in MiB, where more than one consumer shares a slot.
fn weights(needs: &Needs, split: &Split, profile: &Profile) -> Option<String> {
    let mib = |bytes: Bytes| bytes.whole_mib();
    let (store, python, operators) = (mib(split.store), mib(needs.python), mib(needs.operators));
    if [store, python, operators].iter().filter(|share| **share > 0).count() < 2 {
        return None;
    }
    let pairs = match profile.behaviour.consumer_names {
        ConsumerNames::None => return None,
        ConsumerNames::Dataproc => vec![("DATAPROC", store + operators), ("PYTHON", python)],
        _ => vec![("STATE_BACKEND", store), ("OPERATOR", operators), ("PYTHON", python)],
    };
    let named = pairs.iter().filter(|(_, share)| *share > 0).map(|(name, share)| format!("{name}:{share}"));
    Some(named.collect::<Vec<_>>().join(","))
}
