use super::room::{self, Room};
use super::{marks, mib, percent, permille};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::trend::Forecast;
use crate::model::{Area, Confidence, Finding, Severity};

cause! {
    /// What cannot be reclaimed is near the container's limit, or grows towards it: the kernel will kill the process.
    ///
    /// ### What is seen
    /// Anonymous memory, tmpfs and the kernel's own memory of the container come close to its limit. Page cache is not
    /// counted: it goes when something else needs its place. At the end the kernel throws out the process's own code, reads
    /// it again from disk, and kills with signal 9 (exit code 137) in the middle of a page fault. Flink's log just ends; the
    /// JobManager says that the TaskManager is no longer reachable.
    ///
    /// ### What it is not
    /// - A full page cache: usage is at the limit then, and what cannot be reclaimed is not (OOM905).
    /// - A full Java heap: it ends the process with an OutOfMemoryError or with silence, not with a signal (OOM908).
    /// - YARN's own check, which looks at the resident sets of the process tree and ends with exit code 143.
    ///
    /// ### How to prove it
    /// `cat /sys/fs/cgroup/memory.stat` in the container: `anon` + `shmem` + `kernel` against `memory.max`. After the end:
    /// `oom_kill` in `memory.events`, and `dmesg` of the node names the killed process with its `anon-rss`.
    ///
    /// ### Cure
    /// Find the pool that grows; its own page has its cure. To gain time, raise `taskmanager.memory.process.size` together
    /// with the container's limit, or give the limit room above it with `kubernetes.taskmanager.memory.limit-factor`. A
    /// larger `taskmanager.memory.jvm-overhead.min` within the same size takes from what Flink plans, and leaves it to
    /// what nobody plans.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst: `memory.max`, `memory.stat`; mm/memcontrol.c (`mem_cgroup_oom`).
    /// - Measured: Flink 1.20.5 with RocksDB unmanaged, killed at 1 275 068 416 bytes with `anon-rss` at the limit
    ///   (`testdata/series/failures`).
    /// - `KubernetesConfigOptions.TASK_MANAGER_MEMORY_LIMIT_FACTOR`, Flink 1.15 to 2.3.
    "OOM904" "container-limit-near" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Beside,
            area: |_| Area::Container,
            title,
            decides: Some(Decides {
                evidence: "whether the kernel or YARN killed at that limit",
                command: "grep oom_kill /sys/fs/cgroup/memory.events",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Near, in thousandths of the limit. Ours: Flink plans a process to fill its container, and nine tenths of it are
/// normal (JVM overhead, which is rarely all used, is a tenth by default).
pub(super) const NEAR: u64 = 950;
/// At the limit. Ours: with default parts a single memtable or a heap region more is a fiftieth.
const AT: u64 = 980;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let room = Room::of(outlook)?;
    let share = permille(room.held.get(), room.limit.get())?;
    let forecast = outlook.before.and_then(|before| room.forecast(before));
    let when = forecast.as_ref().and_then(room::when);
    let severity = match (&forecast, share) {
        (_, AT..) | (Some(Forecast::Between { latest: Some(_), .. }), _) => Severity::Error,
        (_, NEAR..) | (Some(Forecast::Between { latest: None, .. }), _) => Severity::Warning,
        _ => return None,
    };
    let what = format!("{} of the container's limit cannot be reclaimed", percent(share));
    let title = match &when {
        Some(when) => format!("{what}, and it grows: the limit is reached {when}"),
        None => format!("{what}: {} more and the kernel kills", mib(room.left())),
    };
    let mut finding = CAUSE.finding(severity, confidence(outlook, &room), title);
    finding.notes.extend(room.notes());
    if let Some((pool, by)) = outlook.before.and_then(room::grower) {
        finding = finding.note(format!("{} grows most: by {} an hour", pool.label(), mib(by)));
    }
    Some(finding.help("see which pool grows; until it is cured, raise the process's size together with the limit"))
}

/// The group's books alone may be those of another process; the process's own must agree.
fn confidence(outlook: &Outlook<'_>, room: &Room<'_>) -> Confidence {
    let sample = &outlook.now.sample;
    let own = sample.files.status.as_ref().ok().and_then(|status| status.rss_anon);
    let others = sample.cgroup.as_ref().map(|cgroup| cgroup.others.as_slice()).unwrap_or_default();
    let all = own.into_iter().chain(others.iter().filter_map(|other| other.rss_anon));
    let processes = all.map(|bytes| bytes.get()).fold(0, u64::saturating_add);
    match permille(processes, room.anon.get()) {
        Some(800..) => Confidence::High,
        _ => Confidence::Medium,
    }
}

const STRAINS: [&str; 3] = ["near-limit", "container-nearly-full", "limit-hit"];

/// A container near its limit of which nobody says that it was killed.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.killed_by(&marks::OUTSIDE) {
        return Vec::new();
    }
    let near = case.strains(&STRAINS).into_iter();
    near.filter(|(_, strain)| strain.area == Some(Area::Container)).map(|(signal, _)| signal).collect()
}

fn title(case: &Case<'_>) -> String {
    format!("the container was near its limit, and nothing says that it was killed{}", marks::in_words(case, &STRAINS))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;
    use crate::model::{Bytes, Measure, Pool};

    const MIB: u64 = 1 << 20;

    #[test]
    fn anonymous_memory_at_the_limit_is_an_error_that_two_books_agree_on() {
        let tried = Tried::taskmanager().contained(1728, 1728, 1700, 0);
        assert_eq!(tried.finding(&CAUSE).confidence, Confidence::Medium);
        let finding = tried.status(|status| status.rss_anon = Some(Bytes::mib(1690))).finding(&CAUSE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Error, Confidence::High));
        assert_eq!(
            finding.title,
            "98 % of the container's limit cannot be reclaimed: 28.0 MiB more and the kernel kills"
        );
    }

    #[test]
    fn a_full_page_cache_and_a_container_without_a_limit_are_none() {
        assert!(Tried::taskmanager().contained(1728, 1728, 1400, 0).finds(&CAUSE).is_empty());
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }

    #[test]
    fn growth_says_when_and_who_grows_most() {
        let tried = Tried::taskmanager()
            .contained(1728, 1500, 1190, 0)
            .before(Measure::CgroupAnon, (0..40).map(|look| (1000 + 5 * look) * MIB))
            .before(Measure::Pool(Pool::NativeSmall), (0..40).map(|look| (100 + 4 * look) * MIB))
            .before(Measure::Pool(Pool::JavaHeap), (0..40).map(|look| (300 + look) * MIB));
        let finding = tried.finding(&CAUSE);
        assert_eq!(finding.severity, Severity::Error);
        assert!(finding.title.contains("the limit is reached in 17 min to "), "{}", finding.title);
        assert!(
            finding.notes.contains(&"JVM and native small grows most: by 1440.0 MiB an hour".to_owned()),
            "{finding:?}"
        );
    }

    #[test]
    fn a_few_looks_are_no_forecast() {
        let tried = Tried::taskmanager()
            .contained(1728, 1500, 1140, 0)
            .before(Measure::CgroupAnon, (0..6).map(|look| (1000 + 50 * look) * MIB));
        assert!(tried.finds(&CAUSE).is_empty());
    }

    #[test]
    fn a_full_container_that_nobody_killed_is_told_beside() {
        let full = |left: Left| left.strain(Origin::Metrics, "near-limit", Some(Area::Container));
        assert_eq!(full(Left::default()).first(), Some("OOM904"));
        assert!(!full(Left::killed_by(Killer::KernelMemcg, Area::Container)).codes().contains(&"OOM904"));
        let cache = Left::default().strain(Origin::Metrics, "near-limit", Some(Area::PageCache));
        assert!(!cache.codes().contains(&"OOM904"));
    }
}
