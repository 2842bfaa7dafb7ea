//! The numbers that verdicts rest on.

use super::RECENT;
use crate::artefact::rocksdb_log::{Dump, RocksDbLog, StallCause};
use crate::model::Bytes;

/// Numbers of one database, or of all that share a cache. What was not seen is nothing, never 0. Those that count should be of
/// a recent stretch of time: the difference between two looks, or since the database was opened where there was one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Lookups that found their block in the cache.
    pub cache_hits: Option<u64>,
    /// Lookups that did not.
    pub cache_misses: Option<u64>,
    /// What is charged to the cache: one slot's, counted once.
    pub cache_usage: Option<Bytes>,
    /// Its capacity.
    pub cache_capacity: Option<Bytes>,
    /// What of the cache index and filter blocks take.
    pub cache_index_and_filter: Option<Bytes>,
    /// What index and filter blocks would take if all were in the cache: their size in the table files, compressed.
    pub table_index_and_filter: Option<Bytes>,
    /// The size of the table files.
    pub table_bytes: Option<Bytes>,
    /// Reads that found their key in a memtable.
    pub memtable_hits: Option<u64>,
    /// Reads that did not.
    pub memtable_misses: Option<u64>,
    /// Whether a flush is due.
    pub flush_pending: Option<bool>,
    /// Memtables that wait to be flushed, of the column family that has the most.
    pub immutable_memtables: Option<u64>,
    /// How many memtables a column family may have.
    pub max_write_buffers: Option<u64>,
    /// A memtable's size.
    pub write_buffer: Option<Bytes>,
    /// What a memtable allocates at a time.
    pub arena_block: Option<Bytes>,
    /// Above this the write-buffer manager flushes: 7/8 of its capacity.
    pub mutable_limit: Option<Bytes>,
    /// What was flushed.
    pub flushes: Option<FlushFigures>,
    /// How writes were held back.
    pub stalls: StallFigures,
    /// What waits to be compacted, of the column family that has the most.
    pub pending_compaction: Option<Bytes>,
    /// With so much of it, writes are delayed.
    pub soft_pending: Option<Bytes>,
    /// Files in level 0, of the column family that has the most.
    pub level0_files: Option<u64>,
    /// With so many, writes are delayed.
    pub level0_slowdown: Option<u64>,
    /// How many databases' writes are stopped now.
    pub writes_stopped: Option<u64>,
    /// To how many bytes in a second writes are slowed down now, 0 for no delay.
    pub delayed_write_rate: Option<u64>,
    /// Whether table files have filters.
    pub has_filters: Option<bool>,
}

/// Flushes that memory made necessary: not those of checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlushFigures {
    /// How many.
    pub count: u64,
    /// Those of them that the write-buffer manager asked for.
    pub by_manager: u64,
    /// What their memtables took in all.
    pub memory: Bytes,
    /// Over how many milliseconds.
    pub millis: u64,
}

/// How writes were held back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StallFigures {
    /// For what share of the last interval, in thousandths.
    pub permille: Option<u64>,
    /// How often, because memtables waited.
    pub memtables: Option<u64>,
    /// How often, because level 0 had too many files.
    pub level0: Option<u64>,
    /// How often, because too much waited to be compacted.
    pub pending: Option<u64>,
}

/// Hits and misses between two looks at counters that only grow. Nothing where one was not seen, or where they were counted
/// anew.
pub fn lookup_figures(before: (u64, u64), after: (u64, u64)) -> Option<(u64, u64)> {
    Some((after.0.checked_sub(before.0)?, after.1.checked_sub(before.1)?))
}

impl Figures {
    /// What a database's log tells. Flink's has no dump of statistics unless a user turned it on, so it mostly tells of
    /// flushes, stalls and limits only, of the last ten minutes in it.
    pub fn from_log(log: &RocksDbLog) -> Figures {
        let families = || log.column_families.iter();
        let what = |stated: &Option<crate::artefact::Stated<Bytes>>| stated.as_ref().map(|stated| stated.what);
        let mut figures = Figures {
            cache_capacity: families().find_map(|family| what(&family.table.cache_capacity)),
            max_write_buffers: families().filter_map(|f| f.max_write_buffer_number.as_ref()).map(|s| s.what).min(),
            write_buffer: families().filter_map(|family| what(&family.write_buffer_size)).min(),
            arena_block: families().filter_map(|family| what(&family.arena_block_size)).max(),
            soft_pending: families().filter_map(|family| what(&family.soft_pending)).min(),
            level0_slowdown: families().filter_map(|f| f.level0_slowdown.as_ref()).map(|s| s.what).min(),
            level0_files: families()
                .filter_map(|family| family.files_by_level.as_ref())
                .filter_map(|stated| stated.what.first().copied())
                .max(),
            has_filters: families()
                .filter_map(|family| family.table.filter_policy.as_ref())
                .map(|stated| stated.what != "nullptr")
                .reduce(|one, other| one || other),
            flushes: flushes(log),
            stalls: stalls(log),
            ..Figures::default()
        };
        if let Some(dump) = &log.dump {
            figures.add_dump(dump);
        }
        figures
    }

    fn add_dump(&mut self, dump: &Dump) {
        self.cache_hits = dump.ticker("rocksdb.block.cache.hit");
        self.cache_misses = dump.ticker("rocksdb.block.cache.miss");
        self.memtable_hits = dump.ticker("rocksdb.memtable.hit");
        self.memtable_misses = dump.ticker("rocksdb.memtable.miss");
        self.stalls.permille = dump.interval_stall.or(dump.stall).map(|stall| stall.permille);
        // Several caches are of several slots, or of column families with one each: no one ratio is theirs.
        if let [cache] = &dump.caches[..] {
            self.cache_capacity = cache.capacity.or(self.cache_capacity);
            self.cache_usage = cache.usage;
            let parts = [cache.of("IndexBlock"), cache.of("FilterBlock"), cache.of("FilterMetaBlock")];
            let parts: Option<Vec<Bytes>> = parts.into_iter().collect();
            self.cache_index_and_filter = parts.and_then(Bytes::checked_sum);
        }
        let level0 = dump
            .families
            .iter()
            .map(|family| family.levels.iter().find(|level| level.level == 0).map_or(0, |level| level.files));
        self.level0_files = level0.max().or(self.level0_files);
        self.pending_compaction = dump.families.iter().filter_map(|family| family.pending_compaction).max();
    }
}

/// The flushes of the last minutes. Checkpoints flush too, whatever is in the memtables.
fn flushes(log: &RocksDbLog) -> Option<FlushFigures> {
    let recent = &log.flushes.recent;
    let last = recent.iter().filter_map(|flush| flush.at).max()?;
    let mut sum = FlushFigures { count: 0, by_manager: 0, memory: Bytes::ZERO, millis: 0 };
    let mut first = last;
    for flush in recent {
        let Some(at) = flush.at.filter(|at| last - at <= RECENT) else { continue };
        let by_manager = flush.reason.as_deref() == Some("Write Buffer Manager");
        if !by_manager && flush.reason.as_deref() != Some("Write Buffer Full") {
            continue;
        }
        let Some(memory) = flush.memory.and_then(|memory| sum.memory.checked_add(memory)) else { continue };
        sum.memory = memory;
        sum.count += 1;
        sum.by_manager += u64::from(by_manager);
        first = first.min(at);
    }
    sum.millis = (last - first) / 1000;
    Some(sum)
}

/// The stalls of the last minutes: RocksDB logs their beginnings only.
fn stalls(log: &RocksDbLog) -> StallFigures {
    let Some(end) = log.last else { return StallFigures::default() };
    let count = |cause| {
        let of = |at: Option<u64>| at.is_some_and(|at| end.saturating_sub(at) <= RECENT);
        log.stalls.recent.iter().filter(|stall| stall.what.cause == cause && of(stall.what.at)).count() as u64
    };
    StallFigures {
        permille: None,
        memtables: Some(count(StallCause::Memtables)),
        level0: Some(count(StallCause::Level0)),
        pending: Some(count(StallCause::PendingCompaction)),
    }
}
