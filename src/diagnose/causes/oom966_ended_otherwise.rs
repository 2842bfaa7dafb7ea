use super::marks::{self, Other};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Says, Signal};
use crate::model::Area;

cause! {
    /// The process or job ended for a reason that the text names, and it is not memory.
    ///
    /// ### What is seen
    /// A user or a scheduler cancelled it, a pod or container was preempted, a node was lost, drained or shut down, a
    /// probe failed, a task timed out, a class is missing, an exception of the job. Exit codes 137, 143 and 1 are the
    /// same as those of kills by memory, and the JobManager's lost heartbeats as well.
    ///
    /// ### What it is not
    /// - A kill for memory: YARN's -103 and -104, `OOMKilled`, `Evicted` with "resource: memory" are (OOM941, OOM940,
    ///   OOM945).
    /// - An end of which nobody says the reason (OOM967).
    ///
    /// ### How to prove it
    /// The line that is quoted stands for it. On Kubernetes `kubectl get events --sort-by=.lastTimestamp`, on YARN
    /// `yarn application -status APPLICATION` give the same reason from the other side.
    ///
    /// ### Cure
    /// By the reason. Preempted or drained: priorities and disruption budgets; checkpoints often enough that a restart
    /// is cheap (`execution.checkpointing.interval`). Probes: a longer delay, since a JVM that collects answers late:
    /// then look at the heap (OOM908). Lost nodes: more than one JobManager (`high-availability.type`) and a restart
    /// strategy. Without slots: `taskmanager.numberOfTaskSlots`, more TaskManagers.
    ///
    /// ### Sources
    /// - Hadoop, `ContainerExitStatus` (-100 aborted, -102 preempted, -105 to -107 killed by the application or after
    ///   its end).
    /// - Kubernetes, pod lifecycle; Flink, `YarnResourceManagerDriver.getContainerCompletedCause`.
    "OOM966" "ended-otherwise" {
        late: Some(Late {
            required,
            supporting,
            contradicting: marks::death,
            weight: Weight::NotMemory,
            area: |_| Area::Other,
            title,
            decides: Some(Decides {
                evidence: "the same reason from whoever ended it",
                command: "kubectl get events --sort-by=.lastTimestamp",
            }),
        }),
    }
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::others(case, Other::Else)
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    // What failed beside it is borne out by nothing.
    let ended = case.other_reasons().iter().any(|signal| matches!(signal.says, Says::OtherReason { ends: true, .. }));
    if ended { marks::exits(case, &[137, 143, 1]) } else { Vec::new() }
}

fn title(case: &Case<'_>) -> String {
    let reason = marks::reason(case, Other::Else).unwrap_or_default();
    format!("memory was not the reason: {reason}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::{Confidence, Killer};

    #[test]
    fn a_named_reason_is_told() {
        let left = Left::default().other_reason("preempted by YARN's scheduler", true);
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.killer, verdict.area), (Some("OOM966"), Killer::NotOom, Area::Other));
        assert_eq!(verdict.summary, "memory was not the reason: preempted by YARN's scheduler");
        assert_eq!(verdict.confidence, Confidence::Medium);
    }

    #[test]
    fn reasons_that_have_a_page_of_their_own_are_not_repeated() {
        for reason in ["no space left on a disk", "a crash by SIGSEGV", "checkpoints that expired"] {
            assert!(!Left::default().other_reason(reason, true).codes().contains(&"OOM966"), "{reason}");
        }
    }

    #[test]
    fn a_death_for_memory_comes_first_and_speaks_against_it() {
        let both = Left::killed_by(Killer::YarnPmem, Area::Container).other_reason("released by its application", true);
        assert_eq!(both.first(), Some("OOM941"));
        let against = both.with_judged(|judged| {
            judged
                .suspects
                .iter()
                .find(|suspect| suspect.cause.code == "OOM966")
                .map(|suspect| suspect.contradicts.len())
        });
        assert_eq!(against, Some(1));
    }
}
