//! RocksDB's functions as pointers, whoever provides them.
//!
//! The signatures are those of `include/rocksdb/c.h`, compared between FRocksDB 5.17.2, 6.20.3 and 8.10.0 (the forks' header
//! is that of RocksDB itself): [`Everywhere`] holds what all three declare alike, [`Since6`] and [`Since8`] what came later.
//! A function whose signature differs between releases is in none of them (`rocksdb_filterpolicy_create_bloom` took an `int`
//! and takes a `double`): what it does is said in words instead, by `rocksdb_get_options_from_string`.
//!
//! What the older C interface lacks, [`MakeCache`] and [`ManagerCalls`] hold: functions of RocksDB's Java interface that take and
//! return numbers only, so that they never look at the JVM's environment, which is null here. Their handles are the C
//! interface's own pointers: `rocksdb_cache_t` is a struct around a `shared_ptr<Cache>` and Java's handle the address of one;
//! `rocksdb_options_t` begins with its `Options` (`db/c.cc` and `java/rocksjni/*.cc`, all three releases).
//!
//! Nothing is ever called that is not listed in this file.
#![allow(unsafe_code, reason = "the C interface of RocksDB")]
#![allow(non_snake_case, reason = "names of the C interface")]

use std::ffi::{CStr, c_char, c_int, c_uchar, c_uint, c_void};

/// Types that only RocksDB looks into.
macro_rules! opaque {
    ($($name:ident)*) => {
        $(
            /// A type of the C interface that only RocksDB looks into.
            #[repr(C)]
            pub struct $name {
                hidden: [u8; 0],
            }
        )*
    };
}

opaque! {
    Db Options TableOptions Cache Manager FamilyHandle ReadOptions WriteOptions FlushOptions IngestOptions EnvOptions
    RawBatch RawIterator Pinned Checkpoint SstWriter MergeOperator CompactionFilter
}

/// Where a function leaves what went wrong: a text of malloc, or nothing.
pub type Failure = *mut *mut c_char;

/// `destructor` of callbacks.
pub type Destroy = unsafe extern "C" fn(*mut c_void);
/// `name` of callbacks.
pub type Name = unsafe extern "C" fn(*mut c_void) -> *const c_char;
/// `full_merge` of a merge operator: state, key, existing value, operands, success, length of the result.
pub type FullMerge = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    c_int,
    *mut c_uchar,
    *mut usize,
) -> *mut c_char;
/// `partial_merge` of a merge operator: as [`FullMerge`], without a value.
pub type PartialMerge = unsafe extern "C" fn(
    *mut c_void,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    c_int,
    *mut c_uchar,
    *mut usize,
) -> *mut c_char;
/// `delete_value` of a merge operator.
pub type DeleteValue = unsafe extern "C" fn(*mut c_void, *const c_char, usize);
/// `filter` of a compaction filter: state, level, key, value, new value and whether there is one.
pub type Filter = unsafe extern "C" fn(
    *mut c_void,
    c_int,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *mut *mut c_char,
    *mut usize,
    *mut c_uchar,
) -> c_uchar;

/// A struct of function pointers, that is filled from a loaded library or from the linked one.
macro_rules! functions {
    ($(#[$about:meta])* $table:ident: $(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        $(#[$about])*
        pub struct $table {
            $(
                /// The function of that name.
                pub $name: unsafe extern "C" fn($($type),*) $(-> $result)?,
            )*
        }

        impl $table {
            /// Takes each function from where `find` says that it is.
            ///
            /// # Safety
            /// What `find` returns must be the function of that name, with the signature that is declared here.
            ///
            /// # Errors
            /// What `find` says of the first that it does not find.
            pub unsafe fn find<E>(find: &mut dyn FnMut(&'static CStr) -> Result<*mut c_void, E>) -> Result<Self, E> {
                Ok($table {
                    $($name: {
                        let name = const { named(concat!(stringify!($name), "\0")) };
                        let found = find(name)?;
                        // SAFETY: the caller answers for the signature; a pointer to a function is one to void on all
                        // systems that have dlsym.
                        unsafe {
                            std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($type),*) $(-> $result)?>(found)
                        }
                    },)*
                })
            }

            /// The functions of the RocksDB that is linked in.
            #[cfg(feature = "rocksdb")]
            pub fn linked() -> Self {
                unsafe extern "C" {
                    $(fn $name($($argument: $type),*) $(-> $result)?;)*
                }
                $table { $($name,)* }
            }
        }
    };
}

/// A name that ends with a zero; an empty one where it does not, which no library exports.
const fn named(text: &'static str) -> &'static CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(name) => name,
        Err(_) => c"",
    }
}

functions! {
    /// What `c.h` of 5.17.2, 6.20.3 and 8.10.0 declares alike.
    Everywhere:
    fn rocksdb_free(what: *mut c_void);

    fn rocksdb_options_create() -> *mut Options;
    fn rocksdb_options_destroy(options: *mut Options);
    fn rocksdb_get_options_from_string(base: *const Options, text: *const c_char, new: *mut Options, failure: Failure);
    fn rocksdb_options_set_create_if_missing(options: *mut Options, on: c_uchar);
    fn rocksdb_options_set_create_missing_column_families(options: *mut Options, on: c_uchar);
    fn rocksdb_options_increase_parallelism(options: *mut Options, threads: c_int);
    fn rocksdb_options_set_max_background_jobs(options: *mut Options, jobs: c_int);
    fn rocksdb_options_set_use_fsync(options: *mut Options, on: c_int);
    fn rocksdb_options_set_stats_dump_period_sec(options: *mut Options, seconds: c_uint);
    fn rocksdb_options_set_max_open_files(options: *mut Options, files: c_int);
    fn rocksdb_options_set_info_log_level(options: *mut Options, level: c_int);
    fn rocksdb_options_set_max_log_file_size(options: *mut Options, bytes: usize);
    fn rocksdb_options_set_keep_log_file_num(options: *mut Options, files: usize);
    fn rocksdb_options_set_write_buffer_size(options: *mut Options, bytes: usize);
    fn rocksdb_options_set_max_write_buffer_number(options: *mut Options, buffers: c_int);
    fn rocksdb_options_set_min_write_buffer_number_to_merge(options: *mut Options, buffers: c_int);
    fn rocksdb_options_set_arena_block_size(options: *mut Options, bytes: usize);
    fn rocksdb_options_set_target_file_size_base(options: *mut Options, bytes: u64);
    fn rocksdb_options_set_max_bytes_for_level_base(options: *mut Options, bytes: u64);
    fn rocksdb_options_set_level_compaction_dynamic_level_bytes(options: *mut Options, on: c_uchar);
    fn rocksdb_options_set_compression(options: *mut Options, kind: c_int);
    fn rocksdb_options_set_block_based_table_factory(options: *mut Options, table: *mut TableOptions);
    fn rocksdb_options_set_merge_operator(options: *mut Options, operator: *mut MergeOperator);
    fn rocksdb_options_set_compaction_filter(options: *mut Options, filter: *mut CompactionFilter);

    fn rocksdb_block_based_options_create() -> *mut TableOptions;
    fn rocksdb_block_based_options_destroy(table: *mut TableOptions);
    fn rocksdb_block_based_options_set_block_size(table: *mut TableOptions, bytes: usize);
    fn rocksdb_block_based_options_set_metadata_block_size(table: *mut TableOptions, bytes: u64);
    fn rocksdb_block_based_options_set_format_version(table: *mut TableOptions, version: c_int);
    fn rocksdb_block_based_options_set_block_cache(table: *mut TableOptions, cache: *mut Cache);
    fn rocksdb_block_based_options_set_cache_index_and_filter_blocks(table: *mut TableOptions, on: c_uchar);
    fn rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(
        table: *mut TableOptions, on: c_uchar
    );
    fn rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table: *mut TableOptions, on: c_uchar);
    fn rocksdb_block_based_options_set_index_type(table: *mut TableOptions, kind: c_int);
    fn rocksdb_block_based_options_set_partition_filters(table: *mut TableOptions, on: c_uchar);
    fn rocksdb_block_based_options_set_pin_top_level_index_and_filter(table: *mut TableOptions, on: c_uchar);

    fn rocksdb_cache_create_lru(bytes: usize) -> *mut Cache;
    fn rocksdb_cache_destroy(cache: *mut Cache);
    fn rocksdb_cache_get_usage(cache: *mut Cache) -> usize;
    fn rocksdb_cache_get_pinned_usage(cache: *mut Cache) -> usize;

    fn rocksdb_mergeoperator_create(
        state: *mut c_void, destroy: Destroy, full: FullMerge, partial: PartialMerge, delete: DeleteValue, name: Name
    ) -> *mut MergeOperator;
    fn rocksdb_compactionfilter_create(state: *mut c_void, destroy: Destroy, filter: Filter, name: Name)
        -> *mut CompactionFilter;
    fn rocksdb_compactionfilter_set_ignore_snapshots(filter: *mut CompactionFilter, on: c_uchar);
    fn rocksdb_compactionfilter_destroy(filter: *mut CompactionFilter);

    fn rocksdb_open(options: *const Options, path: *const c_char, failure: Failure) -> *mut Db;
    fn rocksdb_open_column_families(
        options: *const Options, path: *const c_char, count: c_int, names: *const *const c_char,
        of_families: *const *const Options, handles: *mut *mut FamilyHandle, failure: Failure
    ) -> *mut Db;
    fn rocksdb_column_family_handle_destroy(family: *mut FamilyHandle);
    fn rocksdb_close(db: *mut Db);

    fn rocksdb_writeoptions_create() -> *mut WriteOptions;
    fn rocksdb_writeoptions_destroy(options: *mut WriteOptions);
    fn rocksdb_writeoptions_disable_WAL(options: *mut WriteOptions, on: c_int);
    fn rocksdb_readoptions_create() -> *mut ReadOptions;
    fn rocksdb_readoptions_destroy(options: *mut ReadOptions);
    fn rocksdb_flushoptions_create() -> *mut FlushOptions;
    fn rocksdb_flushoptions_destroy(options: *mut FlushOptions);
    fn rocksdb_flushoptions_set_wait(options: *mut FlushOptions, on: c_uchar);

    fn rocksdb_put_cf(
        db: *mut Db, options: *const WriteOptions, family: *mut FamilyHandle, key: *const c_char, key_length: usize,
        value: *const c_char, value_length: usize, failure: Failure
    );
    fn rocksdb_merge_cf(
        db: *mut Db, options: *const WriteOptions, family: *mut FamilyHandle, key: *const c_char, key_length: usize,
        value: *const c_char, value_length: usize, failure: Failure
    );
    fn rocksdb_delete_cf(
        db: *mut Db, options: *const WriteOptions, family: *mut FamilyHandle, key: *const c_char, key_length: usize,
        failure: Failure
    );
    fn rocksdb_get_pinned_cf(
        db: *mut Db, options: *const ReadOptions, family: *mut FamilyHandle, key: *const c_char, key_length: usize,
        failure: Failure
    ) -> *mut Pinned;
    fn rocksdb_pinnableslice_value(pinned: *const Pinned, length: *mut usize) -> *const c_char;
    fn rocksdb_pinnableslice_destroy(pinned: *mut Pinned);

    fn rocksdb_writebatch_create() -> *mut RawBatch;
    fn rocksdb_writebatch_destroy(batch: *mut RawBatch);
    fn rocksdb_writebatch_clear(batch: *mut RawBatch);
    fn rocksdb_writebatch_data(batch: *mut RawBatch, length: *mut usize) -> *const c_char;
    fn rocksdb_writebatch_put_cf(
        batch: *mut RawBatch, family: *mut FamilyHandle, key: *const c_char, key_length: usize, value: *const c_char,
        value_length: usize
    );
    fn rocksdb_writebatch_merge_cf(
        batch: *mut RawBatch, family: *mut FamilyHandle, key: *const c_char, key_length: usize, value: *const c_char,
        value_length: usize
    );
    fn rocksdb_writebatch_delete_cf(batch: *mut RawBatch, family: *mut FamilyHandle, key: *const c_char, key_length: usize);
    fn rocksdb_write(db: *mut Db, options: *const WriteOptions, batch: *mut RawBatch, failure: Failure);

    fn rocksdb_create_iterator_cf(db: *mut Db, options: *const ReadOptions, family: *mut FamilyHandle) -> *mut RawIterator;
    fn rocksdb_iter_destroy(iterator: *mut RawIterator);
    fn rocksdb_iter_valid(iterator: *const RawIterator) -> c_uchar;
    fn rocksdb_iter_seek(iterator: *mut RawIterator, key: *const c_char, key_length: usize);
    fn rocksdb_iter_seek_to_first(iterator: *mut RawIterator);
    fn rocksdb_iter_next(iterator: *mut RawIterator);
    fn rocksdb_iter_key(iterator: *const RawIterator, length: *mut usize) -> *const c_char;
    fn rocksdb_iter_value(iterator: *const RawIterator, length: *mut usize) -> *const c_char;
    fn rocksdb_iter_get_error(iterator: *const RawIterator, failure: Failure);

    fn rocksdb_checkpoint_object_create(db: *mut Db, failure: Failure) -> *mut Checkpoint;
    fn rocksdb_checkpoint_create(checkpoint: *mut Checkpoint, path: *const c_char, log_size: u64, failure: Failure);
    fn rocksdb_checkpoint_object_destroy(checkpoint: *mut Checkpoint);
    fn rocksdb_property_value_cf(db: *mut Db, family: *mut FamilyHandle, name: *const c_char) -> *mut c_char;
    fn rocksdb_compact_range_cf(
        db: *mut Db, family: *mut FamilyHandle, from: *const c_char, from_length: usize, to: *const c_char, to_length: usize
    );

    fn rocksdb_envoptions_create() -> *mut EnvOptions;
    fn rocksdb_envoptions_destroy(options: *mut EnvOptions);
    fn rocksdb_sstfilewriter_create(env: *const EnvOptions, options: *const Options) -> *mut SstWriter;
    fn rocksdb_sstfilewriter_destroy(writer: *mut SstWriter);
    fn rocksdb_sstfilewriter_open(writer: *mut SstWriter, path: *const c_char, failure: Failure);
    fn rocksdb_sstfilewriter_put(
        writer: *mut SstWriter, key: *const c_char, key_length: usize, value: *const c_char, value_length: usize,
        failure: Failure
    );
    fn rocksdb_sstfilewriter_finish(writer: *mut SstWriter, failure: Failure);
    fn rocksdb_sstfilewriter_file_size(writer: *mut SstWriter, size: *mut u64);
    fn rocksdb_ingestexternalfileoptions_create() -> *mut IngestOptions;
    fn rocksdb_ingestexternalfileoptions_set_move_files(options: *mut IngestOptions, on: c_uchar);
    fn rocksdb_ingestexternalfileoptions_destroy(options: *mut IngestOptions);
    fn rocksdb_ingest_external_file_cf(
        db: *mut Db, family: *mut FamilyHandle, paths: *const *const c_char, count: usize, options: *const IngestOptions,
        failure: Failure
    );
}

functions! {
    /// What 6.20.3 and 8.10.0 have and 5.17.2 has not.
    Since6:
    fn rocksdb_flush_cf(db: *mut Db, options: *const FlushOptions, family: *mut FamilyHandle, failure: Failure);
    fn rocksdb_property_int_cf(db: *mut Db, family: *mut FamilyHandle, name: *const c_char, value: *mut u64) -> c_int;
    fn rocksdb_cancel_all_background_work(db: *mut Db, wait: c_uchar);
}

functions! {
    /// What 8.10.0 alone has.
    Since8:
    fn rocksdb_cache_create_lru_with_strict_capacity_limit(bytes: usize) -> *mut Cache;
    fn rocksdb_write_buffer_manager_create_with_cache(bytes: usize, cache: *const Cache, stall: bool) -> *mut Manager;
    fn rocksdb_write_buffer_manager_destroy(manager: *mut Manager);
    fn rocksdb_options_set_write_buffer_manager(options: *mut Options, manager: *mut Manager);
}

/// The JVM's environment, class and object, which the entry points below never look at: null.
pub const NOBODY: *mut c_void = std::ptr::null_mut();

/// `Java_org_rocksdb_RocksDB_version` (6.20.3, 8.10.0): environment, class.
pub type JniVersion = unsafe extern "C" fn(*mut c_void, *mut c_void) -> i32;
/// `Java_org_rocksdb_LRUCache_newLRUCache` of 5.17.2 and 6.20.3: environment, class, capacity, shard bits, strict, part for
/// high priority.
pub type JniCache4 = unsafe extern "C" fn(*mut c_void, *mut c_void, i64, i32, u8, f64) -> i64;
/// `Java_org_rocksdb_LRUCache_newLRUCache` of 8.10.0: as before, and the part for low priority.
pub type JniCache5 = unsafe extern "C" fn(*mut c_void, *mut c_void, i64, i32, u8, f64, f64) -> i64;
/// `Java_org_rocksdb_WriteBufferManager_newWriteBufferManager` of 5.17.2 and 6.20.3: environment, class, size, cache.
pub type JniNewManager = unsafe extern "C" fn(*mut c_void, *mut c_void, i64, i64) -> i64;
/// `Java_org_rocksdb_Options_setWriteBufferManager`: environment, object, options, manager.
pub type JniSetManager = unsafe extern "C" fn(*mut c_void, *mut c_void, i64, i64);
/// `Java_org_rocksdb_WriteBufferManager_disposeInternal`: environment, object, manager.
pub type JniDisposeManager = unsafe extern "C" fn(*mut c_void, *mut c_void, i64);

/// How a block cache for several databases is made.
pub enum MakeCache {
    /// By the Java interface of 5.17.2 and 6.20.3.
    Jni4(JniCache4),
    /// By that of 8.10.0.
    Jni5(JniCache5),
    /// By the C interface of 8.10.0, which knows no part for high priority.
    #[cfg_attr(not(feature = "rocksdb"), allow(dead_code, reason = "a loaded library has its Java interface"))]
    C,
}

/// How a write-buffer manager is made, given to options, and given up.
pub enum ManagerCalls {
    /// By the Java interface.
    Jni {
        /// Makes it.
        new: JniNewManager,
        /// Gives it to options.
        set: JniSetManager,
        /// Gives it up.
        dispose: JniDisposeManager,
    },
    /// By the C interface of 8.10.0.
    C,
    /// Not at all: the fork that Flink 1.9 ships has no entry point for it.
    Missing,
}

/// Everything that may be called.
pub struct Table {
    /// What every release has.
    pub all: Everywhere,
    /// What came with 6.20.3.
    pub since6: Option<Since6>,
    /// What came with 8.10.0.
    pub since8: Option<Since8>,
    /// A cache with a part for high priority.
    pub make_cache: MakeCache,
    /// A write-buffer manager.
    pub manager: ManagerCalls,
}
