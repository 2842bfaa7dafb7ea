//! Who makes sure that a component stays within its budget, and what happens when it does not.

use std::fmt;

/// What stops a component from growing past its figure.
///
/// This is why a full heap ends in an `OutOfMemoryError` and a full RocksDB in a SIGKILL: the heap has a keeper inside
/// the process, native memory has only the container's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Enforcer {
    /// `-Xmx`.
    MaxHeapSize,
    /// `-XX:MaxDirectMemorySize`; native memory that is not a direct buffer escapes it.
    MaxDirectMemorySize,
    /// `-XX:MaxMetaspaceSize`.
    MaxMetaspaceSize,
    /// Flink's own pool: a fixed number of buffers or pages.
    FlinkPool,
    /// RocksDB's cache and write-buffer manager, both of which may overshoot.
    StateBackendSoftly,
    /// The container: YARN's NodeManager or the kernel's memory cgroup.
    Container,
    /// Nobody at all.
    Nobody,
}

impl Enforcer {
    /// The name in a table.
    pub fn label(self) -> &'static str {
        match self {
            Enforcer::MaxHeapSize => "-Xmx",
            Enforcer::MaxDirectMemorySize => "MaxDirectMemory",
            Enforcer::MaxMetaspaceSize => "MaxMetaspace",
            Enforcer::FlinkPool => "Flink's pool",
            Enforcer::StateBackendSoftly => "RocksDB, softly",
            Enforcer::Container => "the container",
            Enforcer::Nobody => "nobody",
        }
    }

    /// What is seen when the figure is passed.
    pub fn consequence(self) -> &'static str {
        match self {
            Enforcer::MaxHeapSize => "the JVM: OutOfMemoryError: Java heap space, after ever longer collections",
            Enforcer::MaxDirectMemorySize => {
                "the JVM, for direct buffers: OutOfMemoryError: Direct buffer memory; other native memory of these \
                 parts is not counted by anyone"
            }
            Enforcer::MaxMetaspaceSize => "the JVM: OutOfMemoryError: Metaspace; Flink ends the process with exit 239",
            Enforcer::FlinkPool => "Flink: a fixed pool; a job that needs more fails or waits, the process lives",
            Enforcer::StateBackendSoftly => {
                "RocksDB, softly: cache and memtables may overshoot and pinned blocks do not count; what it takes too \
                 much is native memory, and the container is killed"
            }
            Enforcer::Container => "the limit of the container: SIGKILL, no OutOfMemoryError, no stack trace",
            Enforcer::Nobody => "nobody: growth goes unseen until the container or the host runs out (SIGKILL)",
        }
    }
}

impl fmt::Display for Enforcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
