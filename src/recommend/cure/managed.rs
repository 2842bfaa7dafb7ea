//! Managed memory that could not be had (OOM957).

use super::amount;
use super::proof::{Case, Draft, Room};
use super::{Advice, Step, mib};
use crate::flink::keys;
use crate::model::{Bytes, Component};
use crate::recommend::change::Change;
use crate::recommend::option;

const SOURCE: &str = "MemoryManager.reserveMemory, MemoryReservationException; managed memory is divided evenly among \
                      slots, Flink 1.10 to 2.3 (FLINK-29928)";

/// OOM957.
pub(super) fn short(case: &Case<'_>, advice: &mut Advice) {
    weights(case, advice);
    fewer_slots(case, advice);
    larger(case, advice);
    advice.refused.push("more heap: managed memory is beside it".to_owned());
}

/// A consumer that is not among the weights has none.
fn weights(case: &Case<'_>, advice: &mut Advice) {
    let key = keys::CONSUMER_WEIGHTS.name();
    if case.value(key).is_none() && case.patient.config.with_prefix(&format!("{key}.")).next().is_none() {
        return;
    }
    let mut steps = vec![Step::Change(Change::remove(key))];
    let prefixed = case.patient.config.with_prefix("taskmanager.memory.managed.consumer-weights.");
    steps.extend(prefixed.map(|(key, _)| Step::Change(Change::remove(key))));
    case.offer(
        advice,
        Draft {
            title: "the usual shares for everybody who takes managed memory".to_owned(),
            steps,
            risk: "who had more than its usual share has less".to_owned(),
            watch: "Status.Flink.Memory.Managed.Used".to_owned(),
            why: "weights that are set replace all defaults: who is not named gets nothing".to_owned(),
            source: "TaskManagerOptions.MANAGED_MEMORY_CONSUMER_WEIGHTS, Flink 1.12 to 2.3",
            ..Draft::default()
        },
    );
}

fn fewer_slots(case: &Case<'_>, advice: &mut Advice) {
    let slots = case.before.as_ref().and_then(|survey| survey.plan.slots.as_ref()?.as_ref().ok()).map(|s| s.count);
    let Some(slots) = slots.filter(|slots| *slots > 1) else { return };
    case.offer(
        advice,
        Draft {
            title: "fewer slots, so that each has more of it".to_owned(),
            steps: vec![Step::set(keys::SLOTS.name(), slots.div_ceil(2).to_string())],
            risk: "the job needs twice as many TaskManagers".to_owned(),
            watch: "free slots, and Status.Flink.Memory.Managed.Used".to_owned(),
            why: format!("managed memory is divided by {slots}, whether a slot needs its share or not"),
            source: SOURCE,
            ..Draft::default()
        },
    );
}

fn larger(case: &Case<'_>, advice: &mut Advice) {
    let target = amount::target(case, Room::Part(Component::Managed), None, Bytes::mib(128));
    let mut steps = vec![Step::set(keys::MANAGED_SIZE.name(), option::text(target.size))];
    if case.value(keys::MANAGED_FRACTION.name()).is_some() {
        steps.push(Step::Change(Change::remove(keys::MANAGED_FRACTION.name())));
    }
    if case.is_cut_off() {
        steps = vec![Step::set(keys::MANAGED_SIZE_1_9.name(), format!("{}m", target.size.get().div_ceil(1 << 20)))];
    }
    case.offer_within_and_beyond(
        advice,
        Draft {
            title: format!("managed memory of {}", mib(target.size)),
            steps,
            room: (!case.is_cut_off()).then_some((Room::Part(Component::Managed), target.shortfall)),
            more: target.more,
            risk: "batch operators and RocksDB take what they are given; what they need is less than what they use"
                .to_owned(),
            watch: "Status.Flink.Memory.Managed.Used".to_owned(),
            why: format!("a slot's managed memory was all reserved; {}", target.why),
            source: SOURCE,
            ..Draft::default()
        },
    );
}
