//! What one place of an artefact says about a death: the form into which every format's facts are brought, so that those
//! of different origin can be laid beside one another.

use crate::artefact::excerpt::Moment;
use crate::model::{Area, Bytes, Killer};

/// One thing that one place says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Who says it: two signals of one origin about one death are one.
    pub origin: Origin,
    /// Which of the inputs it stands in, from 0.
    pub file: usize,
    /// On which line, from 1.
    pub line: u32,
    /// The time it bears.
    pub at: Option<Moment>,
    /// The line, or its part that matters, as it stands.
    pub quote: String,
    /// What it says.
    pub says: Says,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The kernel's log.
    Kernel,
    /// Counters of a cgroup, in a kernel's report or its own files.
    Counters,
    /// YARN's NodeManager or ResourceManager.
    Yarn,
    /// The kubelet, the API server, a container runtime.
    Kubernetes,
    /// systemd, systemd-oomd, earlyoom.
    Systemd,
    /// The JVM's own messages and its crash report.
    Jvm,
    /// The log of the garbage collector.
    GcLog,
    /// Native memory tracking and other answers of `jcmd`.
    Jcmd,
    /// Flink.
    Flink,
    /// RocksDB's log or options.
    RocksDb,
    /// A Python worker.
    Python,
    /// Metrics in Prometheus' text form.
    Metrics,
    /// What oomph recorded of a process.
    Recording,
    /// Command lines and settings: what the process was given.
    Given,
    /// Any other program.
    Program,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// A process ended, or something in it failed, for want of memory, and the text names who ended it.
    Death(Death),
    /// A process ended, and it is not said why.
    Ended(Ended),
    /// A process ended, or something failed, and the text names a reason that is not memory.
    OtherReason {
        /// The reason, as an end to the sentence "it was": `cancelled by its user`, `no space left on the disk`.
        reason: String,
        /// Whether the reason ended a process (a preempted pod), and did not merely fail beside it (an expired checkpoint).
        ends: bool,
    },
    /// What follows from a death and never is the cause of one: a lost heartbeat, a refused connection.
    Consequence,
    /// Something is under strain, and that kills nobody by itself: full collections, stalls, a counter near its limit.
    Strain(Strain),
    /// All was well when this was said: a checkpoint that completed, a task that began to run.
    Well,
    /// What a process was given: a flag or a setting.
    Given {
        /// A key of Flink's or a flag of the JVM's: `taskmanager.memory.process.size`, `-Xmx`.
        key: String,
        /// Its value as it stands.
        value: String,
    },
}

/// A death for want of memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// Who.
    pub killer: Killer,
    /// What had filled the memory or was too small, where this place shows it.
    pub area: Option<Area>,
    /// Why that area, as a sentence with numbers; empty where there is none.
    pub because: String,
    /// Of the process that died.
    pub pid: Option<u32>,
    /// The limit that was reached, where it is stated.
    pub limit: Option<Bytes>,
    /// What was used, where it is stated.
    pub usage: Option<Bytes>,
    /// Whether limit and usage are to the byte or page, and not rounded by who printed them.
    pub exact: bool,
    /// The name of the process that died.
    pub process: Option<String>,
    /// Its container, pod or cgroup, by the part that another program would also name: a container id, a pod's name or uid.
    pub unit: Option<String>,
}

/// An end of which the reason is not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// The exit code, 137 where it was signal 9.
    pub exit: Option<i32>,
    /// Of the process.
    pub pid: Option<u32>,
    /// Its container, pod or cgroup, as in [`Death::unit`].
    pub unit: Option<String>,
}

/// Something under strain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strain {
    /// A stable name: `full-collections`, `write-stall`, `limit-hit`, `checkpoint-expired`.
    pub name: &'static str,
    /// What it is about.
    pub area: Option<Area>,
    /// A sentence with numbers.
    pub text: String,
    /// What is used, where it is said.
    pub usage: Option<Bytes>,
    /// Its limit, where it is said.
    pub limit: Option<Bytes>,
}

impl Death {
    /// One of which only the killer is known.
    pub fn by(killer: Killer) -> Death {
        Death {
            killer,
            area: None,
            because: String::new(),
            pid: None,
            limit: None,
            usage: None,
            exact: false,
            process: None,
            unit: None,
        }
    }
}
