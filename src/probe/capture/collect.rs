//! Reads a process into a bundle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::manifest::{Absent, FORMAT, HostFacts, Manifest, Taken};
use super::{Bundle, rocksdb};
use crate::artefact::cgroup::{Version, memberships};
use crate::artefact::masking::{Known, Masked, Masker};
use crate::artefact::process_status::ProcessStatus;
use crate::model::{Seen, Unseen};
use crate::probe::root::Root;
use crate::probe::{cgroup, process};

/// More threads than these are not read one by one.
const MOST_THREADS: usize = 32_768;
/// No file of a cgroup is larger: `memory.numa_stat` of a large machine has kilobytes, `cgroup.procs` seven bytes a process.
const LARGEST_OF_CGROUP: u64 = 1 << 20;
/// `-XX:PerfDataMemorySize` allows 2 MiB at most (`globals.hpp`).
const LARGEST_HSPERF: u64 = 2 << 20;

/// Files of a process that are kept as they are, the dearest and most telling first, so that they belong together.
const OF_PROCESS: [(&str, bool); 9] = [
    ("smaps", true),
    ("status", true),
    ("stat", false),
    ("statm", false),
    ("maps", false),
    ("limits", false),
    ("cgroup", true),
    ("oom_score", false),
    ("oom_score_adj", false),
];

/// Files of the machine that are kept as they are.
const OF_HOST: [&str; 14] = [
    "/proc/meminfo",
    "/proc/swaps",
    "/proc/uptime",
    "/proc/sys/vm/max_map_count",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/overcommit_ratio",
    "/proc/sys/vm/swappiness",
    "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/threads-max",
    "/proc/sys/kernel/osrelease",
    "/proc/pressure/memory",
    "/sys/kernel/mm/transparent_hugepage/enabled",
    "/sys/kernel/mm/transparent_hugepage/defrag",
    "/sys/devices/system/cpu/online",
];

/// What has been read so far.
pub(super) struct Collection<'p> {
    pub root: &'p Root,
    pub pid: u32,
    pub masker: &'p Masker<'p>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    taken: BTreeMap<PathBuf, Taken>,
    not_read: Vec<Absent>,
    /// Directories of databases.
    pub databases: BTreeSet<String>,
}

/// Reads a process, its cgroups and its machine; what cannot be read is named in the manifest. The files are held in memory
/// until they are written, so that they are of one moment: two megabytes, as a rule.
///
/// # Errors
/// Where there is no such process, nothing of it can be read, or another one got its id meanwhile.
pub fn take(root: &Root, pid: u32, masker: &Masker<'_>, with_rocksdb: bool) -> Seen<Bundle> {
    if !root.process(pid).is_dir() {
        return Err(Unseen::because(format!("there is no process {pid}")).granted_by(
            "run in the process's own pid namespace, or in that of its machine, and give the id it has there",
        ));
    }
    let status = root.read_of(pid, "status").and_then(|bytes| ProcessStatus::parse(&bytes));
    if status.is_ok_and(|status| status.is_zombie) {
        return Err(Unseen::because(format!("process {pid} has ended and only waits to be collected")));
    }
    let now = jiff::Timestamp::now();
    let before = process::started(root, pid);
    let mut all = Collection {
        root,
        pid,
        masker,
        files: BTreeMap::new(),
        taken: BTreeMap::new(),
        not_read: Vec::new(),
        databases: BTreeSet::new(),
    };
    for (name, matters) in OF_PROCESS {
        let read = root.read_of(pid, name);
        all.keep(format!("/proc/{pid}/{name}"), read, matters);
    }
    let known = all.command_line();
    all.environment();
    all.performance_data(&known);
    all.threads();
    all.cgroups();
    if with_rocksdb {
        rocksdb::collect(&mut all);
    }
    all.host();
    let own = Path::new("proc").join(pid.to_string());
    if !all.files.keys().any(|path| path.starts_with(&own)) {
        let why = all.not_read.first().map_or_else(|| Unseen::because("nothing of it is there"), Absent::unseen);
        return Err(Unseen { why: format!("nothing of process {pid} can be read: {}", why.why), ..why });
    }
    match (before, process::started(root, pid)) {
        (Ok(before), Ok(after)) if before != after => {
            return Err(Unseen::because(format!("process {pid} ended while it was read, and another one got its id")));
        }
        (Ok(_), Err(_)) => {
            let ended = Unseen::because("the process ended while it was read");
            all.lacks(format!("/proc/{pid}"), &ended, true);
        }
        _ => {}
    }
    Ok(all.bundle(now))
}

impl Collection<'_> {
    /// Puts a file into the bundle, or its reason into the manifest.
    fn keep(&mut self, path: impl Into<PathBuf>, read: Seen<Vec<u8>>, matters: bool) {
        let path = path.into();
        match read {
            Ok(bytes) => self.put(&path, Masked { bytes, values: 0 }, None),
            Err(unseen) => self.lacks(path.display().to_string(), &unseen, matters),
        }
    }

    pub(super) fn put(&mut self, path: &Path, masked: Masked, only: Option<String>) {
        let taken =
            Taken { path: path.display().to_string(), bytes: masked.bytes.len() as u64, masked: masked.values, only };
        let inside = path.strip_prefix("/").unwrap_or(path).to_owned();
        self.taken.insert(inside.clone(), taken);
        self.files.insert(inside, masked.bytes);
    }

    pub(super) fn lacks(&mut self, what: impl Into<String>, unseen: &Unseen, matters: bool) {
        self.not_read.push(Absent::of(what, unseen, matters));
    }

    fn command_line(&mut self) -> Known {
        let path = format!("/proc/{}/cmdline", self.pid);
        match self.root.read_of(self.pid, "cmdline") {
            Ok(bytes) => {
                let (masked, known) = self.masker.command_line(&bytes);
                self.put(Path::new(&path), masked, None);
                known
            }
            Err(unseen) => {
                self.lacks(path, &unseen, true);
                Known::default()
            }
        }
    }

    fn environment(&mut self) {
        let path = format!("/proc/{}/environ", self.pid);
        match self.root.read_of(self.pid, "environ") {
            Ok(bytes) => {
                let only = Some("the variables that an allocator reads".to_owned());
                self.put(Path::new(&path), self.masker.environment(&bytes), only);
            }
            Err(unseen) => self.lacks(path, &unseen, false),
        }
    }

    /// The file that the JVM has mapped: no other is proven to be its own.
    fn performance_data(&mut self, known: &Known) {
        let own = Path::new("proc").join(self.pid.to_string());
        let maps = self.files.get(&own.join("maps")).or_else(|| self.files.get(&own.join("smaps")));
        let Some(maps) = maps else {
            let unseen = Unseen::because("the process's mappings, which name it, cannot be read");
            return self.lacks("hsperfdata", &unseen.granted_by(self.root.grant_of(self.pid)), false);
        };
        let Some((directory, number)) = mapped_performance_data(maps) else {
            return self.lacks("hsperfdata", &Unseen::because("the process has no performance data mapped"), false);
        };
        let path = Path::new("/tmp").join(directory).join(number);
        let theirs = self.root.process(self.pid).join("root").join("tmp");
        // Without the process's own root, as in a capture, there is one /tmp.
        let tmp = if theirs.is_dir() { theirs } else { self.root.path("/tmp") };
        let inside = tmp.join(path.strip_prefix("/tmp").unwrap_or(&path));
        match plain_file(&inside, LARGEST_HSPERF) {
            Ok(bytes) => self.put(&path, self.masker.performance_data(&bytes, known), None),
            Err(error) => self.lacks(
                path.display().to_string(),
                &Unseen::because(error.to_string()).granted_by(self.root.grant_of(self.pid)),
                false,
            ),
        }
    }

    fn threads(&mut self) {
        let directory = self.root.process(self.pid).join("task");
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) => {
                let unseen = self.root.unseen_of(self.pid, "task", &error);
                return self.lacks(format!("/proc/{}/task", self.pid), &unseen, false);
            }
        };
        let mut refused = None;
        for entry in entries.flatten().take(MOST_THREADS) {
            let thread = entry.file_name();
            for name in ["comm", "syscall"] {
                let inside = format!("task/{}/{name}", thread.display());
                match fs::read(entry.path().join(name)) {
                    Ok(bytes) => self.keep(format!("/proc/{}/{inside}", self.pid), Ok(bytes), false),
                    // One that has ended since is none.
                    Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                        refused = Some(self.root.unseen_of(self.pid, "task/*/syscall", &error));
                    }
                    Err(_) => {}
                }
            }
        }
        if let Some(unseen) = refused {
            self.lacks(format!("/proc/{}/task/*/syscall", self.pid), &unseen, false);
        }
    }

    /// The process's own groups, those above them, and what else lives with it.
    fn cgroups(&mut self) {
        let own = Path::new("proc").join(self.pid.to_string()).join("cgroup");
        let Some(groups) = self.files.get(&own).map(|bytes| memberships(&String::from_utf8_lossy(bytes))) else {
            return;
        };
        for controller in ["memory", "pids"] {
            let located = match controller {
                "memory" => cgroup::located_memory(self.root, &groups)
                    .map_err(|unseen| self.lacks("the cgroup's files", &unseen, true))
                    .ok(),
                // At the top of its hierarchy, pids has no files.
                _ => cgroup::locate(self.root, &groups, controller),
            };
            let Some(located) = located else { continue };
            let at = match located.version {
                Version::V1 => Path::new("/sys/fs/cgroup").join(controller),
                Version::V2 => PathBuf::from("/sys/fs/cgroup"),
            };
            for below in located.below.ancestors() {
                self.group(&located.mount.join(below), &at.join(below));
            }
            if controller == "memory" {
                self.groups_below(&located.mount.join(&located.below), &at.join(&located.below));
            }
        }
        self.companions();
    }

    fn group(&mut self, from: &Path, to: &Path) {
        for entry in fs::read_dir(from).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(text) = name.to_str() else { continue };
            let wanted = text.starts_with("memory.") || text.starts_with("pids.") || text == "cgroup.procs";
            // Every slab cache of the kernel in a line of its own: large, and no part of any account.
            if !wanted || text == "memory.kmem.slabinfo" {
                continue;
            }
            // Some can only be written to.
            let is_readable = entry.metadata().is_ok_and(|at| at.is_file() && at.permissions().mode() & 0o444 != 0);
            if is_readable && let Ok(bytes) = plain_file(&entry.path(), LARGEST_OF_CGROUP) {
                self.keep(to.join(name), Ok(bytes), false);
            }
        }
    }

    /// Which processes live in the groups below the process's own.
    fn groups_below(&mut self, from: &Path, to: &Path) {
        let mut open = vec![(from.to_owned(), to.to_owned())];
        let mut looked_into = 0;
        while let Some((from, to)) = open.pop() {
            looked_into += 1;
            if looked_into > MOST_THREADS {
                break;
            }
            for entry in fs::read_dir(&from).into_iter().flatten().flatten() {
                if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    continue;
                }
                let to = to.join(entry.file_name());
                if let Ok(bytes) = plain_file(&entry.path().join("cgroup.procs"), LARGEST_OF_CGROUP) {
                    self.keep(to.join("cgroup.procs"), Ok(bytes), false);
                }
                open.push((entry.path(), to));
            }
        }
    }

    fn companions(&mut self) {
        let others = cgroup::read(self.root, self.pid).map(|group| group.others).unwrap_or_default();
        // Whoever captures from within the container is no part of what is to be explained.
        let ours = self.root.is_live().then(std::process::id);
        for other in others.into_iter().filter(|other| Some(other.pid) != ours) {
            for name in ["status", "stat", "cmdline"] {
                // One that has ended since is none.
                let Ok(bytes) = self.root.read_of(other.pid, name) else { continue };
                let path = format!("/proc/{}/{name}", other.pid);
                let masked = match name {
                    "cmdline" => self.masker.command_line(&bytes).0,
                    _ => Masked { bytes, values: 0 },
                };
                self.put(Path::new(&path), masked, None);
            }
        }
    }

    fn host(&mut self) {
        for path in OF_HOST {
            let read = self.root.read(path);
            self.keep(path, read, false);
        }
        // With it, the ticks in which the kernel counts become a time of day.
        if let Ok(bytes) = self.root.read("/proc/stat") {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.starts_with(b"btime "));
            let masked = Masked { bytes: lines.flatten().copied().collect(), values: 0 };
            self.put(Path::new("/proc/stat"), masked, Some("the time of the start of the machine".to_owned()));
        }
    }

    fn bundle(self, now: jiff::Timestamp) -> Bundle {
        let line = |path: &str| {
            let bytes = self.files.get(Path::new(path))?;
            Some(String::from_utf8_lossy(bytes).trim().to_owned()).filter(|line| !line.is_empty())
        };
        let manifest = Manifest {
            format: FORMAT,
            oomph: env!("CARGO_PKG_VERSION").to_owned(),
            captured: now.to_string(),
            pid: self.pid,
            host: HostFacts {
                kernel: line("proc/sys/kernel/osrelease"),
                cpus: line("sys/devices/system/cpu/online"),
                page_size: rustix::param::page_size() as u64,
                ticks_per_second: rustix::param::clock_ticks_per_second(),
            },
            files: self.taken.into_values().collect(),
            not_read: self.not_read,
            rocksdb: self.databases.into_iter().collect(),
        };
        Bundle { manifest, files: self.files }
    }
}

/// The directory and the name of the performance data that a process has mapped: `/tmp/hsperfdata_USER/PID`, whose number is
/// that in the innermost pid namespace.
fn mapped_performance_data(maps: &[u8]) -> Option<(String, String)> {
    let text = String::from_utf8_lossy(maps);
    text.lines().find_map(|line| {
        let path = line.get(line.find('/')?..)?;
        let mut parts = path.rsplit('/');
        let (number, directory) = (parts.next()?, parts.next()?);
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && directory.starts_with("hsperfdata_")).then(|| (directory.to_owned(), number.to_owned()))
    })
}

/// The bytes of a plain file that a stranger may have put there: no link is followed, nothing is waited for, and no more is
/// read than it can have.
pub(super) fn plain_file(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("not a plain file"));
    }
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
