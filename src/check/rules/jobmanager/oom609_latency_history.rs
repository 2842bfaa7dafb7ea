use super::heap_share::{about, percent, times};
use super::latency::Latency;
use crate::check::Written;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Confidence, Role};

rule! {
    /// Latency histograms keep more samples than a TaskManager's heap should hold.
    ///
    /// ### Why
    /// Every latency histogram keeps `metrics.latency.history-size` samples of 8 bytes in an array that is allocated whole.
    /// The default of 128 is 1 KiB; a TaskManager has one histogram for each of its operators' subtasks, and at
    /// `metrics.latency.granularity: subtask` one for each subtask of each source too. The estimate takes one source and a
    /// number of operators, since a configuration shows neither.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// metrics.latency.interval: 30 s
    /// metrics.latency.history-size: 1000000
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// metrics.latency.interval: 30 s
    /// metrics.latency.history-size: 1000
    /// ```
    ///
    /// ### Sources
    /// - `LatencyStats` and `DescriptiveStatisticsHistogram.CircularDoubleArray`, Flink 1.9 to 2.3.
    /// - FLINK-10243: https://github.com/apache/flink/pull/6658.
    "OOM609" "latency-history" {
        confidence: Confidence::Medium,
        check: check,
    }
}

const HISTORY: &str = "metrics.latency.history-size";

/// A `double`.
const SAMPLE: Bytes = Bytes::new(8);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(written) = case.find(HISTORY).filter(Written::is_own) else { return };
    let Some(latency) = Latency::of(case) else { return };
    let Some(samples) = case.int(HISTORY).and_then(|samples| u64::try_from(samples).ok()) else { return };
    let slots = case.slots().map_or_else(|| case.int("taskmanager.numberOfTaskSlots"), |slots| Some(i64::from(slots)));
    let slots = slots.and_then(|slots| u64::try_from(slots).ok()).unwrap_or(1).max(1);
    let operators = case.policy.count(&threshold::LATENCY_OPERATORS);
    let parallelism = case.parallelism().map_or(1, u64::from);
    let subtasks = slots.saturating_mul(operators);
    let count = subtasks.saturating_mul(latency.granularity.for_each_subtask(parallelism, 1));
    let kept = times(times(SAMPLE, samples), count);
    let heap = case.survey(Role::TaskManager).map(|survey| survey.plan.budget.heap());
    let limit = match heap {
        Some(heap) => percent(heap, case.policy.count(&threshold::LATENCY_HISTORY_PERCENT)),
        None => case.policy.size(&threshold::LATENCY_HISTORY),
    };
    // A size that somebody set below the default is never too much by itself.
    if kept < limit || samples <= 128 {
        return;
    }
    let mut draft = found
        .find(format!("Latency histograms take {} of every TaskManager's heap", about(kept)))
        .at(written.place(), "samples of 8 bytes")
        .at(latency.interval.place(), "turns them on")
        .note(format!("{samples} samples x {count} histograms ({operators} operators in {slots} slots, one source)"));
    if let Some(heap) = heap {
        draft = draft.note(format!("the TaskManager's heap is {heap}"));
    }
    draft.help(format!("set {HISTORY} to 128, the default, or take metrics.latency.interval out"));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn slots_and_the_parallelism_multiply() {
        let text = "# oomph: flink=1.20 parallelism=100\ntaskmanager.memory.process.size: 4g\n\
                    taskmanager.numberOfTaskSlots: 4\nmetrics.latency.interval: 30 s\n\
                    metrics.latency.granularity: subtask\nmetrics.latency.history-size: 10000\n";
        let finding = find("OOM609", "config.yaml", text);
        assert!(finding.notes[0].contains("x 4000 histograms"), "{finding:?}");
        let single = text.replace("subtask", "single");
        assert!(!codes("config.yaml", &single).contains(&"OOM609"));
    }

    #[test]
    fn without_tracking_there_are_no_histograms() {
        assert!(!codes("config.yaml", "metrics.latency.history-size: 1000000\n").contains(&"OOM609"));
    }
}
