//! Workers that went, in the words that YARN and Kubernetes gave the JobManager.

use super::Told;
use crate::artefact::flink_log::At;
use crate::artefact::flink_log::worker::{self, PodEnd};
use crate::diagnose::postmortem::signal::{Death, Ended, Origin, Says, Strain};
use crate::model::{Area, Bytes, Killer};

pub(super) fn tell(told: &mut Told<'_>) {
    let text = told.text();
    let (ends, pods) = (worker::ends(text), worker::pods(text));
    let out_of_memory = text.contains("OutOfMemoryError");
    let mut of_workers = Vec::new();
    for end in &ends {
        let inside = &end.what.diagnostics.span;
        let first = pods.partition_point(|pod| pod.span.start < inside.start);
        let pod = pods.get(first).filter(|pod| pod.span.start < inside.end);
        let unit = Some(end.what.unit.as_str());
        let said = match pod {
            Some(pod) => {
                of_workers.push(end_of(&pod.what, None, out_of_memory));
                Some((Origin::Kubernetes, end_of(&pod.what, unit, out_of_memory)))
            }
            None => diagnosed(&end.what.diagnostics.what, unit, end.what.terminated, out_of_memory),
        };
        let Some((origin, says)) = said else { continue };
        // Both sentences of one worker bear the same diagnostics.
        told.once(format!("worker {} {says:?}", end.what.unit), origin, &end.span, says);
    }
    let in_a_worker = |pod: &At<PodEnd>| {
        let before = ends.partition_point(|end| end.span.start <= pod.span.start);
        before.checked_sub(1).and_then(|at| ends.get(at)).is_some_and(|end| end.span.contains(&pod.span.start))
    };
    for pod in pods.iter().filter(|pod| !in_a_worker(pod)) {
        // An exception that a job failed with repeats what was said of the worker.
        let says = end_of(&pod.what, None, out_of_memory);
        if !of_workers.contains(&says) {
            told.once(format!("pod {says:?}"), Origin::Kubernetes, &pod.span, says);
        }
    }
}

/// What the statuses of a pod's containers come to.
fn end_of(pod: &PodEnd, unit: Option<&str>, out_of_memory: bool) -> Says {
    let unit = unit.map(str::to_owned);
    let reason = pod.reason.as_deref().unwrap_or_default();
    let message = pod.message.as_deref().unwrap_or_default();
    if let Some(container) = pod.containers.iter().find(|container| container.reason.as_deref() == Some("OOMKilled")) {
        let because = format!(
            "Kubernetes calls the end of {} OOMKilled, exit code {}; it does not say what filled the memory",
            container.name, container.exit
        );
        return Says::Death(Death { area: Some(Area::Container), because, unit, ..Death::by(Killer::KernelMemcg) });
    }
    if reason == "Evicted" {
        return evicted(message, unit, main_exit(pod));
    }
    let other = |reason: String| Says::OtherReason { reason, ends: true };
    match reason {
        "Preempting" | "Preempted" => return other("preempted by Kubernetes for another pod".to_owned()),
        "Shutdown" | "NodeShutdown" | "Terminated" => return other("ended with its node".to_owned()),
        "NodeLost" | "NodeAffinity" => return other("lost with its node".to_owned()),
        "DeadlineExceeded" => return other("ended at its deadline".to_owned()),
        _ if reason.starts_with("OutOf") || reason == "UnexpectedAdmissionError" => {
            return other(format!("not admitted by its node ({reason})"));
        }
        _ => {}
    }
    let Some(container) = main(pod) else {
        return Says::Ended(Ended { exit: None, pid: None, unit });
    };
    match container.reason.as_deref() {
        Some("Completed") => other("ended as it should".to_owned()),
        _ => exited(Some(container.exit), unit, out_of_memory),
    }
}

/// The container in which Flink runs; the names are those of the native integration before and since 1.13.
fn main(pod: &PodEnd) -> Option<&worker::ContainerStatus> {
    let flink = |container: &&worker::ContainerStatus| {
        ["flink-main-container", "flink-task-manager", "flink-job-manager", "taskmanager"]
            .contains(&container.name.as_str())
    };
    let failed = |container: &&worker::ContainerStatus| container.exit != 0;
    let all = || pod.containers.iter();
    all().find(flink).or_else(|| all().find(failed)).or_else(|| pod.containers.first())
}

fn main_exit(pod: &PodEnd) -> Option<i32> {
    main(pod).map(|container| container.exit)
}

fn evicted(message: &str, unit: Option<String>, exit: Option<i32>) -> Says {
    let lower = message.to_ascii_lowercase();
    let of_memory =
        ["resource: memory", "memorypressure", "consumption of memory"].iter().any(|words| lower.contains(words));
    if of_memory {
        let because = format!("the kubelet evicted the pod for its node's memory: {}", message.trim());
        let usage = message
            .split(" was using ")
            .skip(1)
            .filter_map(|part| Bytes::parse_k8s(part.split([',', ' ']).next()?).ok())
            .max();
        let area = Some(Area::Container);
        return Says::Death(Death { area, because, usage, unit, ..Death::by(Killer::KubeletEvict) });
    }
    if message.trim().is_empty() {
        return Says::Ended(Ended { exit, pid: None, unit });
    }
    let of_disk = ["ephemeral", "inodes", "diskpressure", "emptydir", "nodefs", "imagefs"];
    let reason = if of_disk.iter().any(|words| lower.contains(words)) {
        "evicted for want of disk space, not of memory".to_owned()
    } else {
        format!("evicted: {}", message.trim().chars().take(160).collect::<String>())
    };
    Says::OtherReason { reason, ends: true }
}

/// An exit code without a reason.
pub(super) fn exited(exit: Option<i32>, unit: Option<String>, out_of_memory: bool) -> Says {
    let other = |reason: &str| Says::OtherReason { reason: reason.to_owned(), ends: true };
    match exit {
        Some(0) => other("ended as it should"),
        Some(139) => other("ended by signal 11, a fault in native code"),
        // The JVM's words stand beside it, and say more.
        Some(239 | -17) if out_of_memory => Says::Strain(Strain {
            name: "fatal-exit",
            area: None,
            text: "the process ended itself with exit code 239 after an OutOfMemoryError".to_owned(),
            usage: None,
            limit: None,
        }),
        Some(163..=165) => other("ended with the status of its job, which failed or was cancelled"),
        exit => Says::Ended(Ended { exit: exit.map(|exit| if exit == -17 { 239 } else { exit }), pid: None, unit }),
    }
}

/// What YARN's diagnostics, or Flink's own reason for closing a connection, come to. Nothing where another reader takes
/// the same words, which are then a kill by YARN.
fn diagnosed(diagnostics: &str, unit: Option<&str>, terminated: bool, out_of_memory: bool) -> Option<(Origin, Says)> {
    let flat = diagnostics.split_whitespace().collect::<Vec<_>>().join(" ");
    let exit = worker::exit_code(&flat);
    let unit = unit.map(str::to_owned);
    let yarn = |reason: &str| Some((Origin::Yarn, Says::OtherReason { reason: reason.to_owned(), ends: true }));
    let flink = |reason: &str| Some((Origin::Flink, Says::OtherReason { reason: reason.to_owned(), ends: true }));
    let has = |words: &str| flat.contains(words);
    if (has("is running") && has("memory limit")) || has("elastic cgroups OOM handler") {
        return None;
    }
    let killed = |killer, what: &str, exit: i32| {
        let because = format!("YARN's exit status {exit} stands for a container beyond its {what} memory");
        let area = Some(Area::Container);
        Some((Origin::Yarn, Says::Death(Death { area, because, unit: unit.clone(), ..Death::by(killer) })))
    };
    match exit {
        Some(-104) => return killed(Killer::YarnPmem, "physical", -104),
        Some(-103) => return killed(Killer::YarnVmem, "virtual", -103),
        _ => {}
    }
    if has("on a *lost* node") || has("lost\\* node") || has("'lost' due to node failures") && !has("exceed") {
        return yarn("released by YARN, or lost with its node");
    }
    if has("preempted") || exit == Some(-102) {
        return yarn("preempted by YARN for another application");
    }
    if has("nodemanager-local-directories") || has("nodemanager-log-directories") || exit == Some(-101) {
        return yarn("ended for the bad disks of its node");
    }
    if has("released by application") || has("was invalid") || matches!(exit, Some(-1000 | -100 | -107..=-105)) {
        return yarn("released by YARN or its application");
    }
    if has("Container expired") || has("killed by the ApplicationMaster") || has("of a completed application") {
        return yarn("ended by YARN or its application, as is meant");
    }
    if matches!(exit, Some(-108 | -109)) {
        return yarn("ended by YARN for a limit that is not memory");
    }
    if has("exited normally") {
        return yarn("ended as it should");
    }
    if has("eartbeat of") && has("timed out") {
        return Some((Origin::Flink, Says::Consequence));
    }
    if has("idle timeout") || has("no longer needed") || has("longer required") {
        return flink("released by Flink, which had no use for it");
    }
    if has("TaskExecutor is shutting down") || has("ResourceManager leader") || has("new registration") {
        return Some((Origin::Flink, Says::Consequence));
    }
    if terminated || exit.is_some() {
        return Some((Origin::Yarn, exited(exit, unit, out_of_memory)));
    }
    Some((Origin::Flink, Says::Ended(Ended { exit: None, pid: None, unit })))
}
