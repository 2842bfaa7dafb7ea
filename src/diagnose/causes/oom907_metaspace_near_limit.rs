use super::{flags, marks, mib, percent, permille, room};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::trend::Forecast;
use crate::model::{Area, Bytes, Component, Confidence, Finding, Measure, Pool, Severity};

cause! {
    /// Metaspace or the class space is near its bound, or grows with every job: OutOfMemoryError: Metaspace.
    ///
    /// ### What is seen
    /// Class metadata comes close to -XX:MaxMetaspaceSize, which Flink sets to what it plans for metaspace, or the class
    /// space to -XX:CompressedClassSpaceSize. The process then throws `OutOfMemoryError: Metaspace` (or `Compressed class
    /// space`) in whatever thread loads the next class; Flink takes that for fatal and exits with code 239. Where it grows
    /// in steps, one a submitted job or a restart, class loaders of ended jobs are still held: by a thread the job left, by a
    /// driver registered in a static map, by a ThreadLocal.
    ///
    /// ### What it is not
    /// - Many classes at once: a job with hundreds of generated operators needs more metaspace, and stays there.
    /// - Memory that malloc keeps over restarts (OOM901): metaspace is flat then.
    ///
    /// ### How to prove it
    /// `jcmd PID VM.classloader_stats` (JDK 9 and later): more `ChildFirstClassLoader` than jobs that run is a leak. `jstat
    /// -gc PID`: MU against MC. A heap dump shows who holds the loader.
    ///
    /// ### Cure
    /// Raise `taskmanager.memory.jvm-metaspace.size` (`jobmanager.memory.jvm-metaspace.size`): the class space grows with
    /// it. For a leak that gains time only: put drivers and connectors into Flink's `lib/`, name their packages in
    /// `classloader.parent-first-patterns.additional`, or run one job a cluster.
    ///
    /// ### Sources
    /// - HotSpot, metaspace.cpp (`Metaspace::report_metadata_oome`, `Metaspace::ergo_initialize`).
    /// - [FLINK-16406](https://issues.apache.org/jira/browse/FLINK-16406), the default became 256 MiB;
    ///   [FLINK-24401](https://issues.apache.org/jira/browse/FLINK-24401), the TaskManager exits after it;
    ///   [FLINK-19259](https://issues.apache.org/jira/browse/FLINK-19259), a connector that kept a loader.
    /// - Measured: Flink 1.20.5 with 44 MiB of metaspace ends with exit code 239, with 96 MiB it runs.
    "OOM907" "metaspace-near-limit" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Beside,
            area: |_| Area::Metaspace,
            title,
            decides: Some(Decides {
                evidence: "how many class loaders are held",
                command: "jcmd PID VM.classloader_stats",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Near the bound, in thousandths. HotSpot commits metaspace in granules of 64 KiB a loader (`metaspaceSettings.hpp`), so
/// what is committed meets the bound before what is used does.
const NEAR: u64 = 900;
/// At the bound: what is left is less than one more job's classes.
const AT: u64 = 970;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    [metaspace(outlook), class_space(outlook)].into_iter().flatten().collect()
}

fn metaspace(outlook: &Outlook<'_>) -> Option<Finding> {
    let sample = &outlook.now.sample;
    let used = sample.jvm.as_ref().ok()?.metaspace.as_ref()?.used?;
    let planned = outlook.now.planned.as_ref().ok().and_then(|survey| survey.plan.budget.part(Component::JvmMetaspace));
    let told = flags::size(sample, flags::MAX_METASPACE);
    let max = told.map(|told| told.bytes).or(planned.map(|figure| figure.bytes))?;
    let share = permille(used, max.get())?;
    let trend = outlook.before.and_then(|before| before.trend(Measure::MetaspaceUsed));
    let grows = trend.is_some_and(|trend| trend.is_growing());
    let forecast = trend.map(|trend| trend.time_to(max.get()));
    let soon = matches!(forecast, Some(Forecast::Between { latest: Some(_), .. }));
    let severity = match share {
        AT.. => Severity::Error,
        _ if soon => Severity::Error,
        NEAR.. => Severity::Warning,
        _ if grows => Severity::Warning,
        _ => return None,
    };
    let what = format!("metaspace is {} used: {} of {}", percent(share), mib(Bytes::new(used)), mib(max));
    let title = match (forecast.as_ref().and_then(room::when), grows) {
        (Some(when), _) => format!("{what}, and it will be full {when}"),
        (None, true) => format!("{what}, and it grows"),
        (None, false) => what,
    };
    let seen = outlook.now.account.as_ref().ok();
    let resident = seen.map(|account| account.sum(|pool| matches!(pool, Pool::Metaspace | Pool::ClassSpace)));
    let agrees = resident.is_some_and(|resident| permille(resident.get(), used).is_some_and(|share| share >= NEAR));
    let confidence = if agrees { Confidence::High } else { Confidence::Medium };
    let mut finding = CAUSE.finding(severity, confidence, title);
    let jvm = sample.jvm.as_ref().ok()?;
    if let (Some(loaded), Some(unloaded)) = (jvm.loaded_classes, jvm.unloaded_classes) {
        finding = finding.note(format!("{loaded} classes were loaded, {unloaded} unloaded"));
    }
    let classes = outlook.before.and_then(|before| before.trend(Measure::ClassesLoaded));
    let is_leak = grows && classes.is_some_and(|trend| trend.is_growing());
    if is_leak {
        finding = finding
            .note("classes are still being loaded and metaspace does not come back: loaders of ended jobs are held");
    }
    Some(finding.help(match is_leak {
        true => {
            "see with jcmd PID VM.classloader_stats whether there are more ChildFirstClassLoaders than jobs; put drivers into \
             lib/ and name them in classloader.parent-first-patterns.additional"
        }
        false => "raise the jvm-metaspace.size of this process",
    }))
}

fn class_space(outlook: &Outlook<'_>) -> Option<Finding> {
    let space = outlook.now.sample.jvm.as_ref().ok()?.class_space.as_ref()?;
    let (used, max) = (space.used?, space.max?);
    let share = permille(used, max)?;
    let severity = match share {
        AT.. => Severity::Error,
        NEAR.. => Severity::Warning,
        _ => return None,
    };
    let (used, max) = (Bytes::new(used), Bytes::new(max));
    let title = format!("the class space is {} used: {} of {}", percent(share), mib(used), mib(max));
    let finding = CAUSE.finding(severity, Confidence::Medium, title);
    Some(
        finding
            .help("raise the jvm-metaspace.size of this process: the class space is four fifths of it, a GiB at most"),
    )
}

const STRAINS: [&str; 1] = ["metaspace-nearly-full"];

/// What is short, and nobody says that it failed.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.told_of(&[Area::Metaspace]).is_empty() { marks::strained(case, &STRAINS) } else { Vec::new() }
}

fn title(case: &Case<'_>) -> String {
    format!("metaspace was nearly full, and nothing says that it failed{}", marks::in_words(case, &STRAINS))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::artefact::hsperfdata::Space;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    const MIB: u64 = 1 << 20;

    fn used(mib: u64) -> Tried {
        Tried::taskmanager().jvm(|jvm| jvm.metaspace = Some(Space { used: Some(mib * MIB), ..Space::default() }))
    }

    #[test]
    fn metaspace_near_its_bound_is_a_warning_and_at_it_an_error() {
        assert!(used(200).finds(&CAUSE).is_empty());
        assert_eq!(used(240).finding(&CAUSE).severity, Severity::Warning);
        let seen = used(252).uses(&[(Pool::Metaspace, 230), (Pool::ClassSpace, 20)]).finding(&CAUSE);
        assert_eq!((seen.severity, seen.confidence), (Severity::Error, Confidence::High));
    }

    #[test]
    fn the_flag_counts_more_than_the_plan() {
        assert!(used(240).command(&["java", "-XX:MaxMetaspaceSize=512m"]).finds(&CAUSE).is_empty());
    }

    #[test]
    fn growth_with_classes_is_a_leak_of_loaders() {
        let grows = used(150)
            .before(Measure::MetaspaceUsed, (0..40).map(|look| (70 + 2 * look) * MIB))
            .before(Measure::ClassesLoaded, (0..40).map(|look| 9000 + 300 * look));
        let finding = grows.finding(&CAUSE);
        assert_eq!(finding.severity, Severity::Error);
        assert!(finding.help.unwrap_or_default().contains("parent-first-patterns"));
        let flat = used(150).before(Measure::MetaspaceUsed, (0..40).map(|_| 150 * MIB));
        assert!(flat.finds(&CAUSE).is_empty());
    }

    #[test]
    fn the_class_space_has_a_bound_of_its_own() {
        let space = |mib| Space { used: Some(mib * MIB), max: Some(208 * MIB), ..Space::default() };
        assert_eq!(used(100).jvm(|jvm| jvm.class_space = Some(space(190))).finds(&CAUSE).len(), 1);
        assert!(used(100).jvm(|jvm| jvm.class_space = Some(space(100))).finds(&CAUSE).is_empty());
    }

    #[test]
    fn metaspace_that_is_nearly_full_is_told_beside() {
        let short = |left: Left| left.strain(Origin::Metrics, "metaspace-nearly-full", Some(Area::Metaspace));
        assert_eq!(short(Left::default()).first(), Some("OOM907"));
        assert!(!short(Left::killed_by(Killer::Jvm, Area::Metaspace)).codes().contains(&"OOM907"));
    }
}
