use super::share::is_remainder;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Bytes, Component, Role, Severity};

rule! {
    /// A JobManager's heap and total leave less off-heap memory than Flink's default.
    ///
    /// ### Why
    /// Where `heap.size` and `flink.size` are both set and `off-heap.size` is not, off-heap memory is the difference of the
    /// two. Its default of 128 MiB is then not asked for, and the difference may be nothing at all: Flink starts and says so
    /// in one line of its log. The buffers of the network library, of the web interface and of file systems are
    /// allocated even so, in memory that the container does not count on.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// jobmanager.memory.flink.size: 2g
    /// jobmanager.memory.heap.size: 2g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// jobmanager.memory.flink.size: 2g
    /// ```
    ///
    /// ### Sources
    /// - `JobManagerFlinkMemoryUtils.deriveFromRequiredFineGrainedOptions`, Flink 1.11 to 2.3: it only fails where heap is
    ///   larger than the total.
    /// - FLINK-18188: https://github.com/apache/flink/pull/12557.
    "OOM217" "off-heap-rest" {
        severity: Severity::Warning,
        since: Some((1, 11)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// `JobManagerOptions.OFF_HEAP_MEMORY`.
const DEFAULT: Bytes = Bytes::mib(128);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(survey) = case.survey(Role::JobManager) else { return };
    let Some(off_heap) = survey.plan.budget.part(Component::OffHeap).filter(|figure| is_remainder(figure)) else {
        return;
    };
    let own = |name: &str| case.find(&format!("jobmanager.memory.{name}")).filter(Written::is_own);
    let (Some(heap), Some(flink)) = (own("heap.size"), own("flink.size")) else { return };
    if off_heap.bytes >= DEFAULT {
        return;
    }
    found
        .find(format!("{} off-heap memory is left beside {}", off_heap.bytes, heap.key))
        .at(heap.place(), format!("heap is {}", survey.plan.budget.heap()))
        .at(flink.place(), format!("all of it is {}", survey.plan.budget.total_flink().bytes))
        .note(format!("by default it would be {DEFAULT}"))
        .help(format!("take {} out: heap is then what off-heap memory leaves of {}", heap.key, flink.key))
        .unsafe_fix(format!("take {} out", heap.key), case.remove(heap));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    fn text(heap: &str) -> String {
        format!("jobmanager.memory.flink.size: 2g\njobmanager.memory.heap.size: {heap}\n")
    }

    #[test]
    fn what_is_left_is_said() {
        let finding = find("OOM217", "config.yaml", &text("2000m"));
        assert!(finding.title.starts_with("48 MiB off-heap memory is left"), "{finding:?}");
    }

    #[test]
    fn the_default_is_enough() {
        assert!(!codes("config.yaml", &text("1920m")).contains(&"OOM217"));
        assert!(!codes("config.yaml", "jobmanager.memory.heap.size: 2g\n").contains(&"OOM217"));
    }
}
