//! A bound for the number of a process's threads: the pids controller of version 1, or of version 2 where groups below ours have
//! it (Documentation/admin-guide/cgroup-v1/pids.rst, cgroup-v2.rst); elsewhere the process's own resource limit, which binds no
//! process of root's (getrlimit(2), `RLIMIT_NPROC`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use thiserror::Error;

use super::leftovers::{Left, LeftoverError, RunDirectory};
use crate::probe::root::Root;

/// Why there is no bound. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum ThreadLimitError {
    /// No controller, and no limit that holds.
    #[error("bound the threads of process {pid}: there is no pids controller here, and {source}")]
    None {
        /// Whose.
        pid: u32,
        /// The reason.
        source: io::Error,
    },
    /// A file of the group cannot be written.
    #[error("write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// What is made cannot be noted down.
    #[error(transparent)]
    Note(#[from] LeftoverError),
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// So many more than the process has now.
    More(u32),
    /// So many in all.
    AtMost(u32),
}

/// A bound. Its group goes where the value goes, once the process has ended.
#[derive(Debug)]
pub struct ThreadLimit {
    group: Option<PathBuf>,
}

impl ThreadLimit {
    /// Bounds the threads of a process, which is one of ours.
    ///
    /// # Errors
    /// Where nothing here bounds threads.
    pub fn of(root: &Root, run: &RunDirectory, pid: u32, threads: Threads) -> Result<ThreadLimit, ThreadLimitError> {
        let most = match threads {
            Threads::AtMost(most) => u64::from(most),
            Threads::More(more) => {
                let now = fs::read_dir(root.path(format!("/proc/{pid}/task"))).map_or(0, Iterator::count);
                u64::try_from(now).unwrap_or(u64::MAX).saturating_add(u64::from(more))
            }
        };
        let Some(parent) = controlled(root) else { return by_resource(pid, most) };
        let group = parent.join(format!("{}-threads", run.name()));
        run.note(&Left::Group(group.clone()))?;
        let write = |name: &str, text: String| {
            let path = group.join(name);
            fs::write(&path, text).map_err(|source| ThreadLimitError::Write { path, source })
        };
        fs::create_dir(&group).map_err(|source| ThreadLimitError::Write { path: group.clone(), source })?;
        let limit = ThreadLimit { group: Some(group.clone()) };
        write("pids.max", most.to_string())?;
        write("cgroup.procs", pid.to_string())?;
        Ok(limit)
    }
}

impl Drop for ThreadLimit {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            // Where the process is still ending, the next start finds it.
            let _ = fs::remove_dir(group);
        }
    }
}

/// The directory in which a group may bound threads: that of this process in the pids hierarchy.
fn controlled(root: &Root) -> Option<PathBuf> {
    let own = fs::read_to_string(root.path("/proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.path("/proc/self/mountinfo")).ok()?;
    below(&own, &mounts).filter(|directory| directory.is_dir())
}

/// By `/proc/self/cgroup` and `/proc/self/mountinfo`: version 1 alone, since a group of version 2 that has processes hands no
/// controller on.
fn below(own: &str, mounts: &str) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        controllers.split(',').any(|controller| controller == "pids").then_some(path)
    })?;
    let (mounted, top) = mounts.lines().find_map(|line| {
        let (before, behind) = line.split_once(" - ")?;
        let options = behind.strip_prefix("cgroup ")?.rsplit(' ').next()?;
        let mut fields = before.split(' ').skip(3);
        let (top, mounted) = (fields.next()?, fields.next()?);
        options.split(',').any(|option| option == "pids").then_some((mounted, top))
    })?;
    let below = Path::new(path).strip_prefix(top).ok()?;
    Some(Path::new(mounted).join(below))
}

fn by_resource(pid: u32, most: u64) -> Result<ThreadLimit, ThreadLimitError> {
    let none = |source| ThreadLimitError::None { pid, source };
    if rustix::process::geteuid().is_root() {
        return Err(none(io::Error::other("a resource limit does not bind processes of root's")));
    }
    let id = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let id = id.ok_or_else(|| none(io::Error::other("its id is none")))?;
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    prlimit(Some(id), Resource::Nproc, limit).map_err(|errno| none(errno.into()))?;
    Ok(ThreadLimit { group: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
31 24 0:27 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory
32 24 0:28 / /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids
33 24 0:29 / /sys/fs/cgroup/unified rw - cgroup2 none rw
";

    #[test]
    fn the_place_is_ours_in_the_hierarchy_of_the_controller() {
        let own = "9:memory:/a\n8:pids:/a/b\n0::/c\n";
        assert_eq!(below(own, MOUNTS), Some(PathBuf::from("/sys/fs/cgroup/pids/a/b")));
        let inside = MOUNTS.replace("0:28 / ", "0:28 /a ");
        assert_eq!(below(own, &inside), Some(PathBuf::from("/sys/fs/cgroup/pids/b")));
    }

    #[test]
    fn without_the_controller_there_is_no_place() {
        assert_eq!(below("0::/c\n", MOUNTS), None);
        assert_eq!(below("8:pids:/a\n", "33 24 0:29 / /sys/fs/cgroup rw - cgroup2 none rw\n"), None);
    }
}
