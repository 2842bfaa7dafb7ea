use super::{marks, mib, percent, permille, room};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::trend::Forecast;
use crate::model::{Area, Bytes, Confidence, Finding, Limit, Measure, Pool, Severity};

cause! {
    /// The process has nearly as many threads as its container or its user may have.
    ///
    /// ### What is seen
    /// Threads come close to `pids.max` of the container, or to `ulimit -u` of the user. The next one fails with
    /// `OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached`, though
    /// memory is free; Flink exits with code 1, and the node's `dmesg` has "fork rejected by pids controller".
    ///
    /// ### What it is not
    /// - Memory: stacks are reserved with a MiB each and touch about 90 KiB. A container that has no room for them is near
    ///   its limit (OOM904).
    /// - Too many mappings: each thread has two (OOM910).
    ///
    /// ### How to prove it
    /// `cat /sys/fs/cgroup/pids.current /sys/fs/cgroup/pids.max` in the container; `ps -o nlwp= -p PID`; `jstack PID` shows
    /// whose threads they are.
    ///
    /// ### Cure
    /// Raise the container's limit (kubelet's `podPidsLimit`, `docker run --pids-limit`) or `ulimit -u`. Where threads grow,
    /// a connector or a client leaks them. RocksDB's are set by `state.backend.rocksdb.thread.num` and
    /// `state.backend.rocksdb.checkpoint.transfer.thread.num`, those of file transfers by `cluster.io-pool.size`.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v1/pids.rst; getrlimit(2), RLIMIT_NPROC.
    /// - [FLINK-2829](https://issues.apache.org/jira/browse/FLINK-2829), unable to create native threads.
    /// - Measured: Flink 1.20.5 with `pids.max` 64 exits with code 1, with 1024 it runs.
    "OOM909" "threads-near-limit" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Beside,
            area: |_| Area::Threads,
            title,
            decides: Some(Decides {
                evidence: "which limit of threads was reached",
                command: "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids.events /proc/PID/limits",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Near, in thousandths of the limit: a job that starts on a TaskManager needs tens of threads at once.
const NEAR: u64 = 800;
/// At the limit.
const AT: u64 = 950;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    [container(outlook), user(outlook)].into_iter().flatten().collect()
}

fn container(outlook: &Outlook<'_>) -> Option<Finding> {
    let (Limit::AtMost(limit), Some(tasks)) = outlook.now.sample.cgroup.as_ref().ok()?.tasks? else { return None };
    // A number in the place of bytes.
    let limit = limit.get();
    let mut finding = judged(outlook, tasks, limit, Confidence::High, "the container may have")?;
    if let Some(threads) = outlook.now.sample.files.status.as_ref().ok().and_then(|status| status.threads) {
        finding = finding.note(format!("threads of this process: {threads}"));
    }
    Some(finding.help("raise the container's limit of processes, or end what makes threads"))
}

/// The limit counts all processes of the user, of which this is one. The kernel does not hold root to it.
fn user(outlook: &Outlook<'_>) -> Option<Finding> {
    let files = &outlook.now.sample.files;
    let Limit::AtMost(limit) = files.limits.as_ref().ok()?.processes else { return None };
    let status = files.status.as_ref().ok().filter(|status| status.uid != 0)?;
    let finding = judged(outlook, status.threads?, limit.get(), Confidence::Medium, "its user may have (ulimit -u)")?;
    Some(
        finding
            .note("threads of the user's other processes come on top")
            .help("raise the limit of processes of this user"),
    )
}

fn judged(outlook: &Outlook<'_>, tasks: u64, limit: u64, sure: Confidence, whose: &str) -> Option<Finding> {
    let share = permille(tasks, limit)?;
    let trend = outlook.before.and_then(|before| before.trend(Measure::Threads));
    let left = limit.saturating_sub(tasks);
    let forecast = trend.map(|trend| trend.time_to(trend.level.saturating_add(left)));
    let soon = matches!(forecast, Some(Forecast::Between { latest: Some(_), .. }));
    let severity = match share {
        AT.. => Severity::Error,
        _ if soon => Severity::Error,
        NEAR.. => Severity::Warning,
        _ => return None,
    };
    let when = forecast.as_ref().and_then(room::when).map(|when| format!("; it is met {when}")).unwrap_or_default();
    let title = format!("{tasks} threads are {} of the {limit} that {whose}{when}", percent(share));
    let stacks = outlook.now.account.as_ref().ok().map(|account| account.bytes(Pool::ThreadStacks));
    let finding = CAUSE.finding(severity, sure, title);
    Some(match stacks.filter(|bytes| *bytes > Bytes::ZERO) {
        Some(bytes) => finding.note(format!("their stacks hold {}", mib(bytes))),
        None => finding,
    })
}

const STRAINS: [&str; 1] = ["threads-refused"];

/// What is short, and nobody says that it failed.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.told_of(&[Area::Threads]).is_empty() { marks::strained(case, &STRAINS) } else { Vec::new() }
}

fn title(case: &Case<'_>) -> String {
    format!(
        "threads could not be started, and nothing says that the process failed of it{}",
        marks::in_words(case, &STRAINS)
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::artefact::process_status::ProcessLimits;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    fn tasks(now: u64, limit: Limit) -> Tried {
        Tried::taskmanager().contained(1728, 900, 800, 0).cgroup(|cgroup| cgroup.tasks = Some((limit, Some(now))))
    }

    #[test]
    fn the_containers_limit_is_judged() {
        let limit = Limit::AtMost(Bytes::new(128));
        assert_eq!(tasks(124, limit).finding(&CAUSE).severity, Severity::Error);
        assert_eq!(tasks(110, limit).finding(&CAUSE).severity, Severity::Warning);
        assert!(tasks(90, limit).finds(&CAUSE).is_empty());
        assert!(tasks(90_000, Limit::Unlimited).finds(&CAUSE).is_empty());
    }

    #[test]
    fn threads_that_grow_are_found_before_they_are_many() {
        let grows = tasks(600, Limit::AtMost(Bytes::new(1000))).before(Measure::Threads, (0..40).map(|n| 200 + 10 * n));
        assert_eq!(grows.finding(&CAUSE).severity, Severity::Error);
    }

    #[test]
    fn the_users_limit_does_not_hold_root() {
        let limits = |bytes| ProcessLimits {
            processes: Limit::AtMost(Bytes::new(bytes)),
            address_space: Limit::Unlimited,
            open_files: Limit::Unlimited,
        };
        let of = |uid| {
            let tried = Tried::taskmanager().status(|status| (status.uid, status.threads) = (uid, Some(190)));
            tried.with(|sample| sample.files.limits = Ok(limits(200)))
        };
        assert_eq!(of(9999).finding(&CAUSE).confidence, Confidence::Medium);
        assert!(of(0).finds(&CAUSE).is_empty());
    }

    #[test]
    fn refused_threads_are_told_beside() {
        let short = |left: Left| left.strain(Origin::Metrics, "threads-refused", Some(Area::Threads));
        assert_eq!(short(Left::default()).first(), Some("OOM909"));
        assert!(!short(Left::killed_by(Killer::Jvm, Area::Threads)).codes().contains(&"OOM909"));
    }
}
