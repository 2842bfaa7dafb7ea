//! Messages: of events, of a pod's status, of the kubelet's and the runtimes' logs.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::model::Bytes;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The kubelet ends a pod because its node lacks something.
    Evicted {
        /// The pod, where the same line names it.
        pod: Option<String>,
        /// `memory`, `ephemeral-storage`, `inodes`, `pids`; `MemoryPressure` and its like where a condition is named.
        resource: Option<String>,
        /// What the node was to keep free, and what was.
        threshold: Option<(Bytes, Bytes)>,
        /// What containers used of it.
        using: Vec<Using>,
    },
    /// A volume or a container has outgrown its own limit on the disk.
    Storage {
        /// Whether it is a volume that may lie in memory.
        volume: bool,
        /// The limit of that volume.
        limit: Option<Bytes>,
    },
    /// The kubelet looks for memory, or another resource, to reclaim.
    Reclaiming {
        /// `memory`.
        resource: String,
    },
    /// The kubelet has evicted a pod, and does not say why.
    PodEvicted {
        /// The pod.
        pod: Option<String>,
    },
    /// A process died of the kernel's hand, and the kubelet does not say whether the machine or a cgroup was short.
    SystemOom {
        /// The process.
        pid: Option<u32>,
        /// Its name.
        process: Option<String>,
        /// The bound that the kubelet's log gives: `CONSTRAINT_MEMCG`.
        constraint: Option<String>,
        /// The cgroup of the victim.
        group: Option<String>,
    },
    /// containerd or docker have seen the kernel kill in a container's cgroup.
    TaskOom {
        /// The container, where it is named.
        container: Option<String>,
    },
    /// The node is short of memory.
    NodePressure,
    /// A container was ended, or is about to be, for a reason that is not memory.
    Other {
        /// An end to the sentence "it was".
        reason: &'static str,
        /// Whether that ended it.
        ends: bool,
    },
}

/// What a container used when its pod was evicted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Using {
    /// The container.
    pub container: String,
    /// What it used.
    pub used: Bytes,
    /// What it had asked for.
    pub request: Option<Bytes>,
}

/// One `W` stands for the white space between two words, which may be a line's end where a text is wrapped.
fn words(pattern: &str) -> Option<Regex> {
    Regex::new(&pattern.replace(" W ", r"[\s>]+")).ok()
}

static LOW: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r"\b[nN]ode W was W low W on W (?:resource: W ([A-Za-z][\w./-]*)|compute W resources)",
        r"|\b[nN]ode W had W condition: W \[([^\]\n]*)\]"
    ))
});
static THRESHOLD: LazyLock<Option<Regex>> =
    LazyLock::new(|| words(r"Threshold W quantity: W ([\w.]+?), W available: W ([\w.]+?)\.?(?:\s|$)"));
static USING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r"Container W ([\w.-]+) W was W using W ([\w.]+), W (?:which W exceeds W its W request",
        r" W of W ([\w.]+?)\.?(?:\s|$)|request W is W ([\w.]+))?"
    ))
});
static POD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"\bpods?/([a-z0-9][a-z0-9.-]*)|\bpod="[^"/]*/([a-z0-9][a-z0-9.-]*)""#).ok());
static RECLAIM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r#"\b[eE]viction W manager: W (?:attempting W to W reclaim|must W evict W pod\(s\) W to"#,
        r#" W reclaim)(?:" W resourceName="([^"]+)"| W ([a-z][\w/-]*))|\bAttempting W to"#,
        r#" W reclaim W ([a-z][\w/-]*)"#
    ))
});
static EVICTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r#"\b[eE]viction W manager: W pod W (?:is W evicted W successfully""#,
        r#" W pod="(?:[^"/]*/)?([^"]+)"|([a-z0-9][\w.-]*?)(?:_\S+)? W is W evicted W successfully)"#
    ))
});
static SYSTEM_OOM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r"\bSystem W OOM W encountered(?:, W victim W process: W ([^\n]{0,64}?), W pid: W (\d+)",
        r"|: W process W pid W (\d+), W process W name: W (\S+))?|\b[gG]ot W sys W oom W event"
    ))
});
static OOM_INSTANCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(Pid|ProcessName|VictimContainerName|ContainerName|Constraint):([^\s},]*)").ok());
static TASK_OOM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"\bTaskOOM(?: event)?[^\n]{0,40}?(?:container_id:|ContainerID:)\\*"?([0-9a-zA-Z][\w.-]*)"#,
        r#"|\bcontainer oom ([0-9a-f]{12,64})\b|"(?:status|Action)":\s*"oom"[^\n]{0,200}?"(?:id"#,
        r#"|ID)":\s*"([0-9a-f]{12,64})""#
    ))
    .ok()
});

/// What else ends a container, or only comes near it: words, a reason, whether it ends.
const OTHERS: &[(&str, &str, bool)] = &[
    ("failed liveness probe, will be restarted", "restarted since its liveness probe failed", true),
    ("failed startup probe, will be restarted", "restarted since its startup probe failed", true),
    ("iveness probe failed", "not alive to its liveness probe", false),
    ("tartup probe failed", "not started in time for its startup probe", false),
    ("eadiness probe failed", "not ready to its readiness probe", false),
    ("Preempted in order to admit critical pod", "preempted for a critical pod", true),
    ("preempting to accommodate a higher priority pod", "preempted for a pod of higher priority", true),
    ("PreemptionByScheduler", "preempted for a pod of higher priority", true),
    ("PreemptionByKubeScheduler", "preempted for a pod of higher priority", true),
    ("imminent node shutdown", "ended since its node shut down", true),
    ("Node is shutting, evicting pods", "ended since its node shut down", true),
    ("node is shutting down", "ended since its node shut down", true),
    ("TaintManagerEviction", "deleted since its node was tainted", true),
    ("deleting due to NoExecute taint", "deleted since its node was tainted", true),
    ("EvictionByEvictionAPI", "evicted on request, as when a node is drained", true),
    ("Eviction API: evicting", "evicted on request, as when a node is drained", true),
    ("PodGC: node no longer exists", "deleted since its node is gone", true),
    ("was active on the node longer than the specified deadline", "beyond its deadline", true),
    ("Node didn't have enough resource", "refused by a node without room for it", true),
    ("nodes are available:", "not scheduled, since no node had room for it", false),
];

/// `Preempted by POD on node NODE`, `Preempted by a pod on node NODE`.
static PREEMPTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r"\bPreempted W by W (?:a W pod|\S+) W on W node\b|\bevicting W pod W [a-z0-9-]+/",
        r"|\bDeleting W pod W \S+ W due W to W node\b"
    ))
});
static STORAGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    words(concat!(
        r"\bPod W ephemeral W local W storage W usage W exceeds\b|\bexceeded W its W local",
        r" W ephemeral W storage W limit\b|\b(Usage W of W EmptyDir W volume)\b",
        r#"(?: W \\?"[^"\n]{0,80}" W exceeds W the W limit W \\?"([\w.]+))?"#
    ))
});

/// Every message of a text, in order.
pub(super) fn messages(text: &str) -> Vec<(usize, Message)> {
    let mut all: Vec<(usize, Message)> = Vec::new();
    let mut each = |anchors: &[&str],
                    regex: &LazyLock<Option<Regex>>,
                    read: &dyn Fn(&Captures, usize) -> Option<Message>| {
        let Some(regex) = regex.as_ref().filter(|_| anchors.iter().any(|anchor| text.contains(anchor))) else { return };
        for found in regex.captures_iter(text) {
            let Some(whole) = found.get(0) else { continue };
            if let Some(message) = read(&found, whole.start()) {
                all.push((whole.start(), message));
            }
        }
    };
    each(&["ode"], &LOW, &|found, at| {
        // The kubelet ends the sentence before whatever follows; who only names it closes a quotation.
        let behind = found.get(0).and_then(|whole| text.get(whole.end()..))?.chars().next();
        let is_named = matches!(behind, Some('"' | '\'' | '`' | '\u{201d}' | '\u{2019}'));
        (!is_named || found.get(2).is_some()).then(|| evicted(text, found, at))
    });
    each(&["reclaim"], &RECLAIM, &|found, _| Some(Message::Reclaiming { resource: any(found, &[1, 2, 3])? }));
    each(&["evicted"], &EVICTED, &|found, _| Some(Message::PodEvicted { pod: any(found, &[1, 2]) }));
    each(&["OOM", "oom"], &SYSTEM_OOM, &|found, at| Some(system_oom(text, found, at)));
    each(&["OOM", "oom"], &TASK_OOM, &|found, _| {
        any(found, &[1, 2, 3]).map(|container| Message::TaskOom { container: Some(container) })
    });
    each(&["storage", "EmptyDir"], &STORAGE, &|found, _| {
        let limit = found.get(2).and_then(|limit| Bytes::parse_k8s(limit.as_str()).ok());
        Some(Message::Storage { volume: found.get(1).is_some(), limit })
    });
    each(&["evicting", "Deleting", "reempted"], &PREEMPTED, &|found, _| {
        let reason = match found.get(0)?.as_str().get(..1)? {
            "P" => "preempted for a pod of higher priority",
            "e" => "evicted on request, as when a node is drained",
            _ => "deleted since its node was lost",
        };
        Some(Message::Other { reason, ends: true })
    });
    // The agent of ECS says so where docker's `OOMKilled` is set.
    let of_ecs = text.match_indices("OutOfMemoryError: Container killed due to memory usage");
    all.extend(of_ecs.map(|(at, _)| (at, Message::TaskOom { container: None })));
    for (words, reason, ends) in OTHERS {
        all.extend(text.match_indices(words).map(|(at, _)| (at, Message::Other { reason, ends: *ends })));
    }
    for words in ["KubeletHasInsufficientMemory", "NodeHasInsufficientMemory"] {
        all.extend(text.match_indices(words).map(|(at, _)| (at, Message::NodePressure)));
    }
    all.sort_by_key(|(at, _)| *at);
    all
}

fn any(found: &Captures, groups: &[usize]) -> Option<String> {
    groups.iter().find_map(|group| found.get(*group)).map(|text| text.as_str().trim_end_matches('.').to_owned())
}

/// What follows at an offset, at most so much.
fn window(text: &str, at: usize, most: usize) -> &str {
    let rest = text.get(at..).unwrap_or("");
    rest.get(..rest.floor_char_boundary(most)).unwrap_or(rest)
}

fn evicted(text: &str, found: &Captures, at: usize) -> Message {
    let all = window(text, at, 1500);
    // The next such message is another pod's.
    let end = all.match_indices("was low on").nth(1).map_or(all.len(), |(end, _)| end);
    let all = all.get(..end).unwrap_or(all);
    let quantity = |text: &str| Bytes::parse_k8s(text.trim_end_matches('.')).ok();
    let threshold = THRESHOLD.as_ref().and_then(|threshold| {
        let found = threshold.captures(all)?;
        Some((quantity(found.get(1)?.as_str())?, quantity(found.get(2)?.as_str())?))
    });
    let one = |found: Captures| {
        let request = found.get(3).or(found.get(4)).and_then(|request| quantity(request.as_str()));
        Some(Using { container: found.get(1)?.as_str().to_owned(), used: quantity(found.get(2)?.as_str())?, request })
    };
    let using = USING.as_ref().map(|using| using.captures_iter(all).filter_map(one).collect()).unwrap_or_default();
    Message::Evicted { pod: pod_before(text, at), resource: any(found, &[1, 2]), threshold, using }
}

/// The pod that a row of a table, or a line of a log, names before its message.
fn pod_before(text: &str, at: usize) -> Option<String> {
    let before = text.get(text.floor_char_boundary(at.saturating_sub(400))..at)?;
    let line = before.rsplit('\n').next()?;
    let found = POD.as_ref()?.captures(line)?;
    any(&found, &[1, 2])
}

fn system_oom(text: &str, found: &Captures, at: usize) -> Message {
    let whole = found.get(0).map_or("", |whole| whole.as_str());
    let number = |text: String| text.parse().ok();
    let (mut pid, mut process) = (any(found, &[2, 3]).and_then(number), any(found, &[1, 4]));
    let (mut constraint, mut group) = (None, None);
    // The kubelet prints its own structure, from 1.17 on with the names of the fields.
    if let Some(instance) = OOM_INSTANCE.as_ref().filter(|_| whole.contains("sys")) {
        let line = window(text, at, 1000).split('\n').next().unwrap_or("");
        for found in instance.captures_iter(line) {
            let value = any(&found, &[2]).map(|value| value.trim_matches(['"', '\\', ',']).to_owned());
            match found.get(1).map_or("", |key| key.as_str()) {
                "Pid" => pid = pid.or(value.and_then(number)),
                "ProcessName" => process = process.or(value),
                "Constraint" => constraint = value,
                "VictimContainerName" => group = value,
                _ => group = group.or(value),
            }
        }
    }
    Message::SystemOom { pid, process, constraint, group }
}
