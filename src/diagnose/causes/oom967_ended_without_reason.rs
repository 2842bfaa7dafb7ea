use super::{
    marks, oom952_native_allocation_failed as native, oom958_fatal_exit as fatal, oom959_python_worker_killed as python,
};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Says, Signal};
use crate::model::{Area, Killer};

cause! {
    /// The process ended or was lost, and what is left does not say of what: memory is one of several reasons.
    ///
    /// ### What is seen
    /// Exit code 137 or 143, "Killed by external signal", "RECEIVED SIGNAL 15", a heartbeat that timed out, "Connection
    /// unexpectedly closed by remote task manager", `ContainerStatusUnknown`, a log that just ends. None of them says
    /// memory; all of them follow a kill for memory as well.
    ///
    /// ### What it is not
    /// - Proof of an OOM kill: 137 is any signal 9 (a liveness probe, `docker stop`, an operator), 143 any signal 15
    ///   (YARN, a cancelled job, a deleted pod). A timed-out heartbeat may be a long collection of a process that lives
    ///   on.
    ///
    /// ### How to prove it
    /// Whoever killed has written it down elsewhere. Kernel: `dmesg -T | grep -i -e 'killed process' -e oom-kill` on
    /// the node. Kubernetes: `kubectl get pod POD -o jsonpath='{.status.containerStatuses[*].lastState}'`, `kubectl get
    /// events`. YARN: `grep -e 'running beyond' -e 'memory limit' yarn-*-nodemanager-*.log` on the node of the
    /// container. The process itself: its `.out` file, `hs_err_pid*.log`, the last lines of its GC log.
    ///
    /// ### Cure
    /// None before the reason is known. So that the next end says more: -Xlog:gc* and -XX:+HeapDumpOnOutOfMemoryError
    /// in `env.java.opts.all`, `taskmanager.memory.process.size` as the container's limit, and `oomph record` beside
    /// the process, whose recording outlives it. Heartbeats that time out while the process lives: `heartbeat.timeout`,
    /// and see the heap (OOM908).
    ///
    /// ### Sources
    /// - Hadoop, `ContainerExitStatus`; Kubernetes, pkg/kubelet/status (`ContainerStatusUnknown`); signal(7).
    /// - Measured: a TaskManager under `kill -9` and one killed by the kernel leave the same lines in the JobManager's
    ///   log; only the group's `oom_kill` differs.
    "OOM967" "ended-without-reason" {
        late: Some(Late {
            required,
            weight: Weight::Nothing,
            area: |case| marks::area_by(case, &[Killer::Unknown], Area::Other),
            title,
            decides: Some(Decides {
                evidence: "whether the kernel killed it: the log of its node at that time",
                command: "dmesg -T | grep -i -e 'killed process' -e oom-kill",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.death.is_some() {
        return marks::told(case, &[Killer::Unknown], |_, death| {
            matches!(death.area, None | Some(Area::Container | Area::Other))
        });
    }
    let is_reason = |signal: &&Signal| matches!(signal.says, Says::OtherReason { ends: true, .. });
    let told = [fatal::required(case), python::died(case), native::required(case)];
    if case.other_reasons().iter().any(is_reason) || told.iter().any(|found| !found.is_empty()) {
        return Vec::new();
    }
    let mut found: Vec<&'s Signal> = case.ends().into_iter().map(|(signal, _)| signal).collect();
    if found.is_empty() && case.other_reasons().is_empty() {
        found = case.consequences();
    }
    found
}

fn title(case: &Case<'_>) -> String {
    let exit = case.ends().iter().find_map(|(_, ended)| ended.exit);
    match exit {
        Some(137) => "the process was killed by signal 9 (exit code 137), and the text does not say by whom".to_owned(),
        Some(143) => {
            "the process was asked to end by signal 15 (exit code 143), and the text does not say by whom".to_owned()
        }
        Some(exit) => format!("the process ended with exit code {exit}, and the text does not say of what"),
        None if case.death.is_some() || !case.ends().is_empty() => {
            "the process ended, and the text does not say of what".to_owned()
        }
        None => "a process was lost, and the text does not say of what, or whether it died".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Confidence;

    #[test]
    fn bare_exit_codes_and_lost_workers_are_unknown_with_low_confidence() {
        for left in
            [Left::default().ended(137), Left::default().ended(143), Left::default().consequence("Heartbeat timed out")]
        {
            let verdict = left.verdict();
            assert_eq!((verdict.code, verdict.killer), (Some("OOM967"), Killer::Unknown));
            assert_eq!(verdict.confidence, Confidence::Low);
        }
        let title = Left::default().ended(137).verdict().summary;
        assert!(title.contains("signal 9 (exit code 137)"), "{title}");
        assert_eq!(Left::killed_by(Killer::Unknown, Area::Container).first(), Some("OOM967"));
    }

    #[test]
    fn a_named_reason_a_death_and_flinks_own_exit_are_not() {
        let reason = Left::default().ended(137).other_reason("killed by a user", true);
        assert!(!reason.codes().contains(&"OOM967"));
        assert!(!Left::killed_by(Killer::KernelMemcg, Area::Container).ended(137).codes().contains(&"OOM967"));
        assert!(!Left::default().ended(239).codes().contains(&"OOM967"));
        assert!(!Left::default().codes().contains(&"OOM967"));
    }
}
