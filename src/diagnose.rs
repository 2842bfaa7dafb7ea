//! What the readings of a process mean: where every byte went, where it goes, and what will end it. Functions over values.

pub mod cluster;
pub mod rocksdb_bound;
pub mod rocksdb_metrics;
pub mod trend;
