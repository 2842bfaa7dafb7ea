use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::Area;

cause! {
    /// The compressed class space was full, which has a limit of its own within metaspace.
    ///
    /// ### What is seen
    /// `OutOfMemoryError: Compressed class space`. It holds the fixed part of each class (about 600 bytes to 1 KiB),
    /// and its size is -XX:CompressedClassSpaceSize, 1 GiB by default. With -XX:MaxMetaspaceSize, as Flink sets it, the
    /// JVM takes four fifths of that instead, rounded to 16 MiB: with the default of 256 MiB they are 208 MiB.
    ///
    /// ### What it is not
    /// - `OutOfMemoryError: Metaspace` (OOM948): the other part, with methods and constants, or both together.
    ///
    /// ### How to prove it
    /// `jcmd PID VM.metaspace` on the successor: the column Class against its reserved size. Hundreds of thousands of
    /// loaded classes (`jstat -class PID`) are generated ones, or the same class by many loaders.
    ///
    /// ### Cure
    /// Raise `taskmanager.memory.jvm-metaspace.size` (or `jobmanager.memory.jvm-metaspace.size`): the class space grows
    /// with it; or give -XX:CompressedClassSpaceSize in `env.java.opts.taskmanager`. So many classes are mostly a leak
    /// of loaders: see OOM948 and `classloader.parent-first-patterns.additional`.
    ///
    /// ### Sources
    /// - HotSpot, metaspace.cpp (`Metaspace::report_metadata_oome`, `Metaspace::ergo_initialize`: class space and
    ///   MaxMetaspaceSize).
    "OOM949" "class-space-exhausted" {
        late: Some(Late {
            required,
            supporting: marks::ended_itself,
            weight: Weight::Explains,
            area: |_| Area::Metaspace,
            title,
            decides: Some(Decides {
                evidence: "how many classes are loaded, and by how many loaders",
                command: "jcmd PID VM.classloader_stats",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// In which the class space is told from the rest of metaspace.
pub(super) const WORDS: [&str; 2] = ["compressed class space", "names the class space"];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told(case, &marks::INSIDE, |signal, death| {
        death.area == Some(Area::Metaspace) && marks::speaks_of(signal, death, &WORDS)
    })
}

fn title(case: &Case<'_>) -> String {
    let flag = marks::given_as(case, "-XX:CompressedClassSpaceSize");
    let space = marks::of_role(case, "the compressed class space");
    format!("{space} was full{flag}{}", marks::figures(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Killer;

    #[test]
    fn the_class_space_is_told_from_metaspace() {
        let failed = |quote| Left::killed_by(Killer::Jvm, Area::Metaspace).quote(quote);
        let class_space = failed("java.lang.OutOfMemoryError: Compressed class space");
        assert_eq!((class_space.first(), class_space.verdict().area), (Some("OOM949"), Area::Metaspace));
        assert!(!failed("java.lang.OutOfMemoryError: Metaspace").codes().contains(&"OOM949"));
    }

    #[test]
    fn the_flag_among_others_is_none() {
        let given = Left::killed_by(Killer::Jvm, Area::Heap).given("-XX:CompressedClassSpaceSize", "1g");
        assert!(!given.codes().contains(&"OOM949"));
    }
}
