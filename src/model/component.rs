//! What Flink budgets.

use std::fmt;

/// The two processes that Flink runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs the tasks.
    TaskManager,
    /// Coordinates; `Master` in Flink's log.
    JobManager,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 2] = [Role::TaskManager, Role::JobManager];

    /// The name in options, in JSON and in what a file tells of itself.
    pub fn key(self) -> &'static str {
        match self {
            Role::TaskManager => "taskmanager",
            Role::JobManager => "jobmanager",
        }
    }

    /// The role of such a name.
    pub fn of_key(key: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.key() == key)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Role::TaskManager => "TaskManager",
            Role::JobManager => "JobManager",
        })
    }
}

/// A part of a process that Flink plans a size for. A process has the components of its role and model only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Component {
    /// Heap that Flink itself uses in a TaskManager.
    FrameworkHeap,
    /// Heap for operators and user code.
    TaskHeap,
    /// Direct and native memory that Flink itself uses in a TaskManager.
    FrameworkOffHeap,
    /// Direct and native memory for operators and user code.
    TaskOffHeap,
    /// Network buffers, allocated as direct memory at start.
    Network,
    /// Native memory that Flink hands out: RocksDB, batch operators, Python workers.
    Managed,
    /// The JobManager's whole heap.
    Heap,
    /// The JobManager's direct and native memory.
    OffHeap,
    /// Class metadata.
    JvmMetaspace,
    /// Everything else the JVM and native code take.
    JvmOverhead,
    /// The whole heap in the cut-off model of Flink 1.9 (and the JobManager of 1.10).
    CutOffHeap,
    /// What the cut-off model takes off a container and plans nothing for.
    CutOff,
}

impl Component {
    /// The name in tables, in Flink's own terms.
    pub fn label(self) -> &'static str {
        match self {
            Component::FrameworkHeap => "Framework Heap",
            Component::TaskHeap => "Task Heap",
            Component::FrameworkOffHeap => "Framework Off-heap",
            Component::TaskOffHeap => "Task Off-heap",
            Component::Network => "Network",
            Component::Managed => "Managed Memory",
            Component::Heap | Component::CutOffHeap => "JVM Heap",
            Component::OffHeap => "Off-heap",
            Component::JvmMetaspace => "JVM Metaspace",
            Component::JvmOverhead => "JVM Overhead",
            Component::CutOff => "Cut-off",
        }
    }

    /// The name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Component::FrameworkHeap => "framework_heap",
            Component::TaskHeap => "task_heap",
            Component::FrameworkOffHeap => "framework_off_heap",
            Component::TaskOffHeap => "task_off_heap",
            Component::Network => "network",
            Component::Managed => "managed",
            Component::Heap | Component::CutOffHeap => "heap",
            Component::OffHeap => "off_heap",
            Component::JvmMetaspace => "jvm_metaspace",
            Component::JvmOverhead => "jvm_overhead",
            Component::CutOff => "cut_off",
        }
    }

    /// Whether Flink counts it to the total Flink memory (the rest of the process is the JVM's own).
    pub fn is_flink_memory(self) -> bool {
        !matches!(self, Component::JvmMetaspace | Component::JvmOverhead | Component::CutOff)
    }

    /// Whether it lies in the Java heap.
    pub fn is_heap(self) -> bool {
        matches!(self, Component::FrameworkHeap | Component::TaskHeap | Component::Heap | Component::CutOffHeap)
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
