//! The cut-off model's results as a budget, so that they are shown like any other.

use super::process::Mode;
use super::rejection::{Outcome, Rejection};
use super::settings::Settings;
use super::{Deployment, NetworkBuffers, Plan, Question, Slots, cutoff, start_script, store};
use crate::flink::keys;
use crate::model::{Budget, Bytes, Component, Derivation, Figure, Provenance, Quantity, Role, Term};

/// The plan of a process in the cut-off model.
pub fn plan(settings: &Settings<'_>, question: &Question) -> Outcome<Plan> {
    match (question.role, question.deployment) {
        (Role::TaskManager, Deployment::Standalone) => standalone_taskmanager(settings, question),
        (Role::TaskManager, _) => taskmanager_container(settings, question),
        (Role::JobManager, Deployment::Standalone) => standalone_jobmanager(settings),
        (Role::JobManager, _) => jobmanager_container(settings),
    }
}

fn mebibytes(mb: i64) -> Outcome<Bytes> {
    u64::try_from(mb).ok().and_then(|mb| Bytes::mib(1).checked_mul(mb)).ok_or_else(not_a_budget)
}

fn bytes(n: i64) -> Outcome<Bytes> {
    u64::try_from(n).map(Bytes::new).map_err(|_| not_a_budget())
}

fn not_a_budget() -> Box<Rejection> {
    Rejection::illegal_argument(
        "oomph: Flink accepts these values, but one part comes out below nothing, so that there is no budget to show",
    )
}

/// A figure of the cut-off model: its formula, and the options that go into it.
fn computed(bytes: Bytes, formula: Formula) -> Figure {
    Figure::derived(bytes, Derivation::CutOff { formula: formula.text, options: formula.options })
}

/// A formula in words, and the options in it.
struct Formula {
    text: String,
    options: Vec<Provenance>,
}

impl From<String> for Formula {
    fn from(text: String) -> Formula {
        Formula { text, options: Vec::new() }
    }
}

/// The options of a formula: where each is set, or that it is not.
macro_rules! options {
    ($settings:expr; $($key:expr),+ $(,)?) => {{
        let settings = $settings.unheard();
        let found = [$(match settings.find($key) {
            Some(found) => Some(found.provenance()),
            None => settings.default_of($key).map(|(_, provenance)| provenance),
        }),+];
        found.into_iter().flatten().collect::<Vec<Provenance>>()
    }};
}

/// What a process is divided into.
struct Parts {
    total: Figure,
    heap: Figure,
    network: Option<Figure>,
    managed: Option<Figure>,
    cut_off: Formula,
    direct: Option<Bytes>,
    jvm_arguments: String,
}

/// A budget of the parts, the cut-off being what they leave of the total.
fn budget_of(role: Role, parts: Parts) -> Outcome<(Budget, Option<Bytes>, String)> {
    let Parts { total, heap, network, managed, cut_off, direct, jvm_arguments } = parts;
    let mut components = vec![(Component::CutOffHeap, heap)];
    components.extend(network.map(|figure| (Component::Network, figure)));
    components.extend(managed.map(|figure| (Component::Managed, figure)));
    let known: Vec<Term> = components.iter().map(|(c, figure)| Term::new(Quantity::Part(*c), figure.bytes)).collect();
    let flink = Bytes::checked_sum(known.iter().map(|term| term.bytes)).ok_or_else(not_a_budget)?;
    let rest = total.bytes.checked_sub(flink).ok_or_else(not_a_budget)?;
    if rest > Bytes::ZERO {
        components.push((Component::CutOff, computed(rest, cut_off)));
    }
    let flink = Figure::derived(flink, Derivation::Sum(known));
    let budget =
        Budget::new(role, components, flink, total).map_err(|e| Rejection::illegal_argument(format!("oomph: {e}")))?;
    Ok((budget, direct, jvm_arguments))
}

fn finish(settings: &Settings<'_>, role: Role, mode: Mode, parts: Parts) -> Outcome<Plan> {
    let (budget, direct, jvm_arguments) = budget_of(role, parts)?;
    Ok(Plan {
        profile: settings.profile(),
        mode,
        budget,
        direct,
        jvm_arguments,
        dynamic_properties: None,
        notices: settings.notices(),
        network_buffers: None,
        slots: None,
    })
}

fn taskmanager_container(settings: &Settings<'_>, question: &Question) -> Outcome<Plan> {
    let container = cutoff::taskmanager_container(settings)?;
    let total = container.total_mb.0;
    let java_mb = total - container.cutoff_mb;
    let managed = match (container.managed_off_heap, &container.managed) {
        (true, Ok(managed)) => Some(computed(
            bytes(*managed)?,
            Formula {
                text: "its size, or else its fraction of what network memory leaves; it is kept off the heap"
                    .to_owned(),
                options: managed_options(settings),
            },
        )),
        _ => None,
    };
    let taken = if managed.is_some() { "Network and Managed Memory leave" } else { "Network leaves" };
    let heap = format!("what {taken} of the {java_mb} MiB behind the cut-off, in whole MiB");
    let parts = Parts {
        heap: computed(mebibytes(container.heap_mb)?, heap.into()),
        network: Some(computed(bytes(container.network)?, network_of_container(settings, java_mb)?)),
        managed,
        cut_off: cut_off(settings, total, ", plus what rounding the heap down to whole MiB leaves")?,
        direct: u64::try_from(container.direct_mb).ok().and_then(|mb| Bytes::mib(1).checked_mul(mb)),
        jvm_arguments: container.jvm_arguments(),
        total: Figure { bytes: mebibytes(total)?, provenance: container.total_mb.1.clone() },
    };
    let plan = finish(settings, Role::TaskManager, Mode::CutOff, parts)?;
    with_slots(settings, question, plan)
}

fn cut_off(settings: &Settings<'_>, total_mb: i64, also: &str) -> Outcome<Formula> {
    let ratio = settings.fraction(keys::CUTOFF_RATIO)?.value as f32;
    let (min, _) = settings.int(keys::CUTOFF_MIN)?;
    let text = format!("the larger of {min} MiB and {ratio} x {total_mb} MiB{also}");
    Ok(Formula { text, options: options![settings; keys::CUTOFF_MIN, keys::CUTOFF_RATIO] })
}

fn network_of_container(settings: &Settings<'_>, java_mb: i64) -> Outcome<Formula> {
    if cutoff::has_new_network_keys(settings) {
        let fraction = settings.fraction(keys::NETWORK_FRACTION_1_9)?.value as f32;
        let min = bytes(cutoff::size_text(settings, keys::NETWORK_MIN_1_9)?)?;
        let max = bytes(cutoff::size_text(settings, keys::NETWORK_MAX_1_9)?)?;
        return Ok(Formula {
            text: format!(
                "{fraction} of the {java_mb} MiB behind the cut-off, in 32-bit floats, between {min} and {max}"
            ),
            options: network_options(settings),
        });
    }
    let count = settings.int(keys::NETWORK_BUFFERS)?.0;
    Ok(Formula {
        text: format!("{count} buffers of {} B", cutoff::segment_size(settings)?),
        options: options![settings; keys::NETWORK_BUFFERS, keys::SEGMENT_SIZE],
    })
}

fn network_options(settings: &Settings<'_>) -> Vec<Provenance> {
    options![settings; keys::NETWORK_FRACTION_1_9, keys::NETWORK_MIN_1_9, keys::NETWORK_MAX_1_9]
}

fn managed_options(settings: &Settings<'_>) -> Vec<Provenance> {
    options![settings; keys::MANAGED_SIZE_1_9, keys::MANAGED_FRACTION_1_9, keys::MANAGED_OFF_HEAP_1_9]
}

fn standalone_taskmanager(settings: &Settings<'_>, question: &Question) -> Outcome<Plan> {
    let script = start_script::taskmanager(settings)?;
    let (total, provenance) = script.total_mb.clone();
    let managed = script.managed_mb.map(|mb| {
        let text = "taken off the heap in whole MiB, by awk in taskmanager.sh".to_owned();
        mebibytes(mb).map(|bytes| computed(bytes, Formula { text, options: managed_options(settings) }))
    });
    let taken = if managed.is_some() { "Network and Managed Memory leave" } else { "Network leaves" };
    let (min, max) = (bytes(script.network.range.0)?, bytes(script.network.range.1)?);
    let (text, options) = match script.network.fraction {
        Some(fraction) => {
            let text = format!("{fraction} of {total} MiB, between {min} and {max}");
            (text, network_options(settings))
        }
        None => (format!("{min}"), options![settings; keys::NETWORK_BUFFERS]),
    };
    let network =
        Formula { text: format!("{text}, in whole MiB, as awk in taskmanager.sh takes it off the heap"), options };
    let parts = Parts {
        heap: computed(mebibytes(script.heap_mb)?, format!("what {taken} of {total} MiB").into()),
        network: Some(computed(mebibytes(script.network_mb)?, network)),
        managed: managed.transpose()?,
        cut_off: String::new().into(),
        direct: None,
        jvm_arguments: script.jvm_arguments(),
        total: Figure { bytes: mebibytes(total)?, provenance },
    };
    let plan = finish(settings, Role::TaskManager, Mode::StartScript, parts)?;
    with_slots(settings, question, plan)
}

fn standalone_jobmanager(settings: &Settings<'_>) -> Outcome<Plan> {
    let script = start_script::jobmanager(settings)?;
    let (mb, provenance) = script.heap_mb.clone();
    let total = Figure { bytes: mebibytes(mb)?, provenance };
    let parts = Parts {
        heap: total.clone(),
        network: None,
        managed: None,
        cut_off: String::new().into(),
        direct: None,
        jvm_arguments: script.jvm_arguments(),
        total,
    };
    finish(settings, Role::JobManager, Mode::StartScript, parts)
}

fn jobmanager_container(settings: &Settings<'_>) -> Outcome<Plan> {
    let (total, provenance) = cutoff::total_mb(settings, keys::JM_HEAP_SIZE, keys::JM_HEAP_MB)?;
    let container = cutoff::jobmanager_container(settings, total)?;
    let parts = Parts {
        heap: computed(mebibytes(container.heap_mb)?, format!("what Cut-off leaves of {total} MiB").into()),
        network: None,
        managed: None,
        cut_off: cut_off(settings, total, "")?,
        direct: None,
        jvm_arguments: container.jvm_arguments(),
        total: Figure { bytes: mebibytes(total)?, provenance },
    };
    finish(settings, Role::JobManager, Mode::CutOff, parts)
}

/// Slots share what there is; there are no weights, and RocksDB takes what it likes.
fn with_slots(settings: &Settings<'_>, question: &Question, mut plan: Plan) -> Outcome<Plan> {
    let settings = &settings.unheard();
    let (count, _) = settings.int(keys::SLOTS)?;
    let count = u32::try_from(count).unwrap_or(1).max(1);
    let shares = [Component::CutOffHeap, Component::Network, Component::Managed]
        .into_iter()
        .filter_map(|component| {
            let whole = plan.budget.part(component)?.bytes;
            let share = Bytes::new(whole.get() / u64::from(count));
            let whole = Term::new(Quantity::Part(component), whole);
            Some((component, Figure::derived(share, Derivation::Divided { whole, count: u64::from(count) })))
        })
        .collect();
    let stores = question
        .stores
        .iter()
        .filter(|store| **store == store::Store::RocksDb)
        .map(|&store| {
            let nothing = || Err(Rejection::illegal_argument("Flink 1.9 has no managed memory for state backends"));
            (store, store::memory(settings, store, nothing))
        })
        .collect();
    plan.slots = Some(Ok(Slots { count, shares, consumers: None, stores }));
    plan.network_buffers = Some(running_network(settings, &plan));
    Ok(plan)
}

/// A started TaskManager computes network memory again from its heap.
fn running_network(settings: &Settings<'_>, plan: &Plan) -> Outcome<NetworkBuffers> {
    let heap = plan.budget.heap().as_java_long().unwrap_or(i64::MAX);
    let network = bytes(cutoff::network_of_heap(settings, heap)?)?;
    let segment = Bytes::new(u64::from(cutoff::segment_size(settings)?.unsigned_abs()));
    let source = "TaskManagerOptions.MEMORY_SEGMENT_SIZE";
    let provenance = match settings.find(keys::SEGMENT_SIZE) {
        Some(found) => found.provenance(),
        None => Provenance::Default { key: keys::SEGMENT_SIZE.name(), source },
    };
    let count = network.get() / segment.get().max(1);
    Ok(NetworkBuffers { count, segment: Figure { bytes: segment, provenance } })
}
