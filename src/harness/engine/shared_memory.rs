//! The memory that databases share: a block cache, and a write-buffer manager that charges memtables to it.
#![allow(unsafe_code, reason = "the C interface of RocksDB")]

use super::owned::Owned;
use super::table::{Cache, MakeCache, Manager, ManagerCalls, NOBODY, Options};
use super::{EngineError, Library};
use crate::model::{Bytes, SharedPool};

/// What a block cache says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheState {
    /// What it may hold.
    pub capacity: Bytes,
    /// What it is charged with: blocks, and the write-buffer manager's charges.
    pub usage: Bytes,
    /// What of that is in use at this moment, and cannot be dropped.
    pub pinned: Bytes,
}

/// A cache of RocksDB with what it was made for.
pub(super) struct BlockCache {
    cache: Owned<Cache>,
    capacity: Bytes,
}

impl BlockCache {
    /// A cache of a column family alone, as `BlockBasedTableConfig.setBlockCacheSize` makes it: `NewLRUCache(size)`
    /// (`java/rocksjni/table.cc`).
    pub(super) fn alone(library: &Library, capacity: Bytes) -> BlockCache {
        let all = &library.table().all;
        // SAFETY: the cache is ours, and `rocksdb_cache_destroy` gives it up.
        let cache = unsafe { Owned::new((all.rocksdb_cache_create_lru)(as_size(capacity)), all.rocksdb_cache_destroy) };
        BlockCache { cache, capacity }
    }

    /// A cache of several databases, as `RocksDBMemoryControllerUtils.createCache` of Flink makes it.
    fn shared(library: &Library, pool: &SharedPool) -> BlockCache {
        /// Each shard has at least 512 KiB, and there are at most 64 of them.
        const LEAVE_SHARDS_TO_ROCKSDB: i32 = -1;
        /// `LRUCache` of the Java interface, where nobody says otherwise.
        const LOW_PRIORITY: f64 = 0.0;
        let table = library.table();
        let capacity = i64::try_from(pool.cache.get()).unwrap_or(i64::MAX);
        let high_priority = f64::from(pool.high_priority_percent) / 100.0;
        let strict = u8::from(pool.strict);
        // SAFETY: the entry points look at numbers only; Java's handle of a cache is what `rocksdb_cache_t` is.
        let raw = unsafe {
            match (&table.make_cache, &table.since8) {
                (MakeCache::Jni4(make), _) => {
                    from_java(make(NOBODY, NOBODY, capacity, LEAVE_SHARDS_TO_ROCKSDB, strict, high_priority))
                }
                (MakeCache::Jni5(make), _) => from_java(make(
                    NOBODY,
                    NOBODY,
                    capacity,
                    LEAVE_SHARDS_TO_ROCKSDB,
                    strict,
                    high_priority,
                    LOW_PRIORITY,
                )),
                (MakeCache::C, Some(since8)) if pool.strict => {
                    (since8.rocksdb_cache_create_lru_with_strict_capacity_limit)(as_size(pool.cache))
                }
                (MakeCache::C, _) => (table.all.rocksdb_cache_create_lru)(as_size(pool.cache)),
            }
        };
        // SAFETY: as above; both are given up by deleting a shared pointer of the same type.
        BlockCache { cache: unsafe { Owned::new(raw, table.all.rocksdb_cache_destroy) }, capacity: pool.cache }
    }

    pub(super) fn raw(&self) -> *mut Cache {
        self.cache.raw()
    }

    pub(super) fn state(&self, library: &Library) -> CacheState {
        let all = &library.table().all;
        // SAFETY: the cache lives; its counters may be read by any thread.
        let (usage, pinned) =
            unsafe { ((all.rocksdb_cache_get_usage)(self.raw()), (all.rocksdb_cache_get_pinned_usage)(self.raw())) };
        CacheState { capacity: self.capacity, usage: Bytes::new(usage as u64), pinned: Bytes::new(pinned as u64) }
    }
}

/// A write-buffer manager of RocksDB.
enum WriteBufferManager {
    Java(i64),
    C(Owned<Manager>),
}

/// The memory that the databases of a slot, or of a TaskManager, share.
pub struct SharedMemory {
    library: Library,
    manager: WriteBufferManager,
    cache: BlockCache,
}

impl SharedMemory {
    /// Makes a cache and a write-buffer manager.
    ///
    /// # Errors
    /// [`EngineError::NoWriteBufferManager`] where the library has none.
    pub fn new(library: &Library, pool: &SharedPool) -> Result<SharedMemory, EngineError> {
        let table = library.table();
        let cache = BlockCache::shared(library, pool);
        let manager = match (&table.manager, &table.since8) {
            (ManagerCalls::Jni { new, .. }, _) => {
                let size = i64::try_from(pool.write_buffer_manager.get()).unwrap_or(i64::MAX);
                // SAFETY: looks at numbers only; Java's handle of a cache is what `rocksdb_cache_t` is.
                WriteBufferManager::Java(unsafe { new(NOBODY, NOBODY, size, cache.raw().expose_provenance() as i64) })
            }
            (ManagerCalls::C, Some(since8)) => {
                let size = as_size(pool.write_buffer_manager);
                // SAFETY: the cache lives; Flink lets nothing stall (`new WriteBufferManager(size, cache)`).
                WriteBufferManager::C(unsafe {
                    let manager = (since8.rocksdb_write_buffer_manager_create_with_cache)(size, cache.raw(), false);
                    Owned::new(manager, since8.rocksdb_write_buffer_manager_destroy)
                })
            }
            (ManagerCalls::C, None) | (ManagerCalls::Missing, _) => return Err(EngineError::NoWriteBufferManager),
        };
        Ok(SharedMemory { library: library.clone(), manager, cache })
    }

    /// What its cache says of itself.
    pub fn state(&self) -> CacheState {
        self.cache.state(&self.library)
    }

    /// What the cache is charged with.
    pub fn usage(&self) -> Bytes {
        self.state().usage
    }

    /// What of the cache is in use at this moment.
    pub fn pinned(&self) -> Bytes {
        self.state().pinned
    }

    /// What the cache may hold.
    pub fn capacity(&self) -> Bytes {
        self.cache.capacity
    }

    pub(super) fn cache(&self) -> &BlockCache {
        &self.cache
    }

    /// Gives the manager to options of a database.
    ///
    /// # Safety
    /// `options` are options of the same library.
    pub(super) unsafe fn manage(&self, options: *mut Options) {
        let table = self.library.table();
        match (&self.manager, &table.manager, &table.since8) {
            // SAFETY: `rocksdb_options_t` begins with the `Options` that Java's handle is the address of.
            (WriteBufferManager::Java(manager), ManagerCalls::Jni { set, .. }, _) => unsafe {
                set(NOBODY, NOBODY, options.expose_provenance() as i64, *manager);
            },
            // SAFETY: both are of the same library.
            (WriteBufferManager::C(manager), _, Some(since8)) => unsafe {
                (since8.rocksdb_options_set_write_buffer_manager)(options, manager.raw());
            },
            _ => {}
        }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        if let (WriteBufferManager::Java(manager), ManagerCalls::Jni { dispose, .. }) =
            (&self.manager, &self.library.table().manager)
        {
            // SAFETY: it was made by the same library and is given up once; databases hold it for themselves.
            unsafe { dispose(NOBODY, NOBODY, *manager) }
        }
    }
}

/// A size for C, which is as wide as an address.
pub(super) fn as_size(bytes: Bytes) -> usize {
    usize::try_from(bytes.get()).unwrap_or(usize::MAX)
}

/// Java's handle of a cache.
fn from_java(handle: i64) -> *mut Cache {
    std::ptr::with_exposed_provenance_mut(handle as usize)
}
