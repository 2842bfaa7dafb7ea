//! RocksDB set up as Flink sets it up: `RocksDBResourceContainer` of Flink 1.10 to 2.3, and the defaults of
//! `RocksDBConfigurableOptions` where a setting is none of ours.
//!
//! Two things are not Flink's, for the sake of what is measured, and take no memory: RocksDB's log is written at its own
//! default level, from which flushes and compactions are counted (Flink up to 1.14 writes the head only), and a database that
//! is closed does not flush what it would lose (so does Flink from 1.19 on).
#![allow(unsafe_code, reason = "the C interface of RocksDB")]

use std::ffi::{CStr, CString, c_int};
use std::path::Path;

use super::callbacks::{expiry_filter, merge_operator};
use super::database::Expiry;
use super::owned::{Owned, calling, text_for_c};
use super::release::Threads;
use super::shared_memory::{BlockCache, SharedMemory, as_size};
use super::table::{CompactionFilter, Options};
use super::{EngineError, Library};
use crate::model::StoreSettings;

/// What the C interface has no function for, in the words of an `OPTIONS` file.
const WITHOUT_FLUSH_AT_THE_END: &CStr = c"avoid_flush_during_shutdown=true";

/// `InfoLogLevel::INFO_LEVEL` (`include/rocksdb/env.h`), RocksDB's default and that of Flink from 1.15 on.
const INFO: c_int = 1;
/// `RocksDBConfigurableOptions.LOG_MAX_FILE_SIZE`, Flink 1.15 to 2.3: 25 MiB.
const LOG_FILE: usize = 25 << 20;
/// `RocksDBConfigurableOptions.LOG_FILE_NUM`, Flink 1.15 to 2.3.
const LOG_FILES: usize = 4;
/// `rocksdb_no_compression` and `rocksdb_snappy_compression` of `c.h`.
const PLAIN: c_int = 0;
/// See [`PLAIN`].
const SNAPPY: c_int = 1;
/// `rocksdb_block_based_table_index_type_two_level_index_search` of `c.h`.
const TWO_LEVELS: c_int = 2;

/// Options of a database as a whole.
pub(super) fn of_database(
    library: &Library,
    settings: &StoreSettings,
    shared: Option<&SharedMemory>,
    path: &Path,
) -> Result<Owned<Options>, EngineError> {
    let all = &library.table().all;
    let threads = as_int(settings.threads);
    // SAFETY: options of this library, filled before anybody else sees them.
    let options = unsafe {
        let options = Owned::new((all.rocksdb_options_create)(), all.rocksdb_options_destroy);
        let raw = options.raw();
        (all.rocksdb_options_set_create_if_missing)(raw, 1);
        (all.rocksdb_options_set_create_missing_column_families)(raw, 1);
        // `createBaseCommonDBOptions`.
        (all.rocksdb_options_set_use_fsync)(raw, 0);
        (all.rocksdb_options_set_stats_dump_period_sec)(raw, 0);
        match library.release().threads {
            Threads::IncreaseParallelism => (all.rocksdb_options_increase_parallelism)(raw, threads),
            Threads::MaxBackgroundJobs => (all.rocksdb_options_set_max_background_jobs)(raw, threads),
        }
        (all.rocksdb_options_set_max_open_files)(raw, settings.open_files.map_or(-1, as_int));
        (all.rocksdb_options_set_info_log_level)(raw, INFO);
        (all.rocksdb_options_set_max_log_file_size)(raw, LOG_FILE);
        (all.rocksdb_options_set_keep_log_file_num)(raw, LOG_FILES);
        if let Some(shared) = shared {
            shared.manage(raw);
        }
        options
    };
    amended(library, &options, WITHOUT_FLUSH_AT_THE_END, path)
}

/// Options of a column family, with what they need to live on.
pub(super) struct FamilyOptions {
    /// What is handed to RocksDB.
    pub options: Owned<Options>,
    /// The cache that this family has for itself.
    pub cache: Option<BlockCache>,
    /// Drops what is expired.
    #[expect(dead_code, reason = "RocksDB holds its address only")]
    pub filter: Option<Owned<CompactionFilter>>,
}

/// Options of a column family.
pub(super) fn of_family(
    library: &Library,
    settings: &StoreSettings,
    shared: Option<&SharedMemory>,
    expiry: Option<&Expiry>,
    path: &Path,
) -> Result<FamilyOptions, EngineError> {
    let table = library.table();
    let all = &table.all;
    let own = shared.is_none().then(|| BlockCache::alone(library, settings.block_cache));
    let cache = own.as_ref().or(shared.map(SharedMemory::cache)).map(BlockCache::raw);
    let filter = expiry.map(|expiry| expiry_filter(table, expiry.ttl, expiry.now.clone()));
    // SAFETY: options of this library, filled before anybody else sees them; the cache is held by them for itself, the merge
    // operator becomes theirs, and the filter is handed out with them.
    let options = unsafe {
        let options = Owned::new((all.rocksdb_options_create)(), all.rocksdb_options_destroy);
        let raw = options.raw();
        (all.rocksdb_options_set_compression)(raw, if settings.snappy { SNAPPY } else { PLAIN });
        (all.rocksdb_options_set_level_compaction_dynamic_level_bytes)(raw, settings.dynamic_levels.into());
        (all.rocksdb_options_set_target_file_size_base)(raw, settings.target_file.get());
        (all.rocksdb_options_set_max_bytes_for_level_base)(raw, settings.level_base.get());
        (all.rocksdb_options_set_write_buffer_size)(raw, as_size(settings.write_buffer));
        (all.rocksdb_options_set_max_write_buffer_number)(raw, as_int(settings.write_buffers));
        (all.rocksdb_options_set_min_write_buffer_number_to_merge)(raw, as_int(settings.merged_write_buffers));
        if let Some(arena) = settings.arena_block {
            (all.rocksdb_options_set_arena_block_size)(raw, as_size(arena));
        }

        let blocks = Owned::new((all.rocksdb_block_based_options_create)(), all.rocksdb_block_based_options_destroy);
        let of_blocks = blocks.raw();
        (all.rocksdb_block_based_options_set_block_size)(of_blocks, as_size(settings.block_size));
        (all.rocksdb_block_based_options_set_metadata_block_size)(of_blocks, settings.metadata_block_size.get());
        if shared.is_some() {
            (all.rocksdb_block_based_options_set_format_version)(of_blocks, library.release().format_version);
        }
        if let Some(cache) = cache {
            (all.rocksdb_block_based_options_set_block_cache)(of_blocks, cache);
        }
        // What Flink sets together where memory is shared.
        let charged = settings.index_and_filter_in_cache.into();
        (all.rocksdb_block_based_options_set_cache_index_and_filter_blocks)(of_blocks, charged);
        (all.rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority)(of_blocks, charged);
        (all.rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache)(of_blocks, charged);
        if settings.partitioned {
            (all.rocksdb_block_based_options_set_index_type)(of_blocks, TWO_LEVELS);
            (all.rocksdb_block_based_options_set_partition_filters)(of_blocks, 1);
            (all.rocksdb_block_based_options_set_pin_top_level_index_and_filter)(of_blocks, 1);
        }
        (all.rocksdb_options_set_block_based_table_factory)(raw, of_blocks);

        (all.rocksdb_options_set_merge_operator)(raw, merge_operator(table));
        if let Some(filter) = &filter {
            (all.rocksdb_options_set_compaction_filter)(raw, filter.raw());
        }
        options
    };
    let options = match bloom(library, settings)? {
        Some(bloom) => amended(library, &options, &bloom, path)?,
        None => options,
    };
    Ok(FamilyOptions { options, cache: own, filter })
}

/// The Bloom filter as an `OPTIONS` file would have it. The C interface of 5.17.2 would wrap the filter so that it is always
/// one of a block, and its arguments changed type since.
///
/// Filters that are split are always such of a file (`RocksDBResourceContainer.overwriteFilterIfExist`).
fn bloom(library: &Library, settings: &StoreSettings) -> Result<Option<CString>, EngineError> {
    let of_a_block = library.release().block_based_bloom && !settings.partitioned;
    let text = settings
        .bloom_bits
        .map(|bits| format!("block_based_table_factory={{filter_policy=bloomfilter:{bits}:{of_a_block};}}"));
    text.map(|text| text_for_c(&text)).transpose()
}

/// A copy of options with what a text says on top.
fn amended(library: &Library, base: &Owned<Options>, text: &CStr, path: &Path) -> Result<Owned<Options>, EngineError> {
    let all = &library.table().all;
    // SAFETY: both are options of this library; what the base points to is shared by the copy.
    unsafe {
        let new = Owned::new((all.rocksdb_options_create)(), all.rocksdb_options_destroy);
        let done = calling(all, |failure| {
            (all.rocksdb_get_options_from_string)(base.raw(), text.as_ptr(), new.raw(), failure);
        });
        done.map_err(|why| EngineError::refused("set up", path, why))?;
        Ok(new)
    }
}

/// A number for C.
fn as_int(number: u32) -> c_int {
    c_int::try_from(number).unwrap_or(c_int::MAX)
}
