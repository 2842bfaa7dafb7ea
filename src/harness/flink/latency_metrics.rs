//! Runs `latency-metrics`: see [`crate::repro::scenarios::latency_metrics`].

use std::thread;
use std::time::{Duration, Instant};

use super::cluster::{self, Cluster};
use super::follow::{self, Followed};
use super::half::{self, CURED, FAILS, Planned};
use super::{FlinkError, Stage, submit};
use crate::model::{Bytes, Role};
use crate::repro::outcome::Trial;
pub use crate::repro::scenarios::latency_metrics::SCENARIO;
use crate::repro::scenarios::latency_metrics::{Granularity, Growth, Size, judge, script, settings};

/// The longest that the failing half runs from the submission of its job on.
const LASTS: Duration = Duration::from_secs(70);

/// The cured half runs so much longer than the failing one did.
const LONGER: Duration = Duration::from_secs(5);

/// How long marks take until each subtask of a source has met each subtask behind it, and the JobManager has fetched
/// that.
const FILLED: Duration = Duration::from_secs(25);

/// The most that is waited until as many histograms are there as there will be.
const SETTLED: Duration = Duration::from_secs(60);

/// Between two counts.
const PAUSE: Duration = Duration::from_secs(4);

/// Runs all halves and holds them against one another; a factor makes job and heap larger.
///
/// # Errors
///
/// As [`half::run`], and where a histogram cannot be weighed.
pub fn run(stage: &Stage<'_>, factor: u32) -> Result<Trial, FlinkError> {
    let version = cluster::version(stage)?;
    let size = Size::times(factor);
    let script = script();
    let growth = growth(stage, size, &script)?;
    let heap = growth.too_small();
    let planned = |label, granularity, lasts, enough, weighed| Planned {
        label,
        settings: settings(version, granularity, heap, size.parallelism),
        script: &script,
        parallelism: size.parallelism,
        role: Role::JobManager,
        lasts,
        enough,
        weighed,
    };
    let never = |_: &Followed| false;
    let fails = half::run(stage, &planned(FAILS, Granularity::Subtask, LASTS, &never, false))?;
    let longer = Duration::from_millis(fails.millis) + LONGER;
    let cured = half::run(stage, &planned(CURED, Granularity::Operator, longer.max(FILLED), &never, true))?;
    let single = half::run(stage, &planned("single", Granularity::Single, FILLED, &never, true))?;
    let statements = judge(&fails, &cured, &single, &growth);
    let directory = stage.directory.display().to_string();
    Ok(Trial {
        scenario: SCENARIO.name.to_owned(),
        title: SCENARIO.title.to_owned(),
        runs: [fails, cured, single].into_iter().map(|half| half.into_run(SCENARIO.name, &directory)).collect(),
        statements,
        notes: vec![
            "The metric store only fills while somebody reads metrics; here the job's page is asked for each second, as \
             an open dashboard does."
                .to_owned(),
        ],
    })
}

/// Weighs a histogram: two jobs of different parallelism, one after the other, in a JobManager that has room for both.
fn growth(stage: &Stage<'_>, size: Size, script: &str) -> Result<Growth, FlinkError> {
    let version = cluster::version(stage)?;
    let slots = size.parallelism + size.smaller();
    let settings = settings(version, Granularity::Subtask, size.roomy_heap, slots);
    (stage.say)(&format!("weighed: starting Flink {}", stage.distribution.version));
    let mut cluster = Cluster::start(stage, &stage.directory.join("weighed"), &settings)?;
    let (series, live) = weigh(stage, &mut cluster, script, size.smaller())?;
    let (series_more, live_with_both) = weigh(stage, &mut cluster, script, size.parallelism)?;
    Ok(Growth {
        parallelism: size.smaller(),
        series,
        live,
        parallelism_more: size.parallelism,
        series_more,
        live_with_both,
    })
}

/// Submits a job, waits until its histograms are there, and says how many they are and what is live in the heap then.
fn weigh(stage: &Stage<'_>, cluster: &mut Cluster, script: &str, parallelism: u32) -> Result<(u64, Bytes), FlinkError> {
    (stage.say)(&format!("weighed: submitting the job with parallelism {parallelism}"));
    let job = submit::submit(stage, cluster, script, parallelism)?;
    submit::wait_until_it_runs(stage, cluster, &job)?;
    let since = Instant::now();
    let mut last = 0;
    loop {
        thread::sleep(PAUSE);
        if stage.is_interrupted() {
            return Err(FlinkError::Interrupted);
        }
        let series = cluster.ask.latency_histograms(&job)?;
        if series > 0 && series == last || since.elapsed() > SETTLED {
            return Ok((series, follow::live(Role::JobManager, cluster.jobmanager.pid)?));
        }
        last = series;
    }
}
