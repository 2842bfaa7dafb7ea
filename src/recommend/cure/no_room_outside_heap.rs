//! Heap and direct memory fill the container: the cut-off model of Flink 1.9 and earlier plans nothing for RocksDB,
//! metaspace, compiled code and thread stacks (OOM954).

use super::amount;
use super::by_version::since;
use super::proof::{Case, Draft, Room};
use super::{Advice, Step, allocator, job_code, mib, native};
use crate::flink::keys;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Role};
use crate::recommend::option;

/// The cut-off where no shortfall is shown, as a share of the container: twice the default of 0.25.
const CUTOFF_RATIO: &str = "0.5";

/// JVM Overhead that was seen to work for a container of 4 GiB whose native memory grew outside RocksDB's cache.
const OVERHEAD_SEEN: (Bytes, Bytes) = (Bytes::mib(1024), Bytes::mib(2048));

/// The process that was seen to work with it, against the container before: 6144m for 4096m.
const PROCESS_SEEN: u64 = 150;

const SEEN: &str = "seen to work over 14 days: RocksDB in managed memory, taskmanager.memory.jvm-overhead.min 1024m, \
                    .max 2048m and process.size 6144m for containers of 4096 MiB that had died after 5 to 6 days";

/// OOM954.
pub(super) fn cures(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        return native::leak(case, advice);
    }
    if case.is_cut_off() {
        larger_cut_off(case, advice);
        larger_cut_off_and_container(case, advice);
    }
    budget_of_its_own(case, advice);
    allocator::offer(case, advice);
    advice.refused.push(
        "a larger -Xmx: heap and direct memory together are the container already, and what native code needs lies \
         outside of both"
            .to_owned(),
    );
    if case.is_cut_off() {
        advice.refused.push(
            "a larger container alone: in the cut-off model three quarters of what is added go to the heap and the \
             rest to the cut-off, which the limit of direct memory contains; native memory still has no bound"
                .to_owned(),
        );
    } else {
        advice.refused.push(
            "a larger container alone: a heap and a limit of direct memory that are set by flags take what is added"
                .to_owned(),
        );
    }
    advice
        .refused
        .push("fewer slots or another state backend object alone: neither plans a byte outside the heap".to_owned());
}

/// The keys of 1.9 in the same container: the heap pays.
fn larger_cut_off(case: &Case<'_>, advice: &mut Advice) {
    let target = amount::target(case, Room::Overhead, None, Bytes::mib(256));
    let steps = match target.shortfall {
        Some(_) => native::overhead_steps(case, target.size),
        None => vec![Step::set(keys::CUTOFF_RATIO.name(), CUTOFF_RATIO)],
    };
    let heap = case.with(&super::proof::changes(&steps)).map(|survey| survey.plan.budget.heap());
    if let (Some(heap), Some(live)) = (heap, case.patient.evidence.heap_live)
        && heap < amount::least_heap(live)
    {
        let line = format!(
            "a larger cut-off in the same container: the heap would be {} with {} that live in it",
            mib(heap),
            mib(live)
        );
        advice.refused.push(line);
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "a larger cut-off, in the container as it is".to_owned(),
            steps,
            room: Some((Room::Overhead, target.shortfall)),
            more: Some("the cut-off is in whole mebibytes".to_owned()),
            risk: format!(
                "the heap pays for it{}; RocksDB has no bound in this version, so more states or slots outgrow it \
                 again",
                heap.map(|heap| format!(" and becomes {}", mib(heap))).unwrap_or_default()
            ),
            watch: "the resident set of the container over six days, and full collections of the smaller \
                    heap"
                .to_owned(),
            why: format!(
                "heap and direct memory fill the container, and RocksDB, metaspace, code and stacks share what the \
                 cut-off leaves; {}",
                target.why
            ),
            source: "ContaineredTaskManagerParameters, Flink 1.9: the cut-off is all that is left for native memory, \
                     and -XX:MaxDirectMemorySize contains it",
            ..Draft::default()
        },
    );
}

/// The same with a container that is larger by as much, so that the heap stays.
fn larger_cut_off_and_container(case: &Case<'_>, advice: &mut Advice) {
    let Some(container) = case.process() else { return };
    let target = amount::target(case, Room::Overhead, None, Bytes::mib(256));
    let steps = native::overhead_steps(case, target.size);
    let Some(all) = case.with_larger_total(&super::proof::changes(&steps), Room::Overhead) else { return };
    case.offer(
        advice,
        Draft {
            title: "a larger cut-off and a container that grows with it".to_owned(),
            steps: all.into_iter().map(Step::Change).collect(),
            room: Some((Room::Overhead, target.shortfall)),
            more: Some("the cut-off is in whole mebibytes".to_owned()),
            risk: "RocksDB has no bound in this version: more states or slots outgrow it again".to_owned(),
            watch: "the resident set of the container over six days".to_owned(),
            why: format!("the heap stays as it is and what is added to {} goes to native memory", mib(container)),
            source: "ContaineredTaskManagerParameters, Flink 1.9",
            ..Draft::default()
        },
    );
}

/// A version with a budget for native memory: RocksDB in managed memory, overhead with bounds of its own, a process
/// that holds them.
fn budget_of_its_own(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.role != Role::TaskManager {
        native::larger_overhead(case, advice);
        return;
    }
    let patient = case.patient;
    let target = match case.is_cut_off() {
        // The last line of 1.x still reads a flink-conf.yaml and every old name.
        true => Profile::newest_where(|profile| profile.behaviour.legacy_heap_keys).unwrap_or(Profile::newest()),
        false => patient.profile,
    };
    let container = case.process().or(patient.limit);
    let mut steps = Vec::new();
    if case.is_cut_off() {
        steps.push(Step::Upgrade {
            from: patient.version.to_string(),
            to: format!("{}, or any from 1.10 on", target.version()),
            issue: "FLIP-49: memory outside the heap has a budget".to_owned(),
        });
    }
    let frame = option::frame(patient.role);
    // Flags and totals of the old model would win over the new total or contradict it.
    let old = [
        keys::TM_HEAP_SIZE.name(),
        keys::TM_HEAP_MB.name(),
        keys::CUTOFF_RATIO.name(),
        keys::CUTOFF_MIN.name(),
        "yarn.heap-cutoff-ratio",
        "yarn.heap-cutoff-min",
        keys::MANAGED_FRACTION_1_9.name(),
        keys::MANAGED_OFF_HEAP_1_9.name(),
        keys::TM_FLINK.name(),
        keys::TASK_HEAP.name(),
    ];
    let kept_out = old.iter().filter(|key| patient.config.get(key).is_some());
    steps.extend(kept_out.map(|key| Step::Change(super::Change::remove(*key))));
    let (least, most) = overhead(case);
    if let Some(process) = container.and_then(|size| amount::hundredths(size, PROCESS_SEEN).round_up_to(Bytes::mib(64)))
    {
        steps.push(Step::set(frame.process.name(), option::text(process)));
    }
    steps.push(Step::set(frame.overhead.min.name(), format!("{}m", least.whole_mib())));
    steps.push(Step::set(frame.overhead.max.name(), format!("{}m", most.whole_mib())));
    let managed = keys::ROCKSDB.managed.name();
    if case.value(managed).is_some_and(|value| value.eq_ignore_ascii_case("false")) {
        steps.push(Step::set(managed, "true"));
    }
    if patient.evidence.rocksdb || case.is_cut_off() {
        steps.push(job_code::managed_rocksdb(if case.is_cut_off() { target.version() } else { patient.version }));
    }
    let draft = Draft {
        title: "RocksDB in managed memory, JVM Overhead with room, and a process that holds both".to_owned(),
        steps,
        room: Some((Room::OutsideHeap, patient.shortfall)),
        more: Some(
            "managed memory becomes RocksDB's bound, which it did not have, and overhead is what was seen to \
             work"
                .to_owned(),
        ),
        risk: if since(patient.version, 1, 10) {
            "a job that was given its heap by flags finds another one; watch its collections".to_owned()
        } else {
            "another version: take a savepoint, and try the job's connectors against it first".to_owned()
        },
        watch: "state.backend.rocksdb.metrics.block-cache-usage and .size-all-mem-tables against managed memory, and \
                the resident set over two weeks: what grows beside a stable cache is native memory of the job"
            .to_owned(),
        why: "from 1.10 on every part of the container is planned: RocksDB is held to managed memory, and what the \
              JVM and libraries take is JVM Overhead"
            .to_owned(),
        source: SEEN,
        target: Some(target),
    };
    case.offer(advice, draft);
}

/// Overhead as it was seen to work, or by the shortfall where that is more.
fn overhead(case: &Case<'_>) -> (Bytes, Bytes) {
    let short = case.patient.shortfall.map(amount::for_shortfall);
    let wanted = short.and_then(|size| size.round_up_to(Bytes::mib(64))).unwrap_or_default();
    (wanted.max(OVERHEAD_SEEN.0), wanted.max(OVERHEAD_SEEN.1))
}
