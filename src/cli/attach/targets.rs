//! Which processes the command line names.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::Exit;
use crate::model::{Seen, Unseen};
use crate::probe::capture::{self, Opened};
use crate::probe::root::Root;
use crate::probe::target::{self, Target};

/// Which processes.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Process ids.
    #[arg(value_name = "PID", value_parser = process_id)]
    pids: Vec<u32>,

    /// Every Flink process of this machine.
    #[arg(long, conflicts_with_all = ["pids", "container", "cgroup"])]
    all: bool,

    /// The Flink processes of a container, by its id or a part of it; YARN's too.
    #[arg(long, value_name = "ID", conflicts_with_all = ["pids", "cgroup"])]
    container: Option<String>,

    /// The Flink processes of a cgroup, by its path.
    #[arg(long, value_name = "PATH", conflicts_with = "pids")]
    cgroup: Option<String>,

    /// Read a capture in place of this machine: a bundle of oomph capture, or a directory laid out like the machine's root.
    #[arg(long, value_name = "CAPTURE")]
    root: Option<PathBuf>,
}

/// A process id, as digits.
pub(in crate::cli) fn process_id(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(pid) if pid > 0 => Ok(pid),
        _ => Err("a process is named by its id; oomph attach --all finds those of Flink".to_owned()),
    }
}

/// Why there is nothing to look at.
pub struct NoTarget {
    /// How the run ends.
    pub exit: Exit,
    /// The line for the user.
    pub message: String,
}

/// Where to look, and at what.
pub struct Found {
    /// What to look through.
    pub root: Root,
    /// The processes.
    pub targets: Vec<Target>,
    /// What was unpacked for it, which must stay as long as it is read.
    _capture: Option<Opened>,
}

impl TargetArgs {
    /// Whether the command line names no process and no way to find one.
    pub fn names_none(&self) -> bool {
        self.pids.is_empty() && !self.all && self.container.is_none() && self.cgroup.is_none() && self.root.is_none()
    }

    /// Where to look in place of this machine.
    pub fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The root to look below, and the processes.
    pub fn find(&self) -> Result<Found, NoTarget> {
        let unreadable = |unseen: Unseen| NoTarget { exit: Exit::Input, message: unseen.to_string() };
        let capture = self.root.as_deref().map(capture::open).transpose().map_err(unreadable)?;
        let root = capture.as_ref().map_or_else(Root::live, |capture| capture.root.clone());
        let captured = capture.as_ref().map(|capture| capture.pid.clone());
        let targets = self.targets(&root, captured);
        let targets = targets.map_err(|unseen| NoTarget { exit: Exit::Target, message: unseen.to_string() })?;
        Ok(Found { root, targets, _capture: capture })
    }

    fn targets(&self, root: &Root, captured: Option<Seen<u32>>) -> Seen<Vec<Target>> {
        if let Some(id) = &self.container {
            return target::of_container(root, id);
        }
        if let Some(path) = &self.cgroup {
            return target::of_cgroup(root, path);
        }
        if !self.pids.is_empty() {
            return self.pids.iter().map(|pid| target::of_pid(root, *pid)).collect();
        }
        if let Some(captured) = captured.filter(|_| !self.all) {
            return Ok(vec![target::of_pid(root, captured?)?]);
        }
        let found = target::all(root);
        if found.is_empty() {
            let why = "no process of Flink's runs here, or none that may be looked at";
            return Err(Unseen::because(why)
                .granted_by("in a container, run in its pid namespace; name a PID to see why it is none"));
        }
        Ok(found)
    }
}
