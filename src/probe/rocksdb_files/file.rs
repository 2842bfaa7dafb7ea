//! Files of another process, opened so that nothing of them changes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::probe::root::Root;

/// A path of a process, as it is to be found from here: through the process's own root where it has another file system.
pub(super) fn found(root: &Root, pid: u32, path: &Path) -> PathBuf {
    let inside = root.process(pid).join("root").join(path.strip_prefix("/").unwrap_or(path));
    if inside.exists() { inside } else { root.path(path) }
}

/// Opens a plain file: no link is followed and nothing else waited for, since the process chooses what lies there. The time of
/// access stays, where the file is ours or we are root.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => rustix::fs::open(path, flags, Mode::empty())?,
        other => other?,
    };
    let file = File::from(file);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("not a plain file")) }
}

/// A file's first bytes, at most so many.
pub(super) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// So many bytes from a position on.
pub(super) fn read_at(file: &File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, at)?;
    Ok(bytes)
}
