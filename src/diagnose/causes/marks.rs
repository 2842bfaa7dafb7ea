//! What several causes look for in what a dead process leaves, and the words in which they tell its numbers.

use super::mib;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::signal::{Death, Says, Signal, Strain};
use crate::model::{Area, Killer, Role};

/// Whoever ends a container at its own limit.
pub(super) const AT_ITS_LIMIT: [Killer; 2] = [Killer::KernelMemcg, Killer::YarnPmem];
/// Whoever ends a process from outside because of memory that is really used.
pub(super) const OUTSIDE: [Killer; 6] = [
    Killer::KernelMemcg,
    Killer::KernelGlobal,
    Killer::YarnPmem,
    Killer::YarnElastic,
    Killer::KubeletEvict,
    Killer::SystemdOomd,
];
/// What a process says of itself: nobody from outside is named.
pub(super) const INSIDE: [Killer; 2] = [Killer::Jvm, Killer::Unknown];

/// The tellings of the death by these, where it was one of these who ended it: whoever counts less is left out.
pub(super) fn killed<'s>(case: &Case<'s>, killers: &[Killer]) -> Vec<&'s Signal> {
    if case.killed_by(killers) { case.told_by(killers) } else { Vec::new() }
}

/// The tellings of the death that are so, where it was one of these who ended it.
pub(super) fn told<'s>(case: &Case<'s>, killers: &[Killer], fits: impl Fn(&Signal, &Death) -> bool) -> Vec<&'s Signal> {
    if !case.killed_by(killers) {
        return Vec::new();
    }
    let of_these = case.told().filter(|(_, death)| killers.contains(&death.killer));
    of_these.filter(|(signal, death)| fits(signal, death)).map(|(signal, _)| signal).collect()
}

/// The tellings of the death in which one of these areas is said to have been full.
pub(super) fn told_of<'s>(case: &Case<'s>, killers: &[Killer], areas: &[Area]) -> Vec<&'s Signal> {
    told(case, killers, |_, death| death.area.is_some_and(|area| areas.contains(&area)))
}

/// Whether a telling of a death holds one of these words, in any case.
pub(super) fn speaks_of(signal: &Signal, death: &Death, words: &[&str]) -> bool {
    holds(&signal.quote, words) || holds(&death.because, words)
}

/// Whether a text holds one of these words, in any case.
pub(super) fn holds(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(&word.to_lowercase()))
}

/// What is said beside the death in one of these words.
pub(super) fn said_with<'s>(case: &Case<'s>, words: &[&str]) -> Vec<&'s Signal> {
    let said = |signal: &Signal| match &signal.says {
        Says::Strain(strain) => holds(&signal.quote, words) || holds(&strain.text, words),
        Says::OtherReason { reason, .. } => holds(&signal.quote, words) || holds(reason, words),
        _ => holds(&signal.quote, words),
    };
    case.signals.iter().copied().filter(|signal| said(signal)).collect()
}

/// What kind of reason it was that is not memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// A crash: a signal of the processor, a stack that overflowed, a damaged heap.
    Crash,
    /// A disk.
    Disk,
    /// Flink ended itself.
    FatalExit,
    /// Checkpoints.
    Checkpoints,
    /// Anything else.
    Else,
}

impl Other {
    fn of(reason: &str) -> Other {
        let holds = |words: &[&str]| holds(reason, words);
        let crash = [
            "crash",
            "SIGSEGV",
            "SIGBUS",
            "SIGILL",
            "SIGFPE",
            "signal 11",
            "StackOverflow",
            "stack overflow",
            "damage to the heap",
        ];
        let disk = ["no space left", "disk space", "bad disks", "the disk", "disk is full", "ephemeral", "inodes"];
        let checkpoints = ["checkpoints that expired", "failed checkpoints", "checkpoint expired", "expired before"];
        if holds(&crash) {
            Other::Crash
        } else if holds(&disk) {
            Other::Disk
        } else if holds(&["ended by Flink itself"]) {
            Other::FatalExit
        } else if holds(&checkpoints) {
            Other::Checkpoints
        } else {
            Other::Else
        }
    }
}

/// Reasons of a kind that are not memory: those that ended a process before those that did not.
pub(super) fn others<'s>(case: &Case<'s>, kind: Other) -> Vec<&'s Signal> {
    let mut found: Vec<(&'s Signal, bool)> = Vec::new();
    for signal in case.other_reasons() {
        if let Says::OtherReason { reason, ends } = &signal.says
            && Other::of(reason) == kind
        {
            found.push((signal, *ends));
        }
    }
    found.sort_by_key(|(_, ends)| !ends);
    found.into_iter().map(|(signal, _)| signal).collect()
}

/// The first reason of a kind, in its words.
pub(super) fn reason<'s>(case: &Case<'s>, kind: Other) -> Option<&'s str> {
    others(case, kind).into_iter().find_map(|signal| match &signal.says {
        Says::OtherReason { reason, .. } => Some(reason.as_str()),
        _ => None,
    })
}

/// The tellings of the death, against a reason that is not memory.
pub(super) fn death<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    case.told().filter(|(_, death)| death.killer != Killer::Unknown).map(|(signal, _)| signal).collect()
}

/// Strains of these names, without what they say in numbers.
pub(super) fn strained<'s>(case: &Case<'s>, names: &[&str]) -> Vec<&'s Signal> {
    case.strains(names).into_iter().map(|(signal, _)| signal).collect()
}

/// The tellings of a kill of a container at its limit, with what was seen in it; nothing without either.
pub(super) fn killed_beside<'s>(case: &Case<'s>, seen: Vec<&'s Signal>) -> Vec<&'s Signal> {
    let mut found = killed(case, &AT_ITS_LIMIT);
    if seen.is_empty() || found.is_empty() {
        return Vec::new();
    }
    found.extend(seen);
    found
}

/// What strains of these names say, behind a sentence.
pub(super) fn in_words(case: &Case<'_>, names: &[&str]) -> String {
    let said = case.strains(names).into_iter().map(|(_, strain)| strain.text.as_str()).find(|text| !text.is_empty());
    said.map_or_else(String::new, |text| format!(": {}", text.trim_end_matches('.')))
}

/// Strains about an area in which more than this part of the limit is used, in thousandths.
pub(super) fn used_above<'s>(case: &Case<'s>, area: Area, permille: u64) -> Vec<(&'s Signal, &'s Strain)> {
    let of_area = case.signals.iter().copied().filter_map(|signal| match &signal.says {
        Says::Strain(strain) if strain.area == Some(area) => Some((signal, strain)),
        _ => None,
    });
    let above = |strain: &Strain| match (strain.usage, strain.limit) {
        (Some(usage), Some(limit)) => super::permille(usage.get(), limit.get()).is_some_and(|share| share > permille),
        _ => false,
    };
    of_area.filter(|(_, strain)| above(strain)).collect()
}

/// Ends with one of these exit codes.
pub(super) fn exits<'s>(case: &Case<'s>, codes: &[i32]) -> Vec<&'s Signal> {
    let of_these = case.ends().into_iter().filter(|(_, ended)| ended.exit.is_some_and(|exit| codes.contains(&exit)));
    of_these.map(|(signal, _)| signal).collect()
}

/// What bears out that somebody killed from outside: counters at their limit, an exit by signal, other tellings of the same
/// death, and what is lost with it.
pub(super) fn borne_out<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = strained(case, &["limit-hit"]);
    found.extend(exits(case, &[137, 143]));
    found.extend(case.consequences());
    found
}

/// What bears out that the process failed by itself: Flink's exit after a fatal error, and the JVM's own exits.
pub(super) fn ended_itself<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = exits(case, &[239, -17, 3, 134, 1]);
    found.extend(strained(case, &["fatal-exit"]));
    found
}

/// What had filled the memory by those who killed: what others say of the same process is another matter.
pub(super) fn area_by(case: &Case<'_>, killers: &[Killer], otherwise: Area) -> Area {
    let areas = || case.told().filter(|(_, death)| killers.contains(&death.killer)).filter_map(|(_, death)| death.area);
    areas().find(|area| *area != Area::Container).or_else(|| areas().next()).unwrap_or(otherwise)
}

/// The process that died: `process 4711 (java)`.
pub(super) fn victim(case: &Case<'_>) -> String {
    let told = case.death.as_ref();
    let name = case.told().find_map(|(_, death)| death.process.as_deref());
    match (told.and_then(|told| told.pid()), name) {
        (Some(pid), Some(name)) => format!("process {pid} ({name})"),
        (Some(pid), None) => format!("process {pid}"),
        (None, Some(name)) => format!("the process {name}"),
        (None, None) => "the process".to_owned(),
    }
}

/// The container's limit: `its limit of 1728.0 MiB`.
pub(super) fn its_limit(case: &Case<'_>) -> String {
    match case.death.as_ref().and_then(|told| told.limit()) {
        Some(limit) => format!("its limit of {}", mib(limit)),
        None => "its limit".to_owned(),
    }
}

/// Use and limit as the death states them, behind a sentence: ` (1730.2 MiB of 1728.0 MiB)`.
pub(super) fn figures(case: &Case<'_>) -> String {
    let told = case.death.as_ref();
    match (told.and_then(|told| told.usage()), told.and_then(|told| told.limit())) {
        (Some(usage), Some(limit)) => format!(" ({} of {})", mib(usage), mib(limit)),
        (Some(usage), None) => format!(" ({} in use)", mib(usage)),
        (None, Some(limit)) => format!(" (limit {})", mib(limit)),
        (None, None) => String::new(),
    }
}

/// Why, in the words of whoever tells of the death, behind a sentence: `: pages of files are 900 of 1000 MiB`.
pub(super) fn because(case: &Case<'_>, killers: &[Killer]) -> String {
    let told = || case.told().filter(|(_, death)| killers.contains(&death.killer));
    let said = told().find(|(_, death)| !death.because.is_empty()).map(|(_, death)| death.because.as_str());
    said.map_or_else(String::new, |because| format!(": {}", because.trim_end_matches('.')))
}

/// Whose death it is: said, or told by a size that the start of one role alone prints.
pub(super) fn role(case: &Case<'_>) -> Option<Role> {
    let given = |keys: &[&str]| keys.iter().all(|key| case.given(key).is_some());
    let of_one = match (
        given(&["taskmanager.memory.framework.heap.size"]),
        given(&["jobmanager.memory.off-heap.size", "jobmanager.memory.jvm-overhead.max"]),
    ) {
        (true, false) => Some(Role::TaskManager),
        (false, true) => Some(Role::JobManager),
        _ => None,
    };
    case.role.or(of_one)
}

/// Something of a process, in a title, with its role where that is known: `the TaskManager's metaspace`, `metaspace`.
pub(super) fn of_role(case: &Case<'_>, what: &str) -> String {
    match role(case) {
        Some(Role::TaskManager) => format!("the TaskManager's {}", what.trim_start_matches("the ")),
        Some(Role::JobManager) => format!("the JobManager's {}", what.trim_start_matches("the ")),
        None => what.to_owned(),
    }
}

/// A flag or a setting with its value as it was given, behind a sentence: ` (-Xmx2764m)`.
pub(super) fn given_as(case: &Case<'_>, flag: &str) -> String {
    case.given(flag).map_or_else(String::new, |(_, value)| {
        let equals = if flag.starts_with("-XX") {
            "="
        } else if flag.starts_with('-') {
            ""
        } else {
            ": "
        };
        format!(" ({flag}{equals}{})", value.trim())
    })
}

/// Whether the heap is exhausted: the JVM says so, or, where nobody tells of a death, it collects all the time.
pub(super) fn heap_exhausted<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    match case.death {
        Some(_) => told_of(case, &INSIDE, &[Area::Heap]),
        None => {
            let of_heap = case.strains(&["full-collections"]).into_iter();
            of_heap.filter(|(_, strain)| strain.area != Some(Area::Metaspace)).map(|(signal, _)| signal).collect()
        }
    }
}

/// What bears out an exhausted heap.
pub(super) fn heap_borne_out<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = case.strained(Area::Heap);
    found.extend(ended_itself(case));
    found.extend(case.consequences());
    found
}

/// What shows a heap in trouble, whoever tells it.
pub(super) fn heap_signs<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = heap_exhausted(case);
    found.extend(case.strained(Area::Heap));
    found
}
