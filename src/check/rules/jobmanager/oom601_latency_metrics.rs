use super::heap_share::{HeapShare, about, times};
use super::latency::{Granularity, Latency};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Confidence, Severity};

rule! {
    /// Latency tracking keeps more histograms than the JobManager's heap should hold.
    ///
    /// ### Why
    /// Each operator's subtask keeps a histogram of latencies: one at `metrics.latency.granularity: single`, one for each
    /// source at `operator` (the default), and one for each subtask of each source at `subtask`. With parallelism p that is
    /// p x operators, p x sources x operators, or p² x sources x operators. A JobManager that somebody asks for metrics, as
    /// an open web page does, holds all of them as text: eleven numbers each, about 3.2 KB a histogram. The estimate takes
    /// one source and a number of operators, since a configuration shows neither.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 parallelism=200
    /// metrics.latency.interval: 30 s
    /// metrics.latency.granularity: subtask
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 parallelism=200
    /// metrics.latency.interval: 30 s
    /// metrics.latency.granularity: operator
    /// ```
    ///
    /// ### Sources
    /// - `LatencyStats` and `MetricStore`, Flink 1.9 to 2.3. Measured with 24,000 histograms in the `MetricStore` of 1.9.3,
    ///   1.20.5 and 2.3.0 on JDK 17: 3,288 bytes each at `subtask`, 3,044 at `operator`, 2,559 at `single`.
    /// - The incident of a JobManager of 1 to 2 GB in which more than 24,000 histograms held 1.6 GB, messages and copies
    ///   included; a store alone is smaller, and both are told.
    /// - FLINK-10243, which adds the granularity: https://github.com/apache/flink/pull/6658.
    "OOM601" "latency-metrics" {
        confidence: Confidence::Medium,
        check: check,
    }
}

/// A configuration shows no sources: one is the least that a job has.
const SOURCES: u64 = 1;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(latency) = Latency::of(case) else { return };
    // Nobody fetches metrics then, so nothing is stored.
    if case.millis("metrics.fetcher.update-interval") == Some(0) {
        return;
    }
    let granularity = latency.granularity;
    let operators = case.policy.count(&threshold::LATENCY_OPERATORS);
    let each = Bytes::new(granularity.bytes_in_store());
    let count = |parallelism: u64| {
        let subtasks = parallelism.saturating_mul(operators);
        subtasks.saturating_mul(granularity.for_each_subtask(parallelism, SOURCES))
    };
    let place = latency.set.unwrap_or(latency.interval).place();
    let Some(parallelism) = case.parallelism().map(u64::from) else {
        if let (Granularity::Subtask, Some(set)) = (granularity, latency.set) {
            found
                .find("metrics.latency.granularity: subtask keeps histograms by the square of the parallelism")
                .at(set.place(), "parallelism² x sources x operators")
                .note(format!(
                    "one source and {operators} operators are {} at parallelism 100, of {each} each: {}",
                    count(100),
                    about(times(each, count(100)))
                ))
                .help("set metrics.latency.granularity: operator, or tell the parallelism to have it judged")
                .severity(Severity::Note)
                .confidence(Confidence::Low);
        }
        return;
    };
    let histograms = count(parallelism);
    let share = HeapShare::too_large(case, times(each, histograms));
    if share.is_none() && histograms < case.policy.count(&threshold::LATENCY_HISTOGRAMS) {
        return;
    }
    let formula = match granularity {
        Granularity::Single => "parallelism x operators",
        Granularity::Operator => "parallelism x sources x operators",
        Granularity::Subtask => "parallelism² x sources x operators",
    };
    let help = match granularity {
        Granularity::Subtask => "set metrics.latency.granularity: operator, or take metrics.latency.interval out",
        Granularity::Operator => "set metrics.latency.granularity: single, or take metrics.latency.interval out",
        Granularity::Single => "take metrics.latency.interval out, or give the JobManager more heap",
    };
    let title = match &share {
        Some(share) => format!("Latency metrics may take {} of the JobManager's heap", about(share.kept)),
        None => format!("Latency metrics make {histograms} histograms, and the JobManager keeps them all"),
    };
    let mut draft = found.find(title).at(place, formula).note(format!(
        "parallelism {parallelism} with {SOURCES} source and {operators} operators makes {histograms} histograms of {each}"
    ));
    draft = match &share {
        Some(share) => draft
            .note(format!("{}; it fills while somebody reads metrics", share.heap_in_words()))
            .severity(share.severity()),
        // The store alone is smaller than what was seen.
        None => draft
            .note("24,000 of them were seen to hold 1.6 GB of a JobManager, far more than the store alone was measured to")
            .confidence(Confidence::Low),
    };
    let draft = draft.help(help);
    if latency.set.is_some() {
        draft.at(latency.interval.place(), "turns it on");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    const ON: &str = "metrics.latency.interval: 30000\n";

    fn with(parallelism: u32, rest: &str) -> String {
        format!("# oomph: flink=1.18 parallelism={parallelism}\n{ON}{rest}")
    }

    #[test]
    fn it_is_an_error_where_the_heap_is_smaller() {
        let text = with(200, "metrics.latency.granularity: subtask\njobmanager.memory.process.size: 1600m\n");
        let finding = find("OOM601", "flink-conf.yaml", &text);
        assert_eq!(finding.severity, Severity::Error);
        assert!(finding.notes[0].contains("400000 histograms of 3288 B"), "{finding:?}");
        assert!(finding.notes[1].contains("heap is 1 GiB"), "{finding:?}");
    }

    #[test]
    fn the_square_counts_at_subtask_only() {
        let subtask = with(100, "metrics.latency.granularity: subtask\n");
        assert!(codes("flink-conf.yaml", &subtask).contains(&"OOM601"));
        assert!(!codes("flink-conf.yaml", &with(100, "")).contains(&"OOM601"));
        assert!(codes("flink-conf.yaml", &with(20_000, "")).contains(&"OOM601"));
    }

    #[test]
    fn as_many_as_drowned_a_jobmanager_are_told_whatever_its_heap() {
        let large = "metrics.latency.granularity: subtask\njobmanager.memory.process.size: 16g\n";
        let finding = find("OOM601", "flink-conf.yaml", &with(50, large));
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.title.contains("25000 histograms") && finding.notes[1].contains("1.6 GB"), "{finding:?}");
        assert!(!codes("flink-conf.yaml", &with(40, large)).contains(&"OOM601"));
    }

    #[test]
    fn nothing_is_stored_without_an_interval_or_without_a_fetcher() {
        let off = "# oomph: flink=1.18 parallelism=500\nmetrics.latency.granularity: subtask\n";
        assert!(!codes("flink-conf.yaml", off).contains(&"OOM601"));
        let zero = format!("{off}metrics.latency.interval: 0\n");
        assert!(!codes("flink-conf.yaml", &zero).contains(&"OOM601"));
        let unread = format!("{off}{ON}metrics.fetcher.update-interval: 0\n");
        assert!(!codes("flink-conf.yaml", &unread).contains(&"OOM601"));
    }

    #[test]
    fn without_a_parallelism_it_only_notes_the_square() {
        let text = format!("{ON}metrics.latency.granularity: subtask\n");
        assert_eq!(find("OOM601", "flink-conf.yaml", &text).severity, Severity::Note);
        assert!(!codes("flink-conf.yaml", ON).contains(&"OOM601"));
        let hidden = format!("{ON}metrics.latency.granularity: ${{GRANULARITY}}\n");
        assert!(!codes("flink-conf.yaml", &hidden).contains(&"OOM601"));
    }
}
