//! Configuration to budget: what every part of a TaskManager or JobManager will be, why, and who enforces it, byte for
//! byte as that version of Flink derives it. Functions over values: no file, clock or environment is touched.

pub mod arguments;
mod backend;
pub mod compare;
pub mod consumers;
pub mod container;
mod cores;
pub mod cutoff;
mod cutoff_budget;
pub mod external_resources;
pub mod inferred;
mod jobmanager;
pub mod jvm;
mod legacy_heap;
pub mod network;
pub mod network_need;
pub mod process;
pub mod python;
pub mod rejection;
pub mod settings;
pub mod start_script;
pub mod store;
mod taskmanager;
pub mod unbudgeted;
pub mod vary;

pub use backend::Backend;
use consumers::ConsumerShare;
use container::Container;
use cores::Decider;
use jvm::{Footprint, Machine};
use network::NetworkBuffers;
pub use process::Mode;
use python::Python;
use rejection::{Outcome, Rejection};
use settings::{Notice, Settings};
use store::{Store, StoreMemory};
use unbudgeted::Unbudgeted;

use crate::config::Config;
use crate::flink::keys;
use crate::flink::profile::{CpuDecimals, DynamicProperties, JobmanagerModel, Profile, TaskmanagerModel};
pub use crate::model::Deployment;
use crate::model::{Budget, Bytes, Component, Derivation, Figure, Quantity, Role, Term, UseCase};

/// `MemoryManager.DEFAULT_PAGE_SIZE`.
const DEFAULT_SEGMENT: Bytes = Bytes::kib(32);

/// What is asked about a configuration.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whose memory.
    pub role: Role,
    /// Who starts it.
    pub deployment: Deployment,
    /// Which consumers of managed memory a slot has.
    pub consumers: Vec<UseCase>,
    /// Whether the state backend takes managed memory.
    pub managed_backend: bool,
    /// Which stores to divide memory for.
    pub stores: Vec<Store>,
}

/// A budget with everything that follows from it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What knows of the version.
    pub profile: &'static Profile,
    /// What the derivation started from.
    pub mode: Mode,
    /// The budget.
    pub budget: Budget,
    /// `-XX:MaxDirectMemorySize`, where there is one.
    pub direct: Option<Bytes>,
    /// What the JVM is started with.
    pub jvm_arguments: String,
    /// What Flink is started with, in versions that pass it on.
    pub dynamic_properties: Option<String>,
    /// What Flink logs.
    pub notices: Vec<Notice>,
    /// How many network buffers a TaskManager has; nothing for a JobManager.
    pub network_buffers: Option<Outcome<NetworkBuffers>>,
    /// What a TaskManager's slots get; nothing for a JobManager. That this fails only when the process has started is
    /// Flink's way.
    pub slots: Option<Outcome<Slots>>,
}

/// What each slot of a TaskManager gets.
#[derive(Clone, Debug)]
pub struct Slots {
    /// How many.
    pub count: u32,
    /// Each one's share of task heap, task off-heap, network and managed memory.
    pub shares: Vec<(Component, Figure)>,
    /// Who gets how much managed memory; nothing in versions without weights.
    pub consumers: Option<Outcome<Vec<ConsumerShare>>>,
    /// The stores asked for.
    pub stores: Vec<(Store, Outcome<StoreMemory>)>,
}

/// A configuration that Flink refuses, and what it logs before.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// Why.
    pub rejection: Box<Rejection>,
    /// What Flink logs.
    pub notices: Vec<Notice>,
}

impl Slots {
    /// One slot's share of a component.
    pub fn share(&self, component: Component) -> Bytes {
        self.shares.iter().find(|(c, _)| *c == component).map_or(Bytes::ZERO, |(_, figure)| figure.bytes)
    }
}

/// A plan with what surrounds it: the container, the JVM, and what nobody plans.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The plan.
    pub plan: Plan,
    /// Where keyed state lives.
    pub backend: Backend,
    /// What is asked of YARN or Kubernetes.
    pub container: Outcome<Container>,
    /// What the JVM takes besides.
    pub footprint: Footprint,
    /// What Flink plans no memory for.
    pub unbudgeted: Vec<Unbudgeted>,
    /// Python's share, where a slot has Python functions.
    pub python: Option<Outcome<Python>>,
}

/// Plans a process and looks at what surrounds it.
pub fn survey(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    machine: Machine,
) -> Result<Survey, Rejected> {
    let plan = plan_with(config, profile, question, Decider::from(question.deployment))?;
    let settings = Settings::new(config, profile);
    let backend = Backend::of(&settings);
    let total = plan.budget.total_process().bytes;
    let container = container::container(&settings, question.deployment, question.role, total);
    let footprint = jvm::footprint(&settings, &plan, question.deployment, machine);
    let heap_excess = footprint.heap.seen().and_then(|taken| taken.checked_sub(plan.budget.heap()));
    let unbudgeted = unbudgeted::list(&plan, &backend, heap_excess);
    let python = match &plan.slots {
        Some(Ok(slots)) if question.consumers.contains(&UseCase::Python) => {
            let shares = slots.consumers.iter().flatten().flatten().cloned().collect::<Vec<_>>();
            Some(python::share(&settings, &shares, plan.budget.size(Component::TaskOffHeap)))
        }
        _ => None,
    };
    Ok(Survey { plan, backend, container, footprint, unbudgeted, python })
}

/// Whether the cut-off model is in force for a role.
pub fn is_cut_off(profile: &Profile, role: Role) -> bool {
    match role {
        Role::TaskManager => profile.behaviour.taskmanager_model == TaskmanagerModel::CutOff,
        Role::JobManager => profile.behaviour.jobmanager_model == JobmanagerModel::CutOff,
    }
}

/// Derives a process's memory, as Flink's own calculator does: whoever deploys it has no say in its cores.
pub fn plan(config: &Config, profile: &'static Profile, question: &Question) -> Result<Plan, Rejected> {
    plan_with(config, profile, question, Decider::Scripts)
}

fn plan_with(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    decider: Decider,
) -> Result<Plan, Rejected> {
    let mut settings = Settings::new(config, profile);
    let planned = match question.role {
        role if is_cut_off(profile, role) => cutoff_budget::plan(&settings, question),
        Role::TaskManager => taskmanager_plan(&mut settings, question, decider),
        Role::JobManager => jobmanager_plan(&mut settings, question)
            .map_err(|rejection| jobmanager::reported(&settings, question.deployment, rejection)),
    };
    planned.map_err(|rejection| Rejected { rejection, notices: settings.notices() })
}

fn taskmanager_plan(settings: &mut Settings<'_>, question: &Question, decider: Decider) -> Outcome<Plan> {
    if let Some(mapped) = taskmanager::legacy_total(settings, question.deployment)? {
        settings.stand_in(mapped);
    }
    let settings = &*settings;
    let profile = settings.profile();
    let (budget, mode) = taskmanager::budget(settings)?;
    let cores = cores::cores(settings, decider)?;
    let slots = match profile.behaviour.dynamic_properties {
        DynamicProperties::WithSlots => settings.int(keys::SLOTS)?.0,
        _ => 1,
    };
    let resources = external_resources::read(settings)?;
    let direct = arguments::direct_limit(settings, &budget)?;
    let jvm_arguments = arguments::jvm(&budget, direct);
    let cores = match profile.behaviour.cpu_decimals {
        CpuDecimals::All => cores,
        CpuDecimals::Eight => cores::eight_decimals(cores),
    };
    let dynamic_properties = Some(arguments::taskmanager_properties(settings, &budget, cores, slots, &resources));
    let notices = settings.notices();
    // What is logged from here on is no part of the derivation's notices.
    let settings = &settings.unheard();
    let network_buffers = Some(network::buffers(settings, budget.size(Component::Network)));
    let slots = Some(slots_of(settings, &budget, question));
    Ok(Plan { profile, mode, budget, direct, jvm_arguments, dynamic_properties, notices, network_buffers, slots })
}

fn jobmanager_plan(settings: &mut Settings<'_>, question: &Question) -> Outcome<Plan> {
    if let Some(mapped) = jobmanager::legacy_total(settings, question.deployment)? {
        settings.stand_in(mapped);
    }
    let settings = &*settings;
    let (budget, mode) = jobmanager::budget(settings)?;
    let direct = arguments::direct_limit(settings, &budget)?;
    let jvm_arguments = arguments::jvm(&budget, direct);
    let dynamic_properties = arguments::jobmanager_properties(settings, &budget);
    Ok(Plan {
        profile: settings.profile(),
        mode,
        budget,
        direct,
        jvm_arguments,
        dynamic_properties,
        notices: settings.notices(),
        network_buffers: None,
        slots: None,
    })
}

/// What a TaskManager's slots get.
fn slots_of(settings: &Settings<'_>, budget: &Budget, question: &Question) -> Outcome<Slots> {
    let count = taskmanager::slots(settings)?;
    let shares: Vec<(Component, Figure)> =
        [Component::TaskHeap, Component::TaskOffHeap, Component::Network, Component::Managed]
            .into_iter()
            .map(|component| {
                let whole = budget.size(component);
                let share = Bytes::new(whole.get() / u64::from(count));
                let whole = Term::new(Quantity::Part(component), whole);
                (component, Figure::derived(share, Derivation::Divided { whole, count: u64::from(count) }))
            })
            .collect();
    let slot_managed = Bytes::new(budget.size(Component::Managed).get() / u64::from(count));
    // A segment that Flink refuses stops the process elsewhere.
    let segment = network::segment_size(settings).map_or(DEFAULT_SEGMENT, |figure| figure.bytes);
    let consumers = consumers::weights(settings)
        .map(|weights| {
            weights.map(|weights| {
                consumers::shares(&weights, &question.consumers, question.managed_backend, slot_managed, segment)
            })
        })
        .transpose();
    let stores = question
        .stores
        .iter()
        .filter(|store| **store == Store::RocksDb || settings.row(keys::FORST.managed).is_some())
        .map(|&store| {
            let from_managed = || match &consumers {
                None => store::whole_slot(slot_managed, segment),
                Some(Err(rejection)) => Err(rejection.clone()),
                Some(Ok(shares)) => match shares.iter().find(|s| s.use_case == store::CONSUMER) {
                    Some(share) => share.share.clone(),
                    None => store::whole_slot(slot_managed, segment),
                },
            };
            (store, store::memory(settings, store, from_managed))
        })
        .collect();
    Ok(Slots { count, shares, consumers, stores })
}
