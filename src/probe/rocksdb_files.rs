//! Reads the directories in which a process keeps RocksDB databases: nothing is opened for writing, no lock is taken, no
//! time of access is changed where that may be refused. Files that vanish meanwhile are normal: compactions delete them.

mod database;
mod file;
mod owner;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;

pub use database::{Partial, RocksDbInstance, TableFiles};
pub use owner::{Owner, Store};

use super::root::Root;
use crate::artefact::rocksdb_log::Pointer;
use crate::model::{Bytes, Seen, Unseen};

/// How much is read at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Databases.
    pub databases: usize,
    /// Table files of a database that are opened for their properties; those that its log tells of need not be.
    pub tables: usize,
    /// Bytes of a log from its start: version and options are there.
    pub log_head: u64,
    /// Bytes of a log from its end.
    pub log_tail: u64,
}

impl Default for Effort {
    /// Flink's own limit of a log is 25 MB (`state.backend.rocksdb.log.max-file-size`): such a log is read whole.
    fn default() -> Effort {
        Effort { databases: 256, tables: 64, log_head: 4 << 20, log_tail: 24 << 20 }
    }
}

/// The databases of a process.
#[derive(Clone, Debug, Default)]
pub struct Databases {
    /// Those that were found, by directory.
    pub instances: Vec<RocksDbInstance>,
    /// How many more were found than were read.
    pub left_out: usize,
    /// What was in the way.
    pub unseen: Vec<Unseen>,
}

/// Column families that share a cache: a slot, where Flink gives RocksDB its memory; all slots with
/// `state.backend.rocksdb.memory.fixed-per-tm`; one column family where memory is not managed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedCache {
    /// The cache.
    pub cache: Pointer,
    /// Its capacity.
    pub capacity: Option<Bytes>,
    /// Whether it refuses to grow above its capacity.
    pub strict: Option<bool>,
    /// The write-buffer managers of its databases: one, where Flink gives RocksDB its memory.
    pub write_buffer_managers: BTreeSet<Pointer>,
    /// Its databases, as positions in [`Databases::instances`].
    pub instances: Vec<usize>,
    /// Its column families, over all of its databases.
    pub families: usize,
}

impl Databases {
    /// The caches and who shares them, told by their addresses. Databases whose log was not seen are in none.
    pub fn slots(&self) -> Vec<SharedCache> {
        let mut caches: Vec<SharedCache> = Vec::new();
        for (at, instance) in self.instances.iter().enumerate() {
            let Ok(log) = &instance.log else { continue };
            for family in &log.column_families {
                let Some(cache) = family.table.block_cache.as_ref().map(|stated| stated.what) else { continue };
                let found = caches.iter().position(|shared| shared.cache == cache).unwrap_or_else(|| {
                    caches.push(SharedCache {
                        cache,
                        capacity: None,
                        strict: None,
                        write_buffer_managers: BTreeSet::new(),
                        instances: Vec::new(),
                        families: 0,
                    });
                    caches.len() - 1
                });
                let shared = &mut caches[found];
                shared.capacity = shared.capacity.or(family.table.cache_capacity.as_ref().map(|stated| stated.what));
                shared.strict = shared.strict.or(family.table.strict_capacity_limit.as_ref().map(|stated| stated.what));
                shared
                    .write_buffer_managers
                    .extend(log.database.write_buffer_manager.as_ref().map(|stated| stated.what));
                shared.families += 1;
                if shared.instances.last() != Some(&at) {
                    shared.instances.push(at);
                }
            }
        }
        caches
    }

    /// The size of all table files.
    pub fn table_bytes(&self) -> Bytes {
        let each =
            self.instances.iter().filter_map(|instance| instance.tables.as_ref().ok()).map(|tables| tables.bytes);
        Bytes::checked_sum(each).unwrap_or(Bytes::new(u64::MAX))
    }
}

/// The databases that a process has open, by its open files, and those below directories that it is told to keep them in
/// (`state.backend.rocksdb.localdir`, `io.tmp.dirs`), which may be of other processes or be left over. Directories are
/// named as the process names them.
///
/// # Errors
/// Where the open files are refused and no directory is given.
pub fn of_process(root: &Root, pid: u32, directories: &[PathBuf], effort: &Effort) -> Seen<Databases> {
    let mut found = search::Places::default();
    let mut unseen = Vec::new();
    match search::open_files(root, pid) {
        Ok(places) => found = places,
        Err(refused) if directories.is_empty() => {
            return Err(match refused.grant {
                Some(grant) => Unseen::because(refused.why)
                    .granted_by(format!("{grant}, or name the directory of RocksDB (state.backend.rocksdb.localdir)")),
                None => refused,
            });
        }
        Err(refused) => unseen.push(refused),
    }
    for directory in directories {
        if let Err(refused) = search::below(root, pid, directory, &mut found) {
            unseen.push(refused);
        }
    }
    let left_out = found.databases.len().saturating_sub(effort.databases);
    let instances = found
        .databases
        .iter()
        .take(effort.databases)
        .map(|(directory, open)| database::read(root, pid, directory, *open, &found.logs, effort))
        .collect();
    Ok(Databases { instances, left_out, unseen })
}
