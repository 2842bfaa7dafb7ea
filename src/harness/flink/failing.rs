//! Runs a failure, or its cure, on a cluster of its own, and keeps what it leaves behind as somebody who is called would
//! find it: logs, the kernel's report, the container's counters, what REST says of the job.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::cluster::{self, Cluster, ClusterError};
use super::follow::{self, Followed};
use super::half;
use super::process::Gate;
use super::recorder::Recorder;
use super::submit::{self, SubmitError};
use super::{FlinkError, Stage};
use crate::artefact::kernel_oom;
use crate::harness::disk::Space;
use crate::harness::group::Group;
use crate::harness::kernel_log::{self, KernelLog};
use crate::harness::leftovers::RunDirectory;
use crate::harness::limit;
use crate::harness::thread_limit::{ThreadLimit, Threads};
use crate::harness::tmpfs::Tmpfs;
use crate::model::{Bytes, Limit, Seen as Read};
use crate::probe::root::Root;
use crate::repro::failure::{End, Failure, Fence, Seen, Site};
use crate::repro::launch::{self, Settings};
use crate::repro::outcome::Ending;

/// Files of a group that show how it stands, of both versions.
const COUNTERS: [&str; 11] = [
    "memory.usage_in_bytes",
    "memory.max_usage_in_bytes",
    "memory.limit_in_bytes",
    "memory.failcnt",
    "memory.oom_control",
    "memory.stat",
    "memory.current",
    "memory.peak",
    "memory.max",
    "memory.events",
    "memory.swap.current",
];

/// So long a process is left alone before it is ended from outside: its job runs by then.
const UNTOUCHED: Duration = Duration::from_secs(10);

/// So long a JobManager has to notice that a TaskManager is gone, and logs have to be written.
const NOTICED: Duration = Duration::from_secs(6);

/// The directory of what a run left, below that of the run.
const LEFT: &str = "left";

/// What `oomph record` wrote.
const RECORDING: &str = "taskmanager.rec";

/// One run: which of them, with what, and for how long at most.
pub struct Attempt<'a> {
    /// `fails` or `cured`: the name of its directory.
    pub label: &'a str,
    /// Whether it is the one that has to fail.
    pub fails: bool,
    /// The settings of the cluster.
    pub settings: Settings,
    /// What bounds the threads of the process.
    pub threads: Option<Threads>,
    /// From the submission of the job on.
    pub lasts: Duration,
    /// oomph, where it records the run.
    pub recorder: Option<&'a Path>,
}

/// What a run left.
#[derive(Debug)]
pub struct Left {
    /// What was seen of it.
    pub seen: Seen,
    /// A directory with everything that somebody would find afterwards.
    pub artefacts: PathBuf,
    /// The configuration file that the processes read.
    pub configuration: PathBuf,
    /// The limit of the container, where there was one.
    pub limit: Limit,
    /// What the user should know of this machine.
    pub notes: Vec<String>,
}

/// Whether this machine has room for a failure.
///
/// # Errors
///
/// Where it has too little memory or disk.
pub fn room(stage: &Stage<'_>, failure: &Failure) -> Result<(), FlinkError> {
    if let Ok(room) = limit::room(&Root::live()) {
        limit::check(Limit::AtMost(failure.memory), &room)?;
    }
    Space::of(stage.directory)?.check(stage.directory, failure.disk, stage.disk)?;
    Ok(())
}

/// The directory in memory that a failure asks for; nothing where it asks for none.
///
/// # Errors
///
/// Where there is none to be had.
pub fn tmpfs(failure: &Failure, directory: &RunDirectory) -> Result<Option<Tmpfs>, FlinkError> {
    Ok(failure.tmpfs.map(|size| Tmpfs::create(directory, size)).transpose()?)
}

/// The file with the Python functions of a failure's job, written beside its runs; nothing where it has none.
///
/// # Errors
///
/// Where it cannot be written.
pub fn module(failure: &Failure, directory: &RunDirectory) -> Result<Option<PathBuf>, FlinkError> {
    let Some(module) = failure.python else { return Ok(None) };
    let path = directory.path().join(module.file);
    match fs::write(&path, module.text) {
        Ok(()) => Ok(Some(path)),
        Err(source) => Err(ClusterError::Write { path, source }.into()),
    }
}

/// The directory of one run of several.
pub fn place(directory: &RunDirectory, label: &str) -> PathBuf {
    directory.path().join(label)
}

/// Runs one.
///
/// # Errors
///
/// Where no group can be made, the cluster or its job cannot be started for another reason than the one that the failure
/// is about, or it is interrupted. That the process ends is what it shows, no error.
pub fn run(
    stage: &Stage<'_>,
    failure: &Failure,
    directory: &RunDirectory,
    site: &Site<'_>,
    attempt: &Attempt<'_>,
) -> Result<Left, FlinkError> {
    let root = Root::live();
    let at = place(directory, attempt.label);
    let (group, limit) = match failure.fence {
        Fence::Nothing | Fence::Threads(_) => (None, Limit::Unlimited),
        Fence::Container => {
            let launch = launch::launch(site.version, failure.role, &attempt.settings).map_err(ClusterError::Launch)?;
            let limit = Limit::AtMost(launch.process);
            (Some(directory.group(&root, limit)?), limit)
        }
    };
    if group.is_some() && stage.gate.door.is_none() {
        return Err(FlinkError::NoDoor);
    }
    let gate = Gate { group: group.as_ref().map(|group| (failure.role, group)), ..stage.gate };
    let stage = &Stage { gate, ..*stage };
    let log = KernelLog::from_here(&root);
    let mut course = course(stage, failure, directory, site, attempt)?;
    let artefacts = at.join(LEFT);
    let mut notes: Vec<String> = group.iter().flat_map(|group| group.notes().iter().cloned()).collect();
    let said = group.as_ref().map(|group| reports(log, group, &artefacts));
    match said.transpose() {
        Ok(Some(reports)) => {
            if let (Some(report), true) = (reports.first(), has_ended(&course.seen.half.ending)) {
                // The kernel chooses among all processes of the container.
                let victim = kernel_oom::reports(report).iter().find_map(kernel_oom::Report::victim);
                let pid = victim.unwrap_or(course.pid);
                course.seen.half.ending = Ending::KilledByKernel { pid, report: report.clone() };
            }
        }
        Ok(None) => {}
        Err(unseen) => notes.push(format!("The kernel's log was not read: {unseen}")),
    }
    course.seen.half.marks = half::marks(&course.logs);
    if let Some(group) = group
        && let Err(error) = group.remove()
    {
        notes.push(format!("could not {error}"));
    }
    let configuration = ["config.yaml", "flink-conf.yaml"].map(|name| at.join("conf").join(name));
    let configuration = configuration.into_iter().find(|path| path.is_file()).unwrap_or_else(|| at.join("conf"));
    Ok(Left { seen: course.seen, artefacts, configuration, limit, notes })
}

/// How a run went, before anything is made of it.
struct Course {
    seen: Seen,
    pid: u32,
    logs: Vec<PathBuf>,
}

fn has_ended(ending: &Ending) -> bool {
    matches!(ending, Ending::Died { .. } | Ending::Failed(_) | Ending::OutOfTime)
}

fn course(
    stage: &Stage<'_>,
    failure: &Failure,
    directory: &RunDirectory,
    site: &Site<'_>,
    attempt: &Attempt<'_>,
) -> Result<Course, FlinkError> {
    let label = attempt.label;
    let at = &place(directory, label);
    let group = stage.gate.group.map(|(_, group)| group);
    (stage.say)(&format!("{label}: starting Flink {}", stage.distribution.version));
    let began = Instant::now();
    let mut cluster = match Cluster::start(stage, at, &attempt.settings) {
        Ok(cluster) => cluster,
        // That it does not come up is what some failures are about.
        Err(ClusterError::Ended { role, status, words }) if role == failure.role => {
            let ending = Ending::Died { status, stderr: words };
            let half = half::of(stage, label, &attempt.settings, Bytes::ZERO, Followed::ended(ending, began.elapsed()));
            let logs = keep(at, group, None)?;
            return Ok(Course { seen: Seen { half, state: None }, pid: 0, logs });
        }
        Err(error) => return Err(error.into()),
    };
    // Made before the cluster is dropped, it would still hold a process.
    let pid = cluster.process(failure.role).pid;
    let bound = attempt.threads.map(|threads| ThreadLimit::of(&Root::live(), directory, pid, threads)).transpose()?;
    let recording = at.join("log").join(RECORDING);
    let recorder = attempt.recorder.map(|program| Recorder::start(program, pid, &recording)).transpose()?;
    (stage.say)(&format!("{label}: submitting the job"));
    let job = match submit::submit(stage, &cluster, &(failure.job)(site), failure.parallelism) {
        Ok(job) => job,
        // A process that ended meanwhile is the failure, and the client only says that nobody answers.
        Err(SubmitError::Refused(_) | SubmitError::TooLate) if cluster.process(failure.role).ended().is_some() => {
            String::new()
        }
        Err(error) => return Err(error.into()),
    };
    let submitted = Instant::now();
    (stage.say)(&format!("{label}: following the {}", failure.role));
    let over = |followed: &Followed| matches!(followed.state.as_deref(), Some("FAILED" | "FINISHED" | "CANCELED"));
    let ends_it = attempt.fails && failure.end == End::EndedFromOutside;
    let lasts = if ends_it { UNTOUCHED } else { attempt.lasts };
    let mut followed = follow::follow(stage, &mut cluster, failure.role, &job, submitted, lasts, &over);
    if followed.ending == Ending::Interrupted {
        return Err(FlinkError::Interrupted);
    }
    if ends_it && followed.ending == Ending::OutOfTime {
        (stage.say)(&format!("{label}: ending the {} from outside", failure.role));
        cluster.process(failure.role).end();
        followed.ending = Ending::Died { status: "signal 9".to_owned(), stderr: String::new() };
    }
    let exceptions = exceptions(&cluster, &job);
    match (followed.state.as_deref(), &followed.ending) {
        (Some("FAILED"), Ending::OutOfTime) => {
            let seconds = followed.millis / 1000;
            followed.ending = Ending::Failed(format!("the job failed after {seconds} s"));
        }
        (_, Ending::OutOfTime) if !attempt.fails || failure.end == End::Lives => followed.ending = Ending::Finished,
        _ => {}
    }
    if attempt.fails && has_ended(&followed.ending) {
        // The other process says what it misses, and logs are written to their end.
        thread::sleep(NOTICED);
    }
    let jvm = cluster.process(failure.role);
    let (pid, heap) = (jvm.pid, jvm.heap);
    let state = followed.state.clone();
    if let Some(recorder) = recorder.filter(|_| jvm.ended().is_some()) {
        recorder.finish();
    }
    // Before the rest of the cluster is ended: that would be told of in the logs, and counters would forget what lives.
    let logs = keep(at, group, exceptions.as_deref())?;
    drop(cluster);
    drop(bound);
    let half = half::of(stage, label, &attempt.settings, heap, followed);
    Ok(Course { seen: Seen { half, state }, pid, logs })
}

/// What REST tells of a job's failures; nothing where nobody answers.
fn exceptions(cluster: &Cluster, job: &str) -> Option<String> {
    let answer = cluster.ask.get(&format!("/jobs/{job}/exceptions")).ok()?;
    serde_json::to_string_pretty(&answer).ok()
}

/// Copies everything that is to be found afterwards into one directory, and names the logs among it.
fn keep(at: &Path, group: Option<&Group>, exceptions: Option<&str>) -> Result<Vec<PathBuf>, FlinkError> {
    let into = &at.join(LEFT);
    let writing = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| FlinkError::Cluster(ClusterError::Write { path, source })
    };
    fs::create_dir_all(into).map_err(writing(into))?;
    let mut logs = Vec::new();
    for role in ["jobmanager", "taskmanager"] {
        for extension in ["log", "out", "gc"] {
            let name = format!("{role}.{extension}");
            let (from, to) = (at.join("log").join(&name), into.join(&name));
            if from.is_file() {
                fs::copy(&from, &to).map_err(writing(&to))?;
                logs.push(to);
            }
        }
    }
    let recording = at.join("log").join(RECORDING);
    if recording.is_file() {
        let to = into.join(RECORDING);
        fs::copy(&recording, &to).map_err(writing(&to))?;
    }
    if let Some(text) = exceptions {
        let path = into.join("job-exceptions.json");
        fs::write(&path, text).map_err(writing(&path))?;
    }
    for name in COUNTERS {
        // Each version has its own of them.
        if let Some(Ok(bytes)) = group.map(|group| fs::read(group.directory().join(name))) {
            let path = into.join(name);
            fs::write(&path, bytes).map_err(writing(&path))?;
        }
    }
    Ok(logs)
}

/// The kernel's reports of kills in the group, which are kept as a log beside the others.
fn reports(log: Read<KernelLog>, group: &Group, into: &Path) -> Read<Vec<String>> {
    let records = log?.read()?;
    let reports = kernel_log::reports(&records, group.name());
    if !reports.is_empty() {
        // What cannot be kept is missed by whoever explains it, and that is said there.
        let _ = fs::write(into.join("kernel.log"), reports.join("\n"));
    }
    Ok(reports)
}

/// The version that runs, for a site.
///
/// # Errors
///
/// As [`cluster::version`].
pub fn version(stage: &Stage<'_>) -> Result<launch::Version, FlinkError> {
    let version = cluster::version(stage)?;
    if version.line() < super::OLDEST {
        return Err(FlinkError::TooOld { version });
    }
    Ok(version)
}
