//! A TaskManager's memory since 1.10 (`TaskExecutorProcessUtils`, `TaskExecutorFlinkMemoryUtils`).

use super::process::{self, Frame, Mode, ProcessKeys};
use super::rejection::{ExceptionClass, Outcome, Reason, Rejection};
use super::settings::{Settings, StandIn};
use super::{Deployment, legacy_heap, network};
use crate::config::environment;
use crate::flink::memory_size::human;
use crate::flink::{fraction, keys};
use crate::model::{Budget, Bytes, Component, Derivation, Figure, Held, Quantity, Role, Term};

const KEYS: ProcessKeys = ProcessKeys {
    fine_grained: &[keys::TASK_HEAP, keys::MANAGED_SIZE],
    flink: keys::TM_FLINK,
    process: keys::TM_PROCESS,
    metaspace: keys::TM_METASPACE,
    overhead_min: keys::TM_OVERHEAD_MIN,
    overhead_max: keys::TM_OVERHEAD_MAX,
    overhead_fraction: keys::TM_OVERHEAD_FRACTION,
};

/// What Flink divides total Flink memory into.
struct FlinkMemory {
    framework_heap: Figure,
    task_heap: Figure,
    framework_off_heap: Figure,
    task_off_heap: Figure,
    network: Figure,
    managed: Figure,
}

impl FlinkMemory {
    fn parts(self) -> [(Component, Figure); 6] {
        [
            (Component::FrameworkHeap, self.framework_heap),
            (Component::TaskHeap, self.task_heap),
            (Component::FrameworkOffHeap, self.framework_off_heap),
            (Component::TaskOffHeap, self.task_off_heap),
            (Component::Network, self.network),
            (Component::Managed, self.managed),
        ]
    }
}

/// The budget of a TaskManager and the mode it was derived in. Rejections are wrapped as that version does.
pub fn budget(settings: &Settings<'_>) -> Outcome<(Budget, Mode)> {
    wrapped(settings, derive(settings))
}

/// Only an `IllegalConfigurationException` is wrapped on its way up.
pub fn wrapped<T>(settings: &Settings<'_>, outcome: Outcome<T>) -> Outcome<T> {
    outcome.map_err(|rejection| {
        if settings.profile().behaviour.taskmanager_rejection_prefix && rejection.is_illegal_configuration() {
            let message = format!("TaskManager memory configuration failed: {}", rejection.exception.message);
            return rejection.wrapped(ExceptionClass::IllegalConfiguration, message);
        }
        rejection
    })
}

/// The heap key of Flink 1.9 or its environment variable, read in a total's place, where this version does that and the
/// total is not set.
pub fn legacy_total(settings: &Settings<'_>, deployment: Deployment) -> Outcome<Option<StandIn>> {
    let target = match deployment {
        Deployment::None => return Ok(None),
        Deployment::Standalone => keys::TM_FLINK,
        Deployment::Yarn | Deployment::Kubernetes => keys::TM_PROCESS,
    };
    let legacy = legacy_heap::Keys { variable: environment::TM_HEAP, size: keys::TM_HEAP_SIZE, mb: keys::TM_HEAP_MB };
    legacy_heap::map(settings, target, legacy).map_err(|rejection| {
        if settings.profile().behaviour.taskmanager_rejection_prefix && rejection.is_illegal_configuration() {
            let message = format!(
                "TaskManager failed to map legacy JVM heap option to the new one: {}",
                rejection.exception.message
            );
            return rejection.wrapped(ExceptionClass::IllegalConfiguration, message);
        }
        rejection
    })
}

fn derive(settings: &Settings<'_>) -> Outcome<(Budget, Mode)> {
    let mode = process::mode(settings, &KEYS)?;
    let (memory, flink, frame) = match mode {
        Mode::FineGrained => {
            let memory = from_parts(settings)?;
            let terms = terms_of(&memory);
            let total = process::sum(&terms)?;
            let flink = if settings.is_set(keys::TM_FLINK) {
                settings.memory_size(keys::TM_FLINK)?
            } else {
                Figure::derived(total, Derivation::Sum(terms))
            };
            let frame = process::around_total_flink(settings, &KEYS, flink.bytes)?;
            (memory, flink, frame)
        }
        Mode::TotalFlink => {
            let flink = settings.memory_size(keys::TM_FLINK)?;
            let memory = from_total_flink(settings, flink.bytes)?;
            let frame = process::around_total_flink(settings, &KEYS, flink.bytes)?;
            (memory, flink, frame)
        }
        _ => {
            let (frame, flink) = process::from_total_process(settings, &KEYS)?;
            let memory = from_total_flink(settings, flink.bytes)?;
            (memory, flink, frame)
        }
    };
    let Frame { metaspace, overhead, process } = frame;
    let parts = memory
        .parts()
        .into_iter()
        .chain([(Component::JvmMetaspace, metaspace), (Component::JvmOverhead, overhead)])
        .collect();
    let budget = Budget::new(Role::TaskManager, parts, flink, process)
        .map_err(|e| Rejection::illegal_argument(format!("oomph: {e}")))?;
    Ok((budget, mode))
}

fn terms_of(memory: &FlinkMemory) -> Vec<Term> {
    let of = |component, figure: &Figure| Term::new(Quantity::Part(component), figure.bytes);
    vec![
        of(Component::FrameworkHeap, &memory.framework_heap),
        of(Component::FrameworkOffHeap, &memory.framework_off_heap),
        of(Component::TaskHeap, &memory.task_heap),
        of(Component::TaskOffHeap, &memory.task_off_heap),
        of(Component::Managed, &memory.managed),
        of(Component::Network, &memory.network),
    ]
}

/// Task heap and managed memory are set: network is what total Flink memory leaves, where that is set too, else a share
/// of a total that it is part of (`deriveFromRequiredFineGrainedOptions`).
fn from_parts(settings: &Settings<'_>) -> Outcome<FlinkMemory> {
    let task_heap = settings.memory_size(keys::TASK_HEAP)?;
    let managed = settings.memory_size(keys::MANAGED_SIZE)?;
    let framework_heap = settings.memory_size(keys::FRAMEWORK_HEAP)?;
    let framework_off_heap = settings.memory_size(keys::FRAMEWORK_OFF_HEAP)?;
    let task_off_heap = settings.memory_size(keys::TASK_OFF_HEAP)?;
    let parts = without_network(&framework_heap, &framework_off_heap, &task_heap, &task_off_heap, &managed);
    let known = process::sum(&parts)?;
    let network = if settings.is_set(keys::TM_FLINK) {
        let flink = settings.memory_size(keys::TM_FLINK)?;
        network_remainder(settings, flink.bytes, parts, known)?
    } else if network::is_number_of_buffers(settings) {
        network::from_number_of_buffers(settings)?
    } else {
        network::around(settings, known)?
    };
    Ok(FlinkMemory { framework_heap, task_heap, framework_off_heap, task_off_heap, network, managed })
}

/// Total Flink memory is known: what it is divided into (`deriveFromTotalFlinkMemory`).
fn from_total_flink(settings: &Settings<'_>, flink: Bytes) -> Outcome<FlinkMemory> {
    let framework_heap = settings.memory_size(keys::FRAMEWORK_HEAP)?;
    let framework_off_heap = settings.memory_size(keys::FRAMEWORK_OFF_HEAP)?;
    let task_off_heap = settings.memory_size(keys::TASK_OFF_HEAP)?;
    if settings.is_set(keys::TASK_HEAP) {
        let task_heap = settings.memory_size(keys::TASK_HEAP)?;
        let managed = managed(settings, flink)?;
        let parts = without_network(&framework_heap, &framework_off_heap, &task_heap, &task_off_heap, &managed);
        let known = process::sum(&parts)?;
        let network = network_remainder(settings, flink, parts, known)?;
        return Ok(FlinkMemory { framework_heap, task_heap, framework_off_heap, task_off_heap, network, managed });
    }
    let managed = managed(settings, flink)?;
    let network = if network::is_number_of_buffers(settings) {
        network::from_number_of_buffers(settings)?
    } else {
        network::from_total_flink(settings, flink)?
    };
    let of = |component, figure: &Figure| Term::new(Quantity::Part(component), figure.bytes);
    let parts = vec![
        of(Component::FrameworkHeap, &framework_heap),
        of(Component::FrameworkOffHeap, &framework_off_heap),
        of(Component::TaskOffHeap, &task_off_heap),
        of(Component::Managed, &managed),
        of(Component::Network, &network),
    ];
    let whole = Term::new(Quantity::TotalFlink, flink);
    let Some(rest) = flink.checked_sub(process::sum(&parts)?) else {
        return Err(exceeds(
            &["Framework Heap", "Framework Off-Heap", "Task Off-Heap", "Managed", "Network"],
            parts,
            whole,
        ));
    };
    let task_heap = Figure::derived(rest, Derivation::Remainder { whole, parts });
    Ok(FlinkMemory { framework_heap, task_heap, framework_off_heap, task_off_heap, network, managed })
}

fn without_network(
    framework_heap: &Figure,
    framework_off_heap: &Figure,
    task_heap: &Figure,
    task_off_heap: &Figure,
    managed: &Figure,
) -> Vec<Term> {
    let of = |component, figure: &Figure| Term::new(Quantity::Part(component), figure.bytes);
    vec![
        of(Component::FrameworkHeap, framework_heap),
        of(Component::FrameworkOffHeap, framework_off_heap),
        of(Component::TaskHeap, task_heap),
        of(Component::TaskOffHeap, task_off_heap),
        of(Component::Managed, managed),
    ]
}

/// Network memory as what all others leave of total Flink memory.
fn network_remainder(settings: &Settings<'_>, flink: Bytes, parts: Vec<Term>, known: Bytes) -> Outcome<Figure> {
    let whole = Term::new(Quantity::TotalFlink, flink);
    let Some(rest) = flink.checked_sub(known) else {
        return Err(exceeds(
            &["Framework Heap", "Framework Off-Heap", "Task Heap", "Task Off-Heap", "Managed"],
            parts,
            whole,
        ));
    };
    network::check_remainder(settings, rest, flink, &parts)?;
    Ok(Figure::derived(rest, Derivation::Remainder { whole, parts }))
}

fn exceeds(names: &[&str], parts: Vec<Term>, whole: Term) -> Box<Rejection> {
    let named: Vec<String> =
        names.iter().zip(&parts).map(|(name, term)| format!("{name} Memory ({})", human(term.bytes))).collect();
    let (last, others) = named.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
    let message = format!(
        "Sum of configured {} and {last} exceed configured Total Flink Memory ({}).",
        others.join(", "),
        human(whole.bytes)
    );
    Rejection::illegal_configuration(message).because(Reason::DoesNotFit { parts, whole })
}

/// Managed memory as it is set, else as a share of total Flink memory.
fn managed(settings: &Settings<'_>, flink: Bytes) -> Outcome<Figure> {
    if settings.is_set(keys::MANAGED_SIZE) {
        return settings.memory_size(keys::MANAGED_SIZE);
    }
    let ratio = settings.fraction(keys::MANAGED_FRACTION)?;
    process::check_range(settings, Bytes::ZERO, Bytes::FLINK_MAX, &ratio, keys::MANAGED_FRACTION)?;
    let whole = Term::new(Quantity::TotalFlink, flink);
    let product = fraction::multiply(flink, ratio.value)?;
    Ok(Figure::derived(product, Derivation::Share { whole, ratio, product, range: None, held: Held::Free }))
}

/// The slots of a TaskManager; -1 stands for one (`ConfigurationParserUtils.getSlot`).
pub fn slots(settings: &Settings<'_>) -> Outcome<u32> {
    let (slots, _) = settings.int(keys::SLOTS)?;
    match slots {
        -1 => Ok(1),
        n if n >= 1 => Ok(n.unsigned_abs()),
        n => Err(Rejection::illegal_configuration(format!(
            "Invalid configuration value for {} : {n} - Number of task slots must be at least one.",
            keys::SLOTS.name()
        ))),
    }
}
