//! What every engine has to do alike. The checks run on the RocksDB that is linked in; `tests/loaded.rs` runs them on those of
//! distributions of Flink.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::{ColumnFamily, Database, EngineError, Expiry, Library, SharedMemory, SstFile};
use crate::model::{Bytes, SharedPool, StoreSettings};

mod loaded;
mod model;

use model::any_sequence_of_operations_answers_like_a_sorted_map;

/// Declares each check as a test of the linked RocksDB, and all of them as a list.
macro_rules! checks {
    ($($check:ident)*) => {
        #[cfg(feature = "rocksdb")]
        mod embedded {
            use super::Library;
            $(
                #[test]
                fn $check() {
                    super::$check(&Library::embedded().unwrap());
                }
            )*
        }

        const CHECKS: &[(&str, fn(&Library))] = &[$((stringify!($check), $check)),*];
    };
}

checks! {
    any_sequence_of_operations_answers_like_a_sorted_map
    blocks_that_are_read_are_charged_to_the_shared_cache
    memtables_are_charged_to_the_shared_cache
    a_column_family_without_shared_memory_has_a_cache_of_its_own
    the_log_says_what_was_set_up
    split_indexes_and_bloom_filters_share_the_cache_too
    a_checkpoint_is_a_database_of_its_own
    what_is_expired_goes_when_it_is_compacted
    a_file_written_beside_is_taken_in_whole
    an_iterator_holds_what_was_there_when_it_was_made
    several_threads_write_and_read_at_once
    what_rocksdb_refuses_is_told_in_its_own_words
    properties_are_numbers_and_unknown_ones_are_nothing
}

/// Settings as Flink's defaults, in small.
fn settings() -> StoreSettings {
    StoreSettings {
        pool: None,
        one_pool_for_all: false,
        block_cache: Bytes::mib(2),
        write_buffer: Bytes::mib(1),
        write_buffers: 2,
        merged_write_buffers: 1,
        arena_block: None,
        block_size: Bytes::kib(4),
        metadata_block_size: Bytes::kib(4),
        target_file: Bytes::mib(2),
        level_base: Bytes::mib(8),
        dynamic_levels: false,
        index_and_filter_in_cache: false,
        partitioned: false,
        bloom_bits: None,
        threads: 2,
        open_files: None,
        snappy: true,
        write_batch: Bytes::mib(2),
    }
}

/// Settings with memory that is shared.
fn pooled(cache: u32, write_buffer_manager: u32) -> StoreSettings {
    let pool = SharedPool {
        cache: Bytes::mib(cache),
        write_buffer_manager: Bytes::mib(write_buffer_manager),
        high_priority_percent: 10,
        strict: false,
    };
    StoreSettings { pool: Some(pool), index_and_filter_in_cache: true, ..settings() }
}

/// The shared memory of these settings. Only Flink 1.9's library has none, and says so.
fn shared(library: &Library, settings: &StoreSettings) -> Option<SharedMemory> {
    match SharedMemory::new(library, &settings.pool.unwrap()) {
        Ok(shared) => Some(shared),
        Err(EngineError::NoWriteBufferManager) => {
            assert_eq!(library.release().number, [5, 17, 2]);
            None
        }
        Err(other) => panic!("{other}"),
    }
}

fn open(library: &Library, path: &Path, settings: &StoreSettings, shared: Option<&SharedMemory>) -> Database {
    let families = [ColumnFamily::new("one"), ColumnFamily::new("two")];
    Database::open(library, path, &families, settings, shared).unwrap()
}

fn directory() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Bytes that Snappy does not make smaller, the same for the same number.
fn noise(number: u64, length: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn entries(database: &Database, family: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut iterator = database.iterator(family);
    let mut entries = Vec::new();
    iterator.seek_to_first();
    while let (Some(key), Some(value)) = (iterator.key(), iterator.value()) {
        entries.push((key.to_vec(), value.to_vec()));
        iterator.step();
    }
    iterator.check().unwrap();
    entries
}

/// Fills a family with 8 MiB in files.
fn filled(database: &Database) {
    for number in 0_u64..8192 {
        database.put(0, &number.to_be_bytes(), &noise(number, 1000)).unwrap();
    }
    database.flush().unwrap();
    database.compact(0);
}

fn read_all(database: &Database) {
    let mut value = Vec::new();
    for number in 0_u64..8192 {
        assert!(database.get(0, &number.to_be_bytes(), &mut value).unwrap());
        assert!(value == noise(number, 1000));
    }
}

fn blocks_that_are_read_are_charged_to_the_shared_cache(library: &Library) {
    let settings = pooled(4, 1);
    let Some(shared) = shared(library, &settings) else { return };
    let directory = directory();
    let database = open(library, directory.path(), &settings, Some(&shared));
    assert!(database.caches().is_empty());
    filled(&database);
    read_all(&database);
    assert_eq!(shared.capacity(), Bytes::mib(4));
    let usage = shared.usage();
    assert!(usage > Bytes::mib(3) && usage < Bytes::mib(5), "{usage}");
    let before = shared.pinned();
    let mut iterator = database.iterator(0);
    iterator.seek_to_first();
    assert!(shared.pinned() > before);
    let told = database.property(0, c"rocksdb.block-cache-usage").unwrap();
    assert!(told.abs_diff(shared.usage().get()) < 200_000, "{told}, {}", shared.usage());
}

fn memtables_are_charged_to_the_shared_cache(library: &Library) {
    let settings = StoreSettings { write_buffer: Bytes::mib(16), ..pooled(32, 8) };
    let Some(shared) = shared(library, &settings) else { return };
    let directory = directory();
    let database = open(library, directory.path(), &settings, Some(&shared));
    let before = shared.usage();
    for number in 0_u64..4096 {
        database.put(0, &number.to_be_bytes(), &noise(number, 1000)).unwrap();
    }
    let charged = shared.usage().checked_sub(before).unwrap();
    assert!(charged >= Bytes::mib(4), "{charged}");
    assert!(database.property(0, c"rocksdb.size-all-mem-tables").unwrap() >= 4096 * 1000);
    for number in 4096_u64..40_960 {
        database.put(0, &number.to_be_bytes(), &noise(number, 1000)).unwrap();
    }
    // The manager flushes long before the memtables that the settings allow are full, which is twice 16 MiB.
    let memtables = database.property(0, c"rocksdb.size-all-mem-tables").unwrap();
    assert!(memtables < 20 << 20, "{memtables}");
}

fn a_column_family_without_shared_memory_has_a_cache_of_its_own(library: &Library) {
    let directory = directory();
    let database = open(library, directory.path(), &settings(), None);
    filled(&database);
    read_all(&database);
    let [one, two, default] = database.caches()[..] else { panic!("{:?}", database.caches()) };
    assert_eq!((one.capacity, two.capacity, default.capacity), (Bytes::mib(2), Bytes::mib(2), Bytes::mib(2)));
    assert!(one.usage > Bytes::mib(1) && one.usage < Bytes::mib(3), "{one:?}");
    assert!(two.usage < Bytes::kib(64), "{two:?}");
    assert_eq!(database.families(), 2);
}

fn the_log_says_what_was_set_up(library: &Library) {
    let settings = StoreSettings {
        arena_block: Some(Bytes::kib(256)),
        block_size: Bytes::kib(16),
        open_files: Some(100),
        ..pooled(4, 1)
    };
    let directory = directory();
    let shared = shared(library, &settings);
    drop(open(library, directory.path(), &settings, shared.as_ref()));
    let log = fs::read_to_string(directory.path().join("LOG")).unwrap();
    let options = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let options = options.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("OPTIONS-"));
    let all = options.map(|path| fs::read_to_string(path).unwrap()).fold(log, |all, file| all + &file);
    let format = if shared.is_some() { library.release().format_version } else { 2 };
    let expected = [
        format!("rocksdb_version={}", library.release()),
        "avoid_flush_during_shutdown=true".to_owned(),
        "stats_dump_period_sec=0".to_owned(),
        "max_background_jobs=2".to_owned(),
        "max_open_files=100".to_owned(),
        "write_buffer_size=1048576".to_owned(),
        "max_write_buffer_number=2".to_owned(),
        "min_write_buffer_number_to_merge=1".to_owned(),
        "arena_block_size=262144".to_owned(),
        "target_file_size_base=2097152".to_owned(),
        "max_bytes_for_level_base=8388608".to_owned(),
        "level_compaction_dynamic_level_bytes=false".to_owned(),
        "compression=kSnappyCompression".to_owned(),
        "block_size=16384".to_owned(),
        "metadata_block_size=4096".to_owned(),
        format!("format_version={format}"),
        "cache_index_and_filter_blocks=true".to_owned(),
        "cache_index_and_filter_blocks_with_high_priority=true".to_owned(),
        "pin_l0_filter_and_index_blocks_in_cache=true".to_owned(),
        "partition_filters=false".to_owned(),
        "StringAppendTESTOperator".to_owned(),
        "filter_policy=nullptr".to_owned(),
    ];
    for line in expected {
        assert!(all.contains(&line), "{line} is not in\n{all}");
    }
    let Some(_shared) = shared else { return };
    assert!(all.contains("capacity : 4194304"), "{all}");
    assert!(all.contains("strict_capacity_limit : 0"), "{all}");
    let ratio = if library.is_embedded() { "high_pri_pool_ratio: 0.500" } else { "high_pri_pool_ratio: 0.100" };
    assert!(all.contains(ratio), "{ratio} is not in\n{all}");
    assert_eq!(library.deviations(&settings).len(), usize::from(library.is_embedded()));
    assert_eq!(library.deviations(&self::settings()), Vec::<String>::new());
}

fn split_indexes_and_bloom_filters_share_the_cache_too(library: &Library) {
    let settings = StoreSettings { partitioned: true, bloom_bits: Some(10), ..pooled(4, 1) };
    let Some(shared) = shared(library, &settings) else { return };
    let directory = directory();
    let database = open(library, directory.path(), &settings, Some(&shared));
    filled(&database);
    read_all(&database);
    assert!(shared.usage() > Bytes::mib(3), "{}", shared.usage());
    let options = fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path());
    let options = options.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("OPTIONS-"));
    let all = options.map(|path| fs::read_to_string(path).unwrap()).fold(String::new(), |all, file| all + &file);
    for line in ["index_type=kTwoLevelIndexSearch", "partition_filters=true", "pin_top_level_index_and_filter=true"] {
        assert!(all.contains(line), "{line} is not in\n{all}");
    }
    assert!(!all.contains("filter_policy=nullptr"), "{all}");
}

fn a_checkpoint_is_a_database_of_its_own(library: &Library) {
    let directory = directory();
    let database = open(library, &directory.path().join("a"), &settings(), None);
    database.put(0, b"key", b"value").unwrap();
    database.merge(1, b"list", b"1").unwrap();
    database.merge(1, b"list", b"2").unwrap();
    let checkpoint = directory.path().join("b");
    database.checkpoint(&checkpoint).unwrap();
    database.put(0, b"key", b"another").unwrap();
    drop(database);
    let copy = open(library, &checkpoint, &settings(), None);
    assert_eq!(entries(&copy, 0), [(b"key".to_vec(), b"value".to_vec())]);
    assert_eq!(entries(&copy, 1), [(b"list".to_vec(), b"1,2".to_vec())]);
    let again = copy.checkpoint(&checkpoint).unwrap_err().to_string();
    assert!(again.starts_with("write a checkpoint into") && again.contains("RocksDB says: "), "{again}");
}

fn what_is_expired_goes_when_it_is_compacted(library: &Library) {
    let directory = directory();
    let now = Arc::new(AtomicU64::new(0));
    let expiring = ColumnFamily { name: "one".into(), expiry: Some(Expiry { ttl: 100, now: now.clone() }) };
    let families = [expiring, ColumnFamily::new("two")];
    let database = Database::open(library, directory.path(), &families, &settings(), None).unwrap();
    for number in 0_u64..1000 {
        now.store(number, Ordering::Relaxed);
        database.put(0, &number.to_be_bytes(), &number.to_be_bytes()).unwrap();
        database.put(1, &number.to_be_bytes(), &number.to_be_bytes()).unwrap();
    }
    assert_eq!((entries(&database, 0).len(), entries(&database, 1).len()), (1000, 1000));
    database.flush().unwrap();
    database.put(0, &0_u64.to_be_bytes(), &0_u64.to_be_bytes()).unwrap();
    database.put(1, &0_u64.to_be_bytes(), &0_u64.to_be_bytes()).unwrap();
    database.flush().unwrap();
    database.compact(0);
    database.compact(1);
    let left: Vec<u64> =
        entries(&database, 0).iter().map(|(key, _)| u64::from_be_bytes(key[..].try_into().unwrap())).collect();
    assert_eq!(left, (900..1000).collect::<Vec<u64>>());
    assert_eq!(entries(&database, 1).len(), 1000);
    drop(database);
    assert_eq!(Arc::strong_count(&now), 2, "the filter's share was given up with the database");
}

fn a_file_written_beside_is_taken_in_whole(library: &Library) {
    let directory = directory();
    let database = open(library, &directory.path().join("a"), &settings(), None);
    database.put(0, b"b", b"old").unwrap();
    let path = directory.path().join("beside.sst");
    let mut file = SstFile::create(&database, 0, &path).unwrap();
    file.put(b"a", b"1").unwrap();
    file.put(b"b", b"2").unwrap();
    let back = file.put(b"a", b"3").unwrap_err().to_string();
    assert!(back.contains("RocksDB says: ") && back.contains("order"), "{back}");
    let size = file.finish().unwrap();
    assert_eq!(size.get(), fs::metadata(&path).unwrap().len());
    database.ingest(0, &[&path], true).unwrap();
    assert!(!path.exists());
    assert_eq!(entries(&database, 0), [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"2".to_vec())]);
    assert!(database.ingest(0, &[&path], true).is_err());
}

fn an_iterator_holds_what_was_there_when_it_was_made(library: &Library) {
    let directory = directory();
    let database = open(library, directory.path(), &settings(), None);
    for number in 0_u64..100 {
        database.put(0, &number.to_be_bytes(), b"old").unwrap();
    }
    let mut iterator = database.iterator(0);
    for number in 0_u64..100 {
        database.delete(0, &number.to_be_bytes()).unwrap();
    }
    database.flush().unwrap();
    database.compact(0);
    iterator.seek(&50_u64.to_be_bytes());
    let mut count = 0;
    while let Some(value) = iterator.value() {
        assert_eq!(value, b"old");
        iterator.step();
        count += 1;
    }
    iterator.step();
    assert!(!iterator.is_valid());
    assert_eq!(count, 50);
    assert_eq!(entries(&database, 0), []);
}

fn several_threads_write_and_read_at_once(library: &Library) {
    let directory = directory();
    let database = open(library, directory.path(), &settings(), None);
    std::thread::scope(|scope| {
        for thread in 0_u64..4 {
            let database = &database;
            scope.spawn(move || {
                let mut value = Vec::new();
                for number in 0_u64..3000 {
                    let key = (number * 4 + thread).to_be_bytes();
                    database.put(0, &key, &noise(number, 300)).unwrap();
                    assert!(database.get(0, &key, &mut value).unwrap());
                    assert!(value == noise(number, 300));
                }
            });
        }
    });
    assert_eq!(entries(&database, 0).len(), 12_000);
    database.cancel_background_work();
}

fn what_rocksdb_refuses_is_told_in_its_own_words(library: &Library) {
    let directory = directory();
    let database = open(library, directory.path(), &settings(), None);
    // It locks its directory.
    let families = [ColumnFamily::new("one"), ColumnFamily::new("two")];
    let twice = Database::open(library, directory.path(), &families, &settings(), None).err().unwrap().to_string();
    assert!(twice.starts_with("open the database ") && twice.contains("RocksDB says: IO error: "), "{twice}");
    drop(database);
    let fewer = Database::open(library, directory.path(), &families[..1], &settings(), None).err().unwrap().to_string();
    assert!(fewer.contains("two"), "{fewer}");
    let zero = [ColumnFamily::new("a\0b")];
    let zero = Database::open(library, directory.path(), &zero, &settings(), None).err().unwrap();
    assert!(matches!(zero, EngineError::Zero { .. }));
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Database::open(library, &file, &families, &settings(), None).err().unwrap();
    assert!(matches!(error, EngineError::Files { .. }), "{error}");
}

fn properties_are_numbers_and_unknown_ones_are_nothing(library: &Library) {
    let directory = directory();
    let database = open(library, directory.path(), &settings(), None);
    database.put(0, b"key", b"value").unwrap();
    database.flush().unwrap();
    for name in [c"rocksdb.size-all-mem-tables", c"rocksdb.estimate-table-readers-mem", c"rocksdb.total-sst-files-size"]
    {
        assert!(database.property(0, name).unwrap() > 0, "{name:?}");
    }
    assert_eq!(database.property(0, c"rocksdb.num-running-compactions"), Some(0));
    assert_eq!(database.property(0, c"rocksdb.num-running-flushes"), Some(0));
    assert_eq!(database.property(0, c"rocksdb.no-such-property"), None);
    assert_eq!(database.property_text(0, c"rocksdb.no-such-property"), None);
    assert!(database.property_text(0, c"rocksdb.levelstats").unwrap().contains("Level"));
}
