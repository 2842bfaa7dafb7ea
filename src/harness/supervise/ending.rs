//! How a command ended: out of what is left of it.

#[cfg(test)]
mod tests;

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::artefact::{kernel_oom, recording};
use crate::harness::child::in_words;
use crate::harness::enter;
use crate::model::{Bytes, Ended};
use crate::repro::outcome::Ending;

/// Why oomph ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Stopped,
    OutOfTime,
    Guard(Bytes),
    Disk(String),
}

/// Whether a report is of a process's death.
pub(super) fn is_about(report: &str, pid: u32) -> bool {
    kernel_oom::reports(report).iter().any(|report| report.killed.iter().any(|killed| killed.pid == pid))
}

/// What decides how it ended.
pub(super) struct Left<'l> {
    pub(super) cut: Option<Cut>,
    pub(super) status: Option<ExitStatus>,
    pub(super) ended: Option<Ended>,
    pub(super) pid: u32,
    pub(super) oom_kills: Option<u64>,
    pub(super) reports: &'l [String],
    pub(super) stderr: &'l str,
}

/// How it ended. A SIGKILL is the kernel's where it counts a kill in the group, or reports this process's.
pub(super) fn ending(left: &Left<'_>) -> Ending {
    match &left.cut {
        Some(Cut::Stopped) => return Ending::Interrupted,
        Some(Cut::OutOfTime) => return Ending::OutOfTime,
        Some(Cut::Guard(at)) => return Ending::KilledByWatchdog { at: *at },
        Some(Cut::Disk(why)) => return Ending::Failed(why.clone()),
        None => {}
    }
    let is_killed = left.status.is_some_and(|status| status.signal() == Some(9));
    let own = left.reports.first().filter(|report| is_about(report, left.pid));
    if is_killed && (left.oom_kills.is_some_and(|kills| kills > 0) || own.is_some()) {
        // In another pid namespace the log has another id: then it is the first of the group's.
        let report = own.or(left.reports.first()).cloned().unwrap_or_default();
        return Ending::KilledByKernel { pid: left.pid, report };
    }
    // A process beside it was chosen, and it went on for a moment without.
    if matches!(left.ended, Some(Ended::Failed(_)))
        && left.oom_kills.is_some_and(|kills| kills > 0)
        && let Some(report) = left.reports.first()
        && let Some(pid) = victim(report)
    {
        return Ending::KilledByKernel { pid, report: report.clone() };
    }
    let code = left.status.and_then(|status| status.code());
    match (&left.ended, code) {
        (Some(Ended::Failed(why)), _) => Ending::Failed(why.clone()),
        (_, Some(0)) => Ending::Finished,
        (_, Some(enter::EXIT)) => Ending::Failed(left.stderr.trim().to_owned()),
        _ => Ending::Died {
            status: left.status.map_or_else(|| "an end that was not seen".to_owned(), in_words),
            stderr: left.stderr.to_owned(),
        },
    }
}

/// Whom the kernel killed, by its report.
fn victim(report: &str) -> Option<u32> {
    kernel_oom::reports(report).into_iter().find_map(|report| report.killed.first().map(|killed| killed.pid))
}

/// An ending in a few words, for a recording.
pub(super) fn words(ending: &Ending) -> String {
    match ending {
        Ending::Finished => recording::DONE.to_owned(),
        Ending::KilledByKernel { .. } => recording::KILLED.to_owned(),
        Ending::KilledByWatchdog { at } => format!("oomph ended it at {at} of anonymous memory"),
        Ending::Died { status, .. } => status.clone(),
        Ending::Failed(why) => why.clone(),
        Ending::OutOfTime => "its time was over".to_owned(),
        Ending::Interrupted => "it was interrupted".to_owned(),
    }
}
