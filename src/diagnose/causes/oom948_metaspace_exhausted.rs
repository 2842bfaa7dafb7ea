use super::{marks, oom949_class_space_exhausted as class_space};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::Area;

cause! {
    /// Metaspace was full: more classes than -XX:MaxMetaspaceSize has room for, or classes of ended jobs that are still
    /// held.
    ///
    /// ### What is seen
    /// `OutOfMemoryError: Metaspace` (up to Java 7 `PermGen space`) in whatever thread loads the next class, often at a
    /// job's start or restart; Flink takes it for fatal and ends with exit code 239. In a session cluster it comes
    /// after a number of submitted jobs, always about the same one. "Metadata GC Threshold" collections precede it.
    ///
    /// ### What it is not
    /// - `Compressed class space` (OOM949), which has a limit of its own.
    /// - "Metadata GC Threshold" during the start: a harmless first step from 21 MiB.
    /// - Native memory (OOM952): metaspace fails at its bound while the machine has memory. It may fail below it as
    ///   well, since chunks of loaders that are held are not given to others.
    ///
    /// ### How to prove it
    /// `jcmd PID VM.classloader_stats` on the successor (JDK 9 and later): more `ChildFirstClassLoader` than jobs that
    /// run is a leak; `jcmd PID VM.metaspace` shows what is used and what is wasted. A heap dump shows who holds the
    /// loader.
    ///
    /// ### Cure
    /// Raise `taskmanager.memory.jvm-metaspace.size` (or `jobmanager.memory.jvm-metaspace.size`). For a leak that gains
    /// time only: put drivers and connectors into Flink's `lib/` instead of the job's jar, name their packages in
    /// `classloader.parent-first-patterns.additional`, close threads and pools in `close()`, or run one job a cluster.
    ///
    /// ### Sources
    /// - HotSpot, metaspace.cpp (`Metaspace::report_metadata_oome`).
    /// - Flink, `TaskManagerExceptionUtils.tryEnrichTaskManagerError`;
    ///   [FLINK-24401](https://issues.apache.org/jira/browse/FLINK-24401), the TaskManager exits after it;
    ///   [paimon#9795](https://github.com/apache/paimon/issues/9795), 18 MB held for each ended job.
    /// - Measured: Flink 1.20.5 with 44 MiB of metaspace ends with exit code 239, with 96 MiB it runs.
    "OOM948" "metaspace-exhausted" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Metaspace,
            title,
            decides: Some(Decides {
                evidence: "whether loaders of ended jobs are held, or one job needs so much",
                command: "jcmd PID VM.classloader_stats",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.death.is_none() {
        // Full collections of the permanent generation tell of no error yet, and can only end in it.
        let full = case.strains(&["full-collections"]).into_iter();
        return full.filter(|(_, strain)| strain.area == Some(Area::Metaspace)).map(|(signal, _)| signal).collect();
    }
    marks::told(case, &marks::INSIDE, |signal, death| {
        death.area == Some(Area::Metaspace) && !marks::speaks_of(signal, death, &class_space::WORDS)
    })
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = case.strained(Area::Metaspace);
    found.extend(marks::ended_itself(case));
    found
}

fn title(case: &Case<'_>) -> String {
    let figures = marks::figures(case);
    let perm = ["PermGen", "Perm gen", "permanent generation", " Perm "];
    if !case.told_with(&perm).is_empty() || !marks::said_with(case, &perm).is_empty() {
        let perm = marks::of_role(case, "the permanent generation");
        return format!("{perm} was full{figures}{}", marks::given_as(case, "-XX:MaxPermSize"));
    }
    let flag = marks::given_as(case, "-XX:MaxMetaspaceSize");
    let metaspace = marks::of_role(case, "metaspace");
    format!("{metaspace} was full{flag}{figures}: too small for its classes, or classes of ended jobs are still held")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Confidence, Killer};

    fn failed(quote: &str) -> Left {
        Left::killed_by(Killer::Jvm, Area::Metaspace).quote(quote)
    }

    #[test]
    fn full_metaspace_is_the_cause_and_flinks_exit_bears_it_out() {
        let left = failed("java.lang.OutOfMemoryError: Metaspace").given("-XX:MaxMetaspaceSize", "46137344");
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM948"), Area::Metaspace));
        assert!(verdict.summary.contains("(-XX:MaxMetaspaceSize=46137344)"), "{}", verdict.summary);
        assert_eq!(left.ended(239).verdict().confidence, Confidence::High);
    }

    #[test]
    fn a_full_permanent_generation_is_one_too_whoever_tells_it() {
        let left = Left::killed_by(Killer::Unknown, Area::Metaspace).quote("[CMS Perm : 262143K->262143K(262144K)]");
        assert_eq!(left.because("the permanent generation (PermGen) is full").first(), Some("OOM948"));
        let collected = Left::default().strain(Origin::GcLog, "full-collections", Some(Area::Metaspace));
        assert_eq!(collected.first(), Some("OOM948"));
        assert!(!collected.codes().contains(&"OOM947"));
    }

    #[test]
    fn the_class_space_and_native_memory_are_not() {
        assert!(!failed("java.lang.OutOfMemoryError: Compressed class space").codes().contains(&"OOM948"));
        assert!(!Left::killed_by(Killer::Jvm, Area::Native).codes().contains(&"OOM948"));
    }
}
