//! Takes away what an oomph that was killed has left.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Left, OWNER, Owner, PREFIX, boot, namespace, pid_of};
use crate::harness::group::{self, Home};
use crate::harness::tmpfs::{mounts, take_off};
use crate::probe::process;
use crate::probe::root::Root;

/// A directory without a name yet is only taken away when it is older: its owner may be about to write into it.
const NAMELESS_FOR: Duration = Duration::from_secs(60);

/// Something that was left, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept {
    /// The directory or group.
    pub path: PathBuf,
    /// Why it is still there; nothing where it is gone.
    pub kept: Option<String>,
}

/// Takes away what dead runs left below `base` (`TMPDIR` where it is nothing) and below oomph's own group. What belongs to
/// a living oomph, to another user or to nobody that can be told is not touched.
pub fn sweep(root: &Root, base: Option<&Path>) -> Vec<Swept> {
    let base = base.map_or_else(std::env::temp_dir, Path::to_owned);
    let mut swept = Vec::new();
    for (name, path) in named(&base) {
        if let Some(dead) = Dead::of(root, &name, &path) {
            swept.push(Swept { kept: dead.remove(root), path });
        }
    }
    // Groups whose directory is gone: without any process in them, and of a process that is no more.
    if let Ok(home) = Home::find(root, std::process::id()) {
        for (name, path) in named(&home.directory) {
            let is_gone = pid_of(&name).is_some_and(|pid| !root.process(pid).exists());
            if is_gone && fs::remove_dir(&path).is_ok() {
                swept.push(Swept { path, kept: None });
            }
        }
    }
    swept
}

/// The directories of a place whose names are of the form of ours.
fn named(place: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let ours = entries.filter_map(|entry| {
        let name = entry.file_name().to_str()?.to_owned();
        // Not followed, where it is a link.
        let is_directory = entry.file_type().ok()?.is_dir();
        let is_ours = name.trim_start_matches('.').starts_with(PREFIX);
        (is_directory && is_ours).then(|| (name, entry.path()))
    });
    ours.collect()
}

/// A run whose oomph is no more. Its owner file is locked, so that nobody else takes it away meanwhile.
struct Dead {
    name: String,
    path: PathBuf,
    left: Vec<Left>,
    /// What is known of its owner's end.
    end: End,
    _lock: File,
}

/// How it is known that an owner is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// There is no process of its id.
    Gone,
    /// Its id is another process's now.
    Replaced,
    /// It was of another boot, or of another pid namespace, and the kernel has let go of its lock.
    Elsewhere,
}

impl Dead {
    /// Nothing where it is not proven that the run is dead and of this user.
    fn of(root: &Root, name: &str, path: &Path) -> Option<Dead> {
        let plain = name.strip_prefix('.').unwrap_or(name);
        let pid = pid_of(plain)?;
        let about = path.symlink_metadata().ok()?;
        let is_ours = about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o077 == 0;
        let is_old = plain == name || about.modified().ok()?.elapsed().ok()? > NAMELESS_FOR;
        if !is_ours || !is_old {
            return None;
        }
        let text = fs::read_to_string(path.join(OWNER)).ok()?;
        let lock = File::open(path.join(OWNER)).ok()?;
        let lines: Vec<&str> = text.lines().collect();
        let owner: Owner = serde_json::from_str(lines.first()?).ok()?;
        let is_locked = match lock.try_lock() {
            Ok(()) => true,
            Err(fs::TryLockError::WouldBlock) => return None,
            Err(fs::TryLockError::Error(_)) => false,
        };
        // A line that was torn is of something that was not made.
        let left = lines[1..].iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let end = end_of(root, &owner, is_locked).filter(|_| owner.pid == pid)?;
        Some(Dead { name: plain.to_owned(), path: path.to_owned(), left, end, _lock: lock })
    }

    /// Takes everything away, the directory last. Says why where something stays.
    fn remove(&self, root: &Root) -> Option<String> {
        let troubles: Vec<String> = self.left.iter().filter_map(|left| self.take(root, left)).collect();
        if !troubles.is_empty() {
            return Some(troubles.join("; "));
        }
        if let Some(mount) = mounts(root).into_iter().find(|mount| mount.at.starts_with(&self.path)) {
            return Some(format!("{} is mounted in it", mount.at.display()));
        }
        fs::remove_dir_all(&self.path).err().map(|error| error.to_string())
    }

    /// Takes one thing away: only where its name says that it is of this run.
    fn take(&self, root: &Root, left: &Left) -> Option<String> {
        let is_named = |path: &Path| path.file_name().is_some_and(|name| name.to_str() == Some(&self.name));
        match left {
            // Groups and mounts of elsewhere went with it, or are no longer where they were.
            Left::Group(_) | Left::Mount(_) if self.end == End::Elsewhere => None,
            Left::Group(path) if is_named(path) && path.join("cgroup.procs").is_file() => {
                // The process that has the id now may be an oomph too, with a group of the same name.
                let removed = match self.end {
                    End::Gone => group::remove(root, path).map_err(|error| error.to_string()),
                    _ => fs::remove_dir(path).map_err(|error| format!("remove {}: {error}", path.display())),
                };
                removed.err().map(|error| format!("could not {error}"))
            }
            Left::Mount(path) if path.starts_with(&self.path) => {
                let is_there = |mount: &crate::harness::tmpfs::Mount| {
                    mount.at == *path && mount.kind == "tmpfs" && mount.source == self.name
                };
                let is_there = mounts(root).iter().any(is_there);
                let taken = if is_there { take_off(path) } else { Ok(()) };
                taken.err().map(|error| format!("could not take off {}: {error}", path.display()))
            }
            Left::Directory(path) if is_named(path) => {
                let about = path.symlink_metadata().ok()?;
                if !about.is_dir() || about.uid() != rustix::process::geteuid().as_raw() {
                    return None;
                }
                let removed = fs::remove_dir_all(path);
                removed.err().map(|error| format!("could not remove {}: {error}", path.display()))
            }
            _ => None,
        }
    }
}

/// How it is proven that an owner is no more; nothing where it is not.
fn end_of(root: &Root, owner: &Owner, is_locked: bool) -> Option<End> {
    let is_here = owner.boot.is_some() && owner.boot == boot(root);
    let is_visible = is_here && owner.namespace.is_some() && owner.namespace == namespace(root);
    if !is_visible {
        return is_locked.then_some(End::Elsewhere);
    }
    match (owner.started, process::started(root, owner.pid).ok()) {
        (_, None) => (!root.process(owner.pid).exists()).then_some(End::Gone),
        (Some(then), Some(now)) => (then != now).then_some(End::Replaced),
        (None, Some(_)) => None,
    }
}
