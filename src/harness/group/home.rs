//! Where a group may be made.

use std::fs;
use std::path::{Path, PathBuf};

use super::GroupError;
use crate::artefact::cgroup::Version;
use crate::probe::cgroup::locate_memory;
use crate::probe::root::Root;

/// A directory of the cgroup tree in which groups with a memory limit can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Which layout.
    pub version: Version,
    /// The directory.
    pub directory: PathBuf,
    /// What the reader should know of the place.
    pub notes: Vec<String>,
    /// Whether the memory controller has to be handed on there first (version 2, the root of all groups).
    is_closed: bool,
}

impl Home {
    /// The place nearest to the group of a process.
    ///
    /// # Errors
    /// Where its group is not visible, or no group may be made there.
    pub fn find(root: &Root, pid: u32) -> Result<Home, GroupError> {
        let located = locate_memory(root, pid).map_err(GroupError::Unseen)?;
        let own = located.mount.join(&located.below);
        let mut notes = Vec::new();
        if !located.is_whole {
            notes.push(format!(
                "oomph's own cgroup is not visible here: the experiment's lies below {}, and what bounds oomph may not bound it",
                own.display()
            ));
        }
        match located.version {
            Version::V1 => Ok(Home { version: Version::V1, directory: own, notes, is_closed: false }),
            Version::V2 => {
                let (directory, is_closed) = v2(&located.mount, &own)?;
                if directory != own {
                    notes.push(format!(
                        "the experiment's cgroup lies beside oomph's, in {}: version 2 lets no group with processes have \
                         groups with limits",
                        directory.display()
                    ));
                }
                if is_closed {
                    notes.push(format!("{CONTROL} of {} gets +memory, and keeps it", directory.display()));
                }
                Ok(Home { version: Version::V2, directory, notes, is_closed })
            }
        }
    }

    /// Lets groups be made here that have a memory limit.
    pub(super) fn open(&self) -> Result<(), GroupError> {
        if !self.is_closed {
            return Ok(());
        }
        let path = self.directory.join(CONTROL);
        fs::write(&path, "+memory").map_err(|source| GroupError::of("write", &path, source))
    }
}

/// The controllers that a group hands on to those below it.
const CONTROL: &str = "cgroup.subtree_control";

/// The nearest group from oomph's own upwards that hands the memory controller on. Only the root of all groups may have
/// processes and hand controllers on nevertheless ("No Internal Process Constraint" in cgroup-v2.rst); it is the one that
/// has no `cgroup.type`.
fn v2(mount: &Path, own: &Path) -> Result<(PathBuf, bool), GroupError> {
    let names = |directory: &Path, file: &str| {
        let text = fs::read_to_string(directory.join(file)).unwrap_or_default();
        text.split_whitespace().any(|name| name == "memory")
    };
    let visible: Vec<&Path> = own.ancestors().take_while(|directory| directory.starts_with(mount)).collect();
    if let Some(open) = visible.iter().find(|directory| names(directory, CONTROL)) {
        return Ok(((*open).to_owned(), false));
    }
    match visible.last() {
        Some(top) if names(top, "cgroup.controllers") && !top.join("cgroup.type").exists() => {
            Ok(((*top).to_owned(), true))
        }
        Some(top) if names(top, "cgroup.controllers") => Err(GroupError::Occupied { path: (*top).to_owned() }),
        _ => Err(GroupError::NoController { path: mount.to_owned() }),
    }
}
