use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Role};

cause! {
    /// Latency tracking filled the JobManager's heap with histograms: p² × sources × operators of them at subtask
    /// granularity.
    ///
    /// ### What is seen
    /// Full collections of the JobManager, a web interface that answers slowly or not at all, then OutOfMemoryError;
    /// the TaskManagers are well. A histogram of classes shows thousands of `DescriptiveStatisticsHistogram` or
    /// `LatencyStats`. With parallelism 10, two sources and two operators 400 histograms are kept, with 100 it is 40
    /// 000, and the JobManager holds a copy of each for its web interface.
    ///
    /// ### What it is not
    /// - Many jobs, splits or past attempts on the JobManager's heap (OOM947): those grow without latency tracking too.
    /// - State on a TaskManager's heap (OOM963).
    ///
    /// ### How to prove it
    /// `grep -e metrics.latency conf/*.yaml`, also in the job's own configuration and code
    /// (`setLatencyTrackingInterval`); `jcmd PID GC.class_histogram | head -40` on the JobManager.
    ///
    /// ### Cure
    /// `metrics.latency.interval: 0`, which is the default; or `metrics.latency.granularity: operator` (p × sources ×
    /// operators, the default since 1.5.5, 1.6.2 and 1.7) or `single` (p × operators). A smaller
    /// `metrics.latency.history-size` makes each smaller. To gain time: `jobmanager.memory.heap.size`.
    ///
    /// ### Sources
    /// - [FLINK-10243](https://github.com/apache/flink/pull/6658), granularity; `LatencyStats.Granularity`.
    /// - A JobManager of 1 to 2 GB in which more than 24 000 histograms held 1.6 GB.
    "OOM961" "latency-histograms" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Heap,
            title,
            decides: Some(Decides {
                evidence: "how many latency histograms lie on the JobManager's heap",
                command: "jcmd PID GC.class_histogram",
            }),
            ..Late::UNMARKED
        }),
    }
}

const INTERVAL: &str = "metrics.latency.interval";
const GRANULARITY: &str = "metrics.latency.granularity";
/// Classes that are there for latency tracking alone, or nearly so in numbers.
const CLASSES: [&str; 3] = ["LatencyStats", "DescriptiveStatisticsHistogram", "LatencyHistogram"];

/// What tells of it.
pub(super) fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let full = marks::heap_exhausted(case);
    if full.is_empty() || marks::role(case) == Some(Role::TaskManager) || signs(case).is_empty() {
        return Vec::new();
    }
    full
}

/// What shows latency tracking at work for each pair of subtasks.
fn signs<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = marks::said_with(case, &CLASSES);
    found.extend(case.told_with(&CLASSES));
    let is_on = |value: &str| value.chars().any(|letter| ('1'..='9').contains(&letter));
    if let (Some((interval, value)), Some(granularity)) = (case.given(INTERVAL), case.is_given(GRANULARITY, "subtask"))
        && is_on(value)
    {
        found.extend([interval, granularity]);
    }
    found
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = signs(case);
    found.extend(marks::heap_borne_out(case));
    found
}

fn title(case: &Case<'_>) -> String {
    let interval = marks::given_as(case, INTERVAL);
    let flag = marks::given_as(case, "-Xmx");
    format!("histograms of latency tracking{interval} filled the JobManager's heap{flag}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    fn jobmanager(granularity: &str) -> Left {
        let left = Left::killed_by(Killer::Jvm, Area::Heap).given("role", "jobmanager");
        left.given(INTERVAL, "60000").given(GRANULARITY, granularity)
    }

    #[test]
    fn subtask_granularity_on_a_jobmanager_without_heap_is_the_cause() {
        let verdict = jobmanager("subtask").verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM961"), Area::Heap));
        assert!(verdict.summary.contains("(metrics.latency.interval: 60000)"), "{}", verdict.summary);
    }

    #[test]
    fn full_collections_and_a_histogram_of_classes_are_enough() {
        let class = "org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram";
        let left = Left::default().strain(Origin::GcLog, "full-collections", Some(Area::Heap));
        let left = left.says(Origin::Jcmd, class, crate::diagnose::postmortem::signal::Says::Consequence);
        assert_eq!(left.first(), Some("OOM961"));
    }

    #[test]
    fn coarser_granularity_tracking_that_is_off_and_a_taskmanager_are_not() {
        assert!(!jobmanager("operator").codes().contains(&"OOM961"));
        let off = jobmanager("subtask").given(INTERVAL, "0 ms");
        assert!(!off.codes().contains(&"OOM961"));
        let worker = Left::killed_by(Killer::Jvm, Area::Heap).given("role", "taskmanager");
        let unsaid = Left::killed_by(Killer::Jvm, Area::Heap).given(INTERVAL, "60000");
        assert!(!unsaid.codes().contains(&"OOM961"));
        assert!(!worker.given(INTERVAL, "60000").given(GRANULARITY, "subtask").codes().contains(&"OOM961"));
        let killed = Left::killed_by(Killer::YarnPmem, Area::Container).given("role", "jobmanager");
        assert!(!killed.given(INTERVAL, "60000").given(GRANULARITY, "subtask").codes().contains(&"OOM961"));
    }
}
