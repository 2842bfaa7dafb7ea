//! What a JobManager says of a worker that went: `ResourceManager.closeTaskManagerConnection` (1.5 and later),
//! `ActiveResourceManager.onWorkerTerminated` (1.12 and later), and the diagnostics that YARN and Kubernetes gave it
//! (`YarnResourceManagerDriver.getContainerCompletedCause`, `KubernetesPod.getTerminatedDiagnostics`).

use std::sync::LazyLock;

use super::{At, MOST_MESSAGES, Sentence, end_of_message, group, number, span, stretch};

/// A worker that went, and what the JobManager was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerEnd {
    /// The container's or pod's name, without the host that newer versions put behind it.
    pub unit: String,
    /// Which of the two sentences it is: `Worker … is terminated`, not `Closing TaskExecutor connection`.
    pub terminated: bool,
    /// The diagnostics as they stand.
    pub diagnostics: At<String>,
}

/// How a container of a pod ended: `flink-main-container(exitCode=137, reason=OOMKilled, message=null)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerStatus {
    /// The container's name.
    pub name: String,
    /// Its exit code.
    pub exit: i32,
    /// The kubelet's word for it: `OOMKilled`, `Error`, `Completed`; nothing for `null`.
    pub reason: Option<String>,
}

/// How a pod ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodEnd {
    /// Its containers.
    pub containers: Vec<ContainerStatus>,
    /// The pod's own reason, where it failed as a whole: `Evicted`.
    pub reason: Option<String>,
    /// What the kubelet says to that.
    pub message: Option<String>,
}

static TERMINATED: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Worker (?<unit>\S+) is terminated\. ?Diagnostics:"));
static CLOSING: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Closing TaskExecutor connection (?<unit>\S+) because:"));
/// Before 1.5 (`YarnFlinkResourceManager`).
static FAILED: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"Diagnostics for container (?<unit>\S+) in state \S+ : exitStatus="));

static STATUSES: LazyLock<Sentence> = LazyLock::new(|| Sentence::new(r"container termination statuses:"));
static STATUS: LazyLock<Sentence> = LazyLock::new(|| {
    Sentence::new(r"(?<name>[A-Za-z0-9_.-]+)\(exitCode=(?<exit>-?\d+), reason=(?<reason>[^,\s)]+), message=")
});
static POD: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::new(r"pod status: \w+\(reason=(?<reason>[^,\s)]*), message="));
static EXITS: LazyLock<[Sentence; 4]> = LazyLock::new(|| {
    [
        Sentence::new(r"(?:Exit code|exitCode|exitStatus|Exit status|exit status) ?[:=] ?\[? ?(?<exit>-?\d{1,9})\b"),
        Sentence::new(r"exit code (?:is )?\[? ?(?<exit>-?\d{1,9})\b"),
        Sentence::new(r"[Ee]xit code is (?<exit>-?\d{1,9})\b"),
        Sentence::new(r"exited with (?:code|status) (?<exit>-?\d{1,9})\b"),
    ]
});

/// Every worker that a text says went, in its order: the same worker may come twice.
pub fn ends(text: &str) -> Vec<At<WorkerEnd>> {
    let mut found = Vec::new();
    for (sentence, terminated) in [(&*TERMINATED, true), (&*CLOSING, false), (&*FAILED, true)] {
        for captures in sentence.all(text).take(MOST_MESSAGES) {
            let (Some(unit), at) = (group(&captures, "unit"), span(&captures)) else { continue };
            // The exit status of the oldest form belongs to the diagnostics.
            let start = if captures.get(0).is_some_and(|all| all.as_str().ends_with('=')) {
                at.end.saturating_sub("exitStatus=".len())
            } else {
                at.end
            };
            let end = end_of_message(text, start);
            // The next of these sentences ends a message even where no level stands before it.
            let rest = text.get(start..end).unwrap_or_default();
            let next = ["Closing TaskExecutor", "is terminated. Diagnostics"].iter().filter_map(|next| rest.find(next));
            let end = next.min().map_or(end, |length| start + length);
            let diagnostics = text.get(start..end).unwrap_or_default().trim().to_owned();
            let what = WorkerEnd {
                unit: unit_name(unit),
                terminated,
                diagnostics: At { span: start..end, what: diagnostics },
            };
            found.push(At { span: at.start..end, what });
        }
    }
    found.sort_by_key(|end| end.span.start);
    found
}

/// `container_1642_0004_01_000012(host102:46391)` is the container's.
pub(super) fn unit_name(text: &str) -> String {
    let name = text.split(['(', '\'', '"', ',']).find(|part| !part.is_empty()).unwrap_or(text);
    name.trim_end_matches(['.', ']', ':']).to_owned()
}

/// Every pod's end that a text tells, whoever it belongs to.
pub fn pods(text: &str) -> Vec<At<PodEnd>> {
    let starts: Vec<usize> = STATUSES.all(text).take(MOST_MESSAGES).map(|captures| span(&captures).start).collect();
    let mut found = Vec::new();
    for (index, start) in starts.iter().copied().enumerate() {
        let limit = starts.get(index + 1).copied().unwrap_or(text.len());
        let end = end_of_message(text, start).min(limit);
        let Some(part) = text.get(start..end) else { continue };
        let mut pod = PodEnd::default();
        let mut last = part.find(':').unwrap_or(0);
        for captures in STATUS.all(part) {
            let Some(exit) = number(&captures, "exit") else { continue };
            let reason = group(&captures, "reason").filter(|reason| *reason != "null");
            let name = group(&captures, "name").unwrap_or_default().to_owned();
            pod.containers.push(ContainerStatus { name, exit, reason: reason.map(str::to_owned) });
            last = span(&captures).end;
        }
        if let Some(captures) = POD.first(part) {
            let end = span(&captures).end;
            let message = stretch(part, end, 1_500).split([')', '\x0c']).next().unwrap_or_default();
            let said = |said: &str| (said != "null" && !said.is_empty()).then(|| said.to_owned());
            pod.reason = group(&captures, "reason").and_then(said);
            pod.message = said(message);
            last = last.max(end + message.len());
        }
        found.push(At { span: start..start + last, what: pod });
    }
    found
}

/// The exit code that YARN's diagnostics name.
pub fn exit_code(diagnostics: &str) -> Option<i32> {
    EXITS.iter().find_map(|sentence| number(&sentence.first(diagnostics)?, "exit"))
}
