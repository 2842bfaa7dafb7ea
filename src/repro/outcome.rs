//! What came out of an experiment, and whether it is what was stated.

use serde::{Deserialize, Serialize};

use crate::diagnose::postmortem;
use crate::model::{Bytes, Experiment, Progress};

use super::prediction::{Part, Prediction};

/// One look at a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Moment {
    /// Milliseconds since the worker was started.
    pub millis: u64,
    /// Anonymous memory of the worker (`RssAnon`).
    pub anonymous: Bytes,
    /// Its resident set.
    pub resident: Bytes,
    /// What the kernel counts against the limit, where there is a group.
    pub usage: Option<Bytes>,
    /// File pages of the group, tmpfs aside.
    pub file: Option<Bytes>,
    /// Tmpfs and shared memory of the group.
    pub shmem: Option<Bytes>,
    /// File pages that are not written yet, those being written included.
    pub dirty: Option<Bytes>,
    /// Anonymous memory of all processes of the group.
    pub group_anonymous: Option<Bytes>,
    /// What the worker said last.
    pub said: Option<Progress>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// Everything was done.
    Finished,
    /// The kernel killed it, and says so in its log.
    KilledByKernel {
        /// The killed process.
        pid: u32,
        /// The kernel's report as it stands in the log.
        report: String,
    },
    /// Where no group could be made: oomph ended it at the limit.
    KilledByWatchdog {
        /// Anonymous memory then.
        at: Bytes,
    },
    /// It ended by itself, or another signal ended it.
    Died {
        /// Its status in words: `exit code 3`, `signal 11`.
        status: String,
        /// Its last words.
        stderr: String,
    },
    /// It could not go on: the engine refused, a job failed, or a process beside it ended.
    Failed(String),
    /// It was still at work when its time was over.
    OutOfTime,
    /// Ctrl-C.
    Interrupted,
}

impl Ending {
    /// Whether memory ended it.
    pub fn is_death_of_memory(&self) -> bool {
        matches!(self, Ending::KilledByKernel { .. } | Ending::KilledByWatchdog { .. })
    }
}

/// Where a part of memory was seen, and how much at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Measured {
    /// The largest that was seen.
    pub peak: Bytes,
    /// What it was most of the time: the median over the second half of the run.
    pub steady: Bytes,
}

/// Flushes and compactions of a run, by the events in RocksDB's LOGs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Background {
    /// Flushes that ended.
    pub flushes: u64,
    /// Compactions that ended.
    pub compactions: u64,
    /// Tables that were written.
    pub tables_written: u64,
    /// Bytes of them.
    pub bytes_written: Bytes,
    /// Tables that were deleted.
    pub tables_deleted: u64,
}

/// Something else that a run shows, for the table: a name and its value as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Shown {
    /// What.
    pub name: String,
    /// How much, as it is printed.
    pub value: String,
}

/// One run of an experiment with everything that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Run {
    /// Which half of a scenario: `fails`, `cured`, or the name of a variant.
    pub label: String,
    /// What was run.
    pub experiment: Experiment,
    /// Flink's configuration behind it, as text; nothing where there is none.
    pub configuration: Option<String>,
    /// RocksDB's release, as the worker said it.
    pub release: Option<String>,
    /// What was not set up as Flink does.
    pub deviations: Vec<String>,
    /// The looks, in order.
    pub moments: Vec<Moment>,
    /// How it ended.
    pub ending: Ending,
    /// Milliseconds that it took.
    pub millis: u64,
    /// Anonymous memory of the worker at most: exact where the kernel keeps it (`VmHWM` less file pages); nothing where it
    /// ended before the first look.
    pub peak_anonymous: Option<Bytes>,
    /// Anonymous memory of the worker most of the time; nothing as above.
    pub steady_anonymous: Option<Bytes>,
    /// What was seen of each part of the memory model.
    #[serde(with = "by_part")]
    #[cfg_attr(test, schemars(with = "std::collections::BTreeMap<Part, Measured>"))]
    pub measured: Vec<(Part, Measured)>,
    /// Bytes that flushes and compactions wrote into files, by RocksDB's LOG; nothing where it was not read.
    pub written_to_files: Option<Bytes>,
    /// What RocksDB's LOGs tell beside.
    pub background: Option<Background>,
    /// The size of the tmpfs that its data lay on; nothing where that was a disk.
    #[serde(default)]
    pub tmpfs: Option<Bytes>,
    /// Files of all snapshots that were there at the end.
    pub snapshot_files: Option<u64>,
    /// Bytes of keys and values that the workload wrote.
    pub written_by_workload: Bytes,
    /// The memory model's answer, given before the run.
    pub prediction: Option<Prediction>,
    /// What diagnose says of what is left of it, in its own words: title, cause, confidence.
    pub verdict: Option<Verdict>,
    /// Anything else that the scenario is about.
    pub shown: Vec<Shown>,
    /// The recording, where one was asked for.
    pub recording: Option<String>,
}

/// What `diagnose` says of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The cause's code, such as `OOM921`; nothing where it names none.
    pub code: Option<String>,
    /// One sentence.
    pub title: String,
    /// Who ended it, in the words of diagnose.
    pub killer: String,
    /// What filled the memory, in the words of diagnose.
    pub area: String,
    /// `high`, `medium` or `low`.
    pub confidence: String,
}

impl From<&postmortem::Verdict> for Verdict {
    fn from(verdict: &postmortem::Verdict) -> Verdict {
        Verdict {
            code: verdict.code.map(str::to_owned),
            title: verdict.summary.clone(),
            killer: verdict.killer.to_string(),
            area: verdict.area.to_string(),
            confidence: verdict.confidence.to_string(),
        }
    }
}

/// A statement of a scenario, and whether it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Statement {
    /// What must happen.
    pub says: String,
    /// Whether it did.
    pub held: bool,
    /// With which numbers.
    pub measured: String,
}

/// A scenario that was run: the failing run, the cured one, and others that it compares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Trial {
    /// The scenario's name.
    pub scenario: String,
    /// Its title.
    pub title: String,
    /// The runs, the failing one first.
    pub runs: Vec<Run>,
    /// What it states.
    pub statements: Vec<Statement>,
    /// What the user should know of this machine: no group, no swap, which kernels behave otherwise.
    pub notes: Vec<String>,
}

impl Trial {
    /// Whether everything held.
    pub fn holds(&self) -> bool {
        !self.statements.is_empty() && self.statements.iter().all(|statement| statement.held)
    }
}

/// Parts in a document: a map from the part's name to what was seen of it.
mod by_part {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Measured, Part};

    pub(super) fn serialize<S: Serializer>(parts: &[(Part, Measured)], to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(parts.iter().map(|(part, measured)| (part, measured)))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Vec<(Part, Measured)>, D::Error> {
        BTreeMap::deserialize(from).map(|parts: BTreeMap<Part, Measured>| parts.into_iter().collect())
    }
}
