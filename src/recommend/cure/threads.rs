//! Counts that run out: threads, mappings, limits of a process (OOM909, OOM910, OOM951, OOM953, OOM971). None of them
//! is memory.

use super::proof::{Case, Draft};
use super::{Advice, Step, allocator, job_code, mib};
use crate::flink::keys;
use crate::model::Deployment;

/// Threads and processes that a TaskManager is let have: it was seen to live with 115, and a connector's pools take
/// hundreds.
const PIDS: u32 = 1024;

/// `vm.max_map_count`: four times the kernel's own 65530, as databases ask for.
const MAPPINGS: u32 = 262_144;

/// OOM909, OOM951.
pub(super) fn limit(case: &Case<'_>, advice: &mut Advice) {
    if case.patient.evidence.leak {
        case.offer(
            advice,
            Draft {
                title: "threads that end with their job".to_owned(),
                steps: vec![job_code::closed_with_the_job()],
                risk: "none for memory".to_owned(),
                watch: "Status.JVM.Threads.Count over five restarts of the job".to_owned(),
                why: "the number of threads grows and does not come back".to_owned(),
                source: "https://github.com/apache/iceberg/issues/3776: pools that outlive their job",
                ..Draft::default()
            },
        );
    }
    let more = match case.patient.question.deployment {
        Deployment::Kubernetes => vec![
            Step::platform("pods with more processes: the kubelet's podPidsLimit", format!("podPidsLimit: {PIDS}")),
            Step::platform("or the container runtime's own limit", format!("pids_limit = {PIDS}")),
        ],
        Deployment::Yarn => vec![
            Step::platform(
                "more processes for the user that runs containers",
                format!("echo 'yarn - nproc {}' > /etc/security/limits.d/flink.conf", PIDS * 64),
            ),
            Step::platform(
                "the NodeManager's own unit",
                "systemctl edit hadoop-yarn-nodemanager   # TasksMax=infinity",
            ),
        ],
        Deployment::Standalone | Deployment::None => vec![
            Step::platform("more processes in the container's or unit's cgroup", format!("echo {PIDS} > pids.max")),
            Step::platform(
                "that is, for a container or a service",
                format!("docker run --pids-limit {PIDS} …   # or TasksMax={PIDS} in the unit"),
            ),
            Step::platform("and for the user", "ulimit -u 65536"),
        ],
    };
    case.offer(
        advice,
        Draft {
            title: "a higher limit of processes and threads".to_owned(),
            steps: more,
            risk: "a program that makes threads without an end is stopped later".to_owned(),
            watch: "pids.current against pids.max, and Status.JVM.Threads.Count".to_owned(),
            why: "a thread could not be made because their number was at its limit, not for want of memory".to_owned(),
            source: "seen to work: a TaskManager that failed with pids.max 64 ran with 1024 (Flink 1.20.5); FLINK-2829",
            ..Draft::default()
        },
    );
    let slots = case.before.as_ref().and_then(|survey| survey.plan.slots.as_ref()?.as_ref().ok()).map(|s| s.count);
    if let Some(slots) = slots.filter(|slots| *slots > 1 && case.is_taskmanager()) {
        case.offer(
            advice,
            Draft {
                title: "fewer slots, and so fewer tasks and threads".to_owned(),
                steps: vec![Step::set(keys::SLOTS.name(), slots.div_ceil(2).to_string())],
                risk: "the job needs twice as many TaskManagers".to_owned(),
                watch: "Status.JVM.Threads.Count".to_owned(),
                why: "each task has a thread of its own, and its sources and timers have more".to_owned(),
                source: "Task.executingThread, Flink 1.9 to 2.3",
                ..Draft::default()
            },
        );
    }
    advice.refused.push(
        "more memory, or a larger heap: a thread needs a place in a count, and a stack beside the heap".to_owned(),
    );
}

/// OOM910, OOM953.
pub(super) fn mappings(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "more mappings for each process".to_owned(),
            steps: vec![Step::platform(
                "the node's sysctl; containers share it",
                format!("sysctl -w vm.max_map_count={MAPPINGS}"),
            )],
            risk: "none that is known; the kernel keeps some 200 bytes for a mapping".to_owned(),
            watch: "wc -l /proc/PID/maps".to_owned(),
            why: "the kernel refused a mapping because the process had as many as it may".to_owned(),
            source: "Linux, sysctl/vm.rst: max_map_count, 65530 by default",
            ..Draft::default()
        },
    );
    let kind = "taskmanager.network.blocking-shuffle.type";
    if case.has(kind) && case.value(kind).is_some_and(|value| value.contains("mmap")) {
        case.offer(
            advice,
            Draft {
                title: "a shuffle that does not map its files".to_owned(),
                steps: vec![Step::set(kind, "file")],
                risk: "reads copy once more".to_owned(),
                watch: "wc -l /proc/PID/maps".to_owned(),
                why: "each subpartition's file is mapped".to_owned(),
                source: "NettyShuffleEnvironmentOptions.NETWORK_BLOCKING_SHUFFLE_TYPE, Flink 1.10 to 1.20",
                ..Draft::default()
            },
        );
    }
    allocator::offer(case, advice);
    advice.refused.push("more memory: it was a count that ran out".to_owned());
}

/// OOM971: a limit of the process itself.
pub(super) fn process_limit(case: &Case<'_>, advice: &mut Advice) {
    let process = case.process().map_or("the process".to_owned(), mib);
    case.offer(
        advice,
        Draft {
            title: "the limit that was named, lifted".to_owned(),
            steps: vec![
                Step::platform(
                    "address space without a limit: a JVM reserves far more than it uses",
                    "ulimit -v unlimited",
                ),
                Step::platform("threads and files of the user", "ulimit -u 65536; ulimit -n 65536"),
                Step::platform("memory that may be promised", "sysctl -w vm.overcommit_memory=0"),
                Step::advice(format!("a machine or container that has {process} free when the process starts")),
            ],
            risk: "a limit that was set against something else is gone".to_owned(),
            watch: "cat /proc/PID/limits".to_owned(),
            why: "the process was refused memory or threads by a limit of its own, not by a container that was full"
                .to_owned(),
            source: "getrlimit(2): RLIMIT_AS, RLIMIT_NPROC; Linux, vm/overcommit-accounting.rst",
            ..Draft::default()
        },
    );
    advice.refused.push("a larger container: the limit that was reached is not the container's".to_owned());
}
