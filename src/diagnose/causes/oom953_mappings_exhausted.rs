use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Death, Signal};
use crate::model::Area;

cause! {
    /// The process had as many mappings as the kernel allows one to have: the next mmap fails while memory is free.
    ///
    /// ### What is seen
    /// `OutOfMemoryError: Map failed` below `java.io.IOException: Map failed`, or a crash report whose list of
    /// libraries and mappings is as long as `vm.max_map_count` (65530 by default). A small malloc, a thread's guard
    /// page or an munmap may fail next. RocksDB with mmap reads, shuffles by mmap, index files of many segments and ZGC
    /// need many mappings.
    ///
    /// ### What it is not
    /// - Memory: nothing of this need be resident. A larger heap or container changes nothing.
    /// - A limit of threads (OOM951), which has other words.
    /// - On a 32-bit JVM or under `ulimit -v`: addresses are used up instead (OOM971).
    ///
    /// ### How to prove it
    /// `wc -l < /proc/PID/maps` on the successor against `sysctl vm.max_map_count`; `cut -c 50- /proc/PID/maps | sort |
    /// uniq -c | sort -n | tail` shows what is mapped so often.
    ///
    /// ### Cure
    /// `sysctl -w vm.max_map_count=262144` on the node (Kubernetes: a privileged init container, or the node's own
    /// configuration). Batch jobs: `taskmanager.network.blocking-shuffle.type: file`. Else fewer files or segments that
    /// are mapped at once.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/sysctl/vm.rst (`max_map_count`); mm/mmap.c.
    /// - JDK, `sun.nio.ch.FileChannelImpl.map`: after a second attempt it throws `IOException: Map failed`.
    "OOM953" "mappings-exhausted" {
        late: Some(Late {
            required: told,
            supporting: |case| marks::said_with(case, &["max_map_count"]),
            weight: Weight::Explains,
            area: |case| marks::area_by(case, &marks::INSIDE, Area::Native),
            title,
            decides: Some(Decides {
                evidence: "how many mappings a successor has against the limit",
                command: "wc -l /proc/PID/maps /proc/sys/vm/max_map_count",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// The tellings that say it.
pub(super) fn told<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told(case, &marks::INSIDE, is_one)
}

/// Whether a telling is about mappings.
pub(super) fn is_one(signal: &Signal, death: &Death) -> bool {
    let of_area = matches!(death.area, Some(Area::Native | Area::Config | Area::Other) | None);
    let mapped = marks::holds(&signal.quote, &["map failed"]);
    of_area && (mapped || marks::holds(&death.because, &["max_map_count", "map failed"]))
}

fn title(case: &Case<'_>) -> String {
    format!(
        "{} could not map another file or region while memory was free: vm.max_map_count",
        marks::of_role(case, "the JVM")
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    fn failed() -> Left {
        Left::killed_by(Killer::Jvm, Area::Native).quote("Caused by: java.lang.OutOfMemoryError: Map failed")
    }

    #[test]
    fn a_map_that_fails_is_the_cause() {
        assert_eq!((failed().first(), failed().verdict().area), (Some("OOM953"), Area::Native));
    }

    #[test]
    fn a_malloc_that_fails_behind_it_is_its_consequence() {
        let quote = "# Native memory allocation (malloc) failed to allocate 4088 bytes";
        let left = failed().told_too(Origin::Jvm, Killer::Jvm, Some(Area::Native), quote);
        assert_eq!(left.first(), Some("OOM953"));
    }

    #[test]
    fn the_limit_in_a_crash_report_alone_is_none() {
        let left = Left::killed_by(Killer::Jvm, Area::Native).quote("/proc/sys/vm/max_map_count: 65530");
        assert!(!left.codes().contains(&"OOM953"));
        assert!(!Left::killed_by(Killer::Jvm, Area::Heap).codes().contains(&"OOM953"));
    }
}
