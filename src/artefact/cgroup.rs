//! The memory files of a control group, version 1 and 2.
//!
//! Read from the kernel's own documents: `Documentation/admin-guide/cgroup-v1/memory.rst` and `cgroup-v2.rst`.

mod place;

pub use place::{Membership, Mounted, memberships, mounted};

use crate::model::{Bytes, Limit, Seen, Unseen};

/// The two layouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// One hierarchy a controller: `memory.usage_in_bytes`.
    V1,
    /// One hierarchy for all: `memory.current`.
    V2,
}

/// The files of one group, as bytes, each where it could be read. Made by the probe out of a directory, by tests out of
/// texts.
pub trait Files {
    /// The content of a file of the group; nothing where it is not there or may not be read.
    fn text(&self, name: &str) -> Option<String>;
}

/// What the kernel accounts to a group and all groups below it. What a kernel does not say is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryStat {
    /// Anonymous memory: heaps and stacks, not tmpfs.
    pub anon: Option<Bytes>,
    /// Page cache, tmpfs included.
    pub file: Option<Bytes>,
    /// The part of `file` that is tmpfs or shared memory: it cannot be reclaimed without swap.
    pub shmem: Option<Bytes>,
    /// The part of `file` that is not written yet.
    pub dirty: Option<Bytes>,
    /// The part of `file` that is being written.
    pub writeback: Option<Bytes>,
    /// The part of `file` that processes have mapped.
    pub file_mapped: Option<Bytes>,
    /// File pages that nobody used for long: what goes first, and what the kubelet does not count.
    pub inactive_file: Option<Bytes>,
    /// File pages in use.
    pub active_file: Option<Bytes>,
    /// Locked pages.
    pub unevictable: Option<Bytes>,
    /// The kernel's own memory.
    pub kernel: Option<Bytes>,
    /// Its slab caches: dentries, inodes, sockets' heads.
    pub slab: Option<Bytes>,
    /// The part of the slab caches that can be reclaimed.
    pub slab_reclaimable: Option<Bytes>,
    /// Its stacks.
    pub kernel_stack: Option<Bytes>,
    /// Page tables.
    pub page_tables: Option<Bytes>,
    /// Buffers of sockets.
    pub sock: Option<Bytes>,
    /// Swapped out.
    pub swap: Option<Bytes>,
    /// File pages that were thrown out and had to be read again: how often.
    pub refaults: Option<u64>,
    /// The smallest limit of the group and those above it, where the kernel says it (version 1).
    pub hierarchical_limit: Option<Limit>,
}

/// How long tasks waited for memory (`memory.pressure`), in hundredths of a per cent of the last ten seconds and of the
/// last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// At least one task waited.
    pub some_10s: u32,
    /// The same over a minute.
    pub some_60s: u32,
    /// All tasks waited.
    pub full_10s: u32,
    /// The same over a minute.
    pub full_60s: u32,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which layout.
    pub version: Version,
    /// Its path below the mount, `/` for the root of what is visible.
    pub path: String,
    /// `memory.limit_in_bytes`, `memory.max`: above it the kernel reclaims, then kills.
    pub limit: Option<Limit>,
    /// `memory.high`: above it tasks are slowed down until they stand still.
    pub high: Option<Limit>,
    /// What counts against the limit.
    pub usage: Option<Bytes>,
    /// The largest usage so far.
    pub peak: Option<Bytes>,
    /// What it is made of.
    pub stat: MemoryStat,
    /// How often the limit was met (`memory.failcnt`, `max` in `memory.events`).
    pub limit_hits: Option<u64>,
    /// How often `memory.high` was met.
    pub high_hits: Option<u64>,
    /// Processes killed for this group's limit or one above.
    pub oom_kills: Option<u64>,
    /// Whether the kernel kills the whole group at once (`memory.oom.group`, version 2).
    pub oom_group: Option<bool>,
    /// Whether the kernel stops tasks instead of killing one (`oom_kill_disable`, version 1).
    pub oom_kill_disabled: Option<bool>,
    /// `memory.swap.max`; what of `memory.memsw.limit_in_bytes` is above the limit.
    pub swap_limit: Option<Limit>,
    /// Waiting for memory.
    pub pressure: Option<Pressure>,
}

impl Group {
    /// Reads one group of the layout.
    pub fn read(version: Version, path: &str, files: &dyn Files) -> Group {
        match version {
            Version::V1 => v1(path, files),
            Version::V2 => v2(path, files),
        }
    }

    /// Usage without inactive file pages: what the kubelet calls the working set and evicts by (cAdvisor,
    /// `setMemoryStats` in container/libcontainer/handler.go).
    pub fn working_set(&self) -> Option<Bytes> {
        let inactive = self.stat.inactive_file?;
        self.usage.map(|usage| usage.checked_sub(inactive).unwrap_or(Bytes::ZERO))
    }

    /// Whether it is the machine's root, which has neither a limit nor a usage in version 2.
    fn is_machine(&self) -> bool {
        self.version == Version::V2 && self.usage.is_none() && self.stat != MemoryStat::default()
    }

    /// The limit in bytes; nothing where there is none or it is not known.
    pub fn bound(&self) -> Option<Bytes> {
        match self.limit {
            Some(Limit::AtMost(bytes)) => Some(bytes),
            _ => None,
        }
    }
}

/// Where a process is accounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cgroup {
    /// The process's own group.
    pub own: Group,
    /// The groups above it that can be seen, the nearest first: the limit may be the pod's.
    pub above: Vec<Group>,
    /// How many tasks there may be, and are: a number, not bytes.
    pub tasks: Option<(Limit, Option<u64>)>,
    /// The other processes of the group and below it.
    pub others: Vec<Companion>,
}

/// Another process of the same group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// Its process id.
    pub pid: u32,
    /// Its program and what it was started with, shortened.
    pub command: String,
    /// Whether it is one of Flink's Python workers.
    pub is_python_worker: bool,
    /// Its resident set.
    pub rss: Seen<Bytes>,
    /// The anonymous part: what it adds to the container.
    pub rss_anon: Option<Bytes>,
}

impl Cgroup {
    /// The group whose limit is met first: the smallest of all.
    pub fn tightest(&self) -> Option<(&Group, Bytes)> {
        let all = std::iter::once(&self.own).chain(&self.above);
        all.filter_map(|group| group.bound().map(|bound| (group, bound))).min_by_key(|(_, bound)| *bound)
    }

    /// The smallest limit of the group and of all above it, those included that only the kernel sees from here
    /// (`hierarchical_memory_limit`).
    ///
    /// # Errors
    /// [`Unseen`] where none was found and a group does not tell its own.
    pub fn limit(&self) -> Seen<Limit> {
        let hierarchical = match self.own.stat.hierarchical_limit {
            Some(Limit::AtMost(bytes)) => Some(bytes),
            _ => None,
        };
        let found = self.tightest().map(|(_, bound)| bound).into_iter().chain(hierarchical).min();
        if let Some(bound) = found {
            return Ok(Limit::AtMost(bound));
        }
        match std::iter::once(&self.own).chain(&self.above).find(|group| group.limit.is_none() && !group.is_machine()) {
            Some(group) => {
                Err(Unseen::because(format!("the memory limit of the cgroup {} could not be read", group.path)))
            }
            None => Ok(Limit::Unlimited),
        }
    }
}

fn v1(path: &str, files: &dyn Files) -> Group {
    let number = |name: &str| files.text(name).and_then(|text| text.trim().parse::<u64>().ok());
    let stat = files.text("memory.stat").unwrap_or_default();
    // Only `total_` counts the groups below; a root group may not have it.
    let value = |key: &str| Keyed(&stat).value(&format!("total_{key}")).or_else(|| Keyed(&stat).value(key));
    let bytes = |key: &str| value(key).map(Bytes::new);
    let control = files.text("memory.oom_control").unwrap_or_default();
    let limit = number("memory.limit_in_bytes").map(v1_limit);
    let with_swap = number("memory.memsw.limit_in_bytes").map(v1_limit);
    let swap_limit = match (limit, with_swap) {
        (Some(Limit::AtMost(memory)), Some(Limit::AtMost(both))) => both.checked_sub(memory).map(Limit::AtMost),
        (_, Some(Limit::Unlimited)) => Some(Limit::Unlimited),
        _ => None,
    };
    Group {
        version: Version::V1,
        path: path.to_owned(),
        limit,
        high: None,
        usage: number("memory.usage_in_bytes").map(Bytes::new),
        peak: number("memory.max_usage_in_bytes").map(Bytes::new),
        stat: MemoryStat {
            anon: bytes("rss"),
            file: bytes("cache"),
            shmem: bytes("shmem"),
            dirty: bytes("dirty"),
            writeback: bytes("writeback"),
            file_mapped: bytes("mapped_file"),
            inactive_file: bytes("inactive_file"),
            active_file: bytes("active_file"),
            unevictable: bytes("unevictable"),
            kernel: number("memory.kmem.usage_in_bytes").map(Bytes::new),
            sock: number("memory.kmem.tcp.usage_in_bytes").map(Bytes::new),
            swap: bytes("swap"),
            refaults: value("workingset_refault_file").or_else(|| value("workingset_refault")),
            hierarchical_limit: Keyed(&stat).value("hierarchical_memory_limit").map(v1_limit),
            ..MemoryStat::default()
        },
        limit_hits: number("memory.failcnt"),
        high_hits: None,
        oom_kills: Keyed(&control).value("oom_kill"),
        oom_group: None,
        oom_kill_disabled: Keyed(&control).value("oom_kill_disable").map(|value| value != 0),
        swap_limit,
        pressure: None,
    }
}

fn v2(path: &str, files: &dyn Files) -> Group {
    let text = |name: &str| files.text(name);
    let number = |name: &str| text(name).and_then(|text| text.trim().parse::<u64>().ok());
    let limit = |name: &str| text(name).and_then(|text| v2_limit(text.trim()));
    let stat = text("memory.stat").unwrap_or_default();
    let value = |key: &str| Keyed(&stat).value(key);
    let bytes = |key: &str| value(key).map(Bytes::new);
    let events = text("memory.events").unwrap_or_default();
    let parts = ["slab", "kernel_stack", "pagetables", "percpu", "sock"];
    let kernel = || Bytes::checked_sum(parts.iter().filter_map(|key| bytes(key))).filter(|_| value("slab").is_some());
    Group {
        version: Version::V2,
        path: path.to_owned(),
        limit: limit("memory.max"),
        high: limit("memory.high"),
        usage: number("memory.current").map(Bytes::new),
        peak: number("memory.peak").map(Bytes::new),
        stat: MemoryStat {
            anon: bytes("anon"),
            file: bytes("file"),
            shmem: bytes("shmem"),
            dirty: bytes("file_dirty"),
            writeback: bytes("file_writeback"),
            file_mapped: bytes("file_mapped"),
            inactive_file: bytes("inactive_file"),
            active_file: bytes("active_file"),
            unevictable: bytes("unevictable"),
            // `kernel` is there since 5.18; before, its parts are.
            kernel: bytes("kernel").or_else(kernel),
            slab: bytes("slab"),
            slab_reclaimable: bytes("slab_reclaimable"),
            kernel_stack: bytes("kernel_stack"),
            page_tables: bytes("pagetables"),
            sock: bytes("sock"),
            swap: number("memory.swap.current").map(Bytes::new),
            refaults: value("workingset_refault_file").or_else(|| value("workingset_refault")),
            hierarchical_limit: None,
        },
        limit_hits: Keyed(&events).value("max"),
        high_hits: Keyed(&events).value("high"),
        oom_kills: Keyed(&events).value("oom_kill"),
        oom_group: number("memory.oom.group").map(|value| value != 0),
        oom_kill_disabled: None,
        swap_limit: limit("memory.swap.max"),
        pressure: text("memory.pressure").and_then(|text| pressure(&text)),
    }
}

/// What version 1 shows where there is no limit: the largest count of pages, `PAGE_COUNTER_MAX`. Page sizes differ, so
/// everything from an exbibyte on is none.
pub(super) fn v1_limit(bytes: u64) -> Limit {
    if bytes >= 1 << 60 { Limit::Unlimited } else { Limit::AtMost(Bytes::new(bytes)) }
}

/// `max`, or a number. Also the form of `pids.max` in both versions.
pub fn v2_limit(text: &str) -> Option<Limit> {
    match text {
        "max" => Some(Limit::Unlimited),
        digits => digits.parse().ok().map(|bytes| Limit::AtMost(Bytes::new(bytes))),
    }
}

/// Lines of a key and a number.
struct Keyed<'t>(&'t str);

impl Keyed<'_> {
    fn value(&self, key: &str) -> Option<u64> {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
    }
}

/// `some avg10=0.00 avg60=0.12 avg300=0.00 total=123`, and the same with `full`.
fn pressure(text: &str) -> Option<Pressure> {
    let average = |kind: &str, span: &str| -> Option<u32> {
        let line = text.lines().find(|line| line.split(' ').next() == Some(kind))?;
        let value = line.split(' ').find_map(|word| word.strip_prefix(span)?.strip_prefix('='))?;
        let (whole, hundredths) = value.split_once('.')?;
        whole.parse::<u32>().ok()?.checked_mul(100)?.checked_add(hundredths.get(..2)?.parse().ok()?)
    };
    Some(Pressure {
        some_10s: average("some", "avg10")?,
        some_60s: average("some", "avg60")?,
        full_10s: average("full", "avg10")?,
        full_60s: average("full", "avg60")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    struct Texts(&'static [(&'static str, &'static str)]);

    impl Files for Texts {
        fn text(&self, name: &str) -> Option<String> {
            self.0.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
        }
    }

    const V1: Texts = Texts(&[
        ("memory.limit_in_bytes", "1811939328\n"),
        ("memory.memsw.limit_in_bytes", "9223372036854771712\n"),
        ("memory.usage_in_bytes", "1700000000\n"),
        ("memory.max_usage_in_bytes", "1811939328\n"),
        ("memory.failcnt", "12\n"),
        ("memory.kmem.usage_in_bytes", "77656064\n"),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"),
        (
            "memory.stat",
            "cache 1\nrss 2\ntotal_cache 600\ntotal_rss 1000\ntotal_rss_huge 7\ntotal_shmem 5\ntotal_inactive_file \
             1900000000\ntotal_workingset_refault_file 126317\nhierarchical_memory_limit 9223372036854771712\n",
        ),
    ]);

    const V2: Texts = Texts(&[
        ("memory.max", "max\n"),
        ("memory.high", "1073741824\n"),
        ("memory.current", "900\n"),
        (
            "memory.stat",
            "anon 500\nfile 300\nkernel_stack 16\npagetables 32\npercpu 8\nsock 0\nslab 64\ninactive_file 100\n",
        ),
        ("memory.events", "low 0\nhigh 7\nmax 8\noom 1\noom_kill 2\noom_group_kill 0\n"),
        ("memory.oom.group", "1\n"),
        ("memory.swap.max", "0\n"),
        (
            "memory.pressure",
            "some avg10=1.25 avg60=0.07 avg300=0.00 total=12\nfull avg10=0.50 avg60=0.00 avg300=0.00 total=3\n",
        ),
    ]);

    #[test]
    fn version_1_counts_the_groups_below() {
        let group = Group::read(Version::V1, "/a", &V1);
        assert_eq!(group.bound(), Some(Bytes::new(1_811_939_328)));
        assert_eq!((group.stat.anon, group.stat.file), (Some(Bytes::new(1000)), Some(Bytes::new(600))));
        assert_eq!((group.limit_hits, group.oom_kills), (Some(12), Some(3)));
        assert_eq!(group.stat.hierarchical_limit, Some(Limit::Unlimited));
        assert_eq!((group.swap_limit, group.stat.refaults), (Some(Limit::Unlimited), Some(126_317)));
        assert_eq!(group.stat.slab, None);
    }

    #[test]
    fn what_may_be_swapped_is_not_known_where_the_limit_without_swap_is_not() {
        let group = Group::read(Version::V1, "/a", &Texts(&[("memory.memsw.limit_in_bytes", "2147483648\n")]));
        assert_eq!(group.swap_limit, None);
    }

    #[test]
    fn version_2_adds_the_kernels_parts_up_where_it_names_no_sum() {
        let group = Group::read(Version::V2, "/b", &V2);
        assert_eq!((group.limit, group.bound()), (Some(Limit::Unlimited), None));
        assert_eq!(group.high, Some(Limit::AtMost(Bytes::gib(1))));
        assert_eq!(group.stat.kernel, Some(Bytes::new(120)));
        assert_eq!((group.high_hits, group.limit_hits, group.oom_kills), (Some(7), Some(8), Some(2)));
        assert_eq!((group.oom_group, group.swap_limit), (Some(true), Some(Limit::AtMost(Bytes::ZERO))));
        let pressure = group.pressure.unwrap();
        assert_eq!((pressure.some_10s, pressure.some_60s, pressure.full_10s), (125, 7, 50));
    }

    fn limit(own: Group, above: Vec<Group>) -> Seen<Limit> {
        Cgroup { own, above, tasks: None, others: Vec::new() }.limit()
    }

    #[test]
    fn a_limit_that_could_not_be_read_is_not_taken_for_none() {
        let read = |version, files| Group::read(version, "/a", &Texts(files));
        let unread = || read(Version::V2, &[("memory.current", "900\n"), ("memory.stat", "anon 500\n")]);
        let free = || read(Version::V2, &[("memory.current", "900\n"), ("memory.max", "max\n")]);
        let bound = || read(Version::V2, &[("memory.max", "1024\n")]);
        let machine = || read(Version::V2, &[("memory.stat", "anon 500\n")]);
        assert!(limit(unread(), Vec::new()).unwrap_err().why.contains("/a could not be read"));
        assert!(limit(free(), vec![unread()]).is_err());
        assert_eq!(limit(unread(), vec![bound()]), Ok(Limit::AtMost(Bytes::new(1024))));
        assert_eq!(
            (limit(free(), Vec::new()), limit(machine(), Vec::new())),
            (Ok(Limit::Unlimited), Ok(Limit::Unlimited))
        );
    }

    #[test]
    fn a_limit_of_a_group_that_is_not_visible_counts_where_the_kernel_tells_it() {
        let files = Texts(&[
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory.stat", "hierarchical_memory_limit 1024\n"),
        ]);
        let own = Group::read(Version::V1, "/", &files);
        assert_eq!(limit(own, Vec::new()), Ok(Limit::AtMost(Bytes::new(1024))));
    }

    #[test]
    fn the_working_set_is_usage_without_inactive_file_pages_and_never_negative() {
        assert_eq!(Group::read(Version::V2, "/b", &V2).working_set(), Some(Bytes::new(800)));
        assert_eq!(Group::read(Version::V1, "/a", &V1).working_set(), Some(Bytes::ZERO));
    }

    #[test]
    fn files_that_are_missing_or_malformed_give_nothing_rather_than_zero() {
        let group = Group::read(Version::V2, "/", &Texts(&[]));
        assert_eq!((group.usage, group.limit, &group.stat), (None, None, &MemoryStat::default()));
        assert_eq!(group.working_set(), None);
        let odd = Texts(&[
            ("memory.current", "many"),
            ("memory.stat", "anon\nanon x\nanonymous 5\n"),
            ("memory.pressure", "some"),
        ]);
        let group = Group::read(Version::V2, "/", &odd);
        assert_eq!((group.usage, group.stat.anon, group.pressure), (None, None, None));
    }
}
