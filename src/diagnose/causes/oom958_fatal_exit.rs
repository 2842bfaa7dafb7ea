use super::marks::{self, Other};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// Flink ended the process itself after an error it holds for fatal; no error of memory stands beside it.
    ///
    /// ### What is seen
    /// Exit code 239 (-17), "FATAL: Thread … produced an uncaught exception. Stopping the process...", "Fatal error
    /// occurred while executing the TaskManager. Shutting it down...", or "Task did not exit gracefully within 180 +
    /// seconds". What was thrown stands below; the JobManager knows the exit code only.
    ///
    /// ### What it is not
    /// - A kill from outside: 137 and 143 are those.
    /// - Full metaspace (OOM948), heap (OOM947) or direct memory (OOM950): they too end with 239, and say so in the log
    ///   of the process that died. Without that log this cannot be told apart.
    ///
    /// ### How to prove it
    /// `grep -A 30 -e 'FATAL' -e 'Fatal error occurred' taskmanager.log taskmanager.out` of the process that ended, not
    /// of the JobManager: the last "Caused by" is the reason.
    ///
    /// ### Cure
    /// By that reason. A task that does not react to being cancelled: the thread dump above the message names where it
    /// hangs; `task.cancellation.timeout` gives it longer. A process that is to go on after uncaught exceptions:
    /// `cluster.uncaught-exception-handling: LOG`.
    ///
    /// ### Sources
    /// - Flink, `FatalExitExceptionHandler` (`EXIT_CODE = -17`), `TaskManagerRunner.onFatalError`,
    ///   `Task.TaskCancelerWatchDog`.
    "OOM958" "fatal-exit" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::NotMemory,
            area: |case| marks::area_by(case, &[Killer::Flink], Area::Other),
            title,
            decides: Some(Decides {
                evidence: "what was thrown: the log and the .out file of the process that ended",
                command: "grep -A 30 -e FATAL -e 'Fatal error occurred' taskmanager.log taskmanager.out",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// -17 as the system reports it, and as Flink writes it.
const CODES: [i32; 2] = [239, -17];

/// What tells of it. Where an error of memory is told, that is the reason.
pub(super) fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.death.is_some() {
        return marks::told(case, &[Killer::Flink], |_, death| matches!(death.area, None | Some(Area::Other)));
    }
    let mut found = marks::others(case, Other::FatalExit);
    found.extend(marks::exits(case, &CODES));
    found
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = marks::exits(case, &CODES);
    found.extend(case.consequences());
    found
}

fn title(case: &Case<'_>) -> String {
    match marks::reason(case, Other::FatalExit) {
        Some(reason) => format!("the process was {reason}; no error of memory stands beside it"),
        None => "Flink ended the process itself with exit code 239, and what was thrown is not in the text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    #[test]
    fn flinks_own_exit_code_and_what_was_thrown_are_told() {
        assert_eq!(Left::default().ended(239).verdict().code, Some("OOM958"));
        let thrown = "ended by Flink itself for an uncaught exception (IllegalStateException: x)";
        let verdict = Left::default().other_reason(thrown, true).ended(239).verdict();
        assert_eq!((verdict.code, verdict.killer, verdict.area), (Some("OOM958"), Killer::NotOom, Area::Other));
        assert!(verdict.summary.contains("IllegalStateException"), "{}", verdict.summary);
        let by_flink = Left::killed_by(Killer::Flink, Area::Other).verdict();
        assert_eq!((by_flink.code, by_flink.area), (Some("OOM958"), Area::Other));
    }

    #[test]
    fn other_codes_and_an_exit_after_an_error_of_memory_are_not() {
        assert!(!Left::default().ended(137).codes().contains(&"OOM958"));
        assert!(!Left::default().ended(143).codes().contains(&"OOM958"));
        assert!(!Left::killed_by(Killer::Jvm, Area::Metaspace).ended(239).codes().contains(&"OOM958"));
    }
}
