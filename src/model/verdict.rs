//! Who ended a process, and what had filled its memory: the words that a post-mortem ends in.

use std::fmt;

/// Who ended the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Killer {
    /// The kernel, for a memory cgroup at its limit; Kubernetes calls it `OOMKilled`.
    KernelMemcg,
    /// The kernel, for a machine without free memory.
    KernelGlobal,
    /// YARN's NodeManager, for physical memory.
    YarnPmem,
    /// YARN's NodeManager, for virtual memory.
    YarnVmem,
    /// YARN's elastic control, for all containers of a node together.
    YarnElastic,
    /// The kubelet, for a node short of memory.
    KubeletEvict,
    /// systemd-oomd, for memory pressure or swap.
    SystemdOomd,
    /// The JVM: an `OutOfMemoryError`, or native memory that it could not get.
    Jvm,
    /// Flink: it refused the configuration, lacked its own buffers or ended itself.
    Flink,
    /// A Python worker, or what it raised.
    Python,
    /// Nobody for want of memory.
    NotOom,
    /// Something ended it, and the text does not say of what.
    Unknown,
}

impl Killer {
    /// All of them.
    pub const ALL: [Killer; 12] = [
        Killer::KernelMemcg,
        Killer::KernelGlobal,
        Killer::YarnPmem,
        Killer::YarnVmem,
        Killer::YarnElastic,
        Killer::KubeletEvict,
        Killer::SystemdOomd,
        Killer::Jvm,
        Killer::Flink,
        Killer::Python,
        Killer::NotOom,
        Killer::Unknown,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Killer::KernelMemcg => "kernel-memcg",
            Killer::KernelGlobal => "kernel-global",
            Killer::YarnPmem => "yarn-pmem",
            Killer::YarnVmem => "yarn-vmem",
            Killer::YarnElastic => "yarn-elastic",
            Killer::KubeletEvict => "kubelet-evict",
            Killer::SystemdOomd => "systemd-oomd",
            Killer::Jvm => "jvm",
            Killer::Flink => "flink",
            Killer::Python => "python",
            Killer::NotOom => "not-oom",
            Killer::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Killer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What had filled the memory, or was too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The Java heap.
    Heap,
    /// Metaspace, the class space and PermGen.
    Metaspace,
    /// Direct buffers.
    Direct,
    /// Native memory outside the JVM's own bounds, or that the JVM could not get.
    Native,
    /// Flink's network buffers.
    Network,
    /// RocksDB.
    ManagedRocksDb,
    /// Reclaimable or dirty pages of files.
    PageCache,
    /// Shared memory and volumes in memory.
    Tmpfs,
    /// Threads and their stacks.
    Threads,
    /// A limit was reached, and nothing shows by what.
    Container,
    /// A setting or a limit is the cause, not what was used.
    Config,
    /// Kernel memory: slab, sockets; and anything else.
    Other,
}

impl Area {
    /// All of them.
    pub const ALL: [Area; 12] = [
        Area::Heap,
        Area::Metaspace,
        Area::Direct,
        Area::Native,
        Area::Network,
        Area::ManagedRocksDb,
        Area::PageCache,
        Area::Tmpfs,
        Area::Threads,
        Area::Container,
        Area::Config,
        Area::Other,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Area::Heap => "heap",
            Area::Metaspace => "metaspace",
            Area::Direct => "direct",
            Area::Native => "native",
            Area::Network => "network",
            Area::ManagedRocksDb => "managed-rocksdb",
            Area::PageCache => "page-cache",
            Area::Tmpfs => "tmpfs",
            Area::Threads => "threads",
            Area::Container => "container",
            Area::Config => "config",
            Area::Other => "other",
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
