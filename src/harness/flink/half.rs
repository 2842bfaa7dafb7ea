//! Runs one half of a scenario: a cluster of its own, one job, one process that is followed.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::follow::{self, Followed};
use super::{FlinkError, Stage, submit};
use crate::harness::verdict;
use crate::model::{Bytes, Role};
use crate::repro::launch::Settings;
use crate::repro::on_flink::{Half, Marks};
use crate::repro::outcome::Ending;

/// A half as it is to be run.
pub struct Planned<'p> {
    /// `fails`, `cured`, or the name of a variant: also that of its directory.
    pub label: &'p str,
    /// The settings of the cluster.
    pub settings: Settings,
    /// The job.
    pub script: &'p str,
    /// Subtasks of each operator.
    pub parallelism: u32,
    /// Which process is followed.
    pub role: Role,
    /// How long it runs from the submission of the job on.
    pub lasts: Duration,
    /// Whether enough was seen before.
    pub enough: &'p dyn Fn(&Followed) -> bool,
    /// Whether the histograms of latency are counted at the end, and what is live in the heap.
    pub weighed: bool,
}

/// Runs a half.
///
/// # Errors
///
/// Where its cluster or its job does not start, or it was interrupted. That the process ends is what it shows, no
/// error.
pub fn run(stage: &Stage<'_>, planned: &Planned<'_>) -> Result<Half, FlinkError> {
    let directory = stage.directory.join(planned.label);
    (stage.say)(&format!("{}: starting Flink {}", planned.label, stage.distribution.version));
    let mut cluster = Cluster::start(stage, &directory, &planned.settings)?;
    (stage.say)(&format!("{}: submitting the job", planned.label));
    let job = submit::submit(stage, &cluster, planned.script, planned.parallelism)?;
    let submitted = Instant::now();
    (stage.say)(&format!("{}: following the {}", planned.label, planned.role));
    let mut followed =
        follow::follow(stage, &mut cluster, planned.role, &job, submitted, planned.lasts, planned.enough);
    if followed.ending == Ending::Interrupted {
        return Err(FlinkError::Interrupted);
    }
    let jvm = cluster.process(planned.role);
    let (pid, heap) = (jvm.pid, jvm.heap);
    let (mut live, mut series) = (None, None);
    if planned.weighed && followed.ending == Ending::OutOfTime {
        // Before anything is asked, whose answer would be in the heap, too.
        live = Some(follow::live(planned.role, pid)?);
        series = Some(cluster.ask.latency_histograms(&job)?);
    }
    if followed.ending == Ending::OutOfTime && !planned_to_fail(planned) {
        followed.ending = Ending::Finished;
    }
    let left = cluster.left();
    let marks = marks(&left);
    if let (Ending::Died { stderr, .. }, Some(line)) = (&mut followed.ending, &marks.out_of_memory) {
        // Threads that still ran have the last words otherwise.
        stderr.clone_from(line);
    }
    // What lived to its end needs no explanation.
    let verdict = if followed.ending == Ending::Finished { None } else { verdict::of(&left) };
    let half = of(stage, planned.label, &planned.settings, heap, followed);
    Ok(Half { live, series, marks, verdict, ..half })
}

/// What was followed as a half of which nothing else is known.
pub(super) fn of(stage: &Stage<'_>, label: &str, settings: &Settings, heap: Bytes, followed: Followed) -> Half {
    Half {
        label: label.to_owned(),
        settings: settings.clone(),
        flink: stage.distribution.version.clone(),
        heap,
        moments: followed.moments,
        looks: followed.looks,
        ending: followed.ending,
        millis: followed.millis,
        live: None,
        series: None,
        records: followed.records,
        checkpoints: followed.checkpoints,
        marks: Marks::default(),
        verdict: None,
    }
}

/// What files say together; one that cannot be read says nothing.
pub(super) fn marks(files: &[PathBuf]) -> Marks {
    let mut marks = Marks::default();
    for path in files {
        marks.read(&String::from_utf8_lossy(&fs::read(path).unwrap_or_default()));
    }
    marks
}

/// What ran to the end of its time did all that it was to do, unless it is the half that is to fail.
fn planned_to_fail(planned: &Planned<'_>) -> bool {
    planned.label == FAILS
}

/// The label of the half that fails.
pub const FAILS: &str = "fails";

/// The label of the half that is cured.
pub const CURED: &str = "cured";
