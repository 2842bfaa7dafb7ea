//! One JVM of a cluster: started, looked after, and ended by its process id, also where the value goes.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use crate::harness::child::Door;
use crate::harness::enter;
use crate::harness::group::Group;
use crate::model::{Bytes, Role};

/// What processes of a cluster go through when they start: a worker of ours, that ties each to the thread which starts
/// it (it ends where that ends, also by SIGKILL), puts one of them into a group where there is one, and becomes the
/// JVM.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'g> {
    /// The worker; nothing starts processes as they are, and a crash of oomph leaves them running.
    pub door: Option<&'g Door>,
    /// A group, and whose process goes into it.
    pub group: Option<(Role, &'g Group)>,
}

impl Gate<'_> {
    /// The command that becomes this one behind the gate, which keeps its process id, environment and directory.
    fn through(self, role: Option<Role>, command: Command) -> Command {
        let Some(door) = self.door else { return command };
        let entrance = self.group.filter(|(of, _)| Some(*of) == role).map(|(_, group)| group.entrance());
        let words = enter::words(entrance.as_deref().map(Path::as_os_str), std::process::id(), command.get_program());
        let mut through = Command::new(&door.program);
        through.args(&door.words).args(words).args(command.get_args()).env_clear();
        through.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(directory) = command.get_current_dir() {
            through.current_dir(directory);
        }
        through
    }
}

/// A JVM, of a cluster or a client.
#[derive(Debug)]
pub struct Jvm {
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
    /// Starts a command whose output goes into a file, as the process of a role where it has one. It is a process group
    /// of its own: Ctrl-C in a terminal goes to oomph alone, which ends it.
    ///
    /// # Errors
    ///
    /// Where the file cannot be made or the command cannot be started.
    pub fn start(
        role: Option<Role>,
        heap: Bytes,
        command: Command,
        gate: Gate<'_>,
        log: PathBuf,
        out: PathBuf,
    ) -> io::Result<Jvm> {
        let file = File::create(&out)?;
        let mut command = gate.through(role, command);
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
        let since = Instant::now();
        let child = command.spawn()?;
        Ok(Jvm { pid: child.id(), heap, since, log, out, child, ended: None })
    }

    /// How it ended; nothing while it runs. What it started (Python, for functions in it) ends with it.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            // Not collected yet, it keeps its id, so that its process group can be no other's.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let runs = self.raw().is_some_and(|pid| matches!(waitid(WaitId::Pid(pid), options), Ok(None)));
            if !runs {
                self.end();
            }
        }
        self.ended
    }

    /// Ends it with all that it started, and waits until it is gone.
    pub fn end(&mut self) {
        if self.ended.is_none() {
            // It holds nothing that anybody needs later; a JVM without heap would not hear a politer signal.
            if let Some(pid) = self.raw() {
                let _ = kill_process_group(pid, Signal::KILL);
            }
            let _ = self.child.kill();
            self.ended = self.child.wait().ok();
        }
    }

    fn raw(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
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
        Jvm::start(None, Bytes::mib(1), command, Gate { door: None, group: None }, log, out).unwrap()
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
    fn a_command_behind_the_gate_keeps_its_words_and_its_environment() {
        let door = Door::of("/a/worker");
        let gate = Gate { door: Some(&door), group: None };
        let mut command = Command::new("java");
        command.arg("-Xmx1m").current_dir("/tmp").env_clear().env("HOME", "/home");
        let through = gate.through(Some(Role::JobManager), command);
        let words: Vec<_> = through.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
        assert_eq!(through.get_program(), "/a/worker");
        assert_eq!(words, ["--enter", "-", &std::process::id().to_string(), "--", "java", "-Xmx1m"]);
        assert_eq!(through.get_current_dir(), Some(Path::new("/tmp")));
        assert_eq!(through.get_envs().filter(|(name, _)| *name == "HOME").count(), 1);
    }

    #[test]
    fn what_a_process_started_ends_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let script = format!("sleep 1000 & echo $! >{}/pid; exit 3", folder.path().display());
        let mut jvm = started(&script, folder.path());
        while jvm.ended().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(jvm.ended().unwrap().code(), Some(3));
        let pid: u32 = fs::read_to_string(folder.path().join("pid")).unwrap().trim().parse().unwrap();
        let stat = PathBuf::from(format!("/proc/{pid}/stat"));
        // Who collects it may be slow to do so.
        let is_gone = || fs::read_to_string(&stat).map_or(true, |text| text.contains(") Z "));
        while !is_gone() {
            std::thread::yield_now();
        }
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
