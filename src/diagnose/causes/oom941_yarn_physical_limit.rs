use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::{Area, Killer};

cause! {
    /// YARN's NodeManager killed the container because its processes had more physical memory than it asked for.
    ///
    /// ### What is seen
    /// "is running beyond physical memory limits" (Hadoop 2) or "beyond the 'PHYSICAL' memory limit" (Hadoop 3), exit
    /// status -104 or 143, and a dump of the process tree. The container's own log has "RECEIVED SIGNAL 15: SIGTERM" at
    /// most. YARN adds up the resident sets of all processes of the tree, mapped files among them, every three seconds.
    ///
    /// ### What it is not
    /// - The check of virtual memory (OOM942), whose sentence differs in one word and prints both sizes as well.
    /// - A job that was cancelled, a lost node or a preempted container (OOM966): exit code 143 alone says nothing.
    /// - Heap and direct memory that fill the container by their flags (OOM954).
    ///
    /// ### How to prove it
    /// `yarn logs -applicationId APPLICATION` and the NodeManager's log: add up the column RSSMEM_USAGE(PAGES) times
    /// `getconf PAGESIZE`: "4.0 GB of 4 GB" is rounded. A second row that is large is another process of the container
    /// (OOM911).
    ///
    /// ### Cure
    /// See what grows in its successor (`oomph attach PID`). Room outside of what Flink bounds is
    /// `taskmanager.memory.jvm-overhead.min` and `taskmanager.memory.jvm-overhead.max`; RocksDB belongs under managed
    /// memory (`state.backend.rocksdb.memory.managed: true`); on YARN there is no jemalloc unless it is preloaded, so
    /// `containerized.taskmanager.env.MALLOC_ARENA_MAX: 1` helps against what glibc keeps. Batch shuffles by mmap
    /// count: `taskmanager.network.blocking-shuffle.type: file`.
    ///
    /// ### Sources
    /// - Hadoop, `ContainersMonitorImpl` (2.x and 3.x wording), `ContainerExitStatus.KILLED_EXCEEDED_PMEM` (-104),
    ///   `ProcfsBasedProcessTree`.
    /// - [iceberg#3695](https://github.com/apache/iceberg/issues/3695),
    ///   [hudi#7407](https://github.com/apache/hudi/issues/7407): containers of Flink killed at 4.0 of 4 GB after days.
    "OOM941" "yarn-physical-limit" {
        late: Some(Late {
            required: |case| marks::killed(case, &KILLER),
            supporting: marks::borne_out,
            weight: Weight::Bounds,
            area: |case| marks::area_by(case, &KILLER, Area::Container),
            title,
            decides: Some(Decides {
                evidence: "the rows of the process tree, and which part of the largest process grows",
                command: "yarn logs -applicationId APPLICATION | grep -A 8 'Dump of the process-tree'",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::YarnPmem];

fn title(case: &Case<'_>) -> String {
    let figures = marks::figures(case);
    let unit = case.death.as_ref().and_then(|told| told.unit()).map_or(String::new(), |unit| format!(" {unit}"));
    format!("YARN killed container{unit} for its physical memory{figures}; nothing shows what filled it")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::{Bytes, Confidence};

    fn killed(killer: Killer) -> Left {
        Left::killed_by(killer, Area::Container).limit(Bytes::mib(4096)).usage(Bytes::mib(4097))
    }

    #[test]
    fn the_physical_check_is_bounded_with_its_numbers() {
        let verdict = killed(Killer::YarnPmem).verdict();
        assert_eq!(
            (verdict.code, verdict.area, verdict.confidence),
            (Some("OOM941"), Area::Container, Confidence::Medium)
        );
        assert!(verdict.summary.contains("(4097.0 MiB of 4096.0 MiB)"), "{}", verdict.summary);
        assert_eq!(killed(Killer::YarnPmem).ended(143).verdict().confidence, Confidence::High);
    }

    #[test]
    fn the_virtual_check_elastic_control_and_a_bare_exit_code_are_not() {
        for killer in [Killer::YarnVmem, Killer::YarnElastic, Killer::KernelMemcg] {
            assert!(!killed(killer).codes().contains(&"OOM941"), "{killer}");
        }
        assert!(!Left::default().ended(143).codes().contains(&"OOM941"));
    }
}
