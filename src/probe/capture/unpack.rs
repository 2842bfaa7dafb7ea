//! Unpacks a bundle that came from elsewhere: plain files below one directory and nothing else, not too many, not too large.

use std::collections::BTreeSet;
use std::fs::{File, Permissions};
use std::io::{self, BufReader, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use tar::EntryType;

use super::write::{make_private, write_private};
use crate::model::{Seen, Unseen};
use crate::probe::archive;

/// Bytes of all files of a bundle together, unpacked: an smaps of 65,530 mappings has 60 MB.
const LARGEST: u64 = 512 << 20;
/// Files of a bundle: two for each of 32,768 threads, and the rest.
const MOST_FILES: usize = 100_000;

/// Unpacks a `.tar` or `.tar.gz`, told by its bytes, into a directory that only we may look into and that is gone with what
/// is given back.
pub(super) fn unpack(path: &Path) -> Seen<tempfile::TempDir> {
    let shown = path.display();
    let failed = |error: &io::Error| Unseen::because(format!("{shown}: {error}"));
    let mut file = File::open(path).map_err(|error| failed(&error))?;
    let mut start = Vec::new();
    file.by_ref().take(512).read_to_end(&mut start).map_err(|error| failed(&error))?;
    file.rewind().map_err(|error| failed(&error))?;
    let directory = tempfile::Builder::new()
        .prefix("oomph-capture-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|error| Unseen::because(format!("no directory to unpack {shown} in: {error}")))?;
    let file = BufReader::new(file);
    let result = match start.as_slice() {
        [] => Err(Refused::Not("it is empty".to_owned())),
        [0x1f, 0x8b, ..] => files(MultiGzDecoder::new(file), directory.path()),
        _ if start.get(257..262) == Some(b"ustar") => files(file, directory.path()),
        _ => Err(Refused::Not("it is neither a .tar nor a .tar.gz".to_owned())),
    };
    match result {
        Ok(()) => Ok(directory),
        Err(Refused::Not(why)) => Err(Unseen::because(format!("{shown} is no capture: {why}"))),
        Err(Refused::Broken(error)) if is_end(&error) => {
            Err(Unseen::because(format!("{shown} ends too early: it was not copied whole")))
        }
        Err(Refused::Broken(error)) => Err(Unseen::because(format!("{shown} is damaged: {error}"))),
    }
}

enum Refused {
    Not(String),
    Broken(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        Refused::Broken(error)
    }
}

/// The tar library says so in words of its own where a block or a file is cut.
fn is_end(error: &io::Error) -> bool {
    let text = error.to_string();
    error.kind() == io::ErrorKind::UnexpectedEof
        || ["failed to read entire block", "unexpected EOF"].iter().any(|words| text.contains(words))
}

fn files(from: impl Read, directory: &Path) -> Result<(), Refused> {
    let mut members = tar::Archive::new(from.take(LARGEST + 1));
    let mut seen = BTreeSet::new();
    let mut long_name = None;
    for entry in members.entries()?.raw(true) {
        let mut entry = entry?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            kind if archive::is_name(kind) => {
                long_name = archive::name(&mut entry)?.or(long_name);
                continue;
            }
            EntryType::Directory | EntryType::XGlobalHeader => {
                long_name = None;
                continue;
            }
            other => return Err(Refused::Not(format!("it holds {}, where only plain files may be", called(other)))),
        }
        let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
        let inside = inside(&name)?;
        if seen.len() >= MOST_FILES {
            return Err(Refused::Not(format!("it holds more than {MOST_FILES} files")));
        }
        let target = directory.join(&inside);
        if let Some(parent) = target.parent() {
            make_private(parent)?;
        }
        let size = entry.size();
        if size > LARGEST {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if bytes.len() as u64 != size {
            return Err(Refused::Broken(io::ErrorKind::UnexpectedEof.into()));
        }
        if !seen.insert(inside) {
            return Err(Refused::Not(format!("it holds {} twice", String::from_utf8_lossy(&name))));
        }
        write_private(&target, &bytes)?;
    }
    // To the end of the stream: only there is its checksum.
    let mut rest = members.into_inner();
    io::copy(&mut rest, &mut io::sink())?;
    if rest.limit() == 0 { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Refused {
    Refused::Not(format!("it holds more than {} MiB", LARGEST >> 20))
}

fn called(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        _ => "something that is no file",
    }
}

/// The path within the bundle; one that leads out of it is refused.
fn inside(name: &[u8]) -> Result<PathBuf, Refused> {
    let path = Path::new(std::ffi::OsStr::from_bytes(name));
    let refused = || Refused::Not(format!("it holds {}, which leads out of it", String::from_utf8_lossy(name)));
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => inside.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(refused()),
        }
    }
    let is_path = !inside.as_os_str().is_empty() && !name.contains(&0);
    if is_path { Ok(inside) } else { Err(Refused::Not("it holds a file without a name".to_owned())) }
}
