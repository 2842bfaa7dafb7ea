//! What a RocksDB waits for: reads, flushes, compactions.
