//! The metrics by name: what each is of, its type and unit.

use crate::model::{Measure, Unit};

/// A metric of OpenMetrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name, the unit included, without the `_total` of a counter's and the `_info` of an info's sample.
    pub name: String,
    /// Its type.
    pub kind: Kind,
    /// Its unit, which the name ends with.
    pub unit: Option<&'static str>,
    /// What it is, in one sentence without a full stop.
    pub help: String,
    /// The labels beside `pid`, `name` and `role`.
    pub labels: &'static [&'static str],
    pub(super) shows: Shows,
}

impl Family {
    /// The name of its samples, which is what a query names.
    pub fn sample(&self) -> String {
        match self.kind {
            Kind::Gauge => self.name.clone(),
            Kind::Counter => format!("{}_total", self.name),
            Kind::Info => format!("{}_info", self.name),
        }
    }
}

/// The types that are used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// May go up and down.
    Gauge,
    /// Only goes up while the process lives.
    Counter,
    /// Always 1; what it says is in its labels.
    Info,
}

impl Kind {
    /// As OpenMetrics writes it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
            Kind::Info => "info",
        }
    }
}

/// What a family is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    Build,
    Up,
    Process,
    LookedAt,
    Pool,
    Measure(Measure),
    Budget,
    Planned,
    Used,
    HeadRoom,
    ContainerLimit,
    ContainerUsage,
    PageCache,
    Trimmable,
    LimitUsed,
    RocksDbVerdict,
    Finding,
    Unseen,
}

/// All of them, in the order of a scrape.
pub fn families() -> Vec<Family> {
    let gauge = |shows, name: &str, unit, help: &str, labels| Family {
        name: format!("oomph_{name}"),
        kind: Kind::Gauge,
        unit,
        help: help.to_owned(),
        labels,
        shows,
    };
    let info = |family: Family| Family { kind: Kind::Info, ..family };
    let bytes = Some("bytes");
    let mut all = vec![
        info(gauge(Shows::Build, "build", None, "The oomph that looked", &["version"])),
        gauge(Shows::Up, "up", None, "Whether a process that was asked for could be looked at", &[]),
        info(gauge(
            Shows::Process,
            "process",
            None,
            "What runs in a process; a label is empty where it is not known",
            &["flink", "java", "collector", "allocator"],
        )),
        gauge(Shows::LookedAt, "looked_at_seconds", Some("seconds"), "When the process was looked at, since 1970", &[]),
        gauge(
            Shows::Pool,
            "pool_bytes",
            bytes,
            "Resident bytes of the process by pool, each byte once; page_cache, tmpfs, other_processes and kernel lie beside it \
             in its container",
            &["pool"],
        ),
        gauge(Shows::Budget, "budget_bytes", bytes, "What Flink planned for a component", &["component"]),
        gauge(Shows::Planned, "planned_bytes", bytes, "What Flink planned for the whole process", &[]),
        gauge(
            Shows::Used,
            "used_bytes",
            bytes,
            "What is resident of components that pay for the same pools; left out where it cannot be told",
            &["components"],
        ),
        gauge(
            Shows::HeadRoom,
            "head_room_bytes",
            bytes,
            "What is left of the budget of these components; negative where it is passed",
            &["components"],
        ),
        gauge(
            Shows::ContainerLimit,
            "container_limit_bytes",
            bytes,
            "The smallest memory limit of the container and what it lies in",
            &[],
        ),
        gauge(
            Shows::ContainerUsage,
            "container_usage_bytes",
            bytes,
            "What counts against that limit, page cache included",
            &[],
        ),
        gauge(
            Shows::PageCache,
            "page_cache",
            None,
            "What to think of the page cache: no_action (it can be given back at once), unwritten, tmpfs; 1 for the verdict \
             that holds",
            &["verdict"],
        ),
        gauge(Shows::Trimmable, "malloc_trimmable_bytes", bytes, "What malloc_trim would return to the kernel", &[]),
        gauge(
            Shows::LimitUsed,
            "limit_used_ratio",
            Some("ratio"),
            "The used share of another limit: memory_high, pids_max, cgroup_swap, processes, address_space, max_map_count, \
             swap",
            &["limit"],
        ),
        gauge(
            Shows::RocksDbVerdict,
            "rocksdb_bound",
            None,
            "What RocksDB waits for: stalled, read-bound, flush-bound, compaction-bound; 1 for each that holds",
            &["bound"],
        ),
        gauge(
            Shows::Finding,
            "finding",
            None,
            "A cause that will end the process, or is wrong with it; 1 for each that was found",
            &["code", "finding", "severity"],
        ),
        gauge(Shows::Unseen, "unseen", None, "A source that could not be read; 1 for each", &["what"]),
    ];
    all.extend(Measure::BESIDE_POOLS.into_iter().map(measure));
    all
}

fn measure(measure: Measure) -> Family {
    let (suffix, unit) = match measure.unit() {
        Unit::Bytes => ("_bytes", Some("bytes")),
        Unit::Nanoseconds => ("_seconds", Some("seconds")),
        Unit::Count => ("", None),
    };
    Family {
        name: format!("oomph_{}{suffix}", measure.key()),
        kind: if measure.is_counter() { Kind::Counter } else { Kind::Gauge },
        unit,
        help: help(measure).to_owned(),
        labels: &[],
        shows: Shows::Measure(measure),
    }
}

fn help(measure: Measure) -> &'static str {
    match measure {
        Measure::Pool(pool) => pool.label(),
        Measure::Rss => "The resident set, as the kernel counts it",
        Measure::RssAnon => "Its anonymous part",
        Measure::RssFile => "Its file pages",
        Measure::RssShmem => "Its shared memory",
        Measure::RssPeak => "The largest resident set so far",
        Measure::Swap => "What is swapped out",
        Measure::Threads => "Threads, those of libraries included",
        Measure::CgroupUsage => "What the kernel counts against a limit of the process's own cgroup",
        Measure::CgroupPeak => "The largest usage of the cgroup so far",
        Measure::CgroupLimit => "The smallest limit of the cgroup and those above it",
        Measure::CgroupWorkingSet => "Usage without inactive file pages, what the kubelet evicts by",
        Measure::CgroupAnon => "Anonymous memory of the cgroup",
        Measure::CgroupFile => "File pages of the cgroup",
        Measure::CgroupDirty => "File pages that are not written yet",
        Measure::CgroupWriteback => "File pages that are being written",
        Measure::CgroupShmem => "Shared memory and tmpfs of the cgroup",
        Measure::CgroupKernel => "The kernel's own memory for the cgroup",
        Measure::CgroupOomKills => "Processes of the cgroup that the kernel killed for memory",
        Measure::CgroupLimitHits => "How often the cgroup's limit was met",
        Measure::CgroupRefaults => "File pages that were thrown out and read again",
        Measure::HeapUsed => "Java heap in use, with G1 as of the last collection",
        Measure::HeapCommitted => "Java heap that is committed",
        Measure::OldUsed => "The old generation in use, with G1 as of the last collection",
        Measure::MetaspaceUsed => "Metaspace in use, the class space included",
        Measure::MetaspaceCommitted => "Metaspace that is committed, the class space included",
        Measure::ClassSpaceUsed => "The class space in use",
        Measure::ClassesLoaded => "Classes that were loaded since the start",
        Measure::YoungCollections => "Young collections",
        Measure::YoungCollectionTime => "Time in young collections",
        Measure::FullCollections => "Full collections",
        Measure::FullCollectionTime => "Time in full collections",
        Measure::Safepoints => "Stops of the whole JVM",
        Measure::SafepointTime => "Time in stops of the whole JVM",
        Measure::MallocInUse => "malloc chunks in use, resident",
        Measure::MallocFreeResident => "malloc chunks that are free and still resident",
        Measure::DirectUsed => "Direct memory that the JVM counts, the network buffers included",
        Measure::RocksDbCacheUsage => "What RocksDB's block caches are charged with, each cache once",
        Measure::RocksDbCacheCapacity => "What RocksDB's block caches may be charged with, each cache once",
        Measure::RocksDbCachePinned => "What cannot be thrown out of RocksDB's block caches",
        Measure::RocksDbMemtables => "RocksDB's memtables",
        Measure::RocksDbFiles => "RocksDB's table files on disk",
    }
}
