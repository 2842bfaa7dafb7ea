//! A whole configuration for a workload, from nothing: every option with its reason, what is known kept apart from what
//! is assumed, and all of it proved by planning it.

mod keys;
mod load;
mod needs;
mod overhead;

pub use load::Load;
use needs::Needs;

use super::change::{Change, applied};
use super::mib;
use super::network::{self, NetworkAnswer};
use crate::config::Config;
use crate::config::workload::{Allocator, Starter, StateHome, Workload};
use crate::flink::profile::Profile;
use crate::model::{Bytes, Component, Role, UseCase};
use crate::plan::jvm::Machine;
use crate::plan::store::Store;
use crate::plan::{self, Deployment, Question, Rejected, Survey};

/// Whether something follows from a formula or a measurement, or is only supposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// From Flink's, RocksDB's or HotSpot's own rules, or measured.
    Known,
    /// A rule of thumb.
    Assumed,
}

impl Basis {
    /// The name in a text.
    pub fn label(self) -> &'static str {
        match self {
            Basis::Known => "known",
            Basis::Assumed => "assumed",
        }
    }
}

/// Something that the sizes rest on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Known or assumed.
    pub basis: Basis,
    /// What.
    pub text: String,
    /// From where, or how to tell better.
    pub source: String,
}

/// A part of a sum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What.
    pub name: String,
    /// How much.
    pub bytes: Bytes,
    /// Known or assumed.
    pub basis: Basis,
    /// From where.
    pub source: String,
}

/// An option of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Key and value.
    pub change: Change,
    /// Why.
    pub reason: String,
}

/// What is divided among the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// JVM overhead.
    pub overhead: Bytes,
    /// Managed memory.
    pub managed: Bytes,
    /// The store's part of a slot's managed memory.
    pub store: Bytes,
}

/// A sized TaskManager.
#[derive(Clone, Debug)]
pub struct Sizing {
    /// What was sized, with everything decided.
    pub load: Load,
    /// The configuration.
    pub chosen: Vec<Chosen>,
    /// The same, to be planned.
    pub config: Config,
    /// What was asked of it.
    pub question: Question,
    /// What Flink makes of it.
    pub survey: Survey,
    /// The job's network buffers under it.
    pub network: NetworkAnswer,
    /// What JVM overhead is made of.
    pub overhead: Vec<Part>,
    /// What the sizes rest on.
    pub facts: Vec<Fact>,
}

/// Why nothing is sized.
#[derive(Clone, Debug)]
pub enum SizeError {
    /// Something is missing or cannot be.
    NotSized(String),
    /// The parts do not fit.
    TooSmall(Box<TooSmall>),
    /// Flink refuses what was chosen: a mistake of ours.
    Refused(Box<Rejected>),
    /// Flink takes what was chosen, and something is not what was meant: a mistake of ours.
    Unproved(String),
}

/// Parts that do not fit.
#[derive(Clone, Debug)]
pub struct TooSmall {
    /// What each needs at least.
    pub parts: Vec<Part>,
    /// The container.
    pub container: Bytes,
    /// The smallest container that works, planned.
    pub smallest: Option<Bytes>,
}

/// `TaskManagerOptions.FRAMEWORK_HEAP_MEMORY` by default.
const FRAMEWORK_HEAP: Bytes = Bytes::mib(128);
/// `TaskManagerOptions.JVM_METASPACE` by default.
const METASPACE: Bytes = Bytes::mib(256);
/// The largest container that is tried.
const LARGEST_MIB: u64 = 4 << 20;

/// Sizes a TaskManager for a workload.
pub fn size(workload: &Workload, profile: &'static Profile) -> Result<Sizing, SizeError> {
    match fitted(workload, profile) {
        Err(SizeError::TooSmall(mut small)) => {
            if let Some(enough) = smallest(workload, profile, small.container) {
                small.smallest = Some(enough.load.container);
                // What the JVM needs is known where everything fits.
                let overhead = enough.survey.plan.budget.size(Component::JvmOverhead);
                for part in small.parts.iter_mut().filter(|part| part.name == Component::JvmOverhead.label()) {
                    part.bytes = overhead;
                }
            }
            Err(SizeError::TooSmall(small))
        }
        other => other,
    }
}

/// The smallest container that can be sized, by halving.
fn smallest(workload: &Workload, profile: &'static Profile, known_small: Bytes) -> Option<Sizing> {
    let with = |mib: u64| {
        let container = Bytes::mib(1).checked_mul(mib);
        fitted(&Workload { container, ..workload.clone() }, profile).ok()
    };
    let mut below = known_small.whole_mib();
    let mut enough = (below + 1).next_power_of_two();
    let mut found = with(enough);
    while found.is_none() {
        below = enough;
        enough *= 2;
        if enough > LARGEST_MIB {
            return None;
        }
        found = with(enough);
    }
    while enough - below > 1 {
        let middle = below + (enough - below) / 2;
        match with(middle) {
            Some(sizing) => (enough, found) = (middle, Some(sizing)),
            None => below = middle,
        }
    }
    found
}

fn fitted(workload: &Workload, profile: &'static Profile) -> Result<Sizing, SizeError> {
    let mut facts = Vec::new();
    let load = Load::of(workload, profile, &mut facts)?;
    let needs =
        needs::needs(&load, profile, &mut facts).map_err(|rejection| SizeError::NotSized(rejection.to_string()))?;
    // Overhead depends on the heap and on managed memory, and those on what overhead leaves: the more it has, the less it
    // needs. The smallest that suffices is found by halving; where it leaves too little for the rest, it suffices too.
    let suffices = |mib: u64| match Tried::new(&load, &needs, Bytes::new(mib << 20), profile) {
        Ok(tried) => Ok(tried.wanted <= Bytes::new(mib << 20)),
        Err(SizeError::TooSmall(_)) => Ok(true),
        Err(error) => Err(error),
    };
    let (mut below, mut enough) = (0, load.container.whole_mib());
    while enough - below > 1 {
        let middle = below + (enough - below) / 2;
        if suffices(middle)? { enough = middle } else { below = middle }
    }
    let Tried { split, chosen, config, survey, parts, .. } =
        Tried::new(&load, &needs, Bytes::new(enough << 20), profile)?;
    let question = question(&load);
    let network = network::answer(&config, profile, &question, &survey.plan, &load.job, None)
        .map_err(|rejection| SizeError::Unproved(rejection.to_string()))?;
    if split.store < needs.store {
        facts.push(Fact {
            basis: Basis::Known,
            text: format!(
                "a slot's store has {} and should have {}: it works, but flushes and reads more than it should",
                mib(split.store),
                mib(needs.store)
            ),
            source: "the sum of the parts; a larger container gives more".to_owned(),
        });
    }
    let sizing = Sizing { load, chosen, config, question, survey, network, overhead: parts, facts };
    prove(&sizing, &needs, &split)?;
    Ok(sizing)
}

/// A configuration with some JVM overhead, planned.
struct Tried {
    split: Split,
    chosen: Vec<Chosen>,
    config: Config,
    survey: Survey,
    parts: Vec<Part>,
    /// What JVM overhead would have to be under it.
    wanted: Bytes,
}

impl Tried {
    fn new(load: &Load, needs: &Needs, overhead: Bytes, profile: &'static Profile) -> Result<Tried, SizeError> {
        let split = split(load, needs, overhead)?;
        let chosen = keys::chosen(load, needs, &split, profile);
        let changes: Vec<Change> = chosen.iter().map(|chosen| chosen.change.clone()).collect();
        let config = applied(&Config::new(), &changes);
        let machine = Machine { cores: load.cores, ..Machine::default() };
        let survey = plan::survey(&config, profile, &question(load), machine)
            .map_err(|rejected| SizeError::Refused(Box::new(rejected)))?;
        let native = split.store.checked_mul(load.slots.into()).unwrap_or(Bytes::FLINK_MAX);
        let parts = overhead::parts(load, &survey, native);
        let wanted = Bytes::checked_sum(parts.iter().map(|part| part.bytes)).unwrap_or(Bytes::FLINK_MAX);
        Ok(Tried { split, chosen, config, survey, parts, wanted })
    }
}

fn question(load: &Load) -> Question {
    let mut consumers = Vec::new();
    if load.home != StateHome::Heap {
        consumers.push(UseCase::StateBackend);
    }
    if load.batch {
        consumers.push(UseCase::Operator);
    }
    if load.python {
        consumers.push(UseCase::Python);
    }
    Question {
        role: Role::TaskManager,
        deployment: match load.deployment {
            Starter::Standalone => Deployment::Standalone,
            Starter::Yarn => Deployment::Yarn,
            Starter::Kubernetes => Deployment::Kubernetes,
        },
        consumers,
        managed_backend: load.home != StateHome::Heap,
        stores: match load.home {
            StateHome::RocksDb => vec![Store::RocksDb],
            StateHome::ForSt => vec![Store::ForSt],
            StateHome::Heap => Vec::new(),
        },
    }
}

/// Divides what the fixed parts leave: the store gets what it needs at least, the heap too, and of the rest the store
/// gets up to what it should have and then half, the heap what is left.
fn split(load: &Load, needs: &Needs, overhead: Bytes) -> Result<Split, SizeError> {
    let slots = u64::from(load.slots);
    let others = [needs.python, needs.operators].into_iter().fold(0, |sum, bytes| sum + bytes.whole_mib());
    let fixed = [METASPACE, overhead, FRAMEWORK_HEAP, needs.framework_off_heap, needs.network]
        .into_iter()
        .fold(0, |sum, bytes| sum + bytes.whole_mib());
    let heap = needs.heap.whole_mib();
    let least = slots * (needs.store_least.whole_mib() + others);
    let Some(rest) = load.container.whole_mib().checked_sub(fixed + heap + least) else {
        return Err(SizeError::TooSmall(Box::new(too_small(load, needs, overhead))));
    };
    let store = if load.home == StateHome::Heap {
        0
    } else {
        let missing = slots * needs.store.whole_mib().saturating_sub(needs.store_least.whole_mib());
        let given = missing.max(rest / 2).min(rest);
        needs.store_least.whole_mib() + given / slots
    };
    let mib = |n: u64| Bytes::mib(1).checked_mul(n).unwrap_or(Bytes::FLINK_MAX);
    Ok(Split { overhead, managed: mib(slots * (store + others)), store: mib(store) })
}

fn too_small(load: &Load, needs: &Needs, overhead: Bytes) -> TooSmall {
    let slots = u64::from(load.slots);
    let part = |name: &str, bytes, basis, source: &str| Part {
        name: name.to_owned(),
        bytes,
        basis,
        source: source.to_owned(),
    };
    let each = |bytes: Bytes| bytes.checked_mul(slots).unwrap_or(Bytes::FLINK_MAX);
    let mut parts = vec![
        part("JVM Metaspace", METASPACE, Basis::Known, "Flink's default"),
        part("JVM Overhead", overhead, Basis::Assumed, "the JVM and native memory beside the parts"),
        part("Framework Heap", FRAMEWORK_HEAP, Basis::Known, "Flink's default"),
        part("Framework Off-heap", needs.framework_off_heap, Basis::Known, "netty's arenas, batch shuffle's reading"),
        part("Network", needs.network, Basis::Known, "the job's buffers"),
        part("Task Heap", needs.heap, Basis::Assumed, "user code, and state where it is on the heap"),
        part("Managed, for state", each(needs.store_least), Basis::Known, "an arena block for each state of each slot"),
        part("Managed, for Python", each(needs.python), Basis::Assumed, "workers"),
        part("Managed, for operators", each(needs.operators), Basis::Assumed, "sorting and hashing"),
    ];
    parts.retain(|part| part.bytes > Bytes::ZERO);
    TooSmall { parts, container: load.container, smallest: None }
}

impl Split {
    /// A slot's managed memory in words.
    fn managed_words(&self, needs: &Needs) -> String {
        let mut words = Vec::new();
        for (name, bytes) in
            [("for state", self.store), ("for Python", needs.python), ("for operators", needs.operators)]
        {
            if bytes > Bytes::ZERO {
                words.push(format!("{} {name}", mib(bytes)));
            }
        }
        words.join(", ")
    }
}

/// Holds Flink's plan against what was meant.
fn prove(sizing: &Sizing, needs: &Needs, split: &Split) -> Result<(), SizeError> {
    let unproved = |what: String| Err(SizeError::Unproved(what));
    let budget = &sizing.survey.plan.budget;
    let meant = [
        (Component::Network, needs.network),
        (Component::Managed, split.managed),
        (Component::JvmOverhead, split.overhead),
        (Component::FrameworkOffHeap, needs.framework_off_heap),
    ];
    for (component, bytes) in meant {
        if budget.size(component) != bytes {
            return unproved(format!("{} is {}, not {bytes}", component.label(), budget.size(component)));
        }
    }
    if budget.total_process().bytes != sizing.load.container || budget.size(Component::TaskHeap) < needs.heap {
        return unproved(format!("Task Heap is {}", budget.size(Component::TaskHeap)));
    }
    if sizing.network.need.missing() > 0 {
        return unproved(format!("{} network buffers are missing", sizing.network.need.missing()));
    }
    let Some(Ok(slots)) = &sizing.survey.plan.slots else { return unproved("the slots are refused".to_owned()) };
    for (_, memory) in &slots.stores {
        let pool = memory.as_ref().ok().and_then(|memory| memory.pool.as_ref());
        let families = pool.map_or(0, |pool| pool.column_families_without_thrashing());
        if pool.is_some_and(|pool| pool.flushes_constantly) || families < u64::from(sizing.load.states) {
            return unproved(format!("only {families} states can take writes before they flush each other"));
        }
    }
    Ok(())
}

impl Sizing {
    /// The allocator that the sizes are for, in a word.
    pub fn allocator(&self) -> &'static str {
        match self.load.allocator {
            Allocator::Glibc => "glibc",
            Allocator::Jemalloc => "jemalloc",
        }
    }
}

#[cfg(test)]
mod tests;
