use super::{marks, mib};
use crate::artefact::malloc_chunks::Allocator;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::recorded::MALLOC_KEEPS;
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::retention::{Retention, USUAL};
use crate::diagnose::trend::restarts;
use crate::model::{Area, Bytes, Confidence, Finding, Severity};

cause! {
    /// The allocator keeps memory that the program gave back, and the resident set grows with every restart of a job.
    ///
    /// ### What is seen
    /// The resident set rises in steps, one a job restart or failover, and never falls. What malloc has in use is the
    /// same after each restart; what is free and resident grows by 50 to 150 MiB each time. Heap, metaspace and
    /// RocksDB's metrics are flat. glibc gives each core eight arenas, each keeps what was freed in it unless its last
    /// block is free, and RocksDB's blocks of 4 KiB leave holes everywhere. After ten restarts a TaskManager of 1728 MiB
    /// is at its limit while all of Flink's metrics show nothing.
    ///
    /// ### What it is not
    /// - A leak in RocksDB: there, what is in use grows.
    /// - Managed memory that is used up: that does not depend on restarts.
    /// - A leak of classes: there metaspace grows with each restart (OOM907).
    ///
    /// ### How to prove it
    /// `oomph attach PID` shows what malloc keeps; `jcmd PID System.trim_native_heap` (JDK 18 and later, late updates of
    /// 17) gives it back at once, which nothing else would explain. A recording over restarts (`oomph record`) shows the
    /// steps.
    ///
    /// ### Cure
    /// Preload jemalloc, as the official image does unless DISABLE_JEMALLOC is set; or set MALLOC_ARENA_MAX=1 in the
    /// TaskManager's environment (containerized.taskmanager.env.MALLOC_ARENA_MAX on YARN and Kubernetes). Either stops
    /// the growth: over seven restarts of one job, glibc kept 526 MiB more, with one arena 74, jemalloc 53.
    ///
    /// ### Sources
    /// - Measured: Flink 1.20.5 and 2.3.0, glibc 2.36, one job submitted and cancelled eight times
    ///   (`testdata/series`).
    /// - glibc, malloc/arena.c (`arena_get2`, `NARENAS_FROM_NCORES`), malloc/malloc.c (`systrim`).
    /// - [FLINK-19125](https://issues.apache.org/jira/browse/FLINK-19125), jemalloc in the image.
    "OOM901" "allocator-retention" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Explains,
            area: |_| Area::Native,
            title,
            decides: Some(Decides {
                evidence: "how much of a successor's memory malloc keeps though it is free",
                command: "oomph attach PID",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    let restarts = outlook.before.and_then(|before| before.restarts.as_ref());
    // Measured restarts that left nothing behind say more than what lies there at one moment.
    if restarts.is_some_and(|judged| judged.verdict == restarts::Verdict::Plateau) {
        return Vec::new();
    }
    over_restarts(outlook).or_else(|| now(outlook)).into_iter().collect()
}

fn over_restarts(outlook: &Outlook<'_>) -> Option<Finding> {
    let judged = outlook.before?.restarts.as_ref()?;
    let restarts::Verdict::StepPerRestart(restarts::Keeper::Allocator) = &judged.verdict else { return None };
    let by = judged.per_restart.as_ref().map_or_else(String::new, |slope| {
        format!(" by {} a restart", mib(Bytes::new(slope.per_second.max(0.0) as u64)))
    });
    let finding = CAUSE.finding(
        Severity::Error,
        Confidence::High,
        format!("malloc keeps more with every job restart{by}, while what it has in use stays the same"),
    );
    Some(facts(outlook, finding.note(format!("{} times between jobs were compared", judged.floors))))
}

fn now(outlook: &Outlook<'_>) -> Option<Finding> {
    let Retention { kept, left } = Retention::of(outlook.now)?;
    let finding = CAUSE.finding(
        Severity::Warning,
        Confidence::Medium,
        format!(
            "malloc keeps {} that the program gave back, and JVM Overhead has {} left for it",
            mib(kept),
            mib(left)
        ),
    );
    Some(facts(outlook, finding))
}

fn facts(outlook: &Outlook<'_>, mut finding: Finding) -> Finding {
    if let Ok(walk) = &outlook.now.sample.heap {
        finding = finding.note(format!(
            "{} arenas; in use {}, free and resident {}, of which malloc_trim would return {}",
            walk.arenas.len(),
            mib(Bytes::new(walk.total().in_use.resident)),
            mib(Bytes::new(walk.free_resident())),
            mib(Bytes::new(walk.trimmable())),
        ));
    }
    match remedy(outlook) {
        Some(remedy) => finding.help(remedy),
        None => finding,
    }
}

/// What makes the allocator keep less, where it is glibc's.
pub(super) fn remedy(outlook: &Outlook<'_>) -> Option<&'static str> {
    let variables = outlook.now.sample.files.allocator_variables.as_deref().unwrap_or_default();
    let arena_max = variables.iter().find(|(name, _)| name == "MALLOC_ARENA_MAX").map(|(_, value)| value.as_str());
    match (outlook.now.sample.allocator, arena_max) {
        (Allocator::Glibc, Some("1")) => Some("preload jemalloc: glibc has one arena already"),
        (Allocator::Glibc, _) => Some(
            "preload jemalloc (the official image does), or set MALLOC_ARENA_MAX=1 in the environment of the TaskManager",
        ),
        _ => None,
    }
}

/// Readers of `jcmd PID System.trim_native_heap` say so where it gave back much, readers of recordings where much was
/// kept at the end, or more with each restart of a job.
const STRAINS: [&str; 2] = ["malloc-trimmed", MALLOC_KEEPS];

/// A container at its limit, and a JVM from which much could be taken by trimming alone, or that kept much.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let trimmed = case.strains(&STRAINS).into_iter();
    let much = trimmed.filter(|(_, strain)| strain.usage.is_some_and(|usage| usage > USUAL));
    marks::killed_beside(case, much.map(|(signal, _)| signal).collect())
}

fn title(case: &Case<'_>) -> String {
    let kept = case.strains(&STRAINS).into_iter().find_map(|(_, strain)| strain.usage).unwrap_or(Bytes::ZERO);
    format!(
        "malloc kept {} that the program had given back, in a container killed at {}",
        mib(kept),
        marks::its_limit(case)
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::diagnose::over_time::OverTime;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Killer, Pool};

    fn kept_after(verdict: restarts::Verdict) -> Vec<Finding> {
        let tried = Tried::taskmanager().uses(&[(Pool::AllocatorRetained, 400)]);
        let restarts = restarts::Restarts { verdict, per_restart: None, floors: 8, rss: None };
        let before = OverTime { trends: Vec::new(), restarts: Some(restarts) };
        (CAUSE.early)(&Outlook { now: &tried.now, before: Some(&before) })
    }

    #[test]
    fn much_that_is_kept_at_one_moment_is_said_unless_restarts_leave_nothing_more() {
        let at_one_moment = Tried::taskmanager().uses(&[(Pool::AllocatorRetained, 400)]).finding(&CAUSE);
        assert_eq!(at_one_moment.severity, Severity::Warning);
        let unclear = restarts::Verdict::Unclear { why: "two jobs".to_owned() };
        assert_eq!(kept_after(unclear).len(), 1);
        assert_eq!(kept_after(restarts::Verdict::Plateau).len(), 0);
    }

    #[test]
    fn restarts_that_leave_more_behind_are_an_error_whoever_else_keeps_is_not() {
        let severities = |keeper| {
            let found = kept_after(restarts::Verdict::StepPerRestart(keeper));
            found.iter().map(|finding| finding.severity).collect::<Vec<_>>()
        };
        assert_eq!(severities(restarts::Keeper::Allocator), [Severity::Error]);
        assert_eq!(severities(restarts::Keeper::Program), [Severity::Warning]);
    }

    #[test]
    fn what_trimming_gave_back_explains_a_kill_at_the_limit() {
        let trimmed = |left: Left, mib| {
            left.used(Origin::Jcmd, "malloc-trimmed", Area::Native, Bytes::mib(mib), Bytes::mib(1503))
        };
        let killed = || Left::killed_by(Killer::KernelMemcg, Area::Container).limit(Bytes::mib(1728));
        let verdict = trimmed(killed(), 645).verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM901"), Area::Native));
        assert!(verdict.summary.starts_with("malloc kept 645.0 MiB"), "{}", verdict.summary);
        assert!(!trimmed(killed(), 90).codes().contains(&"OOM901"), "as much is usual");
        assert!(!trimmed(Left::default(), 645).codes().contains(&"OOM901"));
    }
}
