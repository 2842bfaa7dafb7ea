//! Which processes to look at.

use super::root::Root;
use super::{cgroup, process};
use crate::artefact::cgroup::memberships;
use crate::artefact::flink_process::{self, FlinkProcess};
use crate::artefact::process_status;
use crate::model::{Seen, Unseen};

/// A process that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its process id, as seen from the root.
    pub pid: u32,
    /// When it started; what tells it from a later one of the same id.
    pub started: Option<u64>,
    /// What Flink runs in it; nothing where it is not Flink's.
    pub flink: Option<FlinkProcess>,
    /// What it runs, for messages.
    pub program: String,
    /// Whether HotSpot's library is mapped; unseen where its mappings may not be read.
    pub is_hotspot: Seen<bool>,
}

/// Looks at one process.
pub fn of_pid(root: &Root, pid: u32) -> Seen<Target> {
    if !root.process(pid).is_dir() {
        return Err(Unseen::because(format!("there is no process {pid}")));
    }
    let started = process::started(root, pid).ok();
    let words = root.read_of(pid, "cmdline").and_then(|bytes| process_status::command(&bytes))?;
    let is_hotspot = root.read_of(pid, "maps").or_else(|error| root.read_of(pid, "smaps").map_err(|_| error));
    Ok(Target {
        pid,
        started,
        flink: flink_process::recognise(&words),
        program: flink_process::program(&words),
        is_hotspot: is_hotspot.map(|bytes| maps_hotspot(&bytes)),
    })
}

/// Whether a mapping's name is HotSpot's library: `libjvm.so`, and not OpenJ9's `libj9vm`.
fn maps_hotspot(maps: &[u8]) -> bool {
    let mut lines = maps.split(|byte| *byte == b'\n');
    lines.any(|line| line.ends_with(b"/libjvm.so") || line.ends_with(b"/libjvm.so (deleted)"))
}

/// Every process of Flink's that this machine or capture shows, in the order of their ids. One whose command line names
/// Flink's main class but which has no JVM mapped is none.
pub fn all(root: &Root) -> Vec<Target> {
    of_pids(root, pids(root))
}

/// Flink's processes of a container, told by its id (or a part of it of six characters or more) in their cgroup's path.
pub fn of_container(root: &Root, id: &str) -> Seen<Vec<Target>> {
    if id.len() < SHORTEST_ID {
        return Err(Unseen::because(format!(
            "{id} is too short for a container's id: give {SHORTEST_ID} characters or more"
        )));
    }
    let lives_there = |pid: &u32| {
        let groups = root.read_of(*pid, "cgroup").unwrap_or_default();
        memberships(&String::from_utf8_lossy(&groups)).iter().any(|group| group.path.contains(id))
    };
    let inside: Vec<u32> = pids(root).into_iter().filter(lives_there).collect();
    if inside.is_empty() {
        return Err(Unseen::because(format!("no process lives in a cgroup whose path holds {id}"))
            .granted_by("run on the container's own machine, in its host's pid namespace"));
    }
    some(of_pids(root, inside), &format!("container {id}"))
}

/// The fewest characters of a container's id that are taken for one.
const SHORTEST_ID: usize = 6;

/// Flink's processes of a cgroup, given by its path.
pub fn of_cgroup(root: &Root, path: &str) -> Seen<Vec<Target>> {
    let inside = cgroup::processes(root, path);
    if inside.is_empty() {
        return Err(Unseen::because(format!("there is no cgroup {path} with processes in it")));
    }
    some(of_pids(root, inside), &format!("cgroup {path}"))
}

fn some(found: Vec<Target>, what: &str) -> Seen<Vec<Target>> {
    match found.is_empty() {
        true => Err(Unseen::because(format!("no process of Flink's runs in {what}"))),
        false => Ok(found),
    }
}

fn of_pids(root: &Root, pids: Vec<u32>) -> Vec<Target> {
    let targets = pids.into_iter().filter_map(|pid| of_pid(root, pid).ok());
    targets.filter(|target| target.flink.is_some() && target.is_hotspot != Ok(false)).collect()
}

fn pids(root: &Root) -> Vec<u32> {
    let entries = std::fs::read_dir(root.path("/proc")).into_iter().flatten().flatten();
    let mut found: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    found.sort_unstable();
    found
}
