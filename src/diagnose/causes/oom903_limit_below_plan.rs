use super::{marks, mib};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Bytes, Confidence, Finding, Pool, Role, Severity};

cause! {
    /// The container's limit is smaller than what Flink planned to use, so it will be killed within its budget.
    ///
    /// ### What is seen
    /// The limit of the process's cgroup, or of one above it, is below Flink's total process memory, or too small for
    /// that and the other processes in it together. The heap alone may be fully used before anything looks wrong.
    ///
    /// ### What it is not
    /// - A leak: every part stays within its budget.
    ///
    /// ### How to prove it
    /// `oomph attach PID` shows both numbers: the limit out of the cgroup, the plan out of the command line.
    ///
    /// ### Cure
    /// Give the container what is planned, or plan what the container has: `taskmanager.memory.process.size` must be the
    /// limit, less what other processes of the container take.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst: limits hold for all groups below.
    "OOM903" "limit-below-plan" {
        early: early,
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Config,
            title,
            decides: Some(Decides {
                evidence: "the limit of the container against what Flink planned",
                command: "kubectl get pod POD -o yaml",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let container = outlook.now.container.as_ref().ok()?;
    let limit = container.limit?;
    let planned = outlook.now.planned.as_ref().ok()?.plan.budget.total_process().bytes;
    let others = container.beside(Pool::OtherProcesses).unwrap_or(Bytes::ZERO);
    let needed = planned.checked_add(others)?;
    let missing = needed.checked_sub(limit).filter(|missing| *missing > Bytes::ZERO)?;
    let group = container.limited_by.as_deref().unwrap_or("/");
    let mut finding = CAUSE.finding(
        if planned > limit { Severity::Error } else { Severity::Warning },
        Confidence::High,
        format!("the container's limit is {} short of what is planned to be used in it", mib(missing)),
    );
    finding = finding.note(format!("limit of {group}: {}", mib(limit)));
    finding = finding.note(format!("planned by Flink: {}", mib(planned)));
    if others > Bytes::ZERO {
        finding = finding.note(format!("other processes in the container: {}", mib(others)));
    }
    let fits = limit.checked_sub(others).unwrap_or(Bytes::ZERO).whole_mib();
    Some(finding.help(format!("raise the container's limit, or set the process's size to {fits}m at most")))
}
const SIZES: [&str; 2] = ["taskmanager.memory.process.size", "jobmanager.memory.process.size"];

/// What Flink was told that it may have, where only one role's size is given or the role is known, and the limit below it.
fn above(case: &Case<'_>) -> Option<(Bytes, Bytes)> {
    let [worker, master] = SIZES.map(|key| case.given(key).and_then(|(_, size)| Bytes::parse_flink(size).ok()));
    let planned = match marks::role(case) {
        Some(Role::TaskManager) => worker,
        Some(Role::JobManager) => master,
        None => worker.xor(master),
    }?;
    let limit = case.death.as_ref()?.limit()?;
    // What is printed with one decimal may be rounded by a twentieth.
    (planned.get() / 21 * 20 > limit.get()).then_some((planned, limit))
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if above(case).is_none() { Vec::new() } else { marks::killed(case, &marks::AT_ITS_LIMIT) }
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found: Vec<&'s Signal> = SIZES.iter().filter_map(|key| case.given(key)).map(|(signal, _)| signal).collect();
    found.extend(marks::borne_out(case));
    found
}

fn title(case: &Case<'_>) -> String {
    let Some((planned, limit)) = above(case) else { return String::new() };
    format!("the container's limit of {} is below the {} that Flink planned to use", mib(limit), mib(planned))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Killer;

    #[test]
    fn a_kill_at_a_limit_below_the_plan_is_a_fault_of_the_configuration() {
        let killed = |limit| Left::killed_by(Killer::KernelMemcg, Area::Container).limit(Bytes::mib(limit));
        let verdict = killed(1024).given(SIZES[0], "1728m").verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM903"), Area::Config));
        assert!(verdict.summary.contains("1024.0 MiB is below the 1728.0 MiB"), "{}", verdict.summary);
        assert!(!killed(1728).given(SIZES[0], "1728m").codes().contains(&"OOM903"));
        let two = killed(1024).given(SIZES[0], "1728m").given(SIZES[1], "1600m");
        assert!(!two.codes().contains(&"OOM903"), "whose container it was is not said");
        assert_eq!(two.given("role", "taskmanager").first(), Some("OOM903"));
    }
}
