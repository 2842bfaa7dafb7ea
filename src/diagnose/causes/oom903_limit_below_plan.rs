use super::mib;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::model::{Bytes, Confidence, Finding, Pool, Severity};

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
