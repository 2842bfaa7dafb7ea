//! Finds the performance data of a process, proves that they are its own, and reads them. The file is
//! `/tmp/hsperfdata_USER/PID` in the mount and pid namespaces of the JVM (`perfMemory_posix.cpp`; always `/tmp`, whatever
//! `java.io.tmpdir` or `TMPDIR` say). Files of dead processes stay, so a number alone proves nothing.

mod search;

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::root::Root;
use crate::artefact::hsperfdata::{HsPerf, PerfData};
use crate::model::{Seen, Unseen};

pub(in crate::probe) use search::{pid_within, state_and_start};

/// The most that `-XX:PerfDataMemorySize` allows is 2 MiB (`globals.hpp`); the JVM's default is 32 KiB.
const LARGEST: u64 = 2 << 20;

/// How a file was proven to belong to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// The process has the file mapped.
    Mapped,
    /// The process's mappings cannot be read; the file names its main class and arguments, and is not older than it.
    CommandLine,
}

/// The performance data of one process, found once and read as often as wanted.
#[derive(Clone, Debug)]
pub struct Located {
    path: PathBuf,
    inode: (u64, u64),
    /// How it was proven to belong to the process.
    pub proof: Proof,
}

impl Located {
    /// Finds the file of a process below a root and proves that it is its own.
    ///
    /// # Errors
    ///
    /// Where there is none, with the option that prevents it; where it may not be read, with the grant that would allow it;
    /// where there is one but of another process.
    pub fn of(root: &Root, pid: u32) -> Seen<Located> {
        search::locate(root, pid)
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says now: some hundredths of a millisecond, and nothing that the JVM could notice.
    ///
    /// # Errors
    ///
    /// Where the file has gone, is another one by now, or is no performance data.
    pub fn read(&self) -> Seen<HsPerf> {
        let (found, inode) = read(&self.path).map_err(|error| not_readable(&self.path, &error))?;
        if inode != self.inode {
            return Err(Unseen::because(format!(
                "{} is another file by now: the process has ended",
                self.path.display()
            )));
        }
        PerfData::parse(&found)
            .map(|data| HsPerf::of(&data))
            .map_err(|error| Unseen::because(format!("{}: {error}", self.path.display())))
    }
}

/// Finds and reads the performance data of a process: for one look.
///
/// # Errors
///
/// As [`Located::of`] and [`Located::read`].
pub fn read_of(root: &Root, pid: u32) -> Seen<HsPerf> {
    Located::of(root, pid)?.read()
}

/// The bytes of a file that a stranger may have put there: no link is followed, nothing is waited for, and no more is read
/// than a JVM can have written.
fn read(path: &Path) -> io::Result<(Vec<u8>, (u64, u64))> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let at = file.metadata()?;
    if !at.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "not a regular file"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(at.len().min(LARGEST)).unwrap_or_default());
    file.take(LARGEST).read_to_end(&mut bytes)?;
    Ok((bytes, (at.dev(), at.ino())))
}

fn not_readable(path: &Path, error: &io::Error) -> Unseen {
    let owner = std::fs::symlink_metadata(path).map(|at| at.uid()).ok();
    let unseen = Unseen::because(format!("{}: {error}", path.display()));
    match (error.kind(), owner) {
        (io::ErrorKind::PermissionDenied, Some(owner)) => unseen
            .granted_by(format!("run as uid {owner}, which owns the file (runAsUser: {owner} in a debug container)")),
        (io::ErrorKind::PermissionDenied, None) => unseen.granted_by("run as the process's own user"),
        _ => unseen,
    }
}

#[cfg(test)]
mod tests;
