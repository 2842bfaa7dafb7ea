//! The parts of a recording on disk: `FILE` is the newest, `FILE.1` the one before.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// No more parts are kept.
const MOST: u32 = 99;

/// No part is smaller, in bytes: a header, its explanations and a few samples have 10 KB.
const SMALLEST: u64 = 64 << 10;

/// How much of a disk a recording may take: its newest part and those before it, each of at most so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    pub(super) max_bytes: u64,
    pub(super) keep: u32,
}

impl Rotation {
    /// A new part whenever one would grow beyond `max_bytes` (at least 64 KiB), with `keep` (at most 99) older ones
    /// beside it: the recording never takes more than `max_bytes` times `keep + 1`. The oldest part is given up first.
    pub fn new(max_bytes: u64, keep: u32) -> Rotation {
        Rotation { max_bytes: max_bytes.max(SMALLEST), keep: keep.min(MOST) }
    }
}

/// The name of an older part.
pub fn older(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// The older parts that are there, the newest first.
pub fn older_parts(path: &Path) -> Vec<PathBuf> {
    (1..=MOST).map(|number| older(path, number)).filter(|path| path.is_file()).collect()
}

/// The bytes of all parts that are there.
pub fn bytes(path: &Path) -> u64 {
    let parts = std::iter::once(path.to_owned()).chain(older_parts(path));
    parts.filter_map(|part| part.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// The recordings that files are parts of, each under the name by which all of its parts are read.
pub fn whole(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut whole = Vec::new();
    for file in &files {
        let name = match newest_of(file) {
            // Of one part alone nothing tells that the others are meant.
            Some(newest) if files.iter().any(|other| other != file && belongs_to(other, &newest)) => newest,
            _ => file.clone(),
        };
        if !whole.contains(&name) {
            whole.push(name);
        }
    }
    whole
}

/// Whether a file is the newest part of a recording or, by its name, an older one.
fn belongs_to(file: &Path, newest: &Path) -> bool {
    file == newest || newest_of(file).as_deref() == Some(newest)
}

/// The newest part's name, of a file that has the name of an older one: `FILE` of `FILE.2`.
fn newest_of(file: &Path) -> Option<PathBuf> {
    let number: u32 = file.extension()?.to_str()?.parse().ok()?;
    let newest = file.with_extension("");
    ((1..=MOST).contains(&number) && older(&newest, number) == file).then_some(newest)
}

/// Moves every part up by one, which gives up the oldest: afterwards there is no newest one. Where it ends in the
/// middle, a number is free and no part is lost but the oldest.
pub fn move_up(path: &Path, keep: u32) -> io::Result<()> {
    if keep == 0 {
        return fs::remove_file(path).or_else(not_there);
    }
    // From the oldest to the newest up to the first free number, which is where a move that ended early left one.
    let free = (1..keep).find(|number| !older(path, *number).exists()).unwrap_or(keep);
    for number in (1..free).rev() {
        fs::rename(older(path, number), older(path, number + 1)).or_else(not_there)?;
    }
    fs::rename(path, older(path, 1)).or_else(not_there)
}

fn not_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_one_recording_under_the_name_of_the_newest() {
        let whole = |files: &[&str]| whole(files.iter().map(PathBuf::from).collect());
        let expected = |files: &[&str]| files.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(whole(&["a/tm.rec", "a/tm.rec.1", "a/tm.rec.2", "b/tm.rec"]), expected(&["a/tm.rec", "b/tm.rec"]));
        assert_eq!(whole(&["tm.rec.1", "tm.rec.2"]), expected(&["tm.rec"]));
        assert_eq!(whole(&["tm.rec.1", "other.rec"]), expected(&["tm.rec.1", "other.rec"]));
        assert_eq!(
            whole(&["run.2", "run.100", "run.02", "run.rec"]),
            expected(&["run.2", "run.100", "run.02", "run.rec"])
        );
        assert_eq!(whole(&["tm.rec", "tm.rec"]), expected(&["tm.rec"]));
    }
}
