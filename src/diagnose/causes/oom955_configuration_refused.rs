use super::{marks, oom957_managed_memory_short as managed};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// Flink refused the memory configuration, and the process never started.
    ///
    /// ### What is seen
    /// `IllegalConfigurationException`: "TaskManager memory configuration failed", "Sum of configured … exceed
    /// configured Total Flink Memory", "… exceed configured Total Process Memory", "Derived JVM Overhead size … is not
    /// in configured … range", "Either required fine-grained memory …". With the scripts: "Could not get JVM parameters
    /// and dynamic configurations properly"; on Kubernetes a pod in `CrashLoopBackOff`, on YARN containers that end at
    /// once.
    ///
    /// ### What it is not
    /// - A lack of memory: nothing was used yet, and a larger machine changes nothing.
    /// - A JVM that could not start with valid sizes (OOM971, OOM952).
    ///
    /// ### How to prove it
    /// `oomph plan` on the configuration gives the same error with all parts, and `oomph check` the line at fault. In
    /// the log: `grep -A 20 -e 'memory configuration failed' -e 'exceed configured'`.
    ///
    /// ### Cure
    /// Set one of `taskmanager.memory.process.size`, `taskmanager.memory.flink.size`, or
    /// `taskmanager.memory.task.heap.size` with `taskmanager.memory.managed.size`, and let the rest be derived. Two
    /// that contradict each other: take one out. A process that is too small for its fixed parts (128 MiB framework
    /// heap, 128 MiB framework off-heap, 64 MiB network, 256 MiB metaspace, 192 MiB overhead): make it larger, or the
    /// part smaller. JobManager: `jobmanager.memory.process.size` alone.
    ///
    /// ### Sources
    /// - Flink 1.10 to 2.3, `TaskExecutorFlinkMemoryUtils`, `ProcessMemoryUtils`, `JobManagerFlinkMemoryUtils`.
    /// - [dinky#844](https://github.com/DataLinkDC/dinky/issues/844),
    ///   [streampark#3330](https://github.com/apache/streampark/issues/3330): two of the sums, with their numbers.
    "OOM955" "configuration-refused" {
        late: Some(Late {
            required,
            supporting: |case| marks::exits(case, &[1]),
            weight: Weight::Explains,
            area: |_| Area::Config,
            title,
            decides: Some(Decides {
                evidence: "the derivation of every part from the configuration",
                command: "oomph plan conf --explain",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::Flink];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told(case, &KILLER, |signal, death| death.area == Some(Area::Config) && !managed::is_one(signal, death))
}

fn title(case: &Case<'_>) -> String {
    let because = marks::because(case, &KILLER);
    format!("Flink refused the memory configuration{because}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Bytes;

    #[test]
    fn refused_sizes_are_the_cause_and_the_sum_is_told() {
        let because = "Framework Heap 128.0 MiB + Managed 320.0 MiB come to 448.0 MiB, and Total Flink is 320.0 MiB";
        let verdict = Left::killed_by(Killer::Flink, Area::Config).limit(Bytes::mib(320)).because(because).verdict();
        assert_eq!((verdict.code, verdict.area, verdict.limit), (Some("OOM955"), Area::Config, Some(Bytes::mib(320))));
        assert!(verdict.summary.contains("come to 448.0 MiB"), "{}", verdict.summary);
    }

    #[test]
    fn a_limit_of_the_jvm_and_managed_memory_that_ran_short_are_not() {
        assert!(!Left::killed_by(Killer::Jvm, Area::Config).codes().contains(&"OOM955"));
        let short = Left::killed_by(Killer::Flink, Area::Config)
            .quote("Could not allocate 9 bytes, only 1 bytes are remaining");
        assert!(!short.codes().contains(&"OOM955"));
        assert!(!Left::killed_by(Killer::Flink, Area::Network).codes().contains(&"OOM955"));
    }
}
