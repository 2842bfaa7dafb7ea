//! Deaths that no JVM speaks of: of native programs, and of the Python workers of PyFlink.

use super::jvm::signal;
use super::signal::{Death, Ended, Origin, Says, Signal, Strain};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::native_death::{self, NativeDeath};
use crate::artefact::python_worker::{self, PythonWorker};
use crate::artefact::{hs_err, jvm_oom};
use crate::model::{Area, Killer};

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let mut found = native(excerpt);
    found.extend(python(excerpt));
    found
}

fn native(excerpt: &Excerpt) -> Vec<Signal> {
    let deaths = native_death::read(excerpt);
    if deaths.is_empty() {
        return Vec::new();
    }
    let is_jvm = native_death::is_of_jvm(excerpt);
    // A JVM that tells its death itself, in a report or an error, needs no other words for it.
    let reports = hs_err::reports(excerpt);
    let is_told = !reports.is_empty() || !jvm_oom::errors(excerpt).is_empty();
    // `abort` is what ends a program that catches no such exception, and the JVM reports it.
    let aborted = |report: &&hs_err::CrashReport| matches!(&report.reason, hs_err::Reason::Fatal { what } if what.starts_with("SIGABRT"));
    let pid = reports.iter().find(aborted).and_then(|report| report.pid);
    let mut kinds = Vec::new();
    let mut found = Vec::new();
    for one in deaths {
        if kinds.contains(&one.said) {
            continue;
        }
        kinds.push(one.said);
        found.extend(of_native(&one, is_jvm, is_told).into_iter().map(|(origin, mut says)| {
            if let (Says::Death(death), native_death::Said::RanOut) = (&mut says, one.said) {
                death.pid = pid;
            }
            signal(excerpt, one.offset, origin, says)
        }));
    }
    found
}

fn of_native(one: &NativeDeath, is_jvm: bool, is_told: bool) -> Vec<(Origin, Says)> {
    let size = one.size.map_or_else(String::new, |size| format!(" of {} B", size.get()));
    let refused = |name: &'static str, area: Area, text: String| {
        Says::Strain(Strain { name, area: Some(area), text, usage: None, limit: None })
    };
    let other = |reason: &str, ends: bool| Says::OtherReason { reason: reason.to_owned(), ends };
    match one.said {
        native_death::Said::RanOut if is_jvm => {
            let because = format!("an allocation{size} by {} was refused in the process of the JVM", one.by);
            vec![(Origin::Program, Says::Death(Death { area: Some(Area::Native), because, ..Death::by(Killer::Jvm) }))]
        }
        native_death::Said::RanOut => {
            // Nobody says whose process it was, nor whether memory was short or the size was wrong.
            let text = format!("an allocation{size} by {} was refused", one.by);
            let strained = refused("allocation-refused", Area::Native, text);
            vec![(Origin::Program, Says::Ended(Ended::default())), (Origin::Program, strained)]
        }
        native_death::Said::Refused if one.by == "Java" && !is_told => {
            let because = "the system refused the JVM memory for another process (errno 12)".to_owned();
            vec![(Origin::Jvm, Says::Death(Death { area: Some(Area::Native), because, ..Death::by(Killer::Jvm) }))]
        }
        native_death::Said::Refused => {
            vec![(Origin::Program, refused("allocation-refused", Area::Native, "an allocation was refused".to_owned()))]
        }
        native_death::Said::NotStarted => {
            let text = "a process or thread could not be started".to_owned();
            vec![(Origin::Program, refused("threads-refused", Area::Threads, text))]
        }
        native_death::Said::Killed => {
            vec![(Origin::Program, Says::Ended(Ended { exit: Some(137), ..Ended::default() }))]
        }
        native_death::Said::Corrupted => {
            vec![(Origin::Program, other("damage to the heap of a native library, not its size", true))]
        }
        native_death::Said::Length => {
            vec![(Origin::Program, other("a length that no container may have, an error of the program", true))]
        }
        native_death::Said::Segfault => vec![(Origin::Program, other("a crash by SIGSEGV", true))],
        native_death::Said::DiskFull => vec![(Origin::Program, other("no space left on a disk", false))],
    }
}

fn python(excerpt: &Excerpt) -> Vec<Signal> {
    let all = python_worker::read(excerpt);
    let died = all.iter().any(|one| is_death(&one.said));
    let mut kinds = Vec::new();
    let mut found = Vec::new();
    for one in &all {
        let kind = std::mem::discriminant(&one.said);
        if kinds.contains(&kind) {
            continue;
        }
        kinds.push(kind);
        found.push(signal(excerpt, one.offset, Origin::Python, of_python(one, died)));
    }
    found
}

fn is_death(said: &python_worker::Said) -> bool {
    match said {
        python_worker::Said::RanOut { .. } => true,
        python_worker::Said::Died { code } => *code >= 128,
        _ => false,
    }
}

fn of_python(one: &PythonWorker, died: bool) -> Says {
    let other = |reason: String| Says::OtherReason { reason, ends: false };
    let with = |raised: &Option<String>| raised.as_ref().map_or_else(String::new, |raised| format!(": {raised}"));
    match &one.said {
        python_worker::Said::RanOut { error, requested } => {
            let asked = requested.map_or_else(String::new, |size| format!(", {} B were asked for", size.get()));
            let because = format!("Python could not get memory ({error}){asked}");
            Says::Death(Death { area: Some(Area::Native), because, ..Death::by(Killer::Python) })
        }
        python_worker::Said::Died { code: 139 } => {
            Says::OtherReason { reason: "a crash of a Python worker by SIGSEGV".to_owned(), ends: true }
        }
        python_worker::Said::Died { code } if *code >= 128 => {
            Says::Ended(Ended { exit: Some(*code), pid: None, unit: None })
        }
        // At code 0 it was asked to end, and whoever asked for it had another reason.
        python_worker::Said::Died { code: 0 } => Says::Consequence,
        python_worker::Said::Died { code } => other(format!("a Python worker that ended by itself with code {code}")),
        _ if died => Says::Consequence,
        python_worker::Said::UserError { raised } => other(format!("an error in a Python function{}", with(raised))),
        python_worker::Said::NotStarted { raised } => {
            other(format!("a Python worker that did not start{}", with(raised)))
        }
        python_worker::Said::Closed => other("the usual close of a Python worker's channels".to_owned()),
    }
}

#[cfg(test)]
mod tests;
