//! The embedded store of keyed state, RocksDB or ForSt: where its memory comes from and how a pool is divided, as
//! Flink computes it and as that version's RocksDB really does it (`RocksDBMemoryControllerUtils`,
//! `RocksDBMemoryConfiguration`, RocksDB's `WriteBufferManager` and `SanitizeOptions`).

use super::consumers;
use super::rejection::{Outcome, Rejection};
use super::settings::Settings;
use crate::flink::java;
use crate::flink::keys::{self, StoreKeys};
use crate::flink::profile::{ArenaBlock, RocksDbRelease};
use crate::model::{Bytes, Component, Derivation, Figure, Provenance, Quantity, Ratio, Term, UseCase};

/// Which store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// RocksDB.
    RocksDb,
    /// ForSt, Flink's fork for remote state, from 2.0 on.
    ForSt,
}

impl Store {
    /// The name in a text.
    pub fn label(self) -> &'static str {
        match self {
            Store::RocksDb => "RocksDB",
            Store::ForSt => "ForSt",
        }
    }

    fn keys(self) -> StoreKeys {
        match self {
            Store::RocksDb => keys::ROCKSDB,
            Store::ForSt => keys::FORST,
        }
    }
}

/// Where a store's memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One pool a slot, carved out of managed memory.
    SlotSharedManaged,
    /// One pool a slot of a fixed size, outside of every budget.
    SlotSharedUnmanaged,
    /// One pool for all slots of a fixed size, outside of every budget.
    TmSharedUnmanaged,
    /// No pool: each column family has memtables and a cache of its own.
    None,
}

impl Scope {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Scope::SlotSharedManaged => "SLOT_SHARED_MANAGED",
            Scope::SlotSharedUnmanaged => "SLOT_SHARED_UNMANAGED",
            Scope::TmSharedUnmanaged => "TM_SHARED_UNMANAGED",
            Scope::None => "NONE",
        }
    }
}

/// A store's memory in one pool, or in one column family where there is no pool.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreMemory {
    /// Which store.
    pub store: Store,
    /// Where its memory comes from.
    pub scope: Scope,
    /// What put it in that scope.
    pub scope_provenance: Provenance,
    /// An option of another scope that is set to no effect.
    pub without_effect: Option<&'static str>,
    /// One memtable's size.
    pub write_buffer: Figure,
    /// How the pool is divided, where there is one.
    pub pool: Option<Pool>,
    /// What one column family may take, where there is no pool.
    pub column_family: Option<ColumnFamily>,
    /// Why the backend refuses to start with these ratios.
    pub refused: Option<Box<Rejection>>,
}

/// Sizes of one pool. Flink computes them in 64-bit integers and floats without looking at signs, so a ratio below
/// nothing gives sizes below nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// What the pool may take.
    pub total: Figure,
    /// Flink's arithmetic.
    pub sizes: PoolSizes,
    /// The share of memtables.
    pub write_buffer_ratio: Ratio,
    /// The share of the cache for index and filter blocks.
    pub high_prio_pool_ratio: Ratio,
    /// Whether index and filter blocks are split so that only their top must be in the cache; nothing in versions that
    /// cannot.
    pub partitioned_index_filters: Option<bool>,
    /// What a memtable allocates at a time in the RocksDB that this version ships.
    pub real_arena_block: Bytes,
    /// Whether RocksDB itself will flush with every write: one arena block is above the mutable limit.
    pub flushes_constantly: bool,
}

/// The raw results of Flink's formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSizes {
    /// The block cache.
    pub block_cache: i64,
    /// The write-buffer manager.
    pub write_buffer_manager: i64,
    /// What Flink believes a memtable allocates at a time.
    pub arena_block: i64,
    /// Above this RocksDB flushes.
    pub mutable_limit: i64,
    /// Whether Flink believes that an arena block is within the mutable limit.
    pub arena_ok: bool,
}

/// What a column family may take where there is no pool.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnFamily {
    /// One memtable's size.
    pub write_buffer: Figure,
    /// How many memtables.
    pub write_buffers: u32,
    /// Its block cache.
    pub block_cache: Figure,
    /// All memtables and the cache.
    pub bound: Bytes,
}

/// Flink's formulas for a pool (`calculateActualCacheCapacity`, `calculateWriteBufferManagerCapacity`,
/// `calculateRocksDBDefaultArenaBlockSize`, `calculateRocksDBMutableLimit`, `validateArenaBlockSize`): Java's long and
/// double arithmetic, wrapping and truncating as it does.
pub fn pool_sizes(total: i64, write_buffer_ratio: f64, write_buffer: i64) -> PoolSizes {
    let block_cache = ((3.0 - write_buffer_ratio) * total as f64 / 3.0) as i64;
    let write_buffer_manager = (total.wrapping_mul(2) as f64 * write_buffer_ratio / 3.0) as i64;
    let align = 4096;
    let arena_block = (write_buffer / 8).wrapping_add(align - 1) / align * align;
    let mutable_limit = write_buffer_manager.wrapping_mul(7) / 8;
    PoolSizes { block_cache, write_buffer_manager, arena_block, mutable_limit, arena_ok: arena_block <= mutable_limit }
}

/// What RocksDB takes for an arena block where none is set, Flink sets none: the write buffer is first held between
/// 64 KiB and 64 GiB (`SanitizeOptions`, `db/column_family.cc`).
pub fn real_arena_block(release: &RocksDbRelease, write_buffer: Bytes) -> Bytes {
    let held = write_buffer.clamp(Bytes::kib(64), Bytes::gib(64));
    let eighth = Bytes::new(held.get() / 8);
    let block = match at_most(release) {
        Some(bound) => eighth.min(bound),
        None => eighth,
    };
    block.round_up_to(Bytes::kib(4)).unwrap_or(block)
}

/// RocksDB's own upper bound of an arena block.
pub fn at_most(release: &RocksDbRelease) -> Option<Bytes> {
    match release.arena_block {
        ArenaBlock::EighthOfWriteBuffer => None,
        ArenaBlock::EighthOfWriteBufferAtMostOneMebibyte => Some(Bytes::mib(1)),
    }
}

/// A store's memory in one slot (or TaskManager). `from_managed` is what the state backend gets of the slot's managed
/// memory, for the scope that uses it.
pub fn memory(
    settings: &Settings<'_>,
    store: Store,
    from_managed: impl FnOnce() -> Outcome<Figure>,
) -> Outcome<StoreMemory> {
    let keys = store.keys();
    let fixed_per_slot = match settings.row(keys.fixed_per_slot) {
        Some(_) => settings.size(keys.fixed_per_slot)?,
        None => None,
    };
    let managed = match settings.row(keys.managed) {
        Some(_) => Some(settings.boolean(keys.managed)?),
        None => None,
    };
    let write_buffer_ratio = settings.row(keys.write_buffer_ratio).map(|_| settings.double(keys.write_buffer_ratio));
    let write_buffer_ratio = write_buffer_ratio.transpose()?.flatten();
    let high_prio_pool_ratio =
        settings.row(keys.high_prio_pool_ratio).map(|_| settings.double(keys.high_prio_pool_ratio));
    let high_prio_pool_ratio = high_prio_pool_ratio.transpose()?.flatten();
    let partitioned_index_filters = match settings.row(keys.partitioned_index_filters) {
        Some(_) => Some(settings.boolean(keys.partitioned_index_filters)?.0),
        None => None,
    };
    let refused = match (&write_buffer_ratio, &high_prio_pool_ratio) {
        (Some(w), Some(h)) => check_ratios(w.value, h.value).err(),
        _ => None,
    };
    let (scope, scope_provenance, total) = match (fixed_per_slot, managed) {
        (Some(fixed), _) => (Scope::SlotSharedUnmanaged, fixed.provenance.clone(), Some(fixed)),
        (None, Some((true, provenance))) => (Scope::SlotSharedManaged, provenance, Some(from_managed()?)),
        (None, Some((false, provenance))) => match fixed_per_tm(settings, &keys)? {
            Some(fixed) => (Scope::TmSharedUnmanaged, fixed.provenance.clone(), Some(fixed)),
            None => (Scope::None, provenance, None),
        },
        (None, None) => {
            // Flink 1.9 has no memory control at all.
            let source = "RocksDBOptions has no memory options before 1.10";
            (Scope::None, Provenance::Default { key: "state.backend.rocksdb.memory.managed", source }, None)
        }
    };
    let write_buffer = write_buffer(settings, &keys)?;
    let pool = match (total, write_buffer_ratio, high_prio_pool_ratio) {
        (Some(total), Some(write_buffer_ratio), Some(high_prio_pool_ratio)) => {
            let long = |bytes: Bytes| bytes.as_java_long().unwrap_or(i64::MAX);
            let sizes = pool_sizes(long(total.bytes), write_buffer_ratio.value, long(write_buffer.bytes));
            let real_arena_block = real_arena_block(&settings.profile().rocksdb, write_buffer.bytes);
            let flushes_constantly = long(real_arena_block) > sizes.mutable_limit;
            Some(Pool {
                total,
                sizes,
                write_buffer_ratio,
                high_prio_pool_ratio,
                partitioned_index_filters,
                real_arena_block,
                flushes_constantly,
            })
        }
        _ => None,
    };
    // Two other options have to be as they are not by default before this one counts.
    let idle = keys.fixed_per_tm;
    let without_effect = Some(idle.name())
        .filter(|_| scope != Scope::TmSharedUnmanaged && settings.row(idle).is_some() && settings.is_set(idle));
    let column_family = match scope {
        Scope::None => Some(column_family(settings, store, &write_buffer)?),
        _ => None,
    };
    Ok(StoreMemory { store, scope, scope_provenance, without_effect, write_buffer, pool, column_family, refused })
}

/// One pool for the TaskManager counts only if it is larger than nothing.
fn fixed_per_tm(settings: &Settings<'_>, keys: &StoreKeys) -> Outcome<Option<Figure>> {
    match settings.row(keys.fixed_per_tm) {
        Some(_) => Ok(settings.size(keys.fixed_per_tm)?.filter(|figure| figure.bytes > Bytes::ZERO)),
        None => Ok(None),
    }
}

/// `RocksDBMemoryConfiguration.validate`: memtables and the high-priority pool must leave room in the cache.
pub fn check_ratios(write_buffer_ratio: f64, high_prio_pool_ratio: f64) -> Outcome<()> {
    if 2.0 * write_buffer_ratio / (3.0 - write_buffer_ratio) + high_prio_pool_ratio >= 1.0 {
        return Err(Rejection::illegal_argument(format!(
            "Invalid configuration: writeBufferRatio {} with highPriPoolRatio {}",
            java::double_to_string(write_buffer_ratio),
            java::double_to_string(high_prio_pool_ratio)
        )));
    }
    Ok(())
}

/// The memory-relevant values of `PredefinedOptions.SPINNING_DISK_OPTIMIZED_HIGH_MEM`; no other set touches memory.
const HIGH_MEM: (u32, Bytes) = (4, Bytes::mib(256));

/// RocksDB's own defaults, in force where Flink has none (`include/rocksdb/options.h`, and `table.h` for the cache).
const ROCKSDB_WRITE_BUFFER: Bytes = Bytes::mib(64);
const ROCKSDB_WRITE_BUFFERS: u32 = 2;
const ROCKSDB_BLOCK_CACHE: Bytes = Bytes::mib(8);

fn write_buffer(settings: &Settings<'_>, keys: &StoreKeys) -> Outcome<Figure> {
    // Flink 1.9 keeps this option as a text, but reads it with the same grammar.
    Ok(settings.size(keys.write_buffer_size)?.unwrap_or(Figure {
        bytes: ROCKSDB_WRITE_BUFFER,
        provenance: Provenance::Default {
            key: keys.write_buffer_size.name(),
            source: "RocksDB, ColumnFamilyOptions.write_buffer_size",
        },
    }))
}

fn column_family(settings: &Settings<'_>, store: Store, write_buffer: &Figure) -> Outcome<ColumnFamily> {
    let keys = store.keys();
    // ForSt has no such sets (`ForStOptions`, 2.0 to 2.3).
    let predefined = settings.find(keys::ROCKSDB_PREDEFINED_OPTIONS).filter(|_| store == Store::RocksDb);
    let high_mem =
        predefined.is_some_and(|found| found.setting.value.java_text() == "SPINNING_DISK_OPTIMIZED_HIGH_MEM");
    let (default_count, default_cache) = if high_mem { HIGH_MEM } else { (ROCKSDB_WRITE_BUFFERS, ROCKSDB_BLOCK_CACHE) };
    let write_buffers = if settings.is_set(keys.write_buffer_count) {
        u32::try_from(settings.int(keys.write_buffer_count)?.0).unwrap_or(0)
    } else {
        default_count
    };
    let block_cache = match settings.size(keys.block_cache_size)? {
        Some(figure) if settings.is_set(keys.block_cache_size) || !high_mem => figure,
        _ => Figure {
            bytes: default_cache,
            provenance: Provenance::Default {
                key: keys.block_cache_size.name(),
                source: if high_mem {
                    "PredefinedOptions.SPINNING_DISK_OPTIMIZED_HIGH_MEM"
                } else {
                    "RocksDB, BlockBasedTableOptions.block_cache"
                },
            },
        },
    };
    let bound = write_buffer
        .bytes
        .checked_mul(u64::from(write_buffers))
        .and_then(|memtables| memtables.checked_add(block_cache.bytes))
        .unwrap_or(Bytes::FLINK_MAX);
    Ok(ColumnFamily { write_buffer: write_buffer.clone(), write_buffers, block_cache, bound })
}

impl Pool {
    /// The pool's figures with their formulas, for display; sizes below nothing are left out.
    pub fn figures(&self, write_buffer: &Figure, release: &RocksDbRelease) -> Vec<(Quantity, Figure)> {
        let total = Term::new(Quantity::StateBackendTotal, self.total.bytes);
        let size = |n: i64| u64::try_from(n).ok().map(Bytes::new);
        let mut figures = vec![(Quantity::StateBackendTotal, self.total.clone())];
        let mut put = |quantity, bytes: Option<Bytes>, derivation| {
            if let Some(bytes) = bytes {
                figures.push((quantity, Figure::derived(bytes, derivation)));
            }
        };
        let ratio = || self.write_buffer_ratio.clone();
        put(Quantity::BlockCache, size(self.sizes.block_cache), Derivation::BlockCache { total, ratio: ratio() });
        if let Some(cache) = size(self.sizes.block_cache) {
            let whole = Term::new(Quantity::BlockCache, cache);
            let product = Bytes::new((cache.get() as f64 * self.high_prio_pool_ratio.value) as u64);
            let ratio = self.high_prio_pool_ratio.clone();
            let held = crate::model::Held::Free;
            let share = Derivation::Share { whole, ratio, product, range: None, held };
            put(Quantity::HighPriorityPool, Some(product), share);
        }
        let manager = size(self.sizes.write_buffer_manager);
        put(Quantity::WriteBufferManager, manager, Derivation::WriteBufferManager { total, ratio: ratio() });
        if let Some(manager) = manager {
            let manager = Term::new(Quantity::WriteBufferManager, manager);
            put(Quantity::MutableLimit, size(self.sizes.mutable_limit), Derivation::MutableLimit { manager });
        }
        let arena = |at_most| Derivation::ArenaBlock { write_buffer: write_buffer.clone(), at_most };
        put(Quantity::ArenaBlock, size(self.sizes.arena_block), arena(None));
        put(Quantity::RealArenaBlock, Some(self.real_arena_block), arena(at_most(release)));
        figures
    }

    /// How many column families can hold an arena block each before RocksDB flushes with every write.
    pub fn column_families_without_thrashing(&self) -> u64 {
        u64::try_from(self.sizes.mutable_limit).unwrap_or(0) / self.real_arena_block.get().max(1)
    }

    /// What cache and memtables take together at most, pinned blocks apart. Memtables are charged to the cache, so the
    /// two must not be added up; only that half of the write-buffer manager by which memtables may overshoot comes on
    /// top: `(3 - r) / 3 x total + r / 3 x total` is the total again.
    pub fn bound(&self) -> Bytes {
        self.total.bytes
    }
}

/// The whole slot's managed memory, where a version has no weights.
pub fn whole_slot(slot_managed: Bytes, segment: Bytes) -> Outcome<Figure> {
    let whole = Term::new(Quantity::SlotShare(Component::Managed), slot_managed);
    let bytes = consumers::memory_of(slot_managed, 1.0, segment)?;
    Ok(Figure::derived(bytes, Derivation::Weighted { whole, weight: 1, weights: 1 }))
}

/// The consumer whose share a managed store gets.
pub const CONSUMER: UseCase = UseCase::StateBackend;

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::{Config, Value};
    use crate::flink::profile::Profile;
    use crate::model::{Place, Source};

    #[test]
    fn a_pool_is_divided_as_flink_does() {
        let sizes = pool_sizes(592_452_849, 0.5, 64 << 20);
        assert_eq!(sizes.block_cache, 493_710_707);
        assert_eq!(sizes.write_buffer_manager, 197_484_283);
        assert_eq!((sizes.arena_block, sizes.mutable_limit), (8_388_608, 172_798_747));
        assert!(sizes.arena_ok);
    }

    #[test]
    fn a_ratio_that_is_no_number_gives_nothing_and_a_negative_one_less() {
        assert_eq!(pool_sizes(1 << 30, f64::NAN, 64 << 20).block_cache, 0);
        assert!(pool_sizes(1 << 30, -0.5, 64 << 20).write_buffer_manager < 0);
    }

    #[test]
    fn the_rocksdb_of_2_x_bounds_its_arena_block_and_flinks_figure_is_wrong_there() {
        let arena = |v: &str| real_arena_block(&Profile::of(v.parse().unwrap()).unwrap().0.rocksdb, Bytes::mib(64));
        assert_eq!((arena("1.9"), arena("1.20")), (Bytes::mib(8), Bytes::mib(8)));
        assert_eq!(arena("2.0"), Bytes::mib(1));
    }

    #[rstest]
    #[case(Store::RocksDb, 4, Bytes::mib(256))]
    #[case(Store::ForSt, 2, Bytes::mib(8))]
    fn rocksdbs_predefined_options_are_none_of_forsts(
        #[case] store: Store,
        #[case] memtables: u32,
        #[case] cache: Bytes,
    ) {
        let mut config = Config::new();
        let key = keys::ROCKSDB_PREDEFINED_OPTIONS.name().to_owned();
        config.set(key, Value::text("SPINNING_DISK_OPTIMIZED_HIGH_MEM"), Place::of(Source::Caller));
        let managed = store.keys().managed.name().to_owned();
        config.set(managed, Value::text("false"), Place::of(Source::Caller));
        let settings = Settings::new(&config, Profile::newest());
        let family = memory(&settings, store, || Err(Rejection::illegal_argument(""))).unwrap().column_family.unwrap();
        assert_eq!((family.write_buffers, family.block_cache.bytes), (memtables, cache));
    }

    #[test]
    fn memtables_and_high_priority_pool_must_leave_room() {
        assert!(check_ratios(0.5, 0.1).is_ok());
        let refused = check_ratios(0.9, 0.5).unwrap_err().exception.message;
        assert_eq!(refused, "Invalid configuration: writeBufferRatio 0.9 with highPriPoolRatio 0.5");
    }
}
