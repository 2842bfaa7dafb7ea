//! The small files of a process's RocksDB databases: logs and options, and how large the others are. Tables and manifests
//! hold keys of the job's state: they are left where they are.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::collect::{Collection, plain_file};
use crate::model::Unseen;

/// No more databases are looked at.
const MOST: usize = 256;
/// Bytes of a log from its start: version and options of some column families.
const HEAD: usize = 512 << 10;
/// Bytes of a log from its end: the last dumps of its statistics.
const TAIL: usize = 1 << 20;
/// Options of a database with a hundred column families have a megabyte.
const LARGEST_OPTIONS: u64 = 4 << 20;
/// The name of the list of files and sizes, beside them.
const LISTING: &str = "oomph-listing.txt";

/// Puts them into the bundle, at the paths that the process names them by.
pub(super) fn collect(all: &mut Collection<'_>) {
    let links = match fs::read_dir(all.root.process(all.pid).join("fd")) {
        Ok(links) => links,
        Err(error) => {
            let unseen = all.root.unseen_of(all.pid, "fd", &error);
            return all.lacks("RocksDB's files", &unseen, true);
        }
    };
    let mut found = 0;
    for link in links.flatten() {
        let Ok(target) = fs::read_link(link.path()) else { continue };
        // The name of a deleted file ends in " (deleted)", so it is none of these.
        let (Some(name), Some(directory)) = (target.file_name().and_then(|name| name.to_str()), target.parent()) else {
            continue;
        };
        if name == "LOG" || name.ends_with("_LOG") {
            // Through the open file: whatever lies at its path by now, this is what the process writes to.
            match log(&link.path()) {
                Ok((bytes, only)) => {
                    let masked = all.masker.addresses(&bytes);
                    all.put(&target, masked, only);
                }
                Err(error) => all.lacks(target.display().to_string(), &Unseen::because(error.to_string()), false),
            }
        } else if name.strip_prefix("MANIFEST-").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        {
            found += 1;
            if found <= MOST {
                database(all, directory);
            }
        }
    }
    if found > MOST {
        let unseen = Unseen::because(format!("the process has {found} databases open; {MOST} were read"));
        all.lacks("RocksDB's files", &unseen, false);
    }
    if found == 0 {
        all.lacks("RocksDB's files", &Unseen::because("the process has no database open"), false);
    }
}

fn database(all: &mut Collection<'_>, directory: &Path) {
    let inside = all.root.process(all.pid).join("root").join(directory.strip_prefix("/").unwrap_or(directory));
    let at = if inside.is_dir() { inside } else { all.root.path(directory) };
    let entries = match fs::read_dir(&at) {
        Ok(entries) => entries,
        Err(error) => {
            let unseen = Unseen::because(error.to_string()).granted_by(all.root.grant_of(all.pid));
            return all.lacks(directory.display().to_string(), &unseen, false);
        }
    };
    all.databases.insert(directory.display().to_string());
    let mut listed = Vec::new();
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Ok(about) = entry.metadata() else { continue };
        listed.push(format!("{} {}", about.len(), name.display()));
        if name.to_str().is_some_and(|name| name.starts_with("OPTIONS-"))
            && let Ok(bytes) = plain_file(&entry.path(), LARGEST_OPTIONS)
        {
            let masked = all.masker.addresses(&bytes);
            all.put(&directory.join(name), masked, None);
        }
    }
    listed.sort_by(|one, other| one.split(' ').nth(1).cmp(&other.split(' ').nth(1)));
    let text: String = listed.into_iter().map(|line| line + "\n").collect();
    let masked = all.masker.addresses(text.as_bytes());
    all.put(&PathBuf::from(directory).join(LISTING), masked, Some("sizes in bytes and names, by oomph".to_owned()));
}

/// A log, whole, or its start and its end in whole lines.
fn log(path: &Path) -> io::Result<(Vec<u8>, Option<String>)> {
    let mut file = File::open(path)?;
    let about = file.metadata()?;
    if !about.is_file() {
        return Err(io::Error::other("not a plain file"));
    }
    let size = about.len();
    let most = (HEAD + TAIL) as u64;
    let mut bytes = Vec::new();
    if size <= most {
        file.by_ref().take(most).read_to_end(&mut bytes)?;
        return Ok((bytes, None));
    }
    let (mut head, mut tail) = (vec![0; HEAD], vec![0; TAIL]);
    file.read_exact_at(&mut head, 0)?;
    file.read_exact_at(&mut tail, size - TAIL as u64)?;
    let whole = head.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    let first = tail.iter().position(|byte| *byte == b'\n').map_or(TAIL, |end| end + 1);
    bytes.extend_from_slice(&head[..whole]);
    bytes.extend_from_slice(&tail[first..]);
    Ok((bytes, Some(format!("its first {HEAD} and its last {TAIL} of {size} bytes, in whole lines"))))
}
