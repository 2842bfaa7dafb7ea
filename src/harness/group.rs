//! A memory cgroup for one experiment: the kernel holds what runs in it below a limit, and kills it there.
//!
//! By the kernel's documents `Documentation/admin-guide/cgroup-v1/memory.rst` and `cgroup-v2.rst`. The group lies below
//! oomph's own, so that a limit which holds for oomph holds for it too; where version 2 does not let oomph's own group have
//! groups with limits (the no-internal-process rule), it lies beside it.

mod home;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use thiserror::Error;

use crate::artefact::cgroup::{self, Files, Version};
use crate::model::{Bytes, Limit, Unseen};
use crate::probe::root::Root;

pub use home::Home;

/// Why there is no group. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum GroupError {
    /// Oomph's own group is not visible.
    #[error("find oomph's own memory cgroup: {0}")]
    Unseen(Unseen),
    /// No group there may have a memory limit.
    #[error("make a memory cgroup below {}: no group there has the memory controller for those below it \
             (cgroup.subtree_control)", path.display())]
    NoController {
        /// The top of what was searched.
        path: PathBuf,
    },
    /// Version 2: a group with processes gives no controller to groups below it.
    #[error("make a memory cgroup below {}: processes live in it, and version 2 of cgroups lets only groups without any \
             hand their memory controller on; run oomph in a group below it", path.display())]
    Occupied {
        /// The group.
        path: PathBuf,
    },
    /// No rights.
    #[error("write {}: permission denied; run as root, or in a group that is delegated to you \
             (systemd-run --user --scope -p Delegate=yes oomph …)", path.display())]
    Denied {
        /// The file or directory.
        path: PathBuf,
    },
    /// The tree may only be looked at, as in most containers.
    #[error("write {}: cgroups are mounted read-only here; run on the machine itself, or in a privileged container",
            path.display())]
    ReadOnly {
        /// The file or directory.
        path: PathBuf,
    },
    /// There is one of this name.
    #[error("make {}: there is one already", path.display())]
    Exists {
        /// The group.
        path: PathBuf,
    },
    /// Processes are in it that did not end.
    #[error("remove {}: processes are left in it: {}", path.display(), list(pids))]
    Alive {
        /// The group.
        path: PathBuf,
        /// Which; 0 stands for those of another namespace.
        pids: Vec<u32>,
    },
    /// The operating system refused for another reason.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was done.
        what: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

fn list(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

impl GroupError {
    /// The error of a system call, with what would help where that is known.
    fn of(what: &'static str, path: &Path, source: io::Error) -> GroupError {
        let path = path.to_owned();
        match source.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::ACCESS | Errno::PERM) => GroupError::Denied { path },
            Some(Errno::ROFS) => GroupError::ReadOnly { path },
            Some(Errno::EXIST) => GroupError::Exists { path },
            _ => GroupError::Io { what, path, source },
        }
    }
}

/// So often is the removal of a group tried, which the kernel refuses while its last processes are still ending.
const TRIES: u32 = 100;

/// The time between two of these.
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A group of our own. It goes when this value goes, with whatever runs in it.
#[derive(Debug)]
pub struct Group {
    root: Root,
    version: Version,
    directory: PathBuf,
    name: String,
    limit: Limit,
    notes: Vec<String>,
    is_removed: bool,
}

impl Group {
    /// Makes a group of a name below or beside that of this process.
    ///
    /// # Errors
    /// Where no group can be made, with the reason: nothing is left of the attempt.
    pub fn create(root: &Root, name: &str, limit: Limit) -> Result<Group, GroupError> {
        Group::create_in(root, &Home::find(root, std::process::id())?, name, limit)
    }

    /// Makes a group at a place that was found before.
    ///
    /// # Errors
    /// As [`Group::create`].
    pub fn create_in(root: &Root, home: &Home, name: &str, limit: Limit) -> Result<Group, GroupError> {
        home.open()?;
        let directory = home.directory.join(name);
        fs::create_dir(&directory).map_err(|source| GroupError::of("make", &directory, source))?;
        let mut group = Group {
            root: root.clone(),
            version: home.version,
            directory,
            name: name.to_owned(),
            limit,
            notes: home.notes.clone(),
            is_removed: false,
        };
        // Where one of these fails, the value goes, and the directory with it.
        match home.version {
            Version::V1 => group.bound_v1()?,
            Version::V2 => group.bound_v2()?,
        }
        Ok(group)
    }

    /// Its name: the last part of its path, as the kernel's log shows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Which layout it has.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What it may take.
    pub fn limit(&self) -> Limit {
        self.limit
    }

    /// What of it is not as it is elsewhere, for the reader: where it lies, what became of swap.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The file that a process writes itself into to be in the group (`cgroup.procs` in both versions).
    pub fn entrance(&self) -> PathBuf {
        self.directory.join("cgroup.procs")
    }

    /// Its files, read now.
    pub fn read(&self) -> cgroup::Group {
        cgroup::Group::read(self.version, &format!("/{}", self.name), &Directory(&self.directory))
    }

    /// Its processes now; 0 stands for one of another pid namespace.
    pub fn processes(&self) -> Vec<u32> {
        processes(&self.directory)
    }

    /// Ends all its processes, and waits for the kernel to say that they are gone.
    ///
    /// # Errors
    /// Where some are left.
    pub fn end_processes(&self) -> Result<(), GroupError> {
        end_processes(&self.root, &self.directory)
    }

    /// Ends its processes and removes it; its page cache is the parent's then.
    ///
    /// # Errors
    /// Where the kernel refuses to the end.
    pub fn remove(mut self) -> Result<(), GroupError> {
        self.is_removed = true;
        remove(&self.root, &self.directory)
    }

    fn write(&self, file: &str, value: &str) -> Result<(), GroupError> {
        let path = self.directory.join(file);
        fs::write(&path, value).map_err(|source| GroupError::of("write", &path, source))
    }

    fn text(&self, file: &str) -> Option<String> {
        Directory(&self.directory).text(file)
    }

    /// Version 1: memory and swap have the same limit, so that the group cannot swap; where the kernel does not count swap,
    /// its swappiness of 0 keeps it from it.
    fn bound_v1(&mut self) -> Result<(), GroupError> {
        // Groups below count from the start: before 5.11 a choice, afterwards the only one.
        if self.text("memory.use_hierarchy").is_some_and(|text| text.trim() == "0") {
            self.write("memory.use_hierarchy", "1")?;
        }
        // Taken over from the group above, it would have tasks stand still in place of a kill.
        if self.text("memory.oom_control").is_some_and(|text| text.contains("oom_kill_disable 1")) {
            self.write("memory.oom_control", "0")?;
        }
        if self.write("memory.swappiness", "0").is_err() {
            self.notes.push("memory.swappiness could not be set to 0".to_owned());
        }
        let Limit::AtMost(bytes) = self.limit else { return Ok(()) };
        let value = bytes.get().to_string();
        self.write("memory.limit_in_bytes", &value)?;
        match self.text("memory.memsw.limit_in_bytes") {
            Some(_) => self.write("memory.memsw.limit_in_bytes", &value)?,
            None => self.notes.push(
                "this kernel does not count swap for groups (swapaccount=0): swappiness 0 keeps the group from it"
                    .to_owned(),
            ),
        }
        self.check("memory.limit_in_bytes", bytes)
    }

    /// Version 2: no swap, and the kernel kills one process and not the whole group (`memory.oom.group` stays 0), as in
    /// version 1.
    fn bound_v2(&mut self) -> Result<(), GroupError> {
        match self.text("memory.swap.max") {
            Some(_) => self.write("memory.swap.max", "0")?,
            None => self.notes.push("this kernel does not count swap for groups (no memory.swap.max)".to_owned()),
        }
        let Limit::AtMost(bytes) = self.limit else { return Ok(()) };
        self.write("memory.max", &bytes.get().to_string())?;
        self.check("memory.max", bytes)
    }

    /// What the kernel made of a limit: whole pages.
    fn check(&mut self, file: &str, wanted: Bytes) -> Result<(), GroupError> {
        let path = self.directory.join(file);
        let text = fs::read_to_string(&path).map_err(|source| GroupError::of("read", &path, source))?;
        match text.trim().parse::<u64>() {
            Ok(taken) if taken <= wanted.get() && wanted.get() - taken < rustix::param::page_size() as u64 => {
                self.limit = Limit::AtMost(Bytes::new(taken));
                Ok(())
            }
            _ => {
                let source = io::Error::other(format!("the kernel made {} of {}", text.trim(), wanted.get()));
                Err(GroupError::Io { what: "write", path, source })
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_removed {
            // What cannot be removed now is found at the next start.
            let _ = remove(&self.root, &self.directory);
        }
    }
}

/// A group's directory.
struct Directory<'d>(&'d Path);

impl Files for Directory<'_> {
    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.0.join(name)).ok()
    }
}

fn processes(directory: &Path) -> Vec<u32> {
    let listed = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    let mut found: Vec<u32> = listed.lines().filter_map(|line| line.parse().ok()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Ends every process of a group of this machine.
pub(in crate::harness) fn end_processes(root: &Root, directory: &Path) -> Result<(), GroupError> {
    // The processes of a captured tree are none of this machine's.
    if !root.is_live() {
        return Ok(());
    }
    for _ in 0..TRIES {
        let pids = processes(directory);
        if pids.is_empty() {
            return Ok(());
        }
        // From 5.14 on, version 2 ends a group with all that is being forked in it.
        let whole = directory.join("cgroup.kill");
        if !whole.is_file() || fs::write(whole, "1").is_err() {
            pids.iter().for_each(|pid| end_process(directory, *pid));
        }
        thread::sleep(BETWEEN_TRIES);
    }
    let pids = processes(directory);
    if pids.is_empty() { Ok(()) } else { Err(GroupError::Alive { path: directory.to_owned(), pids }) }
}

/// Ends a process only where it is still in the group once it is held on to, so that no other one with its id is met.
fn end_process(directory: &Path, pid: u32) {
    let held = i32::try_from(pid).ok().and_then(Pid::from_raw).filter(|_| pid != std::process::id());
    let Some(held) = held.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { return };
    if processes(directory).contains(&pid) {
        // It may have ended meanwhile.
        let _ = pidfd_send_signal(&held, Signal::KILL);
    }
}

/// Ends what runs in a group and removes it.
pub(in crate::harness) fn remove(root: &Root, directory: &Path) -> Result<(), GroupError> {
    end_processes(root, directory)?;
    let mut tries = 0;
    loop {
        match fs::remove_dir(directory) {
            Ok(()) => return Ok(()),
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
            // A process that was killed counts until it is collected.
            Err(source) if source.kind() == io::ErrorKind::ResourceBusy && tries < TRIES => {
                tries += 1;
                thread::sleep(BETWEEN_TRIES);
            }
            Err(source) => return Err(GroupError::of("remove", directory, source)),
        }
    }
}
