//! Submits jobs in SQL: a small program of ours, compiled against the Flink that runs, handed over by Flink's own
//! client (`CliFrontend`). The packages of the Python index have no SQL client that starts.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flate2::Crc;
use thiserror::Error;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::Stage;
use super::cluster::{self, Cluster};
use super::jdk::JdkError;
use super::process::{Jvm, tail};
use crate::model::Bytes;

/// The program's source.
const SOURCE: &str = include_str!("java/SqlRun.java");

/// Its class.
const CLASS: &str = "SqlRun";

/// The client plans the job: that takes ten seconds, on a busy machine a minute.
const PATIENCE: Duration = Duration::from_secs(180);

/// Between two looks whether it has ended.
const PAUSE: Duration = Duration::from_millis(100);

/// The client's heap: it plans SQL.
const HEAP: Bytes = Bytes::mib(384);

/// Why a job was not submitted. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum SubmitError {
    /// There is no compiler.
    #[error(transparent)]
    Jdk(#[from] JdkError),
    /// A file cannot be written.
    #[error("write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A program was not started.
    #[error("start {}: {source}", program.display())]
    Start {
        /// Which.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The program that submits jobs does not compile against this Flink.
    #[error("compile what submits jobs against Flink {version}, which has to be 1.13 or later: {said}")]
    Compile {
        /// Flink's version.
        version: String,
        /// What the compiler said first.
        said: String,
    },
    /// Flink's client failed.
    #[error("submit the job: Flink's client said: {0}")]
    Refused(String),
    /// It takes too long.
    #[error("submit the job: Flink's client has not ended within {} s", PATIENCE.as_secs())]
    TooLate,
    /// Ctrl-C.
    #[error("submit the job: it was interrupted")]
    Interrupted,
}

/// Submits a job, and gives back its id once the JobManager has it.
///
/// # Errors
///
/// Where there is no compiler, Flink refuses the job, or it takes too long.
pub fn submit(stage: &Stage<'_>, cluster: &Cluster, script: &str, parallelism: u32) -> Result<String, SubmitError> {
    let jar = compiled(stage)?;
    let file = cluster.directory.join("job.sql");
    fs::write(&file, script).map_err(|source| SubmitError::Write { path: file.clone(), source })?;
    let [log, out] = ["client.log", "client.out"].map(|name| cluster.directory.join("log").join(name));
    // The C1 compiler alone: the client is gone before the other one pays.
    let options =
        [format!("-Xmx{}m", HEAP.whole_mib()), "-XX:TieredStopAtLevel=1".to_owned(), "-XX:+UseSerialGC".to_owned()];
    let class_path = stage.distribution.class_path();
    let mut command = cluster::java(stage, &cluster.directory, &log, &options, &class_path);
    command.args(["org.apache.flink.client.cli.CliFrontend", "run", "--detached", "--parallelism"]);
    command.arg(parallelism.to_string()).args(["--class", CLASS]).arg(&jar).arg(&file);
    // No role: it goes into no group, since what it takes is not the cluster's.
    let client = Jvm::start(None, HEAP, command, stage.gate, log, out);
    let mut client = client.map_err(|source| SubmitError::Start { program: stage.jdk.java(), source })?;
    let status = loop {
        match client.ended() {
            Some(status) => break status,
            None if stage.is_interrupted() => return Err(SubmitError::Interrupted),
            None if client.since.elapsed() > PATIENCE => return Err(SubmitError::TooLate),
            None => thread::sleep(PAUSE),
        }
    };
    let said = tail(&client.out, usize::MAX);
    match job_id(&said) {
        Some(id) if status.success() => Ok(id.to_owned()),
        _ => Err(SubmitError::Refused(reason(&said))),
    }
}

/// `Job has been submitted with JobID 8b…` (`CliFrontend`, `ClientUtils`).
fn job_id(said: &str) -> Option<&str> {
    let (_, rest) = said.rsplit_once("JobID ")?;
    let id = rest.get(..32)?;
    id.bytes().all(|sign| sign.is_ascii_hexdigit()).then_some(id)
}

/// What a client's stack trace comes down to: its last cause.
fn reason(said: &str) -> String {
    let mut causes = said.lines().filter(|line| line.starts_with("Caused by: "));
    let first = said.lines().find(|line| !line.trim().is_empty());
    causes.next_back().or(first).unwrap_or("nothing").trim().to_owned()
}

/// The jar of the program, compiled for this Flink and JDK where that was not done before.
///
/// # Errors
///
/// Where there is no compiler, or the cache cannot be written.
pub fn compiled(stage: &Stage<'_>) -> Result<PathBuf, SubmitError> {
    let mut sum = Crc::new();
    sum.update(SOURCE.as_bytes());
    let version = &stage.distribution.version;
    let jar = stage.cache.join(format!("sql-run-{version}-jdk{}-{:08x}.jar", stage.jdk.release, sum.sum()));
    if jar.is_file() {
        return Ok(jar);
    }
    let writing = |path: &Path| {
        let path = path.to_owned();
        move |source| SubmitError::Write { path, source }
    };
    fs::create_dir_all(stage.cache).map_err(writing(stage.cache))?;
    let work = tempfile::tempdir_in(stage.cache).map_err(writing(stage.cache))?;
    let source = work.path().join(format!("{CLASS}.java"));
    fs::write(&source, SOURCE).map_err(writing(&source))?;
    compile(stage, &source, work.path())?;
    let class = work.path().join(format!("{CLASS}.class"));
    let bytes = fs::read(&class).map_err(writing(&class))?;
    let unnamed = work.path().join("it.jar");
    pack(&unnamed, &bytes).map_err(writing(&unnamed))?;
    // Under its name only when it is whole: another oomph may look for it now.
    fs::rename(&unnamed, &jar).map_err(writing(&jar))?;
    Ok(jar)
}

fn compile(stage: &Stage<'_>, source: &Path, into: &Path) -> Result<(), SubmitError> {
    let javac = stage.jdk.javac()?;
    let mut command = Command::new(&javac);
    command.args(["-proc:none", "-d"]).arg(into).arg("-classpath").arg(stage.distribution.class_path()).arg(source);
    let output =
        command.stdin(Stdio::null()).output().map_err(|source| SubmitError::Start { program: javac, source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().find(|line| line.contains("error:")).or(said.lines().next()).unwrap_or_default();
    Err(SubmitError::Compile { version: stage.distribution.version.clone(), said: said.to_owned() })
}

/// A jar with the one class.
fn pack(jar: &Path, class: &[u8]) -> io::Result<()> {
    let mut archive = ZipWriter::new(fs::File::create(jar)?);
    archive.start_file(format!("{CLASS}.class"), SimpleFileOptions::default()).map_err(io::Error::other)?;
    archive.write_all(class)?;
    archive.finish().map_err(io::Error::other)?;
    Ok(())
}

/// Waits until a job runs.
///
/// # Errors
///
/// Where it has ended, or does not run within the time that a client has.
pub fn wait_until_it_runs(stage: &Stage<'_>, cluster: &Cluster, job: &str) -> Result<(), SubmitError> {
    let since = Instant::now();
    loop {
        // A JobManager that does not answer is judged by whoever follows it.
        let state = cluster.ask.job(job).map(|job| job.state).unwrap_or_default();
        match state.as_str() {
            "RUNNING" => return Ok(()),
            "FAILED" | "CANCELED" | "FINISHED" => return Err(SubmitError::Refused(format!("the job is {state}"))),
            _ if stage.is_interrupted() => return Err(SubmitError::Interrupted),
            _ if since.elapsed() > PATIENCE => return Err(SubmitError::TooLate),
            _ => thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_is_found_in_what_the_client_says() {
        let id = "88c77c78de231e610fc8af69fbf36762";
        assert_eq!(job_id(&format!("warm-up\nJob has been submitted with JobID {id}\n")), Some(id));
        assert_eq!(job_id("JobID 88c7"), None);
        assert_eq!(job_id("JobID of the job that was submitted is not known"), None);
    }

    #[test]
    fn a_refusal_is_told_by_its_last_cause() {
        let said = "\n The program finished with the following exception:\n\norg.apache.flink.X: Y\n\tat z\n\
                    Caused by: org.apache.flink.A: B\n\tat z\nCaused by: java.net.ConnectException: refused\n\t... 3 more\n";
        assert_eq!(reason(said), "Caused by: java.net.ConnectException: refused");
        assert_eq!(reason("No such file\n"), "No such file");
        assert_eq!(reason(""), "nothing");
    }
}
