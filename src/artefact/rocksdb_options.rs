//! RocksDB's `OPTIONS-*` file.
