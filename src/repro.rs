//! What an experiment is, what it will take, what came out of it: workloads, RocksDB's settings out of Flink's, the memory
//! model, the scenarios and their judgement. Functions over values; `harness` runs what is thought out here.

pub mod compare;
pub mod extent;
pub mod failure;
pub mod failures;
pub mod figures;
pub mod forecast;
pub mod judging;
pub mod launch;
pub mod need;
pub mod on_flink;
pub mod outcome;
pub mod parts;
pub mod predict;
pub mod prediction;
pub mod scenario;
pub mod scenarios;
pub mod settings;
pub mod stream;
pub mod workload;
