//! Reads the directories in which a process keeps RocksDB databases: nothing is opened for writing, no lock is taken, no
//! time of access is changed where that may be refused. Files that vanish meanwhile are normal: compactions delete them.

mod database;
mod file;
mod search;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use super::root::Root;
use crate::artefact::rocksdb_directory::Databases;
use crate::model::{Seen, Unseen};

/// How much is read at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Databases.
    pub databases: usize,
    /// Table files of a database that are opened for their properties; those that its log tells of need not be.
    pub tables: usize,
    /// Bytes of a log from its start: version and options are there.
    pub log_head: u64,
    /// Bytes of a log from its end.
    pub log_tail: u64,
}

impl Default for Effort {
    /// Flink's own limit of a log is 25 MB (`state.backend.rocksdb.log.max-file-size`): such a log is read whole.
    fn default() -> Effort {
        Effort { databases: 256, tables: 64, log_head: 4 << 20, log_tail: 24 << 20 }
    }
}

/// The databases that a process has open, by its open files, and those below directories that it is told to keep them in
/// (`state.backend.rocksdb.localdir`, `io.tmp.dirs`), which may be of other processes or be left over. Directories are
/// named as the process names them.
///
/// # Errors
/// Where the open files are refused and no directory is given.
pub fn of_process(root: &Root, pid: u32, directories: &[PathBuf], effort: &Effort) -> Seen<Databases> {
    let mut found = search::Places::default();
    let mut unseen = Vec::new();
    match search::open_files(root, pid) {
        Ok(places) => found = places,
        Err(refused) if directories.is_empty() => {
            return Err(match refused.grant {
                Some(grant) => Unseen::because(refused.why)
                    .granted_by(format!("{grant}, or name the directory of RocksDB (state.backend.rocksdb.localdir)")),
                None => refused,
            });
        }
        Err(refused) => unseen.push(refused),
    }
    for directory in directories {
        if let Err(refused) = search::below(root, pid, directory, &mut found) {
            unseen.push(refused);
        }
    }
    let left_out = found.databases.len().saturating_sub(effort.databases);
    let instances = found
        .databases
        .iter()
        .take(effort.databases)
        .map(|(directory, open)| database::read(root, pid, directory, *open, &found.logs, effort))
        .collect();
    Ok(Databases { instances, left_out, unseen })
}
