//! Where a process writes temporary files and state, and which volume of its pod that is.

use crate::check::Case;
use crate::config::{Mount, Pod, Volume};
use crate::model::{Place, Role};
use crate::plan::store::Store;

/// A directory that Flink writes to.
pub struct Directory {
    /// The option it is of.
    pub option: String,
    /// Its path.
    pub path: String,
    /// Where it is written; a default has no such place.
    pub place: Option<Place>,
}

/// The directories of a process: those that are set, and the default of `io.tmp.dirs`.
pub fn of(case: &Case<'_>, role: Role) -> Vec<Directory> {
    let mut options = vec!["io.tmp.dirs".to_owned()];
    match role {
        Role::TaskManager => {
            options.push("process.taskmanager.working-dir".to_owned());
            options.extend(case.store().map(|store| match store {
                Store::RocksDb => "state.backend.rocksdb.localdir".to_owned(),
                Store::ForSt => "state.backend.forst.local-dir".to_owned(),
            }));
        }
        Role::JobManager => options.push("process.jobmanager.working-dir".to_owned()),
    }
    let mut found = Vec::new();
    for option in options {
        let Some(value) = case.value(&option) else { continue };
        let place = case.find(&option).map(|written| written.place().clone());
        // `ConfigurationUtils.splitPaths`: commas, bars and the system's own separator.
        for path in value.split([',', '|', ':']).map(str::trim).filter(|path| path.starts_with('/')) {
            found.push(Directory { option: option.clone(), path: path.to_owned(), place: place.clone() });
        }
    }
    found
}

/// The mount that a path lies in, and its volume: the deepest one counts.
pub fn volume_of<'a>(pod: &'a Pod, path: &str) -> Option<(&'a Mount, &'a Volume)> {
    let mount = pod.mount_of(path)?;
    Some((mount, pod.volume_of(mount)?))
}
