//! RocksDB's settings out of a configuration of Flink, as Flink gives them to RocksDB (`RocksDBResourceContainer`,
//! `PredefinedOptions`, `RocksDBConfigurableOptions`, 1.9 to 2.3).

use thiserror::Error;

use crate::config::Config;
use crate::flink::options;
use crate::model::{Bytes, Component, Limit, SharedPool, StoreSettings};
use crate::plan::Survey;
use crate::plan::store::{Scope, Store};

/// Why a configuration gives no settings.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// Flink refuses it.
    #[error("derive RocksDB's memory: Flink refuses it: {0}")]
    Refused(String),
    /// It has no RocksDB.
    #[error("derive RocksDB's memory: {0}")]
    NoStore(String),
    /// A value that is not read.
    #[error("read {key}: {value} is no {wanted}")]
    Value {
        /// The option.
        key: String,
        /// What it is set to.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
}

/// The settings of each RocksDB instance, and what of the container is left for native memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// For the engine.
    pub store: StoreSettings,
    /// What the container leaves to native memory that the JVM does not limit: managed memory and JVM overhead.
    pub native: Limit,
    /// Managed memory of the process.
    pub managed: Bytes,
    /// JVM overhead of the process.
    pub overhead: Bytes,
    /// Slots of the process.
    pub slots: u32,
}

const PREFIX: &str = "state.backend.rocksdb.";

/// RocksDB's own defaults (`include/rocksdb/options.h`, `advanced_options.h`, `table.h`; the same in 5.17, 6.20 and 8.10).
const WRITE_BUFFER: Bytes = Bytes::mib(64);
const TARGET_FILE: Bytes = Bytes::mib(64);
const LEVEL_BASE: Bytes = Bytes::mib(256);
const BLOCK: Bytes = Bytes::kib(4);
const METADATA_BLOCK: Bytes = Bytes::kib(4);
const CACHE: Bytes = Bytes::mib(8);
/// Bits a key that Flink's option has by default (`state.backend.rocksdb.bloom-filter.bits-per-key`).
const BLOOM_BITS: u8 = 10;
/// `state.backend.rocksdb.write-batch-size`.
const WRITE_BATCH: Bytes = Bytes::mib(2);
/// Threads where no version says a default: Flink's since 1.13.
const THREADS: u32 = 2;

/// What a set of `PredefinedOptions` changes.
struct Predefined {
    threads: Option<u32>,
    dynamic_levels: bool,
    high_memory: bool,
}

fn predefined(name: &str) -> Option<Predefined> {
    let set = |threads, dynamic_levels, high_memory| Some(Predefined { threads, dynamic_levels, high_memory });
    match name {
        "DEFAULT" => set(None, false, false),
        "SPINNING_DISK_OPTIMIZED" => set(Some(4), true, false),
        "SPINNING_DISK_OPTIMIZED_HIGH_MEM" => set(Some(4), true, true),
        "FLASH_SSD_OPTIMIZED" => set(Some(4), false, false),
        _ => None,
    }
}

/// Derives the settings from what was planned.
pub fn derive(config: &Config, survey: &Survey) -> Result<Derived, SettingsError> {
    let slots = match &survey.plan.slots {
        Some(Ok(slots)) => slots,
        Some(Err(rejection)) => return Err(SettingsError::Refused(rejection.to_string())),
        None => return Err(SettingsError::NoStore("a JobManager has none".to_owned())),
    };
    let memory = match slots.stores.iter().find(|(store, _)| *store == Store::RocksDb) {
        Some((_, Ok(memory))) => memory,
        Some((_, Err(rejection))) => return Err(SettingsError::Refused(rejection.to_string())),
        None => return Err(SettingsError::NoStore("the state backend is not RocksDB".to_owned())),
    };
    if let Some(refused) = &memory.refused {
        return Err(SettingsError::Refused(refused.to_string()));
    }
    let read = Read { config };
    let name = read.text("predefined-options").unwrap_or_else(|| "DEFAULT".to_owned());
    let set = predefined(&name).ok_or(SettingsError::Value {
        key: format!("{PREFIX}predefined-options"),
        value: name,
        wanted: "set of options: DEFAULT, SPINNING_DISK_OPTIMIZED, SPINNING_DISK_OPTIMIZED_HIGH_MEM or FLASH_SSD_OPTIMIZED",
    })?;
    let high = |high: Bytes, other: Bytes| if set.high_memory { high } else { other };
    let pool = memory.pool.as_ref().map(|pool| SharedPool {
        cache: whole(pool.sizes.block_cache),
        write_buffer_manager: whole(pool.sizes.write_buffer_manager),
        high_priority_percent: (pool.high_prio_pool_ratio.value * 100.0).clamp(0.0, 100.0).round() as u8,
        strict: false,
    });
    let bloom = read.flag("use-bloom-filter")?.unwrap_or(false) || set.high_memory;
    let bits = read.number("bloom-filter.bits-per-key", "number of bits")?.unwrap_or(u32::from(BLOOM_BITS));
    let threads = options::declared(&format!("{PREFIX}thread.num"), survey.plan.profile)
        .and_then(|declared| declared.default)
        .and_then(|text| text.parse().ok());
    let open_files = read.text("files.open").and_then(|text| text.trim().parse::<u32>().ok());
    let budget = &survey.plan.budget;
    let overhead = budget.size(Component::JvmOverhead);
    let managed = budget.size(Component::Managed);
    let store = StoreSettings {
        one_pool_for_all: memory.scope == Scope::TmSharedUnmanaged,
        block_cache: read.size("block.cache-size")?.unwrap_or(high(Bytes::mib(256), CACHE)),
        write_buffer: read.size("writebuffer.size")?.unwrap_or(WRITE_BUFFER),
        write_buffers: read.number("writebuffer.count", "count")?.unwrap_or(if set.high_memory { 4 } else { 2 }),
        merged_write_buffers: read.number("writebuffer.number-to-merge", "count")?.unwrap_or(match set.high_memory {
            true => 3,
            false => 1,
        }),
        arena_block: None,
        block_size: read.size("block.blocksize")?.unwrap_or(high(Bytes::kib(128), BLOCK)),
        metadata_block_size: read.size("block.metadata-blocksize")?.unwrap_or(METADATA_BLOCK),
        target_file: read.size("compaction.level.target-file-size-base")?.unwrap_or(high(Bytes::mib(256), TARGET_FILE)),
        level_base: read.size("compaction.level.max-size-level-base")?.unwrap_or(high(Bytes::gib(1), LEVEL_BASE)),
        dynamic_levels: read.flag("compaction.level.use-dynamic-size")?.unwrap_or(set.dynamic_levels),
        index_and_filter_in_cache: pool.is_some(),
        partitioned: memory.pool.as_ref().and_then(|pool| pool.partitioned_index_filters).unwrap_or(false),
        bloom_bits: bloom.then(|| u8::try_from(bits).unwrap_or(u8::MAX)),
        threads: read.number("thread.num", "count of threads")?.or(set.threads).or(threads).unwrap_or(THREADS),
        open_files,
        snappy: true,
        write_batch: read.size("write-batch-size")?.unwrap_or(WRITE_BATCH),
        pool,
    };
    let native = managed.checked_add(overhead).unwrap_or(Bytes::FLINK_MAX);
    Ok(Derived { store, native: Limit::AtMost(native), managed, overhead, slots: slots.count })
}

/// A size of Flink's formulas; below nothing is nothing.
fn whole(size: i64) -> Bytes {
    Bytes::new(u64::try_from(size).unwrap_or(0))
}

/// Options of RocksDB that have nothing to do with Flink's budget.
struct Read<'a> {
    config: &'a Config,
}

impl Read<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.config.get(&format!("{PREFIX}{name}")).map(|setting| setting.value.java_text().into_owned())
    }

    fn size(&self, name: &str) -> Result<Option<Bytes>, SettingsError> {
        self.read(name, "size, such as 64mb", |text| Bytes::parse_flink(text).ok())
    }

    fn number(&self, name: &str, wanted: &'static str) -> Result<Option<u32>, SettingsError> {
        self.read(name, wanted, |text| text.trim().parse().ok())
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, SettingsError> {
        self.read(name, "true or false", |text| match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    fn read<T>(
        &self,
        name: &str,
        wanted: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, SettingsError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let value =
            parse(&text).ok_or_else(|| SettingsError::Value { key: format!("{PREFIX}{name}"), value: text, wanted });
        value.map(Some)
    }
}

/// RocksDB as Flink sets it up where nothing is configured, without a pool.
pub fn plain() -> StoreSettings {
    StoreSettings {
        pool: None,
        one_pool_for_all: false,
        block_cache: CACHE,
        write_buffer: WRITE_BUFFER,
        write_buffers: 2,
        merged_write_buffers: 1,
        arena_block: None,
        block_size: BLOCK,
        metadata_block_size: METADATA_BLOCK,
        target_file: TARGET_FILE,
        level_base: LEVEL_BASE,
        dynamic_levels: false,
        index_and_filter_in_cache: false,
        partitioned: false,
        bloom_bits: None,
        threads: THREADS,
        open_files: None,
        snappy: true,
        write_batch: WRITE_BATCH,
    }
}
