//! What each part of a TaskManager has to be for a workload, but for JVM overhead, which depends on the others.

use super::load::Load;
use super::{Basis, Fact};
use crate::config::Config;
use crate::config::workload::{Access, StateHome};
use crate::flink::profile::{NettyChunk, Profile};
use crate::model::Bytes;
use crate::plan::network_need::{self, Demand};
use crate::plan::rejection::Outcome;
use crate::plan::settings::Settings;
use crate::plan::{network, store};
use crate::recommend::mib;

/// A Python worker's memory where nobody told.
const PYTHON_A_SLOT: Bytes = Bytes::mib(256);
/// A batch operator's managed memory: what it sorts or hashes with before it spills.
const OPERATOR_A_SLOT: Bytes = Bytes::mib(128);
/// `TaskManagerOptions.FRAMEWORK_OFF_HEAP_MEMORY` by default.
const FRAMEWORK_OFF_HEAP: Bytes = Bytes::mib(128);
/// State on the heap against its serialised size, in percent.
const HEAP_STATE_PERCENT: u64 = 250;
/// Index blocks against state, in thousandths: about 25 bytes for a block of 4 KiB.
const INDEX_PER_MILLE: u64 = 6;
/// The same where index blocks are partitioned and only their top must be in the cache.
const TOP_INDEX_PER_MILLE: u64 = 1;

/// What the parts have to be.
#[derive(Clone, Debug)]
pub struct Needs {
    /// Framework off-heap.
    pub framework_off_heap: Bytes,
    /// Network.
    pub network: Bytes,
    /// What the job takes of it.
    pub demand: Demand,
    /// A slot's store: with less, memtables are flushed with every write.
    pub store_least: Bytes,
    /// A slot's store: what it should have.
    pub store: Bytes,
    /// A slot's Python worker.
    pub python: Bytes,
    /// A slot's batch operators.
    pub operators: Bytes,
    /// Task heap at least.
    pub heap: Bytes,
    /// The share of memtables, where it is not the default.
    pub write_buffer_ratio: Option<&'static str>,
    /// Whether index blocks are partitioned, so that only their top is kept.
    pub partitioned: bool,
}

fn up(bytes: Bytes) -> Bytes {
    bytes.round_up_to(Bytes::mib(1)).unwrap_or(Bytes::FLINK_MAX)
}

fn times(bytes: Bytes, factor: u64, divisor: u64) -> Bytes {
    let product = u128::from(bytes.get()) * u128::from(factor) / u128::from(divisor.max(1));
    Bytes::new(u64::try_from(product).unwrap_or(u64::MAX)).min(Bytes::FLINK_MAX)
}

/// The needs of a workload, with what is known and what is assumed of each.
pub fn needs(load: &Load, profile: &'static Profile, facts: &mut Vec<Fact>) -> Outcome<Needs> {
    let config = Config::new();
    let settings = Settings::new(&config, profile);
    let mut fact = |basis, text: String, source: &str| facts.push(Fact { basis, text, source: source.to_owned() });
    let demand = network_need::demand(&settings, load.slots, &load.job, None)?;
    let segment = network::segment_size(&settings)?.bytes;
    let buffers = match demand.wanted {
        Some(wanted) if !load.batch => wanted,
        Some(wanted) => wanted.min(demand.required.saturating_mul(2)),
        None => demand.required.saturating_mul(2),
    };
    fact(
        Basis::Known,
        format!("the job starts with {} network buffers of {segment} and is given {buffers}", demand.required),
        "NettyShuffleUtils, InputGateSpecUtils; oomph plan --parallelism --edges shows them",
    );
    if load.batch {
        fact(
            Basis::Assumed,
            "a batch job reads and writes well with twice the buffers that it must have".to_owned(),
            "a rule of thumb",
        );
    }
    let network = up(segment.checked_mul(buffers).unwrap_or(Bytes::FLINK_MAX)).max(Bytes::mib(64));
    let framework_off_heap = framework_off_heap(load, &settings, &mut fact)?;
    let (store_least, store, write_buffer_ratio, partitioned) = match load.home {
        StateHome::Heap => (Bytes::ZERO, Bytes::ZERO, None, false),
        _ => embedded(load, profile, &mut fact),
    };
    let heap_state = match load.home {
        StateHome::Heap => times(load.state, HEAP_STATE_PERCENT, 100),
        _ => Bytes::ZERO,
    };
    if heap_state > Bytes::ZERO {
        fact(
            Basis::Assumed,
            format!(
                "state on the heap takes {}.{} times its serialised size",
                HEAP_STATE_PERCENT / 100,
                HEAP_STATE_PERCENT / 10 % 10
            ),
            "objects, hash entries, and copies while a checkpoint is written; take a heap histogram to know",
        );
    }
    if load.python {
        fact(
            Basis::Assumed,
            format!("a Python worker takes {PYTHON_A_SLOT}, one in each slot"),
            "a rule of thumb; nobody enforces it",
        );
    }
    if load.batch {
        fact(
            Basis::Assumed,
            format!("batch operators of a slot sort and hash with {OPERATOR_A_SLOT}"),
            "a rule of thumb",
        );
    }
    Ok(Needs {
        framework_off_heap,
        network,
        demand,
        store_least,
        store,
        python: if load.python { PYTHON_A_SLOT } else { Bytes::ZERO },
        operators: if load.batch { OPERATOR_A_SLOT } else { Bytes::ZERO },
        heap: up(heap_state.checked_add(load.user_heap).unwrap_or(Bytes::FLINK_MAX)),
        write_buffer_ratio,
        partitioned,
    })
}

fn framework_off_heap(
    load: &Load,
    settings: &Settings<'_>,
    fact: &mut impl FnMut(Basis, String, &str),
) -> Outcome<Bytes> {
    use crate::flink::keys;
    let chunk = match settings.profile().behaviour.netty_chunk {
        NettyChunk::SixteenMebibytes => Bytes::mib(16),
        NettyChunk::FourMebibytes => Bytes::mib(4),
    };
    let arenas = chunk.checked_mul(load.slots.into()).unwrap_or(Bytes::FLINK_MAX);
    let read = match settings.row(keys::BATCH_SHUFFLE_READ) {
        Some(_) if load.batch => settings.size(keys::BATCH_SHUFFLE_READ)?.map_or(Bytes::ZERO, |figure| figure.bytes),
        _ => Bytes::ZERO,
    };
    let spare = Bytes::mib(32);
    let reads = if read > Bytes::ZERO { format!(", and batch shuffle reads with {read}") } else { String::new() };
    fact(
        Basis::Known,
        format!("netty takes a chunk of {chunk} for each slot{reads}, out of framework off-heap"),
        "NettyBufferPool, TaskManagerOptions.NETWORK_BATCH_SHUFFLE_READ_MEMORY",
    );
    Ok(up(Bytes::checked_sum([arenas, read, spare]).unwrap_or(Bytes::FLINK_MAX)).max(FRAMEWORK_OFF_HEAP))
}

/// A slot's RocksDB or ForSt: at least, better, the write-buffer ratio, and whether index blocks are partitioned.
fn embedded(
    load: &Load,
    profile: &'static Profile,
    fact: &mut impl FnMut(Basis, String, &str),
) -> (Bytes, Bytes, Option<&'static str>, bool) {
    let states = u64::from(load.states.max(1));
    let write_buffer = Bytes::mib(64);
    let arena = store::real_arena_block(&profile.rocksdb, write_buffer);
    // Tenths: the ratio as a whole number.
    let (ratio, named) = match load.access {
        Access::ReadHeavy => (3, Some("0.3")),
        Access::Balanced | Access::WriteHeavy => (5, None),
    };
    // Memtables of m need a mutable limit of m = 7/8 x 2/3 x ratio x pool.
    let pool_for = |memtables: Bytes| {
        up(times(memtables, 8 * 3 * 10, 7 * 2 * ratio)).checked_add(Bytes::mib(1)).unwrap_or(Bytes::FLINK_MAX)
    };
    let least = pool_for(arena.checked_mul(states).unwrap_or(Bytes::FLINK_MAX));
    fact(
        Basis::Known,
        format!(
            "RocksDB {} allocates {arena} at a time for each of {states} states, and flushes all the time where they pass \
             7/8 of the write-buffer manager: a slot needs {least}",
            profile.rocksdb.version
        ),
        "RocksDBMemoryControllerUtils, SanitizeOptions",
    );
    let (share, words) = match load.access {
        Access::WriteHeavy => (100, "all of"),
        Access::Balanced => (25, "a quarter of"),
        Access::ReadHeavy => (12, "an eighth of"),
    };
    let memtables = times(write_buffer.checked_mul(states).unwrap_or(Bytes::FLINK_MAX), share, 100);
    fact(
        Basis::Assumed,
        format!("each state should fill {words} a write buffer of {write_buffer} before it is flushed"),
        "a rule of thumb by --write-heavy and --read-heavy",
    );
    let key = match load.home {
        StateHome::ForSt => "state.backend.forst.memory.partitioned-index-filters",
        _ => "state.backend.rocksdb.memory.partitioned-index-filters",
    };
    let all = times(load.slot_state, INDEX_PER_MILLE, 1000);
    // Beyond a quarter of a GiB, keeping every index block costs more than reading two levels of it.
    let partitioned = profile.option(key).is_some() && all > Bytes::mib(256);
    let index = if partitioned { times(load.slot_state, TOP_INDEX_PER_MILLE, 1000) } else { all };
    if load.slot_state > Bytes::ZERO {
        fact(
            Basis::Assumed,
            format!(
                "index and filter blocks of {} in a slot are {}, of which {} should stay in the cache",
                mib(load.slot_state),
                mib(all),
                mib(index)
            ),
            "about 25 bytes for a block of 4 KiB, without bloom filters; see the metric estimate-table-readers-mem",
        );
    }
    // What memtables leave of the cache: a share of 1 - ratio of the pool.
    let for_index = up(times(index, 10, 10 - ratio));
    let better = pool_for(memtables).max(for_index).max(least);
    (least, better, named, partitioned)
}
