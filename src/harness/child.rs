//! Starts a command in a group.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use thiserror::Error;

use super::enter;
use super::group::Group;
use super::kernel_log::KernelLog;
use crate::artefact::process_status::command;
use crate::model::Seen;
use crate::probe::process;
use crate::probe::root::Root;

/// What of oomph's own environment a command gets; everything else it is told.
const KEPT: [&str; 9] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "LD_LIBRARY_PATH"];

/// A program that calls [`enter::enter`] before anything else, and words that go before those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// The program: a worker of ours.
    pub program: PathBuf,
    /// Words ahead of [`enter::ENTER`]; none for a worker.
    pub words: Vec<OsString>,
}

impl Door {
    /// A worker as it is.
    pub fn of(program: impl Into<PathBuf>) -> Door {
        Door { program: program.into(), words: Vec::new() }
    }
}

/// A command: any program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// The program: a path, or a name that is looked for in `PATH`.
    pub program: OsString,
    /// Its words.
    pub arguments: Vec<OsString>,
    /// Variables of its environment, beside the few that it takes over from oomph.
    pub variables: BTreeMap<OsString, OsString>,
    /// Where it runs; oomph's own directory where it is nothing.
    pub directory: Option<PathBuf>,
    /// What it reads from its standard input, which ends there.
    pub input: Vec<u8>,
}

impl Task {
    /// A program without anything else.
    pub fn of(program: impl AsRef<OsStr>) -> Task {
        Task { program: program.as_ref().to_owned(), ..Task::default() }
    }

    /// The same with words.
    #[must_use]
    pub fn with<W: Into<OsString>>(mut self, words: impl IntoIterator<Item = W>) -> Task {
        self.arguments.extend(words.into_iter().map(Into::into));
        self
    }

    /// The same with a variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Task {
        self.variables.insert(name.into(), value.into());
        self
    }
}

/// Why a command was not started. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum StartError {
    /// The system did not start the program at the door.
    #[error("start {}: {source}", program.display())]
    Door {
        /// Which.
        program: PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

/// A command that runs. Where the value goes before it has ended, it is ended.
#[derive(Debug)]
pub struct Running {
    child: Child,
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub started: Option<u64>,
    /// When it was started.
    pub since: Instant,
    /// What the kernel says from its start on.
    pub log: Seen<KernelLog>,
    status: Option<ExitStatus>,
    is_collected: bool,
    /// Which of the door's words is [`enter::ENTER`], while it is the door.
    asks_at: usize,
    is_command: bool,
}

impl Running {
    /// Starts a command through a door, within a group where there is one. It is a process group of its own, so that Ctrl-C
    /// in a terminal goes to oomph alone.
    ///
    /// The kernel ends it when the thread that calls this ends (prctl(2), `PR_SET_PDEATHSIG`): call it on the thread that
    /// follows it.
    ///
    /// # Errors
    /// Where the door cannot be started. That the command behind it cannot shows in its exit code, [`enter::EXIT`].
    pub fn start(root: &Root, door: &Door, task: &Task, group: Option<&Group>) -> Result<Running, StartError> {
        let log = KernelLog::from_here(root);
        let entrance = group.map(Group::entrance);
        let words = enter::words(entrance.as_deref().map(|file| file.as_os_str()), std::process::id(), &task.program);
        let mut command = Command::new(&door.program);
        command.args(&door.words).args(words).args(&task.arguments);
        command.env_clear();
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(&task.variables);
        if let Some(directory) = &task.directory {
            command.current_dir(directory);
        }
        let input = if task.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let since = Instant::now();
        let spawned = command.spawn();
        let mut child = spawned.map_err(|source| StartError::Door { program: door.program.clone(), source })?;
        if let Some(mut pipe) = child.stdin.take() {
            let input = task.input.clone();
            // A command that ends before it has read all has no use for the rest.
            thread::spawn(move || pipe.write_all(&input));
        }
        let pid = child.id();
        let started = process::started(root, pid).ok();
        let asks_at = 1 + door.words.len();
        Ok(Running { child, pid, started, since, log, status: None, is_collected: false, asks_at, is_command: false })
    }

    /// What it writes, once.
    pub fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Whether it is the command by now, and not the door any more: what is measured before is not the command's.
    pub fn is_command(&mut self, root: &Root) -> bool {
        if !self.is_command {
            let words = root.read_of(self.pid, "cmdline").and_then(|bytes| command(&bytes));
            self.is_command = words.is_ok_and(|words| words.get(self.asks_at).is_none_or(|word| word != enter::ENTER));
        }
        self.is_command
    }

    /// Whether it has ended. All processes that it started and that are of its process group end with it.
    pub fn has_ended(&mut self) -> bool {
        if self.is_collected {
            return true;
        }
        if let Some(pid) = self.raw() {
            // Not collected yet, it keeps its id, so that its process group can be no other's.
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            if matches!(waitid(WaitId::Pid(pid), options), Ok(None)) {
                return false;
            }
        }
        self.kill();
        true
    }

    /// Ends it and its process group, and collects it: its status, where the system gives it.
    pub fn kill(&mut self) -> Option<ExitStatus> {
        if !self.is_collected {
            self.is_collected = true;
            if let Some(pid) = self.raw() {
                // There may be nobody left in it.
                let _ = kill_process_group(pid, Signal::KILL);
            }
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
        self.status
    }

    fn raw(&self) -> Option<Pid> {
        i32::try_from(self.pid).ok().and_then(Pid::from_raw)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A status in words: `exit code 3`, `signal 11`.
pub fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an end without a status".to_owned(),
    }
}
