//! Exit statuses, the diagnostics beside them, elastic memory control, and the lines of the NodeManager around a kill.

use std::sync::LazyLock;

use regex::Regex;

use super::kill::{Pair, ceil, floor};
use super::size::Rounded;
use crate::model::Bytes;

/// One thing that is told, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T> {
    /// Where it begins.
    pub at: usize,
    /// Where it ends.
    pub end: usize,
    /// The container it is about, where one is named in it or shortly before it.
    pub container: Option<String>,
    /// What.
    pub what: T,
}

/// Everything of this kind in a text, each in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    /// Exit statuses: those of `ContainerExitStatus` are negative.
    pub statuses: Vec<Told<i32>>,
    /// Reasons in words.
    pub reasons: Vec<Told<Reason>>,
    /// Kills by elastic memory control.
    pub elastic: Vec<Told<Elastic>>,
    /// `Process tree for container: … running over the configured limit.`
    pub over_limit: Vec<Told<OverLimit>>,
    /// Elastic memory control found nobody to kill.
    pub nobody_to_kill: Option<usize>,
    /// `Memory usage of ProcessTree … for container-id …`, the last one of each container.
    pub usage: Vec<Told<TreeUsage>>,
}

/// Why a container ended, if not for memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Given back, or lost with its node: -100 does not tell.
    Aborted,
    /// Its node was lost.
    Lost,
    /// The framework gave it back.
    Released,
    /// The node's disks are bad: -101.
    Disks,
    /// Preempted: -102.
    Preempted,
    /// By the ApplicationMaster: -105.
    KilledByMaster,
    /// By the ResourceManager: -106.
    KilledByResourceManager,
    /// The application was over: -107.
    Completed,
    /// By the NodeManager's queue of opportunistic containers: -108.
    KilledByScheduler,
    /// Too much was logged: -109.
    ExcessLogs,
    /// It was never started: -1000.
    Invalid,
    /// It was never used.
    Expired,
    /// The task said nothing for too long (MapReduce).
    TimedOut,
    /// A user killed the application.
    KilledByUser,
}

/// A kill by elastic memory control: the node's containers together met their limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elastic {
    /// Used and asked for; only early versions tell, and only of a container that was above what it had asked for.
    pub usage: Option<(Bytes, Bytes)>,
}

/// Bytes above a limit; which memory is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverLimit {
    /// The limit.
    pub limit: Bytes,
    /// What was used.
    pub usage: Bytes,
}

/// What a container used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeUsage {
    /// The root process.
    pub pid: Option<u32>,
    /// Physical memory.
    pub physical: Pair,
}

impl Reason {
    /// That of an exit status.
    pub fn of_status(status: i32) -> Option<Reason> {
        Some(match status {
            -100 => Reason::Aborted,
            -101 => Reason::Disks,
            -102 => Reason::Preempted,
            -105 => Reason::KilledByMaster,
            -106 => Reason::KilledByResourceManager,
            -107 => Reason::Completed,
            -108 => Reason::KilledByScheduler,
            -109 => Reason::ExcessLogs,
            -1000 => Reason::Invalid,
            _ => return None,
        })
    }
}

/// No more of one kind is kept.
const MOST: usize = 10_000;
/// So far before a status its container is named, and so far around it something says that it is YARN's.
const AROUND: usize = 600;

/// Of today, and of Hadoop 3.1 and earlier.
const NOBODY: [&str; 2] = [
    "Found no running containers to kill in order to release memory",
    "CGroups reserved for containers ran out of memory",
];

fn compiled(pattern: &str) -> Option<Regex> {
    Regex::new(pattern).ok()
}

static CONTAINER: LazyLock<Option<Regex>> =
    LazyLock::new(|| compiled(r"container\\?_(?:e\d+\\?_)?\d{6,}\\?_\d+\\?_\d+\\?_\d+"));
static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(
        r#"(?i)\bexit[ _]?(?:status|code)["']?\s*(?:is|was|from\s+container\s+\S+\s+is)?\s*[:=]?\s*["']?(-?\d{1,5})\b"#,
    )
});
static CONTEXT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(concat!(
        r"container\\?_(?:e\d+\\?_)?\d{6,}|appattempt_|container-launch|[Cc]ontainerExitStatus|[Nn]ode[Mm]anager|YARN|",
        r"[^a-z]yarn[^a-z]|[Cc]ontainer (?:killed (?:on request|by)|exited with a non|marked as|released|preempted|",
        r"from a bad node|\[pid)",
    ))
});
static ELASTIC: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(concat!(
        r"(?i)container\s+(container\S+)\s+(?:was\s+)?killed\s+by\s+elastic\s+cgroups\s+OOM\s+handler",
        r"(?:\s+using\s+(\d+)\s+when\s+requested\s+only\s+(\d+))?",
    ))
});
static OVER_LIMIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(concat!(
        r"Process\s+tree\s+for\s+container:\s*(\S+?)\s+(?:has\s+processes\s+older\s+than\s+1\s+iteration\s+)?",
        r"running\s+over\s+(?:twice\s+)?the\s+configured\s+limit\.\s*Limit\s?=\s?(\d+),",
        r"\s*current\s+usage\s?=\s?(\d+)",
    ))
});
static USAGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compiled(concat!(
        r"emory usage of ProcessTree (\d+) for container-id (container\S+?):? ([\d.]+ ?[KMGTP]?B) of ",
        r"([\d.]+ ?[KMGTP]?B) physical memory used",
    ))
});
/// The words of each reason. `*lost*` loses its asterisks on web pages.
static REASONS: LazyLock<Vec<(Regex, Reason)>> = LazyLock::new(|| {
    let all = [
        (r"released\s+on\s+a\s+\\?\*?lost\\?\*?\s+node", Reason::Lost),
        (r"being\s+'lost'\s+due\s+to\s+node\s+failures", Reason::Aborted),
        (r"Container\s+released\s+by\s+application", Reason::Released),
        (
            concat!(
                r"threshold\s+number\s+of\s+the\s+nodemanager-l|",
                r"\d+/\d+\s+l(?:ocal|og)-dirs\s+(?:are|have\s+become|turned)\s+bad",
            ),
            Reason::Disks,
        ),
        (r"[Cc]ontainer\s+(?:\S+\s+was\s+)?preempted(?:\s+by\s+(?:the\s+)?(?:scheduler|yarn))?", Reason::Preempted),
        (r"Container\s+killed\s+by\s+the\s+ApplicationMaster", Reason::KilledByMaster),
        (r"Container\s+killed\s+by\s+the\s+ResourceManager", Reason::KilledByResourceManager),
        (r"Container\s+of\s+a\s+completed\s+application", Reason::Completed),
        (
            r"Container\s+Killed\s+to\s+make\s+room\s+for\s+Guaranteed|illed\s+by\s+(?:the\s+)?Container\s?Scheduler",
            Reason::KilledByScheduler,
        ),
        (r"Container\s+\[pid=\d+,containerID=\S+\]\s+is\s+logging", Reason::ExcessLogs),
        (r"Container\s+expired\s+since\s+it\s+was\s+unused", Reason::Expired),
        (r"attempt_\S+?\s*Timed\s+out\s+after\s+\d+\s+secs", Reason::TimedOut),
        (r"failed\s+to\s+report\s+status\s+for\s+\d+\s+seconds", Reason::TimedOut),
        (r"[Aa]pplication\s+(?:application_\S+\s+)?(?:was\s+)?killed\s+by\s+user", Reason::KilledByUser),
    ];
    all.into_iter().filter_map(|(pattern, reason)| Some((compiled(pattern)?, reason))).collect()
});

/// What a text tells.
pub fn diagnostics(text: &str) -> Diagnostics {
    let mut status = Diagnostics::default();
    if let Some(elastic) = ELASTIC.as_ref().filter(|_| text.contains("lastic")) {
        status.elastic = told(elastic, text, |caught| {
            let of = |group: usize| caught.get(group)?.as_str().parse().ok().map(Bytes::new);
            Some((caught.get(1)?.as_str().to_owned(), Elastic { usage: of(2).zip(of(3)) }))
        });
    }
    status.nobody_to_kill = NOBODY.into_iter().find_map(|words| text.find(words));
    if let Some(over) = OVER_LIMIT.as_ref().filter(|_| text.contains("Process")) {
        status.over_limit = told(over, text, |caught| {
            let of = |group: usize| caught.get(group)?.as_str().parse().ok().map(Bytes::new);
            Some((caught.get(1)?.as_str().to_owned(), OverLimit { limit: of(2)?, usage: of(3)? }))
        });
    }
    if let Some(usage) = USAGE.as_ref().filter(|_| text.contains("emory usage of ProcessTree ")) {
        let all = told(usage, text, |caught| {
            let of = |group: usize| Rounded::parse(caught.get(group)?.as_str());
            let physical = Pair { usage: of(3)?, limit: of(4)? };
            let pid = caught.get(1).and_then(|digits| digits.as_str().parse().ok());
            Some((caught.get(2)?.as_str().to_owned(), TreeUsage { pid, physical }))
        });
        let mut last = std::collections::BTreeMap::new();
        last.extend(all.into_iter().map(|one| (one.container.clone(), one)));
        status.usage = last.into_values().collect();
    }
    status.reasons = reasons(text);
    status.statuses = statuses(text);
    status
}

fn told<T>(regex: &Regex, text: &str, read: impl Fn(&regex::Captures<'_>) -> Option<(String, T)>) -> Vec<Told<T>> {
    let all = regex.captures_iter(text).filter_map(|caught| {
        let whole = caught.get(0)?;
        let (container, what) = read(&caught)?;
        let container = container.replace('\\', "");
        Some(Told { at: whole.start(), end: whole.end(), container: Some(container), what })
    });
    all.take(MOST).collect()
}

fn reasons(text: &str) -> Vec<Told<Reason>> {
    let mut found: Vec<Told<Reason>> = Vec::new();
    if !["ontainer", "attempt_", "pplication"].iter().any(|word| text.contains(word)) {
        return found;
    }
    for (regex, reason) in REASONS.iter() {
        found.extend(regex.find_iter(text).take(MOST).map(|whole| Told {
            at: whole.start(),
            end: whole.end(),
            container: container_before(text, whole.end()),
            what: *reason,
        }));
    }
    found.sort_by_key(|told| told.at);
    found
}

fn statuses(text: &str) -> Vec<Told<i32>> {
    let Some((regex, context)) = STATUS.as_ref().zip(CONTEXT.as_ref()) else { return Vec::new() };
    let mut found = Vec::new();
    for caught in regex.captures_iter(text).take(MOST) {
        let Some((whole, code)) = caught.get(0).zip(caught.get(1)) else { continue };
        let Ok(code) = code.as_str().parse() else { continue };
        let from = ceil(text, whole.start().saturating_sub(AROUND));
        let to = floor(text, whole.end().saturating_add(AROUND));
        if text.get(from..to).is_some_and(|part| context.is_match(part)) {
            let (at, end) = (whole.start(), whole.end());
            found.push(Told { at, end, container: container_before(text, end), what: code });
        }
    }
    found
}

/// The container that is named last before a place.
fn container_before(text: &str, place: usize) -> Option<String> {
    let from = ceil(text, place.saturating_sub(AROUND));
    let part = text.get(from..place)?;
    let found = CONTAINER.as_ref()?.find_iter(part).last()?;
    Some(found.as_str().replace('\\', ""))
}
