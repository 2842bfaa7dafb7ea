//! What was measured of a process at one time: the same from a live process, a capture, a recording or an experiment.

use std::fmt;

use jiff::Timestamp;

use super::{Pool, Role, Seen};

/// Something that can be measured of a process, beside or within its pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// The bytes of one pool.
    Pool(Pool),
    /// The resident set.
    Rss,
    /// Its anonymous part.
    RssAnon,
    /// Its file pages.
    RssFile,
    /// Its shared memory.
    RssShmem,
    /// The largest resident set so far, `VmHWM`.
    RssPeak,
    /// Swapped out.
    Swap,
    /// Threads.
    Threads,
    /// The container's usage as the kernel counts it against the limit.
    CgroupUsage,
    /// The container's largest usage so far.
    CgroupPeak,
    /// The smallest limit of the container and what it lies in.
    CgroupLimit,
    /// What the kubelet calls the working set: usage without inactive file pages.
    CgroupWorkingSet,
    /// The container's anonymous memory.
    CgroupAnon,
    /// The container's file pages.
    CgroupFile,
    /// File pages that are not written yet.
    CgroupDirty,
    /// File pages that are being written.
    CgroupWriteback,
    /// Shared memory and tmpfs.
    CgroupShmem,
    /// The kernel's memory for the container.
    CgroupKernel,
    /// Processes of the container that the kernel killed for memory.
    CgroupOomKills,
    /// How often the limit was met.
    CgroupLimitHits,
    /// File pages that were read again after they had been thrown out.
    CgroupRefaults,
    /// Heap in use, as of the last collection (the JVM refreshes it then).
    HeapUsed,
    /// Heap that the JVM has committed.
    HeapCommitted,
    /// The old generation in use, as of the last collection.
    OldUsed,
    /// Metaspace in use, the class space included.
    MetaspaceUsed,
    /// Metaspace that is committed, the class space included.
    MetaspaceCommitted,
    /// The class space in use.
    ClassSpaceUsed,
    /// Classes that are loaded.
    ClassesLoaded,
    /// Young collections.
    YoungCollections,
    /// Time in young collections.
    YoungCollectionTime,
    /// Full collections.
    FullCollections,
    /// Time in full collections.
    FullCollectionTime,
    /// Stops of the whole JVM.
    Safepoints,
    /// Time in them.
    SafepointTime,
    /// malloc chunks in use.
    MallocInUse,
    /// malloc chunks that are free and resident.
    MallocFreeResident,
    /// Direct memory that the JVM counts, the network buffers included.
    DirectUsed,
    /// RocksDB's block caches: what they are charged with, one value a cache.
    RocksDbCacheUsage,
    /// RocksDB's block caches: their capacity, one value a cache.
    RocksDbCacheCapacity,
    /// RocksDB's pinned blocks.
    RocksDbCachePinned,
    /// RocksDB's memtables.
    RocksDbMemtables,
    /// RocksDB's files.
    RocksDbFiles,
}

/// What a measure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
    /// Nanoseconds.
    Nanoseconds,
}

impl Measure {
    /// All that are no pools, in the order of tables.
    pub const BESIDE_POOLS: [Measure; 41] = [
        Measure::Rss,
        Measure::RssAnon,
        Measure::RssFile,
        Measure::RssShmem,
        Measure::RssPeak,
        Measure::Swap,
        Measure::Threads,
        Measure::CgroupUsage,
        Measure::CgroupPeak,
        Measure::CgroupLimit,
        Measure::CgroupWorkingSet,
        Measure::CgroupAnon,
        Measure::CgroupFile,
        Measure::CgroupDirty,
        Measure::CgroupWriteback,
        Measure::CgroupShmem,
        Measure::CgroupKernel,
        Measure::CgroupOomKills,
        Measure::CgroupLimitHits,
        Measure::CgroupRefaults,
        Measure::HeapUsed,
        Measure::HeapCommitted,
        Measure::OldUsed,
        Measure::MetaspaceUsed,
        Measure::MetaspaceCommitted,
        Measure::ClassSpaceUsed,
        Measure::ClassesLoaded,
        Measure::YoungCollections,
        Measure::YoungCollectionTime,
        Measure::FullCollections,
        Measure::FullCollectionTime,
        Measure::Safepoints,
        Measure::SafepointTime,
        Measure::MallocInUse,
        Measure::MallocFreeResident,
        Measure::DirectUsed,
        Measure::RocksDbCacheUsage,
        Measure::RocksDbCacheCapacity,
        Measure::RocksDbCachePinned,
        Measure::RocksDbMemtables,
        Measure::RocksDbFiles,
    ];

    /// The name in recordings, JSON and metrics; unique among all measures.
    pub fn key(self) -> &'static str {
        match self {
            Measure::Pool(pool) => pool.key(),
            Measure::Rss => "rss",
            Measure::RssAnon => "rss_anon",
            Measure::RssFile => "rss_file",
            Measure::RssShmem => "rss_shmem",
            Measure::RssPeak => "rss_peak",
            Measure::Swap => "swap",
            Measure::Threads => "threads",
            Measure::CgroupUsage => "cgroup_usage",
            Measure::CgroupPeak => "cgroup_peak",
            Measure::CgroupLimit => "cgroup_limit",
            Measure::CgroupWorkingSet => "cgroup_working_set",
            Measure::CgroupAnon => "cgroup_anon",
            Measure::CgroupFile => "cgroup_file",
            Measure::CgroupDirty => "cgroup_dirty",
            Measure::CgroupWriteback => "cgroup_writeback",
            Measure::CgroupShmem => "cgroup_shmem",
            Measure::CgroupKernel => "cgroup_kernel",
            Measure::CgroupOomKills => "cgroup_oom_kills",
            Measure::CgroupLimitHits => "cgroup_limit_hits",
            Measure::CgroupRefaults => "cgroup_refaults",
            Measure::HeapUsed => "heap_used",
            Measure::HeapCommitted => "heap_committed",
            Measure::OldUsed => "old_used",
            Measure::MetaspaceUsed => "metaspace_used",
            Measure::MetaspaceCommitted => "metaspace_committed",
            Measure::ClassSpaceUsed => "class_space_used",
            Measure::ClassesLoaded => "classes_loaded",
            Measure::YoungCollections => "young_collections",
            Measure::YoungCollectionTime => "young_collection_time",
            Measure::FullCollections => "full_collections",
            Measure::FullCollectionTime => "full_collection_time",
            Measure::Safepoints => "safepoints",
            Measure::SafepointTime => "safepoint_time",
            Measure::MallocInUse => "malloc_in_use",
            Measure::MallocFreeResident => "malloc_free_resident",
            Measure::DirectUsed => "direct_used",
            Measure::RocksDbCacheUsage => "rocksdb_cache_usage",
            Measure::RocksDbCacheCapacity => "rocksdb_cache_capacity",
            Measure::RocksDbCachePinned => "rocksdb_cache_pinned",
            Measure::RocksDbMemtables => "rocksdb_memtables",
            Measure::RocksDbFiles => "rocksdb_files",
        }
    }

    /// The measure of a name.
    pub fn of_key(key: &str) -> Option<Measure> {
        let beside = Measure::BESIDE_POOLS.into_iter().find(|measure| measure.key() == key);
        beside.or_else(|| Pool::of_key(key).map(Measure::Pool))
    }

    /// What it counts.
    pub fn unit(self) -> Unit {
        match self {
            Measure::Threads
            | Measure::CgroupOomKills
            | Measure::CgroupLimitHits
            | Measure::CgroupRefaults
            | Measure::ClassesLoaded
            | Measure::YoungCollections
            | Measure::FullCollections
            | Measure::Safepoints => Unit::Count,
            Measure::YoungCollectionTime | Measure::FullCollectionTime | Measure::SafepointTime => Unit::Nanoseconds,
            _ => Unit::Bytes,
        }
    }

    /// Whether it only ever grows while the process lives.
    pub fn is_counter(self) -> bool {
        matches!(
            self,
            Measure::CgroupOomKills
                | Measure::CgroupLimitHits
                | Measure::CgroupRefaults
                | Measure::YoungCollections
                | Measure::YoungCollectionTime
                | Measure::FullCollections
                | Measure::FullCollectionTime
                | Measure::Safepoints
                | Measure::SafepointTime
        )
    }
}

/// Where a number was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// `/proc/PID/status`.
    Status,
    /// `/proc/PID/smaps`, each mapping told by its name, place or shape.
    Smaps,
    /// The memory cgroup's files.
    Cgroup,
    /// The JVM's performance data, `hsperfdata_*/PID`.
    HsPerfData,
    /// malloc's chunks, read through `/proc/PID/mem`.
    HeapWalk,
    /// The JVM's native memory tracking.
    NativeMemoryTracking,
    /// The process's own command line.
    CommandLine,
    /// Flink's REST.
    Rest,
    /// RocksDB's LOG and OPTIONS files.
    RocksDbFiles,
    /// A Prometheus text.
    Prometheus,
    /// A worker of an experiment, of itself: it asks its RocksDB.
    Worker,
    /// The rest after everything else was taken out.
    LeftOver,
}

impl Origin {
    /// The name in tables and JSON.
    pub fn label(self) -> &'static str {
        match self {
            Origin::Status => "status",
            Origin::Smaps => "smaps",
            Origin::Cgroup => "cgroup",
            Origin::HsPerfData => "hsperfdata",
            Origin::HeapWalk => "heap walk",
            Origin::NativeMemoryTracking => "NMT",
            Origin::CommandLine => "command line",
            Origin::Rest => "REST",
            Origin::RocksDbFiles => "RocksDB files",
            Origin::Prometheus => "Prometheus",
            Origin::Worker => "worker",
            Origin::LeftOver => "left over",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// One measure with what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// What was measured.
    pub measure: Measure,
    /// How much, in the measure's unit.
    pub value: Seen<u64>,
    /// Where it was read.
    pub origin: Origin,
}

/// Which process, so that two looks at a reused process id are not taken for one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The process id in the namespace of the observer.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub started: Option<u64>,
    /// A TaskManager or a JobManager; nothing where it is no Flink process.
    pub role: Option<Role>,
    /// Flink's name for it, else its main class or program.
    pub name: String,
}

/// Everything that one look at a process gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observations {
    /// When.
    pub at: Timestamp,
    /// Whose.
    pub target: Identity,
    /// One a measure, in the order of tables.
    pub all: Vec<Observation>,
}

impl Observations {
    /// What was read of a measure; nothing where it was not asked or not seen.
    pub fn value(&self, measure: Measure) -> Option<u64> {
        let found = self.all.iter().find(|observation| observation.measure == measure);
        found.and_then(|observation| observation.value.as_ref().ok().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_is_found_by_its_key() {
        let all = Measure::BESIDE_POOLS.into_iter().chain(Pool::ALL.into_iter().map(Measure::Pool));
        let keys: std::collections::BTreeSet<&str> = all.clone().map(Measure::key).collect();
        assert_eq!(keys.len(), all.clone().count());
        assert!(all.clone().all(|measure| Measure::of_key(measure.key()) == Some(measure)));
    }
}
