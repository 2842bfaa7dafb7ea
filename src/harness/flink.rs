//! Real Flink on loopback: a standalone cluster without Flink's scripts, jobs in SQL, and what the processes show meanwhile.
//!
//! A scenario on Flink is two files: `repro/scenarios/NAME.rs` has its settings, its job and its statements,
//! `harness/flink/NAME.rs` runs its halves with [`half::run`] and hands what they showed to the statements.

pub mod ask;
pub mod cluster;
pub mod distribution;
pub mod follow;
pub mod half;
pub mod heap_state_surge;
pub mod jdk;
pub mod latency_metrics;
pub mod process;
pub mod submit;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use ask::AskError;
use cluster::ClusterError;
use distribution::Distribution;
use jdk::Jdk;
use process::Gate;
use submit::SubmitError;

/// Where clusters are run, and with what.
#[derive(Clone, Copy)]
pub struct Stage<'s> {
    /// Flink.
    pub distribution: &'s Distribution,
    /// The JDK that runs it and compiles what submits jobs.
    pub jdk: &'s Jdk,
    /// A directory of ours: each half has one below it. Nothing is written elsewhere but into the cache.
    pub directory: &'s PathBuf,
    /// Where compiled submitters are kept.
    pub cache: &'s PathBuf,
    /// How processes are started.
    pub gate: &'s dyn Gate,
    /// Set by whoever wants it to end.
    pub interrupted: &'s AtomicBool,
    /// Told what goes on, a line each.
    pub say: &'s dyn Fn(&str),
}

impl Stage<'_> {
    /// Whether it is to end.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// Why a scenario on Flink was not run. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum FlinkError {
    /// Its cluster did not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Its job did not start.
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// Flink did not answer what has to be known.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The heap could not be measured.
    #[error("measure the {of}'s heap: {reason}")]
    Heap {
        /// Whose.
        of: crate::model::Role,
        /// Why not.
        reason: String,
    },
    /// Ctrl-C.
    #[error("go on: it was interrupted")]
    Interrupted,
}
