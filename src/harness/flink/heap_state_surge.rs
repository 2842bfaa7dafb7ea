//! Runs `heap-state-surge`: see [`crate::repro::scenarios::heap_state_surge`].

use std::time::Duration;

use super::cluster;
use super::follow::Followed;
use super::half::{self, CURED, FAILS, Planned};
use super::{FlinkError, Stage};
use crate::model::Role;
use crate::repro::outcome::Trial;
pub use crate::repro::scenarios::heap_state_surge::SCENARIO;
use crate::repro::scenarios::heap_state_surge::{Backend, judge, script, settings};

/// How long a half runs from the submission of its job on: with the start of a cluster and the client's ten seconds it
/// keeps within 90 s.
const LASTS: Duration = Duration::from_secs(60);

/// So many failed checkpoints are enough, once the heap has been full for some time.
const FAILED: u64 = 3;

/// Slots of the TaskManager, and subtasks of each operator.
const SLOTS: u32 = 2;

/// Runs both halves and holds them against one another; a factor makes process and stream larger.
///
/// # Errors
///
/// As [`half::run`].
pub fn run(stage: &Stage<'_>, factor: u32) -> Result<Trial, FlinkError> {
    let version = cluster::version(stage)?;
    let script = script(factor);
    let planned = |label, backend, enough| {
        let checkpoints = stage.directory.join(label).join("checkpoints");
        Planned {
            label,
            settings: settings(version, backend, &checkpoints.display().to_string(), factor),
            script: &script,
            parallelism: SLOTS,
            role: Role::TaskManager,
            lasts: LASTS,
            enough,
            weighed: false,
        }
    };
    let enough = |seen: &Followed| seen.checkpoints.failed >= FAILED;
    let fails = half::run(stage, &planned(FAILS, Backend::Heap, &enough))?;
    let cured = half::run(stage, &planned(CURED, Backend::RocksDb, &|_| false))?;
    let statements = judge(&fails, &cured);
    let directory = stage.directory.display().to_string();
    Ok(Trial {
        scenario: SCENARIO.name.to_owned(),
        title: SCENARIO.title.to_owned(),
        runs: [fails, cured].into_iter().map(|half| half.into_run(SCENARIO.name, &directory)).collect(),
        statements,
        notes: Vec::new(),
    })
}
