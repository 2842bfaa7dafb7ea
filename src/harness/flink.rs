//! Real Flink on loopback: a standalone cluster without Flink's scripts, jobs in SQL, and what the processes show
//! meanwhile.
//!
//! A scenario on Flink is two files: `repro/scenarios/NAME.rs` has its settings, its job and its statements,
//! `harness/flink/NAME.rs` runs its halves with [`half::run`] and hands what they showed to the statements.

pub mod ask;
pub mod cluster;
pub mod distribution;
pub mod failing;
pub mod follow;
pub mod half;
pub mod heap_state_surge;
pub mod jdk;
pub mod latency_metrics;
pub mod process;
pub mod python;
pub mod recorder;
pub mod submit;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use ask::AskError;
use cluster::ClusterError;
use distribution::Distribution;
use jdk::Jdk;
use process::Gate;
use recorder::RecorderError;
use submit::SubmitError;

use super::disk::{DiskError, Space};
use super::group::GroupError;
use super::limit::{self, LimitError};
use super::thread_limit::ThreadLimitError;
use super::tmpfs::TmpfsError;
use crate::model::{Bytes, Limit, Role};
use crate::probe::root::Root;
use crate::repro::launch::Version;
use crate::repro::outcome::Trial;
use crate::repro::scenarios::{ON_FLINK, OnFlink};

/// Where clusters are run, and with what.
#[derive(Clone, Copy)]
pub struct Stage<'s> {
    /// Flink.
    pub distribution: &'s Distribution,
    /// The JDK that runs it and compiles what submits jobs.
    pub jdk: &'s Jdk,
    /// A directory of ours: each half has one below it. Nothing is written elsewhere but into the cache.
    pub directory: &'s Path,
    /// Where compiled submitters are kept.
    pub cache: &'s Path,
    /// What processes go through when they start.
    pub gate: Gate<'s>,
    /// The part of the disk that it may take; nothing for what is free less a reserve.
    pub disk: Option<Bytes>,
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

/// The oldest line that jobs are submitted to: the first with `HashMapStateBackend`, and whose SQL ours was run with.
const OLDEST: (u16, u16) = (1, 13);

/// Runs a scenario on Flink by its name; nothing where there is none of this name. A factor makes it larger.
///
/// # Errors
///
/// Where this machine has too little memory or disk for it, a cluster or a job does not start, or it is interrupted.
pub fn run(stage: &Stage<'_>, name: &str, factor: u32) -> Option<Result<Trial, FlinkError>> {
    let run = match name {
        name if name == latency_metrics::SCENARIO.name => latency_metrics::run,
        name if name == heap_state_surge::SCENARIO.name => heap_state_surge::run,
        _ => return None,
    };
    match cluster::version(stage) {
        Ok(version) if version.line() < OLDEST => return Some(Err(FlinkError::TooOld { version })),
        Ok(_) => {}
        Err(error) => return Some(Err(error.into())),
    }
    let scenario = ON_FLINK.iter().find(|scenario| scenario.name == name)?;
    Some(room(stage, scenario, factor).and_then(|()| run(stage, factor)))
}

/// Whether this machine has room for a scenario.
fn room(stage: &Stage<'_>, scenario: &OnFlink, factor: u32) -> Result<(), FlinkError> {
    let times = |size: Bytes| size.checked_mul(u64::from(factor)).unwrap_or(Bytes::new(u64::MAX));
    // Where that cannot be read, there is nothing to hold it against.
    if let Ok(room) = limit::room(&Root::live()) {
        limit::check(Limit::AtMost(times(scenario.memory)), &room)?;
    }
    Space::of(stage.directory)?.check(stage.directory, times(scenario.disk), stage.disk)?;
    Ok(())
}

/// Why a scenario on Flink was not run. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum FlinkError {
    /// The distribution is too old.
    #[error("run it on Flink {version}: it needs {}.{} or later", OLDEST.0, OLDEST.1)]
    TooOld {
        /// Its version.
        version: Version,
    },
    /// It would take more memory than there is.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// It would take more of the disk than there is.
    #[error(transparent)]
    Disk(#[from] DiskError),
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
        of: Role,
        /// Why not.
        reason: String,
    },
    /// There is no group for a process that needs one.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// There is no directory in memory.
    #[error(transparent)]
    Tmpfs(#[from] TmpfsError),
    /// Nothing bounds threads.
    #[error(transparent)]
    Threads(#[from] ThreadLimitError),
    /// Nothing looks on.
    #[error(transparent)]
    Recorder(#[from] RecorderError),
    /// Nothing puts processes into a group.
    #[error(
        "put a process into a container: oomph-worker, which does that, does not lie beside oomph; build both with `cargo build \
         --release`"
    )]
    NoDoor,
    /// Ctrl-C.
    #[error("go on: it was interrupted")]
    Interrupted,
}
