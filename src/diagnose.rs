//! What the readings of a process mean: where every byte went, where it goes, and what will end it. Functions over values.

pub mod account;
pub mod ahead;
pub mod cause;
pub mod causes;
pub mod cluster;
pub mod configured;
pub mod container;
pub mod examination;
pub mod hints;
pub mod layout;
pub mod ledger;
pub mod limits;
pub mod observe;
pub mod over_time;
pub mod overview;
pub mod postmortem;
pub mod recalled;
pub mod reckoning;
pub mod retention;
pub mod rocksdb_bound;
pub mod rocksdb_metrics;
pub mod rocksdb_view;
pub mod sample;
pub mod trend;
