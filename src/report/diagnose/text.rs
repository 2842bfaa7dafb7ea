//! The page for a person: the verdict in the first three lines, then the evidence.

use super::{Report, words};
use crate::diagnose::postmortem::candidates::candidates;
use crate::diagnose::postmortem::groups::groups;
use crate::diagnose::postmortem::late::{Suspect, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::postmortem::timeline::timeline;
use crate::model::Killer;
use crate::report::amount::about;
use crate::report::sentence::capital;
use crate::report::table::hanging as wrapped;

/// So many deaths of a group are named.
const NAMED: usize = 3;
/// So many places of evidence are shown.
const SHOWN: usize = 12;
/// So many further causes.
const CAUSES: usize = 5;

/// The page.
pub fn page(report: &Report<'_, '_>, width: usize) -> String {
    let mut out = verdict(report, width);
    if report.cases.len() > 1 {
        out += &deaths(report, width);
    }
    out += &evidence(report, width);
    out += &order(report, width);
    out += &causes(report, width);
    out += &super::advice::text(report, width);
    out += &undecided(report, width);
    out += &unread(report, width);
    out
}

/// Three lines: who, by what, how much.
pub(super) fn verdict(report: &Report<'_, '_>, width: usize) -> String {
    let verdict = &report.main.verdict;
    if report.tells_nothing() {
        let text = format!("{} ({}, {} confidence).", super::NOTHING, verdict.killer, verdict.confidence);
        return wrapped(&text, width, "  ");
    }
    let who = format!("{} ({}, {} confidence).", words::killer(verdict.killer), verdict.killer, verdict.confidence);
    let mut out = wrapped(&who, width, "  ");
    let amounts = amounts(report);
    if !amounts.is_empty() {
        out += &wrapped(&format!("{}.", amounts.join("; ")), width, "  ");
    }
    let names = names(report);
    if !names.is_empty() {
        out += &wrapped(&format!("{}.", names.join("; ")), width, "  ");
    }
    out += &wrapped(&format!("{}.", capital(super::sentence(&verdict.summary))), width, "  ");
    out
}

/// How much, and of what.
fn amounts(report: &Report<'_, '_>) -> Vec<String> {
    let verdict = &report.main.verdict;
    let mut facts = Vec::new();
    facts.extend(match (verdict.usage, verdict.limit) {
        (Some(usage), Some(limit)) => Some(format!("{} of {}", about(usage), about(limit))),
        (Some(usage), None) => Some(format!("{} in use", about(usage))),
        (None, Some(limit)) => Some(format!("Limit {}", about(limit))),
        (None, None) => None,
    });
    if !matches!(verdict.killer, Killer::NotOom | Killer::Unknown) {
        facts.push(format!("what filled up: {}", words::filled(verdict.code, verdict.area)));
    }
    if let Some(first) = facts.first_mut() {
        *first = capital(first);
    }
    facts
}

/// The cause, the process, the time, and what names the container.
fn names(report: &Report<'_, '_>) -> Vec<String> {
    let first = report.main.suspects.first().map(|first| first.cause);
    let cause = first.filter(|cause| report.main.verdict.code == Some(cause.code));
    let mut facts: Vec<String> = cause.map(|cause| format!("{} {}", cause.code, cause.name)).into_iter().collect();
    if cause.is_none() {
        facts.extend(report.main.verdict.code.map(str::to_owned));
    }
    facts.extend(report.main.verdict.pid.map(|pid| format!("pid {pid}")));
    let told = report.main.case.death.as_ref();
    facts.extend(told.and_then(|told| told.at()).map(words::moment));
    facts.extend(told.and_then(|told| told.unit()).map(str::to_owned));
    facts
}

/// Everything that a page says below its title.
pub(super) fn numbers(report: &Report<'_, '_>) -> Vec<String> {
    amounts(report).into_iter().chain(names(report)).collect()
}

fn deaths(report: &Report<'_, '_>, width: usize) -> String {
    let mut out = format!("\n{} deaths, by cause\n", report.cases.len());
    for group in groups(report.cases) {
        let code = group.code.unwrap_or("no cause");
        let head =
            format!("{:>5} x {code}, {}, {}", group.cases.len(), group.killer, words::filled(group.code, group.area));
        out += &wrapped(&head, width, "        ");
        let places = group.cases.iter().filter_map(|judged| judged.case.told().next());
        let mut places: Vec<String> =
            places.map(|(signal, _)| report.place(signal.file, signal.line)).take(NAMED + 1).collect();
        if group.cases.len() > NAMED {
            places.truncate(NAMED);
            places.push(format!("and {} more", group.cases.len() - NAMED));
        }
        out += &wrapped(&format!("        {}", places.join(", ")), width, "        ");
    }
    out
}

fn evidence(report: &Report<'_, '_>, width: usize) -> String {
    let first = report.main.suspects.first();
    let told: Vec<&Signal> = report.main.case.told().map(|(signal, _)| signal).collect();
    let mut shown: Vec<(&str, &Signal)> = told.into_iter().map(|signal| ("", signal)).collect();
    for signal in first.map(|first| first.supports.as_slice()).unwrap_or_default() {
        // A line that says several things is shown once.
        if !shown.iter().any(|(_, known)| (known.file, known.line) == (signal.file, signal.line)) {
            shown.push(("", signal));
        }
    }
    for signal in first.map(|first| first.contradicts.as_slice()).unwrap_or_default() {
        shown.push(("against: ", signal));
    }
    if shown.is_empty() {
        return String::new();
    }
    let mut out = "\nEvidence\n".to_owned();
    for (kind, signal) in shown.iter().take(SHOWN) {
        let place = report.place(signal.file, signal.line);
        out += &wrapped(&format!("  {kind}{place} [{}]", words::origin(signal.origin)), width, "    ");
        out += &wrapped(&format!("    {}", super::quoted(&signal.quote)), width, "    ");
        let because = super::because(signal);
        if !because.is_empty() {
            out += &wrapped(&format!("    = {}", super::sentence(because)), width, "      ");
        }
    }
    if shown.len() > SHOWN {
        out += &format!("  and {} more\n", shown.len() - SHOWN);
    }
    out
}

fn order(report: &Report<'_, '_>, width: usize) -> String {
    let events = timeline(report.main);
    if events.len() < 2 {
        return String::new();
    }
    let mut out = "\nIn time\n".to_owned();
    for event in events {
        let place = report.place(event.signal.file, event.signal.line);
        let head = format!("  {}  {:<13} ", words::moment(event.at), event.kind.label());
        out += &wrapped(&format!("{head}{} ({place})", super::short(&event.signal.quote)), width, "      ");
    }
    out
}

fn causes(report: &Report<'_, '_>, width: usize) -> String {
    let mut out = String::new();
    let candidates = candidates(&report.main.case, report.main.verdict.area);
    if !candidates.is_empty() {
        out += "\nWhat may have filled it, the likeliest first\n";
    }
    for (number, candidate) in (1..).zip(candidates) {
        out += &wrapped(&format!("  {number}. {}: {}", candidate.what, candidate.why), width, "     ");
    }
    out + &others(report, width)
}

fn others(report: &Report<'_, '_>, width: usize) -> String {
    let others: Vec<&Suspect<'_>> = report.main.suspects.iter().skip(1).take(CAUSES).collect();
    if others.is_empty() {
        return String::new();
    }
    let mut out = "\nAlso possible, or beside it\n".to_owned();
    for suspect in others {
        let beside = if suspect.weight == Weight::Beside { ", kills nobody by itself" } else { "" };
        let head = format!(
            "  {} {} ({} confidence{beside}): {}",
            suspect.cause.code,
            suspect.cause.name,
            suspect.confidence,
            super::sentence(&suspect.title)
        );
        out += &wrapped(&head, width, "    ");
    }
    out
}

fn undecided(report: &Report<'_, '_>, width: usize) -> String {
    let Some(decides) = report.undecided() else { return String::new() };
    let mut out = "\nWhat would make this surer\n".to_owned();
    out += &wrapped(&format!("  {}", decides.evidence), width, "  ");
    for line in decides.command.lines() {
        out += &format!("    {line}\n");
    }
    out
}

fn unread(report: &Report<'_, '_>, width: usize) -> String {
    let not_read = report.not_read();
    let lines = not_read.iter().map(|(name, why)| wrapped(&format!("  {name}: {why}"), width, "    "));
    if not_read.is_empty() { String::new() } else { format!("\nNot read\n{}", lines.collect::<String>()) }
}
