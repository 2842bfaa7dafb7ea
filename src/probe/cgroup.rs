//! The memory cgroup that a process lives in, those above it, and what else lives in it.

use std::path::{Path, PathBuf};

use super::root::Root;
use crate::artefact::cgroup::{Cgroup, Companion, Files, Group, Membership, Version, memberships, mounted, v2_limit};
use crate::artefact::process_status::{ProcessStatus, command};
use crate::model::{Limit, Seen, Unseen};

/// A group's directory.
struct Directory(PathBuf);

impl Files for Directory {
    fn text(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }
}

/// A mounted hierarchy, and where the process's group lies in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Which layout.
    pub version: Version,
    /// Where the hierarchy is mounted.
    pub mount: PathBuf,
    /// Below the mount, without a leading slash.
    pub below: PathBuf,
    /// Whether that is the group's whole path: in a container often only its end is visible, or nothing of it.
    pub is_whole: bool,
}

/// Where the memory group of a process lies, as a directory.
///
/// # Errors
/// [`Unseen`] where no part of its path is visible.
pub fn locate_memory(root: &Root, pid: u32) -> Seen<Located> {
    let groups = root.read_of(pid, "cgroup")?;
    located_memory(root, &memberships(&String::from_utf8_lossy(&groups)))
}

/// The same for the groups that it is told to be in.
pub(in crate::probe) fn located_memory(root: &Root, groups: &[Membership]) -> Seen<Located> {
    locate(root, groups, "memory").ok_or_else(|| {
        Unseen::because("no directory of the process's memory cgroup is visible from here")
            .granted_by("run in the container's own namespaces, or mount the host's /sys/fs/cgroup")
    })
}

/// More processes than these of one group are not looked at one by one.
const MOST_COMPANIONS: usize = 256;

/// Reads the group of a process, and those above it.
pub fn read(root: &Root, pid: u32) -> Seen<Cgroup> {
    let groups = root.read_of(pid, "cgroup")?;
    let groups = memberships(&String::from_utf8_lossy(&groups));
    let located = located_memory(root, &groups)?;
    let group = |below: &Path| {
        let files = Directory(located.mount.join(below));
        Group::read(located.version, &Path::new("/").join(below).display().to_string(), &files)
    };
    let above = located.below.ancestors().skip(1).map(group);
    let above = above.filter(|group| group.usage.is_some() || group.limit.is_some()).collect();
    Ok(Cgroup {
        own: group(&located.below),
        above,
        tasks: tasks(root, &groups),
        others: companions(root, &located, pid),
    })
}

/// Reads a group by its path below the memory hierarchy, for `--cgroup`: the processes in it and below it.
pub fn processes(root: &Root, path: &str) -> Vec<u32> {
    let mounts = [root.path("/sys/fs/cgroup/memory"), root.path("/sys/fs/cgroup"), root.path("/sys/fs/cgroup/unified")];
    let below = Path::new(path);
    let below = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"]
        .iter()
        .find_map(|mount| below.strip_prefix(mount).ok())
        .unwrap_or(below.strip_prefix("/").unwrap_or(below));
    let mut found: Vec<u32> = Vec::new();
    for mount in mounts {
        found.extend(processes_below(&mount.join(below)));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The directory of a process's group in the hierarchy of a controller.
pub(in crate::probe) fn locate(root: &Root, groups: &[Membership], controller: &str) -> Option<Located> {
    let v1 = groups.iter().find(|group| group.controllers.iter().any(|known| known == controller));
    let v2 = groups.iter().find(|group| group.version == Version::V2);
    // A capture has no mounts but those that its layout says.
    let mounts = if root.is_live() { root.read("/proc/self/mountinfo").unwrap_or_default() } else { Vec::new() };
    let mounts = mounted(&String::from_utf8_lossy(&mounts));
    [(Version::V1, v1), (Version::V2, v2)].into_iter().find_map(|(version, group)| {
        let path = &group?.path;
        let mounted = mounts.iter().filter(|mount| {
            let has = mount.options.iter().any(|option| option == controller);
            mount.version == version && (version == Version::V2 || has)
        });
        let mut places: Vec<(PathBuf, PathBuf)> =
            mounted.map(|mount| (PathBuf::from(&mount.at), relative(path, &mount.root))).collect();
        let usual = match version {
            Version::V1 => vec![format!("/sys/fs/cgroup/{controller}")],
            Version::V2 => vec!["/sys/fs/cgroup".to_owned(), "/sys/fs/cgroup/unified".to_owned()],
        };
        places.extend(usual.into_iter().map(|mount| (root.path(mount), relative(path, "/"))));
        let file = match (version, controller) {
            (Version::V1, "memory") => "memory.usage_in_bytes",
            (Version::V2, "memory") => "memory.stat",
            _ => "pids.current",
        };
        let (mount, is_whole, below) = places.into_iter().find_map(|(mount, below)| {
            // Within a container with the host's path but its own mount, only the end of the path is there, or nothing.
            let parts: Vec<_> = below.components().collect();
            let shorter = (0..=parts.len()).map(|skipped| parts[skipped..].iter().collect::<PathBuf>());
            let mut shorter = shorter.filter(|below| mount.join(below).join(file).is_file());
            shorter.next().map(|found| (mount.clone(), found == below, found))
        })?;
        Some(Located { version, mount, below, is_whole })
    })
}

/// A group's path below the part of the hierarchy that is mounted. Paths that lead out of the observer's own namespace
/// (`/../x`) keep what lies behind.
fn relative(path: &str, mounted: &str) -> PathBuf {
    let inside = Path::new(path).strip_prefix(mounted).unwrap_or(Path::new(path));
    inside.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect()
}

fn tasks(root: &Root, groups: &[Membership]) -> Option<(Limit, Option<u64>)> {
    let located = locate(root, groups, "pids")?;
    let text = |name: &str| std::fs::read_to_string(located.mount.join(&located.below).join(name)).ok();
    let limit = v2_limit(text("pids.max")?.trim())?;
    Some((limit, text("pids.current").and_then(|text| text.trim().parse().ok())))
}

/// The processes of a group and of all groups below it.
fn processes_below(directory: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(next) = open.pop() {
        if found.len() > MOST_COMPANIONS {
            break;
        }
        let listed = std::fs::read_to_string(next.join("cgroup.procs")).unwrap_or_default();
        found.extend(listed.lines().filter_map(|line| line.parse::<u32>().ok()));
        let entries = std::fs::read_dir(&next).into_iter().flatten().flatten();
        open.extend(
            entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()),
        );
    }
    found
}

fn companions(root: &Root, located: &Located, pid: u32) -> Vec<Companion> {
    // The root of a hierarchy holds the whole machine: that is no container.
    if located.below.as_os_str().is_empty() && !is_container_root(located) {
        return Vec::new();
    }
    let all = processes_below(&located.mount.join(&located.below));
    // Process 0 lives in another namespace.
    let others = all.into_iter().filter(|other| *other != pid && *other != 0);
    let companions = others.take(MOST_COMPANIONS).filter_map(|other| companion(root, other));
    companions.collect()
}

/// Only a group that is not the machine's root has a limit file.
fn is_container_root(located: &Located) -> bool {
    let limit = match located.version {
        Version::V1 => return located.mount.join("memory.limit_in_bytes").is_file() && bounded(located),
        Version::V2 => "memory.max",
    };
    located.mount.join(limit).is_file()
}

fn bounded(located: &Located) -> bool {
    Group::read(located.version, "/", &Directory(located.mount.clone())).bound().is_some()
}

/// As much of a command line as says what it is.
const SHOWN: usize = 60;

fn companion(root: &Root, pid: u32) -> Option<Companion> {
    // A process that has ended since then is none.
    let status = ProcessStatus::parse(&root.read_of(pid, "status").ok()?).ok()?;
    if status.is_zombie {
        return None;
    }
    let words = root.read_of(pid, "cmdline").and_then(|bytes| command(&bytes)).unwrap_or_default();
    let program = words.first().map_or(status.name.as_str(), |word| word.rsplit('/').next().unwrap_or(word));
    let module = words.iter().position(|word| word == "-m").and_then(|at| words.get(at + 1));
    // pyflink.fn_execution.beam.beam_boot and beam_sdk_worker_main; pyflink-udf-runner.sh starts them.
    let is_python_worker = words.iter().any(|word| word.contains("pyflink")) && program.starts_with("python");
    let shown = [Some(program), module.map(String::as_str)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let rss = status.rss.ok_or_else(|| Unseen::because("the kernel gives no resident set for it"));
    let command = shown.chars().take(SHOWN).collect();
    Some(Companion { pid, command, is_python_worker, rss, rss_anon: status.rss_anon })
}
