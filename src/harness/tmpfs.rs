//! A tmpfs for one experiment: its files are memory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use thiserror::Error;

use super::leftovers::{Left, LeftoverError, RunDirectory};
use crate::model::Bytes;
use crate::probe::root::Root;

/// Where there is one on every Linux.
const SHARED: &str = "/dev/shm";

/// Why there is none. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum TmpfsError {
    /// It may not be mounted, and there is no other.
    #[error("mount a tmpfs at {}: {source}; and {SHARED} is none that can be written", path.display())]
    Refused {
        /// Where.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// It could not be noted down or made.
    #[error(transparent)]
    Directory(#[from] LeftoverError),
}

/// A directory on a tmpfs. It goes when this value goes.
#[derive(Debug)]
pub struct Tmpfs {
    path: PathBuf,
    is_mounted: bool,
    note: Option<String>,
}

impl Tmpfs {
    /// Mounts a tmpfs of a size in a run's directory; where that is not allowed, a directory in `/dev/shm` has to do, of
    /// which the size is not bounded.
    ///
    /// # Errors
    /// Where neither can be had.
    pub fn create(run: &RunDirectory, size: Bytes) -> Result<Tmpfs, TmpfsError> {
        let path = run.path().join("tmpfs");
        run.note(&Left::Mount(path.clone()))?;
        fs::create_dir(&path).map_err(|source| LeftoverError::Io { path: path.clone(), source })?;
        let options = format!("size={},mode=0700", size.get());
        let options = std::ffi::CString::new(options).unwrap_or_default();
        let flags = MountFlags::NODEV | MountFlags::NOSUID;
        let refused = match mount(run.name(), &path, "tmpfs", flags, options.as_c_str()) {
            Ok(()) => return Ok(Tmpfs { path, is_mounted: true, note: None }),
            Err(errno) => io::Error::from(errno),
        };
        let shared = Path::new(SHARED).join(run.name());
        let is_tmpfs = mounts(&Root::live()).iter().any(|mount| mount.at == Path::new(SHARED) && mount.kind == "tmpfs");
        run.note(&Left::Directory(shared.clone()))?;
        if !is_tmpfs || fs::create_dir(&shared).is_err() {
            return Err(TmpfsError::Refused { path, source: refused });
        }
        let note = format!(
            "a tmpfs could not be mounted ({refused}): {} is used, whose size is not bounded to {size}",
            shared.display()
        );
        Ok(Tmpfs { path: shared, is_mounted: false, note: Some(note) })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the reader should know of it.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // What cannot be removed now is found at the next start.
        if self.is_mounted {
            let _ = take_off(&self.path);
        } else {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A mount: a line of `/proc/self/mountinfo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::harness) struct Mount {
    /// Where.
    pub at: PathBuf,
    /// The type of the file system.
    pub kind: String,
    /// What was mounted; of a tmpfs, any name that it was given.
    pub source: String,
}

/// What is mounted here.
pub(in crate::harness) fn mounts(root: &Root) -> Vec<Mount> {
    let text = root.read("/proc/self/mountinfo").unwrap_or_default();
    String::from_utf8_lossy(&text).lines().filter_map(parsed).collect()
}

fn parsed(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let at = left.split(' ').nth(4)?;
    let mut right = right.split(' ');
    let (kind, source) = (right.next()?.to_owned(), right.next()?.to_owned());
    Some(Mount { at: plain(at).into(), kind, source })
}

/// Blanks stand as `\040` (proc(5)).
fn plain(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (code, letter)| text.replace(code, letter))
}

/// So often is it tried to take a mount off that is in use: by processes that are just ending.
const TRIES: u32 = 50;

/// Takes a mount off.
pub(in crate::harness) fn take_off(path: &Path) -> io::Result<()> {
    let mut tries = 0;
    loop {
        match unmount(path, UnmountFlags::NOFOLLOW) {
            Err(Errno::BUSY) if tries < TRIES => {
                tries += 1;
                thread::sleep(Duration::from_millis(20));
            }
            result => return result.map_err(io::Error::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_with_its_place_type_and_name() {
        let line = "66 31 0:51 / /tmp/a\\040b/tmpfs rw,nosuid,nodev shared:9 - tmpfs oomph-7-x rw,size=1024k,mode=700";
        let mount = parsed(line);
        let wanted = Mount { at: "/tmp/a b/tmpfs".into(), kind: "tmpfs".to_owned(), source: "oomph-7-x".to_owned() };
        assert_eq!(mount, Some(wanted));
        assert_eq!(parsed("66 31 0:51"), None);
    }
}
