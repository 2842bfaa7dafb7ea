//! How much of a disk an experiment may take.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::model::Bytes;

/// What is left free on the disk: this part of it, and not more than [`MOST_RESERVE`].
const RESERVED_PART: u64 = 20;

/// See [`RESERVED_PART`].
const MOST_RESERVE: Bytes = Bytes::gib(1);

/// The file system of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// What this user may still write (`f_bavail`).
    pub free: Bytes,
    /// All of it.
    pub total: Bytes,
}

/// Why an experiment is not let on a disk. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum DiskError {
    /// It needs more than was asked for.
    #[error("run it: it writes up to {needed}, and may take {share} of the disk")]
    AboveShare {
        /// What it writes at most.
        needed: Bytes,
        /// What it was given.
        share: Bytes,
    },
    /// It would fill the disk.
    #[error("run it in {}: it writes up to {needed}, {free} are free there and {reserve} of them are left alone", path.display())]
    TooLittle {
        /// Where.
        path: PathBuf,
        /// What it writes at most.
        needed: Bytes,
        /// What is free.
        free: Bytes,
        /// What is left alone.
        reserve: Bytes,
    },
    /// The operating system refused.
    #[error("look at the disk of {}: {source}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

impl Space {
    /// That of a directory which is there.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn of(path: &Path) -> Result<Space, DiskError> {
        let told = rustix::fs::statvfs(path);
        let told = told.map_err(|errno| DiskError::Io { path: path.to_owned(), source: errno.into() })?;
        let bytes = |blocks: u64| Bytes::new(blocks.saturating_mul(told.f_frsize));
        Ok(Space { free: bytes(told.f_bavail), total: bytes(told.f_blocks) })
    }

    /// What of it is left alone.
    pub fn reserve(self) -> Bytes {
        Bytes::new(self.total.get() / RESERVED_PART).min(MOST_RESERVE)
    }

    /// Whether it has room for as much, within the share that was asked for.
    ///
    /// # Errors
    /// Where it has not.
    pub fn check(self, path: &Path, needed: Bytes, share: Option<Bytes>) -> Result<(), DiskError> {
        if let Some(share) = share.filter(|share| needed > *share) {
            return Err(DiskError::AboveShare { needed, share });
        }
        let reserve = self.reserve();
        if needed.get().saturating_add(reserve.get()) > self.free.get() {
            return Err(DiskError::TooLittle { path: path.to_owned(), needed, free: self.free, reserve });
        }
        Ok(())
    }
}

/// What the files below a directory take on its disk now; links are counted once, and what vanishes meanwhile or is
/// mounted there not.
pub fn taken(directory: &Path) -> Bytes {
    let Ok(disk) = directory.metadata().map(|about| about.dev()) else { return Bytes::ZERO };
    let mut open = vec![directory.to_owned()];
    let mut linked = std::collections::BTreeSet::new();
    let mut sum = 0_u64;
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let Ok(about) = entry.metadata() else { continue };
            if about.dev() != disk {
                continue;
            }
            if about.is_dir() {
                open.push(entry.path());
            } else if about.nlink() < 2 || linked.insert((about.dev(), about.ino())) {
                // `st_blocks` counts in 512 bytes on Linux, whatever the file system (stat(2)).
                sum = sum.saturating_add(about.blocks().saturating_mul(512));
            }
        }
    }
    Bytes::new(sum)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    const DISK: Space = Space { free: Bytes::gib(3), total: Bytes::gib(100) };

    #[test]
    fn what_fits_beside_the_reserve_is_let_in() {
        let at = Path::new("/tmp");
        assert!(DISK.check(at, Bytes::gib(2), None).is_ok());
        let refused = DISK.check(at, Bytes::mib(2049), None).unwrap_err().to_string();
        assert_eq!(
            refused,
            "run it in /tmp: it writes up to 2049 MiB, 3 GiB are free there and 1 GiB of them are left alone"
        );
        let small = Space { free: Bytes::mib(100), total: Bytes::mib(200) };
        assert!(small.check(at, Bytes::mib(90), None).is_ok() && small.check(at, Bytes::mib(91), None).is_err());
    }

    #[test]
    fn more_than_the_share_is_refused_on_any_disk() {
        let refused = DISK.check(Path::new("/tmp"), Bytes::gib(2), Some(Bytes::gib(1))).unwrap_err();
        assert_eq!(refused.to_string(), "run it: it writes up to 2 GiB, and may take 1 GiB of the disk");
    }

    #[test]
    fn a_real_disk_says_its_space_and_a_missing_directory_is_an_error() {
        let space = Space::of(&std::env::temp_dir()).unwrap();
        assert!(space.free <= space.total && space.total > Bytes::ZERO);
        assert!(Space::of(Path::new("/nowhere/at/all")).unwrap_err().to_string().contains("/nowhere/at/all"));
    }

    #[test]
    fn a_file_with_two_names_is_counted_once() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("a")).unwrap();
        fs::write(directory.path().join("a/one"), vec![1; 1 << 20]).unwrap();
        fs::hard_link(directory.path().join("a/one"), directory.path().join("two")).unwrap();
        let taken = taken(directory.path());
        assert!(taken >= Bytes::mib(1) && taken < Bytes::kib(1100), "{taken}");
    }
}
