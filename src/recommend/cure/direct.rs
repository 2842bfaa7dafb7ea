//! Direct memory (OOM913, OOM950).

use super::amount;
use super::proof::{Case, Draft, Room};
use super::{Advice, Step, mib, native};
use crate::flink::key::{Key, Size};
use crate::flink::keys;
use crate::model::{Bytes, Component, Role};
use crate::recommend::option;

/// `TaskManagerOptions.FRAMEWORK_OFF_HEAP_MEMORY` and `JobManagerOptions.OFF_HEAP_MEMORY` by default, Flink 1.10 to
/// 2.3.
const USUAL: Bytes = Bytes::mib(128);

/// The least that user code gets where nothing shows how much it needs: eight chunks of netty's.
const LEAST: Bytes = Bytes::mib(128);

const SOURCE: &str = "-XX:MaxDirectMemorySize is framework off-heap, task off-heap and network memory (Flink 1.10 to \
                      2.3); seen to work: framework.off-heap.size 128m in the place of 8m (Flink 1.20.5)";

/// OOM913, OOM950.
pub(super) fn small(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return native::leak(case, advice);
    }
    if case.is_cut_off() {
        native::larger_overhead(case, advice);
        advice.refused.push("a larger heap: in this model it takes what direct memory has".to_owned());
        return;
    }
    match case.patient.role {
        Role::JobManager => larger(case, advice, Component::OffHeap, keys::JM_OFF_HEAP),
        Role::TaskManager => {
            let flinks = case.patient.evidence.direct_is_flinks;
            let framework = case.size(Room::Part(Component::FrameworkOffHeap));
            let below = framework.is_some_and(|size| size < USUAL);
            // What is below the default is put back first, whoever asked.
            if flinks == Some(true) || below || flinks.is_none() && case.patient.evidence.batch {
                larger(case, advice, Component::FrameworkOffHeap, keys::FRAMEWORK_OFF_HEAP);
            }
            if flinks != Some(true) && !(below && flinks.is_none()) {
                larger(case, advice, Component::TaskOffHeap, keys::TASK_OFF_HEAP);
            }
            if case.patient.evidence.batch {
                less_read_memory(case, advice);
            }
        }
    }
    advice.refused.push("a larger heap: direct memory has a limit of its own beside it".to_owned());
}

fn larger(case: &Case<'_>, advice: &mut Advice, component: Component, key: Key<Size>) {
    let room = Room::Part(component);
    let size = case.size(room).unwrap_or_default();
    let mut target = amount::target(case, room, None, LEAST);
    if component != Component::TaskOffHeap && size < USUAL && (target.shortfall.is_none() || target.size < USUAL) {
        target.size = USUAL;
        target.more = Some(format!("{} is Flink's own default", mib(USUAL)));
        target.why = format!("{} is below Flink's default of {}", mib(size), mib(USUAL));
    }
    let whose = match component {
        Component::TaskOffHeap => "connectors and clients of the job allocate from it",
        _ => "netty and the buffers that a batch shuffle is read with allocate from it",
    };
    case.offer_within_and_beyond(
        advice,
        Draft {
            title: format!("{} of {}", component.label(), mib(target.size)),
            steps: vec![Step::set(key.name(), option::text(target.size))],
            room: Some((room, target.shortfall)),
            more: target.more,
            risk: "a client that never gives buffers back fills any limit: then it is a leak".to_owned(),
            watch: "Status.JVM.Memory.Direct.MemoryUsed against -XX:MaxDirectMemorySize".to_owned(),
            why: format!("direct memory was at its limit, and {whose}; {}", target.why),
            source: SOURCE,
            ..Draft::default()
        },
    );
}

/// Less memory to read a batch shuffle with, where it is more than framework off-heap holds.
fn less_read_memory(case: &Case<'_>, advice: &mut Advice) {
    let key = keys::BATCH_SHUFFLE_READ;
    let settings = case.settings().unheard();
    let (Some(read), Some(framework)) =
        (option::reading(&settings, key), case.size(Room::Part(Component::FrameworkOffHeap)))
    else {
        return;
    };
    let half = Bytes::new(((framework.get() / 2) >> 20) << 20);
    if read <= half || half < Bytes::mib(4) {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: format!("{} to read a batch shuffle with", mib(half)),
            steps: vec![Step::set(key.name(), option::text(half))],
            risk: "large shuffles are read with more, smaller requests".to_owned(),
            watch: "the time of the stages that read".to_owned(),
            why: format!("it may take {} of a framework off-heap memory of {}", mib(read), mib(framework)),
            source: "TaskManagerOptions.NETWORK_BATCH_SHUFFLE_READ_MEMORY, Flink 1.13 to 2.3",
            ..Draft::default()
        },
    );
}
