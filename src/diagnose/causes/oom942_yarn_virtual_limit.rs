use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::{Area, Killer};

cause! {
    /// YARN's NodeManager killed the container for its virtual memory, which is addresses and not memory.
    ///
    /// ### What is seen
    /// "is running beyond virtual memory limits" (Hadoop 2) or "beyond the 'VIRTUAL' memory limit" (Hadoop 3), exit
    /// status -103 or 143, minutes after the start, while physical memory is far below its limit. The limit is the
    /// container times 2.1. A JVM reserves a GiB of class space, its whole heap and 240 MiB of code cache; glibc
    /// reserves 64 MiB for each of its arenas, eight a core: on nodes with many cores a small container passes the
    /// limit without using anything.
    ///
    /// ### What it is not
    /// - A leak, or a container that is too small: physical memory has its own check (OOM941). Both sizes stand in both
    ///   messages; the words virtual and physical tell them apart.
    ///
    /// ### How to prove it
    /// `grep -e 'beyond virtual' -e "'VIRTUAL'" yarn-*-nodemanager-*.log` on the node. With `grep -e VmSize -e VmRSS
    /// /proc/PID/status` of a successor the difference is seen at once.
    ///
    /// ### Cure
    /// Switch the check off: `yarn.nodemanager.vmem-check-enabled: false` in yarn-site.xml of the NodeManagers; or
    /// raise `yarn.nodemanager.vmem-pmem-ratio`. Where neither may be touched,
    /// `containerized.taskmanager.env.MALLOC_ARENA_MAX: 4` and -XX:CompressedClassSpaceSize=128m in
    /// `env.java.opts.taskmanager` make the addresses fewer.
    ///
    /// ### Sources
    /// - Hadoop, `ContainersMonitorImpl`; yarn-default.xml (`yarn.nodemanager.vmem-pmem-ratio` 2.1,
    ///   `yarn.nodemanager.vmem-check-enabled` true); `ContainerExitStatus.KILLED_EXCEEDED_VMEM` (-103).
    /// - [hudi#9339](https://github.com/apache/hudi/issues/9339): 39.9 GB of 12.6 GB virtual, seen in the NodeManager's
    ///   log only.
    "OOM942" "yarn-virtual-limit" {
        late: Some(Late {
            required: |case| marks::killed(case, &KILLER),
            supporting: marks::borne_out,
            weight: Weight::Explains,
            area: |case| marks::area_by(case, &KILLER, Area::Config),
            title,
            decides: Some(Decides {
                evidence: "that physical memory was below its limit at the same moment",
                command: "grep -e 'beyond virtual' -e VIRTUAL yarn-*-nodemanager-*.log",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::YarnVmem];

fn title(case: &Case<'_>) -> String {
    format!("YARN killed the container for its virtual memory{}, which takes no memory", marks::figures(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Bytes;

    #[test]
    fn the_virtual_check_is_the_cause_and_the_area_stays_as_told() {
        for area in [Area::Config, Area::Container] {
            let left = Left::killed_by(Killer::YarnVmem, area).limit(Bytes::mib(2150)).usage(Bytes::mib(2560));
            let verdict = left.verdict();
            assert_eq!((verdict.code, verdict.area), (Some("OOM942"), area));
            assert!(verdict.summary.contains("(2560.0 MiB of 2150.0 MiB)"), "{}", verdict.summary);
        }
    }

    #[test]
    fn the_physical_check_is_not() {
        assert!(!Left::killed_by(Killer::YarnPmem, Area::Container).codes().contains(&"OOM942"));
    }
}
