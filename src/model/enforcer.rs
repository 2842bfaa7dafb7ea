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
    RocksDbSoftly,
    /// The same of ForSt, RocksDB's descendant.
    ForStSoftly,
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
            Enforcer::RocksDbSoftly => "RocksDB, softly",
            Enforcer::ForStSoftly => "ForSt, softly",
            Enforcer::Container => "the container",
            Enforcer::Nobody => "nobody",
        }
    }

    /// What is seen when the figure is passed.
    pub fn consequence(self) -> &'static str {
        match self {
            Enforcer::MaxHeapSize => "the JVM throws OutOfMemoryError: Java heap space, after ever longer collections",
            Enforcer::MaxDirectMemorySize => {
                "the JVM throws OutOfMemoryError: Direct buffer memory; native memory that is no direct buffer is not \
                 counted by anyone"
            }
            Enforcer::MaxMetaspaceSize => {
                "the JVM throws OutOfMemoryError: Metaspace, and Flink ends the process with exit code 239"
            }
            Enforcer::FlinkPool => {
                "it cannot be: the pool is fixed; a job that needs more fails or waits, and the process lives"
            }
            Enforcer::RocksDbSoftly | Enforcer::ForStSoftly => {
                "memtables may overshoot and pinned blocks do not count; what it takes too much is native memory, and \
                 the process is killed (SIGKILL)"
            }
            Enforcer::Container => "SIGKILL by the kernel or by YARN: no OutOfMemoryError, no stack trace",
            Enforcer::Nobody => {
                "nothing at once: growth goes unseen until the container or the machine runs out (SIGKILL)"
            }
        }
    }
}

impl fmt::Display for Enforcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
