//! A database: an instance of RocksDB with its column families.
#![allow(unsafe_code, reason = "the C interface of RocksDB")]

use std::ffi::{CStr, c_char};
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::callbacks::bytes;
use super::options::{FamilyOptions, of_database, of_family};
use super::owned::{Owned, calling, path_for_c, taken, text_for_c};
use super::table::{Db, Everywhere, Failure, FamilyHandle, FlushOptions, Options, ReadOptions, WriteOptions};
use super::{Batch, CacheState, DatabaseIterator, EngineError, Library, SharedMemory};
use crate::model::StoreSettings;

/// When entries of a column family expire: compaction drops them then.
///
/// The first eight bytes of each value are the number of the record that wrote it, big-endian.
#[derive(Clone, Debug)]
pub struct Expiry {
    /// Records after which an entry is expired.
    pub ttl: u64,
    /// The record that is being taken. Whoever takes it says so here.
    pub now: Arc<AtomicU64>,
}

/// A column family to open: a state.
#[derive(Clone, Debug)]
pub struct ColumnFamily {
    /// Its name.
    pub name: String,
    /// When its entries expire, if they do.
    pub expiry: Option<Expiry>,
}

impl ColumnFamily {
    /// One whose entries stay.
    pub fn new(name: impl Into<String>) -> ColumnFamily {
        ColumnFamily { name: name.into(), expiry: None }
    }
}

/// A database that is open. A column family is named by its place in the slice that the database was opened with; the family
/// `default`, which RocksDB wants and Flink leaves empty, has none.
///
/// Writes go past the log, as Flink's do: what was not flushed is lost when it is closed. It is closed when it is dropped.
pub struct Database {
    library: Library,
    path: PathBuf,
    db: *mut Db,
    /// The families' handles, that of `default` at the end.
    handles: Vec<*mut FamilyHandle>,
    /// In the order of the handles. They live as long as the database: RocksDB holds the filters' addresses only.
    families: Vec<FamilyOptions>,
    write: Owned<WriteOptions>,
    read: Owned<ReadOptions>,
    flush: Owned<FlushOptions>,
    /// Numbers the directories that a flush of 5.17.2 needs.
    flushes: AtomicU64,
}

// SAFETY: a database of RocksDB may be used by any thread, and by several at once (`include/rocksdb/db.h`); so may its column
// families and options that nobody changes.
unsafe impl Send for Database {}
// SAFETY: as above.
unsafe impl Sync for Database {}

impl Database {
    /// Opens a database, and makes it where there is none. All column families of a database have to be named.
    ///
    /// # Errors
    /// What RocksDB or the file system says.
    pub fn open(
        library: &Library,
        path: &Path,
        families: &[ColumnFamily],
        settings: &StoreSettings,
        shared: Option<&SharedMemory>,
    ) -> Result<Database, EngineError> {
        fs::create_dir_all(path).map_err(|why| EngineError::Files {
            doing: "make the directory",
            path: path.to_owned(),
            why,
        })?;
        let all = &library.table().all;
        let of_all = of_database(library, settings, shared, path)?;
        let family = |expiry| of_family(library, settings, shared, expiry, path);
        let mut options = families.iter().map(|of| family(of.expiry.as_ref())).collect::<Result<Vec<_>, _>>()?;
        options.push(family(None)?);
        let mut names = families.iter().map(|family| text_for_c(&family.name)).collect::<Result<Vec<_>, _>>()?;
        names.push(c"default".to_owned());

        let raw_names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let raw_options: Vec<*const Options> = options.iter().map(|of| of.options.raw().cast_const()).collect();
        let mut handles = vec![ptr::null_mut(); raw_names.len()];
        let count = i32::try_from(raw_names.len()).unwrap_or(i32::MAX);
        let name = path_for_c(path)?;
        // SAFETY: as many names, options and places for handles as is said; all live until it returns.
        let db = unsafe {
            calling(all, |failure| {
                (all.rocksdb_open_column_families)(
                    of_all.raw(),
                    name.as_ptr(),
                    count,
                    raw_names.as_ptr(),
                    raw_options.as_ptr(),
                    handles.as_mut_ptr(),
                    failure,
                )
            })
        };
        let db = db.map_err(|why| EngineError::refused("open the database", path, why))?;
        // SAFETY: values of this library that are ours.
        let (write, read, flush) = unsafe {
            let write = Owned::new((all.rocksdb_writeoptions_create)(), all.rocksdb_writeoptions_destroy);
            (all.rocksdb_writeoptions_disable_WAL)(write.raw(), 1);
            let read = Owned::new((all.rocksdb_readoptions_create)(), all.rocksdb_readoptions_destroy);
            let flush = Owned::new((all.rocksdb_flushoptions_create)(), all.rocksdb_flushoptions_destroy);
            (all.rocksdb_flushoptions_set_wait)(flush.raw(), 1);
            (write, read, flush)
        };
        Ok(Database {
            library: library.clone(),
            path: path.to_owned(),
            db,
            handles,
            families: options,
            write,
            read,
            flush,
            flushes: AtomicU64::new(0),
        })
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The library that runs it.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// How many column families it was opened with, `default` aside.
    pub fn families(&self) -> usize {
        self.handles.len() - 1
    }

    /// The caches that its column families have for themselves, in their order, that of `default` at the end. None where the
    /// database shares memory.
    pub fn caches(&self) -> Vec<CacheState> {
        self.families.iter().filter_map(|family| Some(family.cache.as_ref()?.state(&self.library))).collect()
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn put(&self, family: usize, key: &[u8], value: &[u8]) -> Result<(), EngineError> {
        let (all, family) = (self.all(), self.handles[family]);
        self.trying("write to", |failure| {
            // SAFETY: this database, its family, and bytes that live until it returns.
            unsafe {
                (all.rocksdb_put_cf)(
                    self.db,
                    self.write.raw(),
                    family,
                    key.as_ptr().cast(),
                    key.len(),
                    value.as_ptr().cast(),
                    value.len(),
                    failure,
                );
            }
        })
    }

    /// Appends to an entry, with a comma before it where there is something already: what Flink's list state does.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn merge(&self, family: usize, key: &[u8], value: &[u8]) -> Result<(), EngineError> {
        let (all, family) = (self.all(), self.handles[family]);
        self.trying("append to", |failure| {
            // SAFETY: this database, its family, and bytes that live until it returns.
            unsafe {
                (all.rocksdb_merge_cf)(
                    self.db,
                    self.write.raw(),
                    family,
                    key.as_ptr().cast(),
                    key.len(),
                    value.as_ptr().cast(),
                    value.len(),
                    failure,
                );
            }
        })
    }

    /// Deletes an entry, whether or not there is one.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn delete(&self, family: usize, key: &[u8]) -> Result<(), EngineError> {
        let (all, family) = (self.all(), self.handles[family]);
        self.trying("delete from", |failure| {
            // SAFETY: this database, its family, and bytes that live until it returns.
            unsafe {
                (all.rocksdb_delete_cf)(self.db, self.write.raw(), family, key.as_ptr().cast(), key.len(), failure);
            }
        })
    }

    /// A batch of writes to this database.
    pub fn batch(&self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Reads an entry into a buffer, whose content it replaces. Says whether there is one.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn get(&self, family: usize, key: &[u8], into: &mut Vec<u8>) -> Result<bool, EngineError> {
        into.clear();
        let found = self.look(family, key, |value| value.map(|value| into.extend_from_slice(value)))?;
        Ok(found.is_some())
    }

    /// Hands over an entry where it lies, in its block or its memtable.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn look<R>(&self, family: usize, key: &[u8], look: impl FnOnce(Option<&[u8]>) -> R) -> Result<R, EngineError> {
        let (all, family) = (self.all(), self.handles[family]);
        let pinned = self.trying("read from", |failure| {
            // SAFETY: this database, its family, and a key that lives until it returns.
            unsafe {
                (all.rocksdb_get_pinned_cf)(self.db, self.read.raw(), family, key.as_ptr().cast(), key.len(), failure)
            }
        })?;
        if pinned.is_null() {
            return Ok(look(None));
        }
        // SAFETY: the value is ours until it is given up; its bytes live as long.
        unsafe {
            let pinned = Owned::new(pinned, all.rocksdb_pinnableslice_destroy);
            let mut length = 0;
            let start = (all.rocksdb_pinnableslice_value)(pinned.raw(), &raw mut length);
            Ok(look(Some(bytes(start, length))))
        }
    }

    /// Walks over a column family in the order of its keys. It stands nowhere until it is told where.
    pub fn iterator(&self, family: usize) -> DatabaseIterator<'_> {
        let all = self.all();
        // SAFETY: this database and its family; the iterator cannot outlive the database.
        unsafe {
            let raw = (all.rocksdb_create_iterator_cf)(self.db, self.read.raw(), self.handles[family]);
            DatabaseIterator::new(self, Owned::new(raw, all.rocksdb_iter_destroy))
        }
    }

    /// Flushes all memtables into files, and waits for it.
    ///
    /// # Errors
    /// What RocksDB or the file system says.
    pub fn flush(&self) -> Result<(), EngineError> {
        let Some(since6) = &self.library.table().since6 else {
            return self.flush_by_checkpoint();
        };
        for family in &self.handles {
            self.trying("flush", |failure| {
                // SAFETY: this database and its family.
                unsafe { (since6.rocksdb_flush_cf)(self.db, self.flush.raw(), *family, failure) }
            })?;
        }
        Ok(())
    }

    /// The C interface of 5.17.2 flushes the family `default` only; a checkpoint flushes all.
    fn flush_by_checkpoint(&self) -> Result<(), EngineError> {
        let number = self.flushes.fetch_add(1, Ordering::Relaxed);
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".flush-{number}"));
        let beside = PathBuf::from(name);
        self.checkpoint(&beside)?;
        fs::remove_dir_all(&beside).map_err(|why| EngineError::Files { doing: "take away", path: beside, why })
    }

    /// Flushes all memtables, and links all files into a directory that must not be there yet: what Flink's snapshots begin
    /// with.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn checkpoint(&self, into: &Path) -> Result<(), EngineError> {
        /// A log larger than this is flushed, which is every log (`include/rocksdb/utilities/checkpoint.h`).
        const ALWAYS_FLUSH: u64 = 0;
        let all = self.all();
        let name = path_for_c(into)?;
        let refused = |why| EngineError::refused("write a checkpoint into", into, why);
        // SAFETY: a checkpoint of this database, given up before it; the name lives until it returns.
        unsafe {
            let checkpoint = calling(all, |failure| (all.rocksdb_checkpoint_object_create)(self.db, failure));
            let checkpoint = Owned::new(checkpoint.map_err(refused)?, all.rocksdb_checkpoint_object_destroy);
            calling(all, |failure| {
                (all.rocksdb_checkpoint_create)(checkpoint.raw(), name.as_ptr(), ALWAYS_FLUSH, failure);
            })
            .map_err(refused)
        }
    }

    /// A property that is a number, such as `rocksdb.size-all-mem-tables`; nothing where there is none of that name.
    pub fn property(&self, family: usize, name: &CStr) -> Option<u64> {
        let Some(since6) = &self.library.table().since6 else {
            return self.property_text(family, name)?.trim().parse().ok();
        };
        let mut value = 0;
        // SAFETY: this database, its family, and room for the value.
        let code =
            unsafe { (since6.rocksdb_property_int_cf)(self.db, self.handles[family], name.as_ptr(), &raw mut value) };
        (code == 0).then_some(value)
    }

    /// A property as text, such as `rocksdb.stats`; nothing where there is none of that name.
    pub fn property_text(&self, family: usize, name: &CStr) -> Option<String> {
        let all = self.all();
        // SAFETY: this database and its family; the text is ours.
        let text = unsafe { (all.rocksdb_property_value_cf)(self.db, self.handles[family], name.as_ptr()) };
        (!text.is_null()).then(|| taken(all, text))
    }

    /// Compacts all of a column family, and waits for it.
    pub fn compact(&self, family: usize) {
        let all = self.all();
        // SAFETY: this database and its family; no bound on either side.
        unsafe { (all.rocksdb_compact_range_cf)(self.db, self.handles[family], ptr::null(), 0, ptr::null(), 0) }
    }

    /// Takes files that [`SstFile`](super::SstFile) wrote into a column family; moves them where that is asked for, else copies
    /// them.
    ///
    /// # Errors
    /// What RocksDB says.
    pub fn ingest(&self, family: usize, files: &[&Path], moving: bool) -> Result<(), EngineError> {
        let all = self.all();
        let names = files.iter().map(|path| path_for_c(path)).collect::<Result<Vec<_>, _>>()?;
        let raw: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        // SAFETY: options of this library; as many names as is said, which live until it returns.
        unsafe {
            let options = Owned::new(
                (all.rocksdb_ingestexternalfileoptions_create)(),
                all.rocksdb_ingestexternalfileoptions_destroy,
            );
            (all.rocksdb_ingestexternalfileoptions_set_move_files)(options.raw(), moving.into());
            self.trying("take files into", |failure| {
                (all.rocksdb_ingest_external_file_cf)(
                    self.db,
                    self.handles[family],
                    raw.as_ptr(),
                    raw.len(),
                    options.raw(),
                    failure,
                );
            })
        }
    }

    /// Ends flushes and compactions and lets none begin; waits for those that run. 5.17.2 has no function for it, and does it
    /// when the database is closed.
    pub fn cancel_background_work(&self) {
        if let Some(since6) = &self.library.table().since6 {
            // SAFETY: this database.
            unsafe { (since6.rocksdb_cancel_all_background_work)(self.db, 1) }
        }
    }

    pub(super) fn raw(&self) -> (*mut Db, *const WriteOptions) {
        (self.db, self.write.raw())
    }

    pub(super) fn handle(&self, family: usize) -> *mut FamilyHandle {
        self.handles[family]
    }

    pub(super) fn options_of(&self, family: usize) -> *const Options {
        self.families[family].options.raw()
    }

    fn all(&self) -> &Everywhere {
        &self.library.table().all
    }

    fn trying<R>(&self, doing: &'static str, call: impl FnOnce(Failure) -> R) -> Result<R, EngineError> {
        calling(self.all(), call).map_err(|why| EngineError::refused(doing, &self.path, why))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let all = &self.library.table().all;
        // SAFETY: handles before their database, each once; iterators and batches borrow the database and are gone. Options and
        // filters go after this.
        unsafe {
            for family in &self.handles {
                (all.rocksdb_column_family_handle_destroy)(*family);
            }
            (all.rocksdb_close)(self.db);
        }
    }
}
