//! RocksDB's databases as their directories show them: what their logs, options, manifests and table files say together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::rocksdb_log::{Pointer, RocksDbLog};
use super::rocksdb_manifest::RocksDbManifest;
use super::rocksdb_options::RocksDbOptions;
use crate::model::{Bytes, Seen, Unseen};

mod owner;

pub use owner::{Owner, Store};

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

/// A database, as its directory shows it.
#[derive(Clone, Debug)]
pub struct RocksDbInstance {
    /// Its directory, as its process names it.
    pub directory: PathBuf,
    /// Whose it is; nothing where the directory has another name than Flink's.
    pub owner: Option<Owner>,
    /// Whether the process has it open. If not, it may be another process's, or be left over.
    pub open: bool,
    /// Its log.
    pub log: Seen<RocksDbLog>,
    /// Its newest options.
    pub options: Seen<RocksDbOptions>,
    /// What its manifest says.
    pub manifest: Seen<RocksDbManifest>,
    /// The manifest's size.
    pub manifest_bytes: Seen<Bytes>,
    /// Its table files.
    pub tables: Seen<TableFiles>,
}

/// The table files of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFiles {
    /// How many lie in the directory.
    pub files: u64,
    /// Their size.
    pub bytes: Bytes,
    /// Those of them that the manifest does not list, and their size: just written, or about to be deleted. Nothing where no
    /// manifest was seen.
    pub unlisted: Option<(u64, Bytes)>,
    /// Their data blocks.
    pub data: Partial,
    /// Their indexes.
    pub index: Partial,
    /// Their filters.
    pub filter: Partial,
    /// Files of which the log told the properties.
    pub from_log: u64,
    /// Files that were opened for them.
    pub opened: u64,
    /// Files that vanished between the listing and the opening.
    pub vanished: u64,
    /// Files that are no block-based tables or could not be read, and why the last could not.
    pub unreadable: (u64, Option<String>),
}

/// A sum of which some terms are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partial {
    /// The sum of what is known.
    pub known: Bytes,
    /// The size of the files of which it is known.
    pub known_files: Bytes,
    /// The size of all files.
    pub all_files: Bytes,
}

impl Partial {
    /// Whether all terms are known.
    pub fn is_whole(&self) -> bool {
        self.known_files == self.all_files
    }

    /// The sum over all files: where some are not known, their share of what they are part of is taken to be that of the others.
    /// Nothing where none is known of any file.
    pub fn estimate(&self) -> Option<Bytes> {
        if self.is_whole() {
            return Some(self.known);
        }
        let scaled = u128::from(self.known.get()) * u128::from(self.all_files.get());
        u64::try_from(scaled.checked_div(u128::from(self.known_files.get()))?).ok().map(Bytes::new)
    }

    /// Takes a file in: its part, where that is known, and its size.
    pub fn add(&mut self, part: Option<Bytes>, file: Bytes) {
        if let Some(part) = part {
            self.known = self.known.checked_add(part).unwrap_or(self.known);
            self.known_files = self.known_files.checked_add(file).unwrap_or(self.known_files);
        }
    }
}

impl RocksDbInstance {
    /// The version of RocksDB, from the log or else the options.
    pub fn version(&self) -> Option<&str> {
        let logged = self.log.as_ref().ok().and_then(|log| log.version.as_ref()).map(|stated| stated.what.as_str());
        logged.or_else(|| self.options.as_ref().ok().and_then(|options| options.version()))
    }

    /// The cache that its column families share.
    pub fn block_cache(&self) -> Option<Pointer> {
        self.log.as_ref().ok()?.block_cache()
    }

    /// Its write-buffer manager.
    pub fn write_buffer_manager(&self) -> Option<Pointer> {
        self.log.as_ref().ok()?.database.write_buffer_manager.as_ref().map(|stated| stated.what)
    }

    /// What a memtable allocates at a time, where its column families agree.
    pub fn arena_block(&self) -> Option<Bytes> {
        let logged = self.log.as_ref().ok().into_iter().flat_map(|log| &log.column_families);
        let logged = logged.filter_map(|family| family.arena_block_size.as_ref()).map(|stated| stated.what);
        let written = self.options.as_ref().ok().into_iter().flat_map(|options| options.column_families());
        let sizes: BTreeSet<Bytes> = logged.chain(written.filter_map(|family| family.arena_block_size())).collect();
        (sizes.len() == 1).then(|| sizes.first().copied()).flatten()
    }

    /// Files and their size on each level, by the manifest.
    pub fn levels(&self) -> Seen<BTreeMap<u32, (u64, Bytes)>> {
        self.manifest.as_ref().map(|manifest| manifest.levels()).map_err(Clone::clone)
    }
}
