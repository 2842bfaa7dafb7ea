//! Where a process has its databases.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::file;
use crate::model::{Seen, Unseen};
use crate::probe::root::Root;

/// Flink's directories are `<localdir>/job_.../db`, `<tmp>/tm_.../tmp/job_.../db` and `<localdir>/<job>/op_.../db`.
const DEEPEST: usize = 5;
/// No more directories are looked into below one that is named.
const MOST_DIRECTORIES: usize = 20_000;

/// Databases and logs, named as the process names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    /// Directories of databases, and whether the process has files of theirs open.
    pub databases: BTreeMap<PathBuf, bool>,
    /// Logs that are open and lie elsewhere than with their database.
    pub logs: BTreeSet<PathBuf>,
}

/// Places of the files that a process has open.
pub(super) fn open_files(root: &Root, pid: u32) -> Seen<Places> {
    let listed = fs::read_dir(root.process(pid).join("fd")).map_err(|error| root.unseen_of(pid, "fd", &error))?;
    let mut places = Places::default();
    for link in listed.flatten() {
        let Ok(target) = fs::read_link(link.path()) else { continue };
        // The name of a deleted file ends in " (deleted)", so it is none of these.
        let (Some(name), Some(folder)) = (target.file_name().and_then(|name| name.to_str()), target.parent()) else {
            continue;
        };
        if name.ends_with("_LOG") {
            places.logs.insert(target);
        } else if name.strip_prefix("MANIFEST-").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        {
            // It is open as long as the database is. Table files are not always, and are also open in checkpoints.
            places.databases.insert(folder.to_owned(), true);
        }
    }
    Ok(places)
}

/// Databases below a directory.
pub(super) fn below(root: &Root, pid: u32, directory: &Path, places: &mut Places) -> Seen<()> {
    let mut waiting = vec![(directory.to_owned(), 0)];
    let mut looked_into = 0;
    while let Some((folder, depth)) = waiting.pop() {
        looked_into += 1;
        if looked_into > MOST_DIRECTORIES {
            return Err(Unseen::because(format!(
                "{} has more than {MOST_DIRECTORIES} directories: not all were looked into",
                directory.display()
            ))
            .granted_by("name the directory in which the job_* directories are"));
        }
        let listed = match fs::read_dir(file::found(root, pid, &folder)) {
            Ok(listed) => listed,
            Err(error) if depth == 0 => {
                return Err(Unseen::because(format!("{}: {error}", folder.display())).granted_by(root.grant_of(pid)));
            }
            Err(_) => continue,
        };
        let mut inner = Vec::new();
        let (mut current, mut manifest) = (false, false);
        for entry in listed.flatten() {
            let name = entry.file_name();
            current |= name == "CURRENT";
            manifest |= name.to_str().is_some_and(|name| name.starts_with("MANIFEST-"));
            if depth < DEEPEST && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                inner.push((folder.join(name), depth + 1));
            }
        }
        if current && manifest {
            places.databases.entry(folder).or_insert(false);
        } else {
            waiting.extend(inner);
        }
    }
    Ok(())
}
