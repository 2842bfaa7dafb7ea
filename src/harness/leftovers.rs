//! What an experiment leaves on this machine, and how it goes: at its end, after Ctrl-C, and at the next start where oomph
//! itself was killed.
//!
//! A run has a directory `oomph-PID-SCENARIO` with a file `owner`, which its oomph keeps locked while it lives and in which
//! it notes everything down before it makes it. Only what is noted there, in a directory of this user, is ever taken away,
//! and only where the lock is free and the owner is gone.

mod sweep;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::group::{Group, GroupError, Home};
use crate::model::Limit;
use crate::probe::process;
use crate::probe::root::Root;

pub use sweep::{Swept, sweep};

/// How all names of ours begin.
const PREFIX: &str = "oomph-";

/// The file within a directory that says whose it is.
const OWNER: &str = "owner";

/// No name of a scenario is longer in names of groups and directories.
const LONGEST: usize = 48;

/// Why a run has no directory. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum LeftoverError {
    /// The system refused.
    #[error("write {}: {source}", path.display())]
    Io {
        /// What.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// There is one of this name.
    #[error("make {}: there is one already", path.display())]
    Exists {
        /// The directory.
        path: PathBuf,
    },
}

/// Who made a directory, in its owner file's first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    pid: u32,
    /// In clock ticks since boot.
    started: Option<u64>,
    /// The kernel's name for this boot.
    boot: Option<String>,
    /// The pid namespace that the id is of, as the kernel names it.
    namespace: Option<String>,
}

impl Owner {
    /// This process.
    fn this(root: &Root) -> Owner {
        let pid = std::process::id();
        Owner { pid, started: process::started(root, pid).ok(), boot: boot(root), namespace: namespace(root) }
    }
}

fn boot(root: &Root) -> Option<String> {
    let id = root.read("/proc/sys/kernel/random/boot_id").ok()?;
    Some(String::from_utf8_lossy(&id).trim().to_owned())
}

fn namespace(root: &Root) -> Option<String> {
    fs::read_link(root.path("/proc/self/ns/pid")).ok().map(|link| link.display().to_string())
}

/// Something that is made beside the directory itself: a line of the owner file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Left {
    /// A cgroup, by its directory.
    Group(PathBuf),
    /// A tmpfs, by where it is mounted.
    Mount(PathBuf),
    /// A directory elsewhere.
    Directory(PathBuf),
}

/// The directory of a run. It goes when this value goes, with everything in it; what else was made for the run has to go
/// before.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
    name: String,
    owner: File,
    is_removed: bool,
}

impl RunDirectory {
    /// Makes a directory below `base`, or where temporary files belong (`TMPDIR`).
    ///
    /// # Errors
    /// Where that is refused, or there is one of the same run.
    pub fn create(root: &Root, base: Option<&Path>, scenario: &str) -> Result<RunDirectory, LeftoverError> {
        let base = base.map_or_else(std::env::temp_dir, Path::to_owned);
        let name = name(std::process::id(), scenario);
        let path = base.join(&name);
        if path.symlink_metadata().is_ok() {
            return Err(LeftoverError::Exists { path });
        }
        // Under another name until its owner is written and holds the lock: nobody ever sees it without one.
        let unnamed = base.join(format!(".{name}"));
        let refused = |path: &Path| {
            let path = path.to_owned();
            |source| LeftoverError::Io { path, source }
        };
        DirBuilder::new().mode(0o700).create(&unnamed).map_err(refused(&unnamed))?;
        let made = own(root, &unnamed).and_then(|owner| fs::rename(&unnamed, &path).map(|()| owner));
        match made {
            Ok(owner) => Ok(RunDirectory { path, name, owner, is_removed: false }),
            Err(source) => {
                // Nothing but the owner file is in it.
                let _ = fs::remove_dir_all(&unnamed);
                Err(refused(&path)(source))
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name, which is that of the run's group too.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes the run's group: noted down first, so that it is found whatever happens.
    ///
    /// # Errors
    /// Where there can be none.
    pub fn group(&self, root: &Root, limit: Limit) -> Result<Group, GroupError> {
        let home = Home::find(root, std::process::id())?;
        let directory = home.directory.join(&self.name);
        let noted = self.note(&Left::Group(directory.clone()));
        noted.map_err(|error| GroupError::Io { what: "note", path: directory, source: io::Error::other(error) })?;
        Group::create_in(root, &home, &self.name, limit)
    }

    /// Notes down what is about to be made.
    ///
    /// # Errors
    /// Where the owner file cannot be written: a full disk.
    pub fn note(&self, left: &Left) -> Result<(), LeftoverError> {
        line(&self.owner, left).map_err(|source| LeftoverError::Io { path: self.path.join(OWNER), source })
    }

    /// Removes it.
    ///
    /// # Errors
    /// Where something in it cannot be removed.
    pub fn remove(mut self) -> Result<(), LeftoverError> {
        self.is_removed = true;
        let removed = fs::remove_dir_all(&self.path);
        removed.map_err(|source| LeftoverError::Io { path: self.path.clone(), source })
    }
}

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if !self.is_removed {
            // What cannot be removed now is found at the next start.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Writes an owner file and keeps it locked while the file is open.
fn own(root: &Root, directory: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create_new(true).open(directory.join(OWNER))?;
    // There are file systems without locks: there the process id has to do.
    let _ = file.try_lock();
    line(&file, &Owner::this(root))?;
    Ok(file)
}

fn line(mut file: &File, value: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    file.write_all(text.as_bytes())
}

/// The name of a run's directory and group: `oomph-4711-soft-cache`.
pub fn name(pid: u32, scenario: &str) -> String {
    let plain = scenario.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    let plain: String = plain.take(LONGEST).collect();
    format!("{PREFIX}{pid}-{plain}")
}

/// The process that a name of ours is of.
fn pid_of(name: &str) -> Option<u32> {
    let (pid, scenario) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let is_plain = !scenario.is_empty() && scenario.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    pid.parse().ok().filter(|_| is_plain)
}
