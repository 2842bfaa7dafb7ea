//! The RocksDB instances of a worker: one for each slot and operator, with the memory that they share.

use std::ffi::CStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::harness::engine::{CacheState, ColumnFamily, Database, Expiry, Library, SharedMemory};
use crate::model::{Experiment, Operator, Progress, State};

use super::gauge::Gauge;
use super::task::Task;

/// All instances, in the order of slots and operators.
pub struct Databases {
    shared: Vec<Arc<SharedMemory>>,
    instances: Vec<Arc<Instance>>,
}

/// One instance.
pub struct Instance {
    /// The database.
    pub database: Database,
    /// Which slot, from 0.
    pub slot: u32,
    /// Which operator, from 0.
    pub operator: usize,
    /// Where it lies; snapshots are beside `db`.
    pub directory: PathBuf,
    /// The record that its task is at, for times to live.
    pub now: Arc<AtomicU64>,
    /// What it is opened with, to open a copy.
    pub families: Vec<ColumnFamily>,
    /// The memory that it shares with others.
    pub shared: Option<Arc<SharedMemory>>,
    /// The engine.
    pub library: Library,
}

impl Databases {
    /// Opens all of them, empty.
    pub fn open(library: &Library, experiment: &Experiment) -> Result<Databases, String> {
        let failed = |error: &dyn std::fmt::Display| format!("could not {error}");
        let store = &experiment.store;
        let pools = match (&store.pool, store.one_pool_for_all) {
            (None, _) => 0,
            (Some(_), true) => 1,
            (Some(_), false) => experiment.workload.slots,
        };
        let mut shared = Vec::new();
        if let Some(pool) = &store.pool {
            for _ in 0..pools {
                shared.push(Arc::new(SharedMemory::new(library, pool).map_err(|error| failed(&error))?));
            }
        }
        let mut instances = Vec::new();
        for slot in 0..experiment.workload.slots {
            for (index, operator) in experiment.workload.operators.iter().enumerate() {
                let directory = Path::new(&experiment.directory).join(format!("slot-{slot}_{}", operator.name));
                fs::create_dir_all(&directory)
                    .map_err(|error| format!("could not make {}: {error}", directory.display()))?;
                let of_slot = shared.get(slot as usize).or_else(|| shared.first()).cloned();
                let now = Arc::new(AtomicU64::new(0));
                let families = families(operator, &now);
                let database = Database::open(library, &directory.join("db"), &families, store, of_slot.as_deref())
                    .map_err(|error| failed(&error))?;
                instances.push(Arc::new(Instance {
                    database,
                    slot,
                    operator: index,
                    directory,
                    now,
                    families,
                    shared: of_slot,
                    library: library.clone(),
                }));
            }
        }
        Ok(Databases { shared, instances })
    }

    /// A task for each.
    pub fn tasks(&self, experiment: &Experiment, gauge: &Arc<Gauge>) -> Vec<Task> {
        self.instances.iter().map(|instance| Task::new(experiment, Arc::clone(instance), Arc::clone(gauge))).collect()
    }

    /// What RocksDB says of itself.
    pub fn fill(&self, progress: &mut Progress) {
        let mut caches: Vec<CacheState> = self.shared.iter().map(|shared| shared.state()).collect();
        for instance in &self.instances {
            caches.extend(instance.database.caches());
            let of = |family: usize, name: &CStr| instance.database.property(family, name).unwrap_or(0);
            for family in 0..instance.families.len() {
                progress.memtables += of(family, c"rocksdb.size-all-mem-tables");
                progress.table_readers += of(family, c"rocksdb.estimate-table-readers-mem");
                progress.files += of(family, c"rocksdb.total-sst-files-size");
            }
            progress.flushes += of(0, c"rocksdb.num-running-flushes");
            progress.compactions += of(0, c"rocksdb.num-running-compactions");
        }
        progress.cache_usage = caches.iter().map(|cache| cache.usage.get()).collect();
        progress.cache_capacity = caches.iter().map(|cache| cache.capacity.get()).collect();
        progress.cache_pinned = caches.iter().map(|cache| cache.pinned.get()).collect();
    }
}

/// The column families of an operator, in the order of its states and their copies.
fn families(operator: &Operator, now: &Arc<AtomicU64>) -> Vec<ColumnFamily> {
    let of_state = |state: &State| {
        let (name, ttl, copies, now) = (state.name.clone(), state.ttl, state.copies, Arc::clone(now));
        (0..copies).map(move |copy| ColumnFamily {
            name: if copies == 1 { name.clone() } else { format!("{name}-{copy}") },
            expiry: ttl.map(|ttl| Expiry { ttl, now: Arc::clone(&now) }),
        })
    };
    operator.states.iter().flat_map(of_state).collect()
}
