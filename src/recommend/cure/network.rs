//! Network buffers (OOM956).

use super::proof::{Case, Draft, Room};
use super::{Advice, Step, amount, mib};
use crate::flink::keys;
use crate::model::{Bytes, Component};
use crate::recommend::network;

/// `TaskManagerOptions.NETWORK_MEMORY_MIN` by default, Flink 1.9 to 2.3.
const USUAL: Bytes = Bytes::mib(64);

/// `MemoryManager.DEFAULT_PAGE_SIZE`.
const SEGMENT: Bytes = Bytes::kib(32);

/// What is put on top of what a job must have, in hundredths: floating and overdraft buffers come when they are free.
const FOR_NEED: u64 = 125;

const SOURCE: &str = "NetworkBufferPool: what a gate must have is taken when it starts, floating buffers as they are \
                      free, Flink 1.5 to 2.3; seen to work: network.max 8mb to 64mb in the place of 320kb (Flink \
                      1.20.5)";

/// OOM956.
pub(super) fn short(case: &Case<'_>, advice: &mut Advice) {
    larger(case, advice);
    fewer_buffers(case, advice);
    advice.refused.push("a larger heap or managed memory: buffers are beside both".to_owned());
}

fn larger(case: &Case<'_>, advice: &mut Advice) {
    let room = Room::Part(Component::Network);
    let need = case.patient.evidence.network_need.map(|need| (need, FOR_NEED));
    let mut target = amount::target(case, room, need, USUAL);
    let size = case.size(room);
    let unknown = target.shortfall.is_none() && case.patient.evidence.network_need.is_none();
    if size.is_none_or(|size| size < USUAL) && (unknown || target.size < USUAL) {
        target.size = USUAL;
        target.more = Some(format!(
            "{} is Flink's own default for the least, and a job's next stage asks for its own",
            mib(USUAL)
        ));
        target.why = format!("{} is below Flink's default of {}", size.map_or("it".to_owned(), mib), mib(USUAL));
    }
    let draft = |steps: Vec<Step>| Draft {
        title: format!("network memory of {}", mib(target.size)),
        steps,
        room: Some((room, target.shortfall)),
        more: target.more.clone(),
        risk: "a higher parallelism or more shuffles ask for more again: what a gate needs goes with its channels"
            .to_owned(),
        watch: "Status.Shuffle.Netty.UsedMemory against its total".to_owned(),
        why: format!("the job's gates and partitions could not have their buffers; {}", target.why),
        source: SOURCE,
        ..Draft::default()
    };
    let planned = case.before.as_ref().and_then(|before| {
        let segment = match &before.plan.network_buffers {
            Some(Ok(buffers)) => buffers.segment.bytes,
            _ => SEGMENT,
        };
        let buffers = target.size.get().div_ceil(segment.get().max(1));
        let patient = case.patient;
        network::cure(patient.config, patient.profile, patient.question, &before.plan, buffers, segment)
    });
    if let Some(cure) = planned {
        return case.offer_within_and_beyond(advice, draft(cure.changes.into_iter().map(Step::Change).collect()));
    }
    let (min, max) = match case.has(keys::NETWORK_MIN.name()) {
        true => (keys::NETWORK_MIN.name(), keys::NETWORK_MAX.name()),
        false => (keys::NETWORK_MIN_1_9.name(), keys::NETWORK_MAX_1_9.name()),
    };
    let text = format!("{}m", target.size.get().div_ceil(1 << 20));
    case.offer_within_and_beyond(advice, draft(vec![Step::set(min, text.as_str()), Step::set(max, text.as_str())]));
}

/// Fewer buffers for each channel of a batch job's shuffles.
fn fewer_buffers(case: &Case<'_>, advice: &mut Advice) {
    let key = keys::BUFFERS_PER_CHANNEL.name();
    if !case.patient.evidence.batch || !case.has(key) {
        return;
    }
    let mut steps = vec![Step::set(key, "0")];
    if case.has(keys::SORT_MIN_PARALLELISM.name()) {
        steps.push(Step::set(keys::SORT_MIN_PARALLELISM.name(), "1"));
    }
    case.offer(
        advice,
        Draft {
            title: "buffers that do not go with the parallelism".to_owned(),
            steps,
            risk: "channels share floating buffers, which can be slower; for blocking shuffles only".to_owned(),
            watch: "the time of the stages that shuffle".to_owned(),
            why: "two buffers for each of parallelism x parallelism channels are what is asked for".to_owned(),
            source: "https://github.com/apache/flink/pull/18757: buffers-per-channel 0 and sort shuffle for batch jobs",
            ..Draft::default()
        },
    );
}
