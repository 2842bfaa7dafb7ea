//! One JVM of a cluster: started, looked after, and ended by its process id, also where the value goes.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use crate::model::{Bytes, Role};

/// How a process is started: as it is, or through something that puts it into a group and ties it to oomph. The process that
/// comes out of it must be the command itself (`exec`), since it is known and ended by its id.
pub trait Gate {
    /// Starts a command.
    ///
    /// # Errors
    ///
    /// Where the system does not.
    fn start(&self, role: Role, command: Command) -> io::Result<Child>;
}

/// Starts a command as it is, in a process group of its own: Ctrl-C in a terminal goes to oomph alone, which ends it.
#[derive(Clone, Copy, Debug)]
pub struct Open;

impl Gate for Open {
    fn start(&self, _role: Role, mut command: Command) -> io::Result<Child> {
        command.process_group(0).spawn()
    }
}

/// A JVM.
#[derive(Debug)]
pub struct Jvm {
    /// Whose.
    pub role: Role,
    /// Its process id.
    pub pid: u32,
    /// The heap that it was given.
    pub heap: Bytes,
    /// When it was started.
    pub since: Instant,
    /// Flink's log.
    pub log: PathBuf,
    /// What it wrote to its standard output and error: what the JVM itself says.
    pub out: PathBuf,
    child: Child,
    ended: Option<ExitStatus>,
}

impl Jvm {
    /// Starts a command whose output goes into a file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be made or the command cannot be started.
    pub fn start(
        role: Role,
        heap: Bytes,
        mut command: Command,
        gate: &dyn Gate,
        log: PathBuf,
        out: PathBuf,
    ) -> io::Result<Jvm> {
        let file = File::create(&out)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let since = Instant::now();
        let child = gate.start(role, command)?;
        Ok(Jvm { role, pid: child.id(), heap, since, log, out, child, ended: None })
    }

    /// How it ended; nothing while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended
    }

    /// Ends it and waits until it is gone.
    pub fn end(&mut self) {
        if self.ended().is_none() {
            // It holds nothing that anybody needs later; a JVM without heap would not hear a politer signal.
            let _ = self.child.kill();
            self.ended = self.child.wait().ok();
        }
    }

    /// The last lines of what it wrote.
    pub fn last_words(&self) -> String {
        let words = tail(&self.out, LINES);
        if words.is_empty() { tail(&self.log, LINES) } else { words }
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        self.end();
    }
}

/// How many of a file's last lines are kept.
const LINES: usize = 12;

/// The last lines of a file; nothing where it cannot be read. A log of a short run is small.
pub fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    // What every JVM from 17 on says of Flink's security manager.
    let all: Vec<&str> = text.lines().filter(|line| !line.starts_with("WARNING: ")).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// An exit status in words.
pub struct Words(pub ExitStatus);

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.code(), self.0.signal()) {
            (Some(code), _) => write!(f, "exit code {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("an unknown status"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    fn started(script: &str, folder: &Path) -> Jvm {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let (log, out) = (folder.join("x.log"), folder.join("x.out"));
        Jvm::start(Role::TaskManager, Bytes::mib(1), command, &Open, log, out).unwrap()
    }

    #[test]
    fn a_process_that_ended_is_told_by_its_status_and_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut jvm = started("echo WARNING: nothing; echo broken >&2; exit 239", folder.path());
        while jvm.ended().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(Words(jvm.ended().unwrap()).to_string(), "exit code 239");
        assert_eq!(jvm.last_words(), "broken");
    }

    #[test]
    fn a_process_does_not_outlive_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let jvm = started("exec sleep 1000", folder.path());
        let status = PathBuf::from(format!("/proc/{}/status", jvm.pid));
        assert!(status.exists());
        drop(jvm);
        assert!(!status.exists());
    }
}
