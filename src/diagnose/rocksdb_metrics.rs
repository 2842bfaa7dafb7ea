//! Flink's RocksDB metrics, corrected where they mislead.
