//! Ends that memory is not the reason of, or not known to be (OOM958, OOM965 to OOM967, OOM969, OOM970).

use super::by_version::{incremental, unaligned};
use super::proof::{Case, Draft};
use super::{Advice, Step};
use crate::model::Deployment;

/// OOM958.
pub(super) fn fatal_exit(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "the exception behind the exit".to_owned(),
            steps: vec![Step::advice(
                "read the stack above \"FATAL: Thread … produced an uncaught exception. Stopping the process\": it \
                 names who threw",
            )],
            risk: "none".to_owned(),
            watch: "exit code 239".to_owned(),
            why: "Flink ends the process for an exception that nobody caught, whatever it is".to_owned(),
            source: "FatalExitExceptionHandler: exit code -17, which a shell shows as 239",
            ..Draft::default()
        },
    );
    advice.refused.push("more memory: no error of memory stands beside the exit".to_owned());
}

/// OOM965.
pub(super) fn disk_full(case: &Case<'_>, advice: &mut Advice) {
    let mut steps = vec![
        Step::advice("find what fills it: io.tmp.dirs, RocksDB's directory, logs, heap dumps"),
        Step::advice("a larger volume for io.tmp.dirs and state.backend.rocksdb.localdir"),
    ];
    if case.patient.question.deployment == Deployment::Kubernetes {
        steps.push(Step::platform(
            "temporary files in an emptyDir in the place of a hostPath: they go with the pod",
            "volumes: [{name: tmp, emptyDir: {sizeLimit: 50Gi}}]",
        ));
    }
    case.offer(
        advice,
        Draft {
            title: "room on the disk".to_owned(),
            steps,
            risk: "an emptyDir lies under the kubelet's directory, on the system disk unless that was moved".to_owned(),
            watch: "df of every directory that Flink writes to".to_owned(),
            why: "the disk was full, not memory; files on hostPath volumes outlive a killed pod".to_owned(),
            source: "a batch shuffle in Kubernetes whose hostPath files outlived their pods",
            ..Draft::default()
        },
    );
    advice.refused.push("more memory: a disk was full".to_owned());
}

/// OOM966.
pub(super) fn not_memory(_: &Case<'_>, advice: &mut Advice) {
    advice.refused.push("any change of memory: the text names another reason for the end".to_owned());
}

/// OOM967.
pub(super) fn unknown(case: &Case<'_>, advice: &mut Advice) {
    let where_to_look = match case.patient.question.deployment {
        Deployment::Yarn => Step::platform(
            "the NodeManager's log of that node, and what YARN says of the container",
            "yarn logs -applicationId <id> -log_files_pattern '.*'",
        ),
        Deployment::Kubernetes => Step::platform(
            "what Kubernetes says of the pod's last end",
            "kubectl describe pod <pod>; kubectl get events",
        ),
        Deployment::Standalone | Deployment::None => {
            Step::platform("the kernel's log of the machine", "journalctl -k | grep -iE 'killed process|out of memory'")
        }
    };
    case.offer(
        advice,
        Draft {
            title: "what tells who ended it".to_owned(),
            steps: vec![
                where_to_look,
                Step::platform("the counters of the group that it ran in", "cat memory.events memory.max memory.peak"),
            ],
            risk: "none".to_owned(),
            watch: "oom_kill in memory.events".to_owned(),
            why: "an exit code, a signal or a lost heartbeat does not say who ended the process".to_owned(),
            source: "signal(7); cgroup-v2.rst: memory.events",
            ..Draft::default()
        },
    );
    advice.refused.push("more memory: nothing in the text says that it was short".to_owned());
}

/// OOM969.
pub(super) fn crash(case: &Case<'_>, advice: &mut Advice) {
    case.offer(
        advice,
        Draft {
            title: "the library that crashed, in another release".to_owned(),
            steps: vec![
                Step::advice(
                    "hs_err_pid names the problematic frame: a library of its own, the JVM, or native code of the job",
                ),
                Step::advice("a newer patch release of the JDK, and of the library in the frame"),
                Step::advice("for a stack overflow: the recursion in the job, or a larger -Xss for its threads"),
            ],
            risk: "another release has other faults".to_owned(),
            watch: "hs_err_pid files".to_owned(),
            why: "the process ended itself for a fault of code, not for want of memory".to_owned(),
            source: "HotSpot: hs_err_pid, problematic frame",
            ..Draft::default()
        },
    );
    advice.refused.push("more memory: SIGSEGV and stack overflow are faults of code".to_owned());
}

/// OOM970.
pub(super) fn checkpoints_expired(case: &Case<'_>, advice: &mut Advice) {
    let timeout = "execution.checkpointing.timeout";
    let mut steps = Vec::new();
    let increments = incremental(case);
    if case.patient.evidence.rocksdb && case.reading(increments).is_none_or(|value| !value.eq_ignore_ascii_case("true"))
    {
        steps.extend(case.put(increments, "true"));
    }
    if let Some(key) = unaligned(case) {
        steps.extend(case.put(key, "true"));
    }
    if !steps.is_empty() {
        case.offer(
            advice,
            Draft {
                title: "checkpoints that do not wait for slow tasks".to_owned(),
                steps,
                risk: "records in flight are stored with the state; recovery from increments takes longer".to_owned(),
                watch: "the time of a checkpoint, its alignment and its size".to_owned(),
                why: "barriers wait behind records where a task is slow, and a whole copy of the state takes long"
                    .to_owned(),
                source: "Flink's page on checkpointing under backpressure; incremental since 1.3, unaligned since 1.11",
                ..Draft::default()
            },
        );
    }
    if case.has(timeout) {
        case.offer(
            advice,
            Draft {
                title: "a longer time for a checkpoint".to_owned(),
                steps: vec![Step::set(timeout, "30 min")],
                risk: "a failure repeats what was done since the last one that was completed".to_owned(),
                watch: "the time of a checkpoint".to_owned(),
                why: "a checkpoint that expires has done its work for nothing".to_owned(),
                source: "ExecutionCheckpointingOptions.CHECKPOINTING_TIMEOUT: 10 min by default",
                ..Draft::default()
            },
        );
    }
    advice
        .refused
        .push("more memory: checkpoints expired without memory at fault; look for the task that is slow".to_owned());
}
