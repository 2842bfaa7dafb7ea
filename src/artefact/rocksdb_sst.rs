//! The properties of a RocksDB table file: how large its index and filter are.
