//! RocksDB's `LOG`: settings, caches, statistics, stalls.
