//! Which processes the command line names.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Exit;
use crate::model::{Seen, Unseen};
use crate::probe::root::Root;
use crate::probe::target::{self, Target};

/// Which processes.
#[derive(Debug, Args)]
pub struct TargetArgs {
    /// Process ids.
    #[arg(value_name = "PID", required_unless_present_any = ["all", "container", "cgroup", "root", "summary"])]
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

    /// Read a captured directory in place of this machine.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// Why there is nothing to look at.
pub struct NoTarget {
    /// How the run ends.
    pub exit: Exit,
    /// The line for the user.
    pub message: String,
}

impl TargetArgs {
    /// Whether the command line names no process and no way to find one.
    pub fn names_none(&self) -> bool {
        self.pids.is_empty() && !self.all && self.container.is_none() && self.cgroup.is_none() && self.root.is_none()
    }

    /// The root to look below, and the processes.
    pub fn find(&self) -> Result<(Root, Vec<Target>), NoTarget> {
        let root = match &self.root {
            None => Root::live(),
            Some(directory) if directory.join("proc").is_dir() => Root::captured(directory),
            Some(directory) => {
                let message = format!("{} is no capture: there is no directory proc in it", directory.display());
                return Err(NoTarget { exit: Exit::Input, message });
            }
        };
        let found =
            self.targets(&root).map_err(|unseen| NoTarget { exit: Exit::Target, message: unseen.to_string() })?;
        Ok((root, found))
    }

    fn targets(&self, root: &Root) -> Seen<Vec<Target>> {
        if let Some(id) = &self.container {
            return target::of_container(root, id);
        }
        if let Some(path) = &self.cgroup {
            return target::of_cgroup(root, path);
        }
        if !self.pids.is_empty() {
            return self.pids.iter().map(|pid| target::of_pid(root, *pid)).collect();
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
