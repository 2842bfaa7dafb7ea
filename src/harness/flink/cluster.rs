//! A standalone cluster on loopback: a JobManager and a TaskManager, started without Flink's scripts, with everything
//! that they write below one directory of ours.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Stage;
use super::ask::Ask;
use super::process::{Jvm, Words};
use crate::model::Role;
use crate::repro::launch::{self, Launch, LaunchError, Settings, Version};

/// How long a cluster may take until its TaskManager has registered: some seconds, on a busy machine half a minute.
const START: Duration = Duration::from_secs(180);

/// Between two looks whether something has happened.
const PAUSE: Duration = Duration::from_millis(200);

/// A port that was free may be another's by the time the JobManager wants it.
const ATTEMPTS: u32 = 3;

/// Log4j 2, which Flink has since 1.11: everything into one file.
const LOG4J2: &str = "\
rootLogger.level = INFO
rootLogger.appenderRef.file.ref = File
appender.file.name = File
appender.file.type = FILE
appender.file.fileName = ${sys:log.file}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
";

/// Log4j 1, up to Flink 1.10.
const LOG4J1: &str = "\
log4j.rootLogger=INFO, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.file=${log.file}
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=%d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
";

/// Why there is no cluster. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum ClusterError {
    /// The version in the jar's name is none.
    #[error("read the version of Flink: {0}")]
    Version(String),
    /// It cannot be started with these settings.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// A file of its directory cannot be written.
    #[error("write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// No port is free.
    #[error("find a free port on 127.0.0.1: {0}")]
    Port(io::Error),
    /// A JVM was not started.
    #[error("start {}: {source}", java.display())]
    Start {
        /// What was to be started.
        java: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A process ended before the cluster was there.
    #[error("start a cluster: its {role} ended with {status}: {words}")]
    Ended {
        /// Which.
        role: Role,
        /// How.
        status: String,
        /// Its last words.
        words: String,
    },
    /// It takes too long.
    #[error(
        "start a cluster: its TaskManager has not registered within {} s; its logs are in {}",
        START.as_secs(),
        directory.display()
    )]
    TooLate {
        /// Where it runs.
        directory: PathBuf,
    },
    /// Ctrl-C.
    #[error("start a cluster: it was interrupted")]
    Interrupted,
}

/// A cluster that runs. Its processes end where the value goes.
#[derive(Debug)]
pub struct Cluster {
    /// Where everything lies that it writes.
    pub directory: PathBuf,
    /// Its REST interface.
    pub ask: Ask,
    // The TaskManager is dropped first: it would otherwise look for its JobManager.
    /// The TaskManager.
    pub taskmanager: Jvm,
    /// The JobManager.
    pub jobmanager: Jvm,
}

impl Cluster {
    /// Starts one with some settings below a directory, which is made, and waits until its TaskManager has registered.
    /// Addresses, ports and directories are added to the settings.
    ///
    /// # Errors
    ///
    /// Where Flink refuses the settings, a process cannot be started or ends, or it takes too long.
    pub fn start(stage: &Stage<'_>, directory: &Path, settings: &Settings) -> Result<Cluster, ClusterError> {
        let mut attempt = 1;
        loop {
            match Cluster::attempt(stage, directory, settings) {
                Err(ClusterError::Ended { .. }) if attempt < ATTEMPTS && port_is_taken(directory) => {
                    attempt += 1;
                    // What this attempt wrote would be taken for the next one's.
                    let log = directory.join("log");
                    fs::remove_dir_all(&log).map_err(|source| ClusterError::Write { path: log, source })?;
                }
                outcome => return outcome,
            }
        }
    }

    fn attempt(stage: &Stage<'_>, directory: &Path, settings: &Settings) -> Result<Cluster, ClusterError> {
        let version = version(stage)?;
        for folder in ["conf", "tmp", "log"] {
            let path = directory.join(folder);
            fs::create_dir_all(&path).map_err(|source| ClusterError::Write { path, source })?;
        }
        let [rpc, rest] = free_ports().map_err(ClusterError::Port)?;
        let mut all = placed(directory, rpc, rest, version);
        all.extend(settings.clone());
        let begin = |role| -> Result<Jvm, ClusterError> {
            let launch = launch::launch(version, role, &all)?;
            write(&directory.join("conf").join(launch.file_name), &launch.file_text)?;
            start(stage, directory, role, &launch)
        };
        write(&directory.join("conf/log4j.properties"), LOG4J1)?;
        write(&directory.join("conf/log4j2.properties"), LOG4J2)?;
        let jobmanager = begin(Role::JobManager)?;
        let taskmanager = begin(Role::TaskManager)?;
        let mut cluster = Cluster { directory: directory.to_owned(), ask: Ask::at(rest), taskmanager, jobmanager };
        cluster.wait(stage)?;
        Ok(cluster)
    }

    /// The process of a role.
    pub fn process(&mut self, role: Role) -> &mut Jvm {
        match role {
            Role::JobManager => &mut self.jobmanager,
            Role::TaskManager => &mut self.taskmanager,
        }
    }

    /// What both processes left to read: their logs, those of their collections, and what the JVMs themselves said.
    pub fn left(&self) -> Vec<PathBuf> {
        let both = [&self.jobmanager, &self.taskmanager];
        let files = both.iter().flat_map(|jvm| [jvm.log.clone(), jvm.out.clone(), jvm.log.with_extension("gc")]);
        files.filter(|path| path.is_file()).collect()
    }

    fn wait(&mut self, stage: &Stage<'_>) -> Result<(), ClusterError> {
        let since = Instant::now();
        while !self.ask.taskmanagers().is_ok_and(|registered| registered > 0) {
            for role in [Role::JobManager, Role::TaskManager] {
                let jvm = self.process(role);
                if let Some(status) = jvm.ended() {
                    let words = jvm.last_words();
                    return Err(ClusterError::Ended { role, status: Words(status).to_string(), words });
                }
            }
            if stage.is_interrupted() {
                return Err(ClusterError::Interrupted);
            }
            if since.elapsed() > START {
                return Err(ClusterError::TooLate { directory: self.directory.clone() });
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// The version of the distribution.
///
/// # Errors
///
/// Where its jar is named otherwise than Flink names it.
pub fn version(stage: &Stage<'_>) -> Result<Version, ClusterError> {
    let text = &stage.distribution.version;
    text.parse().map_err(|error| ClusterError::Version(format!("{error}")))
}

/// What does not depend on the scenario: everything stays on this machine and below the directory.
fn placed(directory: &Path, rpc: u16, rest: u16, version: Version) -> Settings {
    let at = |folder: &str| directory.join(folder).display().to_string();
    let local = "127.0.0.1".to_owned();
    let (rpc, rest) = (rpc.to_string(), rest.to_string());
    let pairs = [
        ("jobmanager.rpc.address", local.clone()),
        ("jobmanager.rpc.port", rpc),
        ("jobmanager.bind-host", local.clone()),
        ("taskmanager.host", local.clone()),
        ("taskmanager.bind-host", local.clone()),
        ("rest.address", local.clone()),
        ("rest.bind-address", local),
        ("rest.port", rest.clone()),
        ("rest.bind-port", rest),
        ("io.tmp.dirs", at("tmp")),
        ("web.tmpdir", at("tmp")),
        ("web.upload.dir", at("tmp")),
        ("blob.storage.directory", at("tmp")),
        // Both processes share a few cores with all else: with the 10 s that are the default a job fails because its tasks
        // were long in being deployed, before what it is to show.
        (launch::spelled(version, &["pekko.ask.timeout", "akka.ask.timeout"]), "60 s".to_owned()),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn write(path: &Path, text: &str) -> Result<(), ClusterError> {
    fs::write(path, text).map_err(|source| ClusterError::Write { path: path.to_owned(), source })
}

/// Two ports that nobody listens on now; both are held until both are known, so that they differ.
fn free_ports() -> io::Result<[u16; 2]> {
    let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let (one, other) = (bind()?, bind()?);
    Ok([one.local_addr()?.port(), other.local_addr()?.port()])
}

/// Whether a process of the cluster in a directory said that its port is another's: somewhere, since what follows such a
/// line as its last words is a trace of many lines.
fn port_is_taken(directory: &Path) -> bool {
    let files = fs::read_dir(directory.join("log")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read(file.path()).ok()).any(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        text.contains("BindException") || text.contains("Address already in use")
    })
}

/// The command of a JVM that runs one of Flink's classes, with nothing of oomph's own environment but what every
/// program needs.
pub(super) fn java(stage: &Stage<'_>, directory: &Path, log: &Path, more: &[String], class_path: &OsString) -> Command {
    let configuration = directory.join("conf");
    let property = |name: &str, value: String| format!("-D{name}={value}");
    let file = |name: &str| format!("file:{}", configuration.join(name).display());
    let mut command = Command::new(stage.jdk.java());
    command
        .args(more)
        .args(launch::opened_packages(stage.jdk.release))
        .arg(property("log.file", log.display().to_string()))
        .arg(property("log4j.configuration", file("log4j.properties")))
        .arg(property("log4j.configurationFile", file("log4j2.properties")))
        .arg(property("java.io.tmpdir", directory.join("tmp").display().to_string()))
        .arg("-classpath")
        .arg(class_path)
        .current_dir(directory)
        .env_clear();
    for name in ["PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("JAVA_HOME", &stage.jdk.home);
    command.env("FLINK_HOME", &stage.distribution.home);
    command.env("FLINK_CONF_DIR", configuration);
    // Where there is no such folder Flink warns and goes on.
    command.env("FLINK_PLUGINS_DIR", stage.distribution.home.join("plugins"));
    command
}

fn start(stage: &Stage<'_>, directory: &Path, role: Role, launch: &Launch) -> Result<Jvm, ClusterError> {
    let name = match role {
        Role::JobManager => "jobmanager",
        Role::TaskManager => "taskmanager",
    };
    let at = |extension: &str| directory.join("log").join(format!("{name}.{extension}"));
    let mut options = launch.jvm.clone();
    // JDK 8 writes another form, with other options; what the log adds is not worth two.
    if stage.jdk.release >= 9 {
        options.push(format!("-Xlog:gc*:file={}:time,uptime,level,tags", at("gc").display()));
    }
    let mut command = java(stage, directory, &at("log"), &options, &stage.distribution.class_path());
    command.envs(&launch.environment);
    command.arg(launch.main_class).arg("--configDir").arg(directory.join("conf")).args(&launch.arguments);
    Jvm::start(Some(role), launch.heap, command, stage.gate, at("log"), at("out"))
        .map_err(|source| ClusterError::Start { java: stage.jdk.java(), source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_seen_far_above_the_last_words() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        fs::create_dir(&log).unwrap();
        assert!(!port_is_taken(directory.path()));
        let trace =
            "\tat org.apache.flink.runtime.rest.RestServerEndpoint.start(RestServerEndpoint.java:341)\n".repeat(200);
        fs::write(log.join("jobmanager.out"), "killed\n").unwrap();
        assert!(!port_is_taken(directory.path()));
        fs::write(
            log.join("jobmanager.log"),
            format!("java.net.BindException: Could not start rest endpoint\n{trace}"),
        )
        .unwrap();
        assert!(port_is_taken(directory.path()));
    }
}
