//! oomph tells people who run Apache Flink where every byte of a TaskManager or JobManager goes.
//!
//! The rooms, in the order in which data walks through them; `ARCHITECTURE.md` tells one run as a story.

pub mod artefact;
pub mod check;
pub mod cli;
pub mod config;
pub mod diagnose;
pub mod flink;
pub mod harness;
pub mod model;
pub mod plan;
pub mod probe;
pub mod recommend;
pub mod report;
pub mod repro;
