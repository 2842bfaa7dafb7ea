//! What to change after a death: for each cause concrete steps, the smallest first, and nothing that was not proved.
//!
//! A recommendation that sizes memory is planned with its changes, the configuration with them is checked, and the part
//! that overflowed is compared with the shortfall that the evidence shows: it grows by at least that, and by no more
//! than twice that unless the recommendation says why. What fails is not shown but named among the refused. Some wishes
//! are refused from the start: no more memory for a leak, for page cache, or for a bound that was switched off.

mod allocator;
mod amount;
mod by_version;
mod direct;
mod ending;
mod heap;
mod job_code;
mod jobmanager;
mod larger_total;
mod managed;
mod metaspace;
mod native;
mod network;
mod no_room_outside_heap;
mod page_cache;
mod platform;
mod proof;
mod python;
mod refused_configuration;
mod store;
mod threads;

#[cfg(test)]
mod tests;

use super::{Change, mib};
use crate::config::Config;
use crate::flink::Version;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Component, Role};
use crate::plan::{Question, Survey};
pub(super) use amount::least_heap;
use proof::Case;

/// Who is to be cured.
#[derive(Clone, Debug)]
pub struct Patient<'a> {
    /// Whose memory.
    pub role: Role,
    /// The configuration: the user's own, or what the artefacts show of it; it may be nearly empty.
    pub config: &'a Config,
    /// Whether that is the user's file and not pieced together.
    pub whole: bool,
    /// What is known of the version.
    pub profile: &'static Profile,
    /// The release that ran, with its patch where the artefacts tell it: leaks belong to patch releases.
    pub version: Version,
    /// How it is planned.
    pub question: &'a Question,
    /// The cause, `OOM954`.
    pub cause: &'static str,
    /// The limit of the container or the part, as the evidence states it.
    pub limit: Option<Bytes>,
    /// What was used of it.
    pub usage: Option<Bytes>,
    /// By how much the part was too small, where the evidence shows it.
    pub shortfall: Option<Bytes>,
    /// What else is known.
    pub evidence: Evidence,
}

/// What the artefacts show beside the cause. False and nothing mean: not seen.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// RocksDB (or ForSt) is the state backend.
    pub rocksdb: bool,
    /// Its memory is not managed.
    pub rocksdb_unmanaged: bool,
    /// A leak is suspected: growth over restarts, classes that are never unloaded, a live set that only grows.
    pub leak: bool,
    /// Whether malloc is glibc's own, with nothing preloaded in its place; nothing where that is not known.
    pub glibc: Option<bool>,
    /// Python workers run beside the JVM.
    pub python: bool,
    /// What they had when the container was full.
    pub python_used: Option<Bytes>,
    /// It is a batch job, or has blocking shuffles.
    pub batch: bool,
    /// Latency tracking is on.
    pub latency_tracking: bool,
    /// State lives on the Java heap.
    pub heap_state: bool,
    /// The part that asked for direct memory is Flink's own or its shuffle (netty, `BatchShuffleReadBufferPool`);
    /// nothing where the stack is not known.
    pub direct_is_flinks: Option<bool>,
    /// What lived on the heap after a full collection.
    pub heap_live: Option<Bytes>,
    /// Metaspace in use.
    pub metaspace_used: Option<Bytes>,
    /// Direct memory in use.
    pub direct_used: Option<Bytes>,
    /// Network memory that the job needs.
    pub network_need: Option<Bytes>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of Flink's configuration.
    Change(Change),
    /// A variable of the process's environment, where Flink has no key for it.
    Environment {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// A change of the job.
    JobCode {
        /// In Java.
        java: String,
        /// In Python.
        python: String,
        /// What it is for.
        why: String,
    },
    /// Something outside of Flink: a key of YARN's, a sysctl, a field of a pod, a disk.
    Platform {
        /// What.
        what: String,
        /// The command or line that does it, where there is one.
        command: Option<String>,
    },
    /// Another release.
    Upgrade {
        /// From.
        from: String,
        /// To.
        to: String,
        /// The issue that it ends.
        issue: String,
    },
}

impl Step {
    /// A platform's matter with a command.
    fn platform(what: impl Into<String>, command: impl Into<String>) -> Step {
        Step::Platform { what: what.into(), command: Some(command.into()) }
    }

    /// Something to do that is no one command.
    fn advice(what: impl Into<String>) -> Step {
        Step::Platform { what: what.into(), command: None }
    }

    fn set(key: &str, value: impl Into<String>) -> Step {
        Step::Change(Change::set(key, value))
    }
}

/// One recommendation.
#[derive(Clone, Debug)]
pub struct Recommendation {
    /// What it does, in a few words.
    pub title: String,
    /// The cause that it answers.
    pub answers: &'static str,
    /// What to do, all of it.
    pub steps: Vec<Step>,
    /// The plan as it is, where Flink takes the configuration.
    pub before: Option<Box<Survey>>,
    /// The plan with the changes.
    pub after: Option<Box<Survey>>,
    /// The parts that are another size then: the part, before, after.
    pub grows: Vec<(Component, Bytes, Bytes)>,
    /// The whole process before and after, where both are planned.
    pub costs: Option<(Bytes, Bytes)>,
    /// What may go wrong, a sentence.
    pub risk: String,
    /// What to watch afterwards, a sentence.
    pub watch: String,
    /// What it rests on, a sentence.
    pub why: String,
    /// Where that is from.
    pub source: &'static str,
    /// How it was proved.
    pub proof: Proof,
}

impl Recommendation {
    /// The changes of keys among its steps.
    pub fn changes(&self) -> Vec<Change> {
        proof::changes(&self.steps)
    }
}

/// How a recommendation was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Flink takes the configuration with the changes in it, and `check` finds no error in it that was not there
    /// before.
    Planned {
        /// The part that had to grow, where one had to.
        room: Option<Grown>,
        /// Errors that `check` finds before and after.
        errors: (usize, usize),
    },
    /// It could not be planned, for the reason given; the keys are given all the same.
    Unplanned(String),
    /// No key of a budget changes: there is nothing to plan.
    Outside,
}

/// A part that had to grow, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grown {
    /// What.
    pub what: &'static str,
    /// How large it was.
    pub before: Bytes,
    /// How large it is.
    pub after: Bytes,
    /// By how much it had to grow, where the evidence shows that.
    pub shortfall: Option<Bytes>,
    /// Why it grows by more than twice that, where it does.
    pub more: Option<String>,
}

/// Everything to be said of a cause.
#[derive(Clone, Debug, Default)]
pub struct Advice {
    /// What to do, the smallest first: one of them, not all, unless they say so.
    pub recommendations: Vec<Recommendation>,
    /// What is not recommended, and why: "more memory: it is a leak".
    pub refused: Vec<String>,
}

/// Finds the cures of one.
type Cures = fn(&Case<'_>, &mut Advice);

/// Who cures which cause.
const CURES: &[(&str, Cures)] = &[
    ("OOM901", allocator::retained),
    ("OOM902", store::over_managed),
    ("OOM903", refused_configuration::limit_below_plan),
    ("OOM904", native::container_full),
    ("OOM905", page_cache::unwritten),
    ("OOM906", page_cache::memory_volume),
    ("OOM907", metaspace::small),
    ("OOM908", heap::small),
    ("OOM909", threads::limit),
    ("OOM910", threads::mappings),
    ("OOM911", python::other_processes),
    ("OOM912", native::overhead_small),
    ("OOM913", direct::small),
    ("OOM914", platform::swapped_out),
    ("OOM915", platform::huge_pages),
    ("OOM916", platform::slowed_down),
    ("OOM917", native::container_full),
    ("OOM918", native::growth_outside_store),
    ("OOM919", native::code_cache),
    ("OOM920", refused_configuration::flags_differ),
    ("OOM921", store::unmanaged),
    ("OOM930", store::write_bound),
    ("OOM931", store::read_bound),
    ("OOM932", store::write_bound),
    ("OOM933", store::write_bound),
    ("OOM940", native::container_full),
    ("OOM941", native::container_full),
    ("OOM942", platform::virtual_memory),
    ("OOM943", platform::elastic_control),
    ("OOM944", platform::node_full),
    ("OOM945", platform::evicted),
    ("OOM946", platform::systemd_oomd),
    ("OOM947", heap::small),
    ("OOM948", metaspace::small),
    ("OOM949", metaspace::class_space),
    ("OOM950", direct::small),
    ("OOM951", threads::limit),
    ("OOM952", platform::native_allocation),
    ("OOM953", threads::mappings),
    ("OOM954", no_room_outside_heap::cures),
    ("OOM955", refused_configuration::mended),
    ("OOM956", network::short),
    ("OOM957", managed::short),
    ("OOM958", ending::fatal_exit),
    ("OOM959", python::worker_killed),
    ("OOM960", python::worker_memory_error),
    ("OOM961", jobmanager::latency),
    ("OOM962", jobmanager::containers_beyond_need),
    ("OOM963", heap::state_surge),
    ("OOM964", platform::kernel_memory),
    ("OOM965", ending::disk_full),
    ("OOM966", ending::not_memory),
    ("OOM967", ending::unknown),
    ("OOM968", store::arena_block),
    ("OOM969", ending::crash),
    ("OOM970", ending::checkpoints_expired),
    ("OOM971", threads::process_limit),
];

/// The causes for which something is known to do.
pub fn causes() -> impl Iterator<Item = &'static str> {
    CURES.iter().map(|(code, _)| *code)
}

/// What to do about a cause, and what not.
pub fn cure(patient: &Patient<'_>) -> Advice {
    let mut advice = Advice::default();
    if let Some((_, cures)) = CURES.iter().find(|(code, _)| *code == patient.cause) {
        cures(&Case::of(patient), &mut advice);
    }
    advice
}
