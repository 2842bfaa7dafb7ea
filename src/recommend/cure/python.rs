//! Python workers and other processes in the same container (OOM911, OOM959, OOM960).

use super::amount;
use super::proof::{Case, Draft, Room};
use super::{Advice, Step, native};
use crate::flink::keys;
use crate::model::{Bytes, Component};
use crate::recommend::option;

const BUNDLE: &str = "python.fn-execution.bundle.size";
const BATCH: &str = "python.fn-execution.arrow.batch.size";

/// The least that workers get outside of managed memory where nothing shows how much they take: one interpreter with
/// its libraries (`python.fn-execution.framework.memory.size` was 64 MiB, and pandas alone is more).
const LEAST: Bytes = Bytes::mib(256);

/// So many records in a bundle or batch are no load: Flink's own defaults from 1.15 on, 100000 before
/// (`PythonOptions.MAX_BUNDLE_SIZE`).
const FEW: u64 = 1000;

/// What workers get, in hundredths of what they were seen to have.
const ON_TOP: u64 = 125;

const SOURCE: &str = "FLINK-17923, https://github.com/apache/flink/pull/12370; PyFlink 1.12 to 2.3: workers are told \
                      a limit and none of them reads it";

/// OOM959.
pub(super) fn worker_killed(case: &Case<'_>, advice: &mut Advice) {
    let many = [BUNDLE, BATCH].iter().any(|key| records(case, key).is_some_and(|now| now > FEW));
    if many {
        smaller_bundles(case, advice);
    }
    managed(case, advice);
    room_for_workers(case, advice);
    // What a few records take is little beside what a worker keeps for good.
    smaller_bundles(case, advice);
    advice.refused.push("a larger heap: Python workers are processes of their own beside the JVM".to_owned());
}

/// OOM960: the worker itself had no memory for an object.
pub(super) fn worker_memory_error(case: &Case<'_>, advice: &mut Advice) {
    smaller_bundles(case, advice);
    case.offer(
        advice,
        Draft {
            title: "less at a time in the function".to_owned(),
            steps: vec![Step::JobCode {
                java: "// the function is Python's".to_owned(),
                python:
                    "for frame in pandas.read_parquet(path, chunksize=100_000):   # not the whole file at once\n    \
                         yield from work(frame)"
                        .to_owned(),
                why: "a function that holds a whole file, model or group needs room for all of it in each worker"
                    .to_owned(),
            }],
            risk: "none for memory".to_owned(),
            watch: "the resident set of the workers (pyflink-udf-runner)".to_owned(),
            why: "a MemoryError is the interpreter's: one object was larger than what the worker could have".to_owned(),
            source: "CPython: MemoryError; numpy: _ArrayMemoryError names the shape that was asked for",
            ..Draft::default()
        },
    );
    room_for_workers(case, advice);
}

/// OOM911: who else is in the container.
pub(super) fn other_processes(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.python {
        return worker_killed(case, advice);
    }
    case.offer(
        advice,
        Draft {
            title: "a container of its own for what is not Flink".to_owned(),
            steps: vec![Step::advice(
                "run agents and sidecars as containers with limits of their own, not as processes beside the JVM",
            )],
            risk: "a sidecar that is killed restarts alone".to_owned(),
            watch: "the resident sets of all processes in the container".to_owned(),
            why: "Flink plans the whole container for itself".to_owned(),
            source: "Linux: a cgroup's limit counts every process in it",
            ..Draft::default()
        },
    );
    native::larger_overhead(case, advice);
}

/// So many records are in a bundle or a batch at most; nothing where this version has no such option.
fn records(case: &Case<'_>, key: &str) -> Option<u64> {
    case.reading(key)?.trim().parse().ok().filter(|_| case.has(key))
}

fn smaller_bundles(case: &Case<'_>, advice: &mut Advice) {
    let tenth = |key: &str| {
        let now = records(case, key)?;
        (now >= 100).then(|| Step::set(key, (now / 10).to_string()))
    };
    let steps: Vec<Step> = [BUNDLE, BATCH].into_iter().filter_map(tenth).collect();
    if steps.is_empty() {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "smaller bundles and batches".to_owned(),
            steps,
            risk: "more round trips between the JVM and the workers: fewer records a second".to_owned(),
            watch: "the resident set of the workers, and records a second".to_owned(),
            why: "a worker holds a whole bundle, and a pandas function a whole batch, before it gives any of it back"
                .to_owned(),
            source: "PythonOptions.MAX_BUNDLE_SIZE, MAX_ARROW_BATCH_SIZE, Flink 1.10 to 2.3",
            ..Draft::default()
        },
    );
}

/// Workers counted to managed memory.
fn managed(case: &Case<'_>, advice: &mut Advice) {
    let key = keys::PYTHON_MANAGED.name();
    let on = case.reading(key);
    if !case.has(key) || on.is_none_or(|on| on.eq_ignore_ascii_case("true")) {
        return;
    }
    case.offer(
        advice,
        Draft {
            title: "workers counted to managed memory".to_owned(),
            steps: vec![Step::set(key, "true")],
            risk: "what RocksDB and operators had of it becomes less; nothing holds a worker to its share".to_owned(),
            watch: "the resident sets of JVM and workers together".to_owned(),
            why: "the switch that gives workers a share of the container is off".to_owned(),
            source: SOURCE,
            ..Draft::default()
        },
    );
}

/// Room that nobody else fills: workers are not held to a share of managed memory, so what they take has to be left.
pub(super) fn room_for_workers(case: &Case<'_>, advice: &mut Advice) {
    if case.is_cut_off() || !case.is_taskmanager() {
        return native::larger_overhead(case, advice);
    }
    if case.patient.evidence.leak {
        advice.refused.push("more memory: it is a leak, and a larger container only dies later".to_owned());
        return;
    }
    let component = Component::TaskOffHeap;
    let used = case.patient.evidence.python_used.map(|used| (used, ON_TOP));
    let target = amount::target(case, Room::Part(component), used, LEAST);
    case.offer_within_and_beyond(
        advice,
        Draft {
            title: "room for Python workers outside the JVM".to_owned(),
            steps: vec![Step::set(keys::TASK_OFF_HEAP.name(), option::text(target.size))],
            room: Some((Room::Part(component), target.shortfall)),
            more: target.more,
            risk: "it also raises -XX:MaxDirectMemorySize, so a client of direct memory may take it".to_owned(),
            watch: "the resident sets of JVM and workers together against the container".to_owned(),
            why: format!("workers live in the container beside the JVM, and no part is theirs; {}", target.why),
            source: SOURCE,
            ..Draft::default()
        },
    );
}
