//! The Java heap (OOM908, OOM947, OOM963).

use super::amount;
use super::by_version::{incremental, java_flag, state_backend};
use super::proof::{Case, Draft, Room, changes};
use super::{Advice, Step, job_code, jobmanager, mib};
use crate::flink::keys;
use crate::model::{Bytes, Component, Role};
use crate::plan::Backend;
use crate::recommend::change::Change;
use crate::recommend::option;

/// A heap of so much more, in hundredths of what lives, collects without one collection following another
/// (`recommend::from_use`).
const FOR_LIVE: u64 = 200;

/// The least that a heap gets more where nothing shows how much lives.
const LEAST: Bytes = Bytes::mib(256);

const PARALLELISM: &str = "parallelism.default";

const SOURCE: &str = "G1 and Parallel collect the old generation when it is full: what lives has to leave room for \
                      what is made (recommend::from_use, measured on live TaskManagers)";

/// OOM908, OOM947.
pub(super) fn small(case: &Case<'_>, advice: &mut Advice) {
    let seen = &case.patient.evidence;
    if case.patient.role == Role::JobManager && seen.latency_tracking {
        return jobmanager::latency(case, advice);
    }
    if seen.leak {
        return leak(case, advice);
    }
    if case.is_taskmanager() && (seen.heap_state || on_heap(case)) {
        return state_surge(case, advice);
    }
    larger(case, advice);
    if case.is_taskmanager() {
        fewer_at_once(case, advice);
    }
    dump(case, advice);
}

/// OOM963.
pub(super) fn state_surge(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.role == Role::JobManager {
        return small(case, advice);
    }
    rocksdb(case, advice);
    without_managed(case, advice);
    if case.patient.evidence.leak {
        advice.refused.push("more heap: what lives only grows, and a larger heap dies later".to_owned());
    } else if case.patient.evidence.heap_live.is_some() {
        larger(case, advice);
    } else {
        advice.refused.push(
            "more heap by a guess: state on the heap grows with its keys, and how much lives is not shown; a log of \
             collections or oomph attach shows it"
                .to_owned(),
        );
    }
    spread(case, advice);
}

/// Whether the configuration puts state on the heap.
fn on_heap(case: &Case<'_>) -> bool {
    Backend::of(&case.settings().unheard()) == Backend::Heap
}

/// State in RocksDB, checkpointed incrementally.
fn rocksdb(case: &Case<'_>, advice: &mut Advice) {
    let mut steps = case.put(state_backend(case), "rocksdb");
    steps.extend(case.put(incremental(case), "true"));
    // Managed memory that was taken away because nobody used it is RocksDB's only bound.
    let none = case
        .before
        .as_ref()
        .is_some_and(|survey| !case.is_cut_off() && survey.plan.budget.size(Component::Managed) < Bytes::mib(64));
    if none {
        let names = [keys::MANAGED_SIZE.name(), keys::MANAGED_FRACTION.name()];
        let set = names.into_iter().filter(|name| case.value(name).is_some());
        steps.extend(set.map(|name| Step::Change(Change::remove(name))));
    }
    case.offer(
        advice,
        Draft {
            title: "state in RocksDB, with incremental checkpoints".to_owned(),
            steps,
            risk: "each access serialises: some jobs are several times slower; recovery from incremental checkpoints \
                   takes longer. A savepoint carries the state over, a checkpoint does not"
                .to_owned(),
            watch: "records a second, the time of a checkpoint, and the heap after full collections".to_owned(),
            why: "state on the heap grows with its keys until the heap is full; RocksDB keeps it on disk and takes \
                  managed memory, which has a bound"
                .to_owned(),
            source: "seen to work: state.backend.type rocksdb in the same process of 1024m that died with hashmap \
                     (Flink 1.20.5); Flink's large_state_tuning page",
            ..Draft::default()
        },
    );
}

/// Managed memory that nobody uses, given to the heap.
fn without_managed(case: &Case<'_>, advice: &mut Advice) {
    let seen = &case.patient.evidence;
    let managed = case.size(Room::Part(Component::Managed)).unwrap_or_default();
    if managed == Bytes::ZERO || seen.python || seen.batch || seen.rocksdb || case.is_cut_off() {
        return;
    }
    let mut steps = vec![Step::set(keys::MANAGED_FRACTION.name(), "0.0")];
    if case.value(keys::MANAGED_SIZE.name()).is_some() {
        steps = vec![Step::set(keys::MANAGED_SIZE.name(), "0b")];
    }
    let shortfall = case.patient.shortfall;
    case.offer(
        advice,
        Draft {
            title: format!("the heap gets {} of managed memory that state on the heap does not use", mib(managed)),
            steps,
            room: Some((Room::Heap, shortfall)),
            more: Some("it costs nothing: nobody used it".to_owned()),
            risk: "a job with RocksDB, Python functions or batch operators in this cluster fails for want of it; \
                   state that still grows fills this heap too"
                .to_owned(),
            watch: "the heap after full collections over a day of load".to_owned(),
            why: "state backends on the heap take no managed memory, and it lies idle beside a heap that is \
                  full"
                .to_owned(),
            source: "HashMapStateBackend.useManagedMemory is false, Flink 1.13 to 2.3",
            ..Draft::default()
        },
    );
}

/// A larger heap: by what lives in it where that is known.
fn larger(case: &Case<'_>, advice: &mut Advice) {
    let live = case.patient.evidence.heap_live;
    let target = amount::target(case, Room::Heap, live.map(|live| (live, FOR_LIVE)), LEAST);
    let title = "a larger heap".to_owned();
    let draft = |steps: Vec<Step>| Draft {
        title: title.clone(),
        steps,
        room: Some((Room::Heap, target.shortfall)),
        more: target.more.clone(),
        risk: "a live set that grows without an end fills any heap: then it is a leak or state, and size is no cure"
            .to_owned(),
        watch: "the heap after full collections: it levels off below two thirds of the new size".to_owned(),
        why: format!("the heap is full of what lives; {}", target.why),
        source: SOURCE,
        ..Draft::default()
    };
    let frame = option::frame(case.patient.role);
    let Some(heap) = case.size(Room::Heap) else {
        // Nothing is planned: the total is all there is to turn.
        let size = case.patient.limit.unwrap_or(option::usual_process(case.patient.role));
        let steps = amount::hundredths(size, 150)
            .round_up_to(Bytes::mib(64))
            .map(|size| Step::set(frame.process.name(), option::text(size)));
        let mut draft = draft(steps.into_iter().collect());
        draft.room = None;
        case.offer(advice, draft);
        return;
    };
    // The heap alone, with managed memory as it is: the process grows by little more.
    if let Some(changes) = case.with_heap_alone(target.size) {
        let steps: Vec<Step> = changes.into_iter().map(Step::Change).collect();
        let container = case.container_step(&steps);
        let mut alone = draft(steps.into_iter().chain(container).collect());
        alone.title = "a larger heap, and managed memory as it is".to_owned();
        case.try_offer(advice, alone);
    }
    let grown = case.with_larger_total_to(Room::Heap, target.size, target.shortfall.is_some() && target.more.is_none());
    if let Some(changes) = grown {
        let steps: Vec<Step> = changes.into_iter().map(Step::Change).collect();
        let container = case.container_step(&steps);
        case.offer(advice, draft(steps.into_iter().chain(container).collect()));
        return;
    }
    // Parts are set one by one: the heap's own key.
    let key = match case.patient.role {
        Role::TaskManager => keys::TASK_HEAP,
        Role::JobManager => keys::JM_HEAP,
    };
    let own = option::reading(&case.settings().unheard(), key);
    let by = target.size.checked_sub(heap).unwrap_or_default();
    if let Some(size) = own.and_then(|own| own.checked_add(by)) {
        let steps = vec![Step::set(key.name(), option::text(size))];
        let steps = match case.with_larger_total(&changes(&steps), Room::Heap) {
            Some(all) if case.with(&changes(&steps)).is_none() => all.into_iter().map(Step::Change).collect(),
            _ => steps,
        };
        case.offer(advice, draft(steps));
    }
}

/// Less at a time on each TaskManager.
fn fewer_at_once(case: &Case<'_>, advice: &mut Advice) {
    let slots = case.before.as_ref().and_then(|survey| survey.plan.slots.as_ref()?.as_ref().ok()).map(|s| s.count);
    if let Some(slots) = slots.filter(|slots| *slots > 1) {
        case.offer(
            advice,
            Draft {
                title: "fewer slots, so that fewer tasks share the heap".to_owned(),
                steps: vec![Step::set(keys::SLOTS.name(), slots.div_ceil(2).to_string())],
                risk: "the job needs twice as many TaskManagers".to_owned(),
                watch: "the heap after full collections, and free slots".to_owned(),
                why: format!("{slots} slots share one heap, and each task in them has buffers and batches of its own"),
                source: "TaskManagerOptions.NUM_TASK_SLOTS: memory is divided, the heap is not",
                ..Draft::default()
            },
        );
    }
}

/// Less state for each task.
fn spread(case: &Case<'_>, advice: &mut Advice) {
    let parallelism = case.value(PARALLELISM).and_then(|text| text.trim().parse::<u32>().ok());
    let mut steps = Vec::new();
    if let Some(parallelism) = parallelism {
        steps.push(Step::set(PARALLELISM, parallelism.saturating_mul(2).to_string()));
        steps.push(Step::advice("twice as many TaskManagers, or the same state shares the same heaps"));
    } else {
        steps.push(Step::advice("a higher parallelism over more TaskManagers: less state for each task"));
    }
    steps.push(job_code::expiring_state());
    case.offer(
        advice,
        Draft {
            title: "less state for each task: more parallelism, and state that expires".to_owned(),
            steps,
            risk: "rescaling starts from a savepoint or checkpoint; up to max parallelism only".to_owned(),
            watch: "the size of a full checkpoint divided by the parallelism".to_owned(),
            why: "state is divided by key: twice the tasks hold half each; aggregating before the window and smaller \
                  windows keep less"
                .to_owned(),
            source: "seen to work: more parallelism, earlier aggregation and smaller windows beside RocksDB; \
                     checkpoints stayed within a second",
            ..Draft::default()
        },
    );
}

/// A heap that only grows.
fn leak(case: &Case<'_>, advice: &mut Advice) {
    advice.refused.push("more heap: what lives only grows, and a larger heap dies later".to_owned());
    dump(case, advice);
    case.offer(
        advice,
        Draft {
            title: "state and caches of the job that end".to_owned(),
            steps: vec![job_code::closed_with_the_job(), job_code::expiring_state()],
            risk: "state that expires is gone: the time to live has to be longer than the job needs it".to_owned(),
            watch: "the heap after full collections over a day".to_owned(),
            why: "collections in fields, statics and state without a time to live keep every key that ever came"
                .to_owned(),
            source: "FLINK-10471: state with a time to live is cleaned where that is asked for",
            ..Draft::default()
        },
    );
}

/// What shows who holds the heap.
fn dump(case: &Case<'_>, advice: &mut Advice) {
    let keys = [keys::JAVA_OPTS_TM, keys::JAVA_OPTS_JM, keys::JAVA_OPTS].map(|key| key.name());
    if keys.into_iter().filter_map(|key| case.value(key)).any(|opts| opts.contains("HeapDumpOnOutOfMemoryError")) {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "a heap dump of the next death".to_owned(),
            steps: vec![java_flag(case, "-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/tmp/oomph.hprof")],
            risk: "a file as large as the heap: /tmp has to have room, and it holds the job's data".to_owned(),
            watch: "the dominators of the dump: who holds the largest share".to_owned(),
            why: "it tells whether state, a connector's batch or a leak filled the heap".to_owned(),
            source: "HotSpot: -XX:+HeapDumpOnOutOfMemoryError",
            ..Draft::default()
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::flink::profile::Profile;
    use crate::plan::{Deployment, Question};
    use crate::recommend::cure::{Evidence, Patient, cure};

    /// The first step against a full heap of a process of which nothing is known.
    fn first_step(role: Role) -> Option<Step> {
        let profile = Profile::newest();
        let question = Question {
            role,
            deployment: Deployment::Yarn,
            consumers: Vec::new(),
            managed_backend: true,
            stores: Vec::new(),
        };
        let advice = cure(&Patient {
            role,
            config: &Config::new(),
            whole: false,
            profile,
            version: profile.version(),
            question: &question,
            cause: "OOM947",
            limit: None,
            usage: None,
            shortfall: None,
            evidence: Evidence::default(),
        });
        advice.recommendations.first()?.steps.first().cloned()
    }

    #[test]
    fn without_a_plan_a_process_grows_from_what_flink_gives_its_role() {
        // Half as much again of 1728 MiB and of 1600 MiB, in whole 64 MiB.
        let process = |key: &str, size: &str| Some(Step::set(key, size));
        assert_eq!(first_step(Role::TaskManager), process("taskmanager.memory.process.size", "2624m"));
        assert_eq!(first_step(Role::JobManager), process("jobmanager.memory.process.size", "2432m"));
    }
}
