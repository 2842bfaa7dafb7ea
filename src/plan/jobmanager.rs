//! A JobManager's memory since 1.11 (`JobManagerProcessUtils`, `JobManagerFlinkMemoryUtils`).

use super::process::{self, Frame, Mode, ProcessKeys};
use super::rejection::{ExceptionClass, Outcome, Reason, Rejection};
use super::settings::{Level, Settings, StandIn};
use super::{Deployment, legacy_heap};
use crate::config::environment;
use crate::flink::keys;
use crate::flink::memory_size::human;
use crate::model::{Budget, Bytes, Component, Derivation, Figure, Quantity, Role, Term};

const KEYS: ProcessKeys = ProcessKeys {
    fine_grained: &[keys::JM_HEAP],
    flink: keys::JM_FLINK,
    process: keys::JM_PROCESS,
    metaspace: keys::JM_METASPACE,
    overhead_min: keys::JM_OVERHEAD_MIN,
    overhead_max: keys::JM_OVERHEAD_MAX,
    overhead_fraction: keys::JM_OVERHEAD_FRACTION,
};

/// Below this heap a JobManager is warned about (`JobManagerOptions.MIN_JVM_HEAP_SIZE`).
const RECOMMENDED_HEAP: Bytes = Bytes::mib(128);

/// The budget of a JobManager and the mode it was derived in.
pub fn budget(settings: &Settings<'_>) -> Outcome<(Budget, Mode)> {
    let mode = process::mode(settings, &KEYS)?;
    let (heap, off_heap, flink, frame) = match mode {
        Mode::FineGrained => {
            let (heap, off_heap) = from_heap(settings)?;
            let terms = terms(&heap, &off_heap);
            let total = process::sum(&terms)?;
            let flink = if settings.is_set(keys::JM_FLINK) {
                settings.memory_size(keys::JM_FLINK)?
            } else {
                Figure::derived(total, Derivation::Sum(terms))
            };
            let frame = process::around_total_flink(settings, &KEYS, flink.bytes)?;
            (heap, off_heap, flink, frame)
        }
        Mode::TotalFlink => {
            let flink = settings.memory_size(keys::JM_FLINK)?;
            let (heap, off_heap) = from_total_flink(settings, flink.bytes)?;
            let frame = process::around_total_flink(settings, &KEYS, flink.bytes)?;
            (heap, off_heap, flink, frame)
        }
        _ => {
            let (frame, flink) = process::from_total_process(settings, &KEYS)?;
            let (heap, off_heap) = from_total_flink(settings, flink.bytes)?;
            (heap, off_heap, flink, frame)
        }
    };
    let Frame { metaspace, overhead, process } = frame;
    let parts = vec![
        (Component::Heap, heap),
        (Component::OffHeap, off_heap),
        (Component::JvmMetaspace, metaspace),
        (Component::JvmOverhead, overhead),
    ];
    let budget = Budget::new(Role::JobManager, parts, flink, process)
        .map_err(|e| Rejection::illegal_argument(format!("oomph: {e}")))?;
    Ok((budget, mode))
}

/// A rejection as this version reports it.
pub fn reported(settings: &Settings<'_>, deployment: Deployment, rejection: Box<Rejection>) -> Box<Rejection> {
    let prefixed = settings.profile().behaviour.jobmanager_rejection_prefix && deployment != Deployment::None;
    if prefixed && rejection.is_illegal_configuration() {
        let message = format!("JobManager memory configuration failed: {}", rejection.exception.message);
        return rejection.wrapped(ExceptionClass::IllegalConfiguration, message);
    }
    rejection
}

/// The heap key of Flink 1.9 or its environment variable, read in a newer option's place.
pub fn legacy_total(settings: &Settings<'_>, deployment: Deployment) -> Outcome<Option<StandIn>> {
    let target = match deployment {
        Deployment::None => return Ok(None),
        Deployment::Standalone => keys::JM_HEAP,
        Deployment::Yarn | Deployment::Kubernetes => keys::JM_PROCESS,
    };
    let legacy = legacy_heap::Keys { variable: environment::JM_HEAP, size: keys::JM_HEAP_SIZE, mb: keys::JM_HEAP_MB };
    legacy_heap::map(settings, target, legacy)
}

fn terms(heap: &Figure, off_heap: &Figure) -> Vec<Term> {
    vec![
        Term::new(Quantity::Part(Component::Heap), heap.bytes),
        Term::new(Quantity::Part(Component::OffHeap), off_heap.bytes),
    ]
}

/// The heap is set: off-heap is what total Flink memory leaves, where that is set and off-heap is not
/// (`deriveFromRequiredFineGrainedOptions`).
fn from_heap(settings: &Settings<'_>) -> Outcome<(Figure, Figure)> {
    let heap = settings.memory_size(keys::JM_HEAP)?;
    let mut off_heap = settings.memory_size(keys::JM_OFF_HEAP)?;
    if settings.is_set(keys::JM_FLINK) {
        let flink = settings.memory_size(keys::JM_FLINK)?.bytes;
        let whole = Term::new(Quantity::TotalFlink, flink);
        let consistent = "Please, make the configuration consistent or configure only one option: either JVM Heap or Total Flink Memory.";
        if settings.is_set(keys::JM_OFF_HEAP) {
            let parts = terms(&heap, &off_heap);
            if process::sum(&parts)? != flink {
                let message = format!(
                    "Sum of the configured JVM Heap Memory ({}) and the configured Off-heap Memory ({}) does not match \
                     the configured Total Flink Memory ({}). {consistent}",
                    human(heap.bytes),
                    human(off_heap.bytes),
                    human(flink)
                );
                let reason = Reason::DoesNotAddUp { parts, whole };
                return Err(Rejection::illegal_configuration(message).because(reason));
            }
        } else {
            let parts = vec![Term::new(Quantity::Part(Component::Heap), heap.bytes)];
            let Some(rest) = flink.checked_sub(heap.bytes) else {
                let message = format!(
                    "The configured JVM Heap Memory ({}) exceeds the configured Total Flink Memory ({}). {consistent}",
                    human(heap.bytes),
                    human(flink)
                );
                return Err(Rejection::illegal_configuration(message).because(Reason::DoesNotFit { parts, whole }));
            };
            if rest != off_heap.bytes {
                settings.notice(
                    Level::Info,
                    format!(
                        "The Off-Heap Memory size ({}) is derived the configured Total Flink Memory size ({}) minus the \
                         configured JVM Heap Memory size ({}). The default Off-Heap Memory size ({}) is ignored.",
                        human(rest),
                        human(flink),
                        human(heap.bytes),
                        human(off_heap.bytes)
                    ),
                );
            }
            off_heap = Figure::derived(rest, Derivation::Remainder { whole, parts });
        }
    }
    warn_of_small_heap(settings, heap.bytes);
    Ok((heap, off_heap))
}

/// Total Flink memory is known: heap is what off-heap leaves (`deriveFromTotalFlinkMemory`).
fn from_total_flink(settings: &Settings<'_>, flink: Bytes) -> Outcome<(Figure, Figure)> {
    let off_heap = settings.memory_size(keys::JM_OFF_HEAP)?;
    let whole = Term::new(Quantity::TotalFlink, flink);
    let parts = vec![Term::new(Quantity::Part(Component::OffHeap), off_heap.bytes)];
    // A heap of nothing is refused too.
    let Some(rest) = flink.checked_sub(off_heap.bytes).filter(|rest| *rest > Bytes::ZERO) else {
        let message = format!(
            "The configured Total Flink Memory ({}) is less than the configured Off-heap Memory ({}).",
            human(flink),
            human(off_heap.bytes)
        );
        return Err(Rejection::illegal_configuration(message).because(Reason::DoesNotFit { parts, whole }));
    };
    warn_of_small_heap(settings, rest);
    Ok((Figure::derived(rest, Derivation::Remainder { whole, parts }), off_heap))
}

fn warn_of_small_heap(settings: &Settings<'_>, heap: Bytes) {
    if heap < RECOMMENDED_HEAP {
        settings.notice(
            Level::Warn,
            format!(
                "The configured or derived JVM heap memory size ({}) is less than its recommended minimum value ({})",
                human(heap),
                human(RECOMMENDED_HEAP)
            ),
        );
    }
}
