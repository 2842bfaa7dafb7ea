//! RocksDB's `LOG`: settings, caches, statistics, stalls. Read line by line, of versions 5.17 to 9: those that Flink ships
//! (5.17.2, 6.20.3, 8.10.0) and what newer ones write alike.
//!
//! A line is `2026/11/21-08:27:44.807048 <thread> [WARN] [/file.cc:12] [family] text`; level and file are not on all of
//! them. What belongs to a record but stands in lines of its own, the options of tables and the dump of statistics, has no
//! such head. Lines may have a prefix of whatever collected them.

mod dump;
mod event;
mod facts;
mod line;
mod reader;
#[cfg(test)]
mod tests;

pub(super) use dump::human_size;
pub use dump::{CacheDump, CacheRole, Dump, FamilyDump, LevelDump, StallCounts, StallTime};
pub use facts::{
    ColumnFamily, Compactions, DatabaseOptions, Errors, Flush, Flushes, LoggedError, Pointer, RocksDbLog, StallCause,
    StallKind, StallLine, Stalls, Table, TableOptions,
};
pub use reader::Reader;

/// What a whole text states.
pub fn read(text: &[u8]) -> RocksDbLog {
    let mut reader = Reader::default();
    reader.feed(text);
    reader.finish()
}
