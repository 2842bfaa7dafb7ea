use super::heap_share::{HeapShare, about, times};
use crate::check::Written;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Confidence};

rule! {
    /// A history for the web page keeps more than the JobManager's heap should hold.
    ///
    /// ### Why
    /// Both histories have an entry for every subtask. `web.checkpoints.history` keeps the statistics of each checkpoint with
    /// an object of 96 bytes for each subtask; `jobmanager.execution.attempts-history-size` keeps that many earlier attempts
    /// of each subtask, 370 to 480 bytes each, more where an attempt ended with a stack trace. Both live on the heap of the
    /// JobManager, and go into the graph that it archives of a finished job. The estimate takes a number of vertices, since
    /// a configuration does not show them.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 parallelism=500
    /// web.checkpoints.history: 10000
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 parallelism=500
    /// web.checkpoints.history: 100
    /// ```
    ///
    /// ### Sources
    /// - `CheckpointStatsHistory`, `TaskStateStats` and `SubtaskStateStats`; `ExecutionHistory` and `ArchivedExecution`, Flink
    ///   1.9 to 2.3. Measured with 100,000 objects on JDK 17: 96 bytes and, for an attempt with its map entry, 372 bytes in
    ///   1.20.5 and 473 in 2.3.0.
    /// - Thread of FLINK-10066, earlier attempts as a leak of the JobManager: https://github.com/apache/flink/pull/6500.
    "OOM602" "history-kept" {
        confidence: Confidence::Medium,
        check: check,
    }
}

/// `SubtaskStateStats` with its place in an array.
const CHECKPOINT: Bytes = Bytes::new(100);
/// `ArchivedExecution` with its map entry, of Flink 2.3.
const ATTEMPT: Bytes = Bytes::new(480);

/// Histories by option: what is kept, and for how much a subtask.
const HISTORIES: [(&str, &str, Bytes); 2] = [
    ("jobmanager.execution.attempts-history-size", "attempts", ATTEMPT),
    ("web.checkpoints.history", "checkpoints", CHECKPOINT),
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for (option, what, each) in HISTORIES {
        let Some(written) = case.find(option).filter(Written::is_own) else { continue };
        let Some(count) = case.int(option).and_then(|count| u64::try_from(count).ok()) else { continue };
        let default = case.option(option).and_then(|row| row.default?.parse().ok());
        if default.is_some_and(|default: u64| count <= default) {
            continue;
        }
        let a_subtask = times(each, count);
        let (note, heap) = match case.parallelism().map(u64::from) {
            Some(parallelism) => {
                let vertices = case.policy.count(&threshold::JOB_VERTICES);
                let subtasks = parallelism.saturating_mul(vertices);
                let Some(share) = HeapShare::too_large(case, times(a_subtask, subtasks)) else { continue };
                let note = format!(
                    "{count} {what} x {subtasks} subtasks ({vertices} vertices of parallelism {parallelism}) x {each} are \
                     up to {}",
                    about(share.kept)
                );
                (note, Some(share))
            }
            None if a_subtask >= case.policy.size(&threshold::HISTORY_PER_SUBTASK) => {
                (format!("{count} {what} x {each} are {} for each subtask of a job", about(a_subtask)), None)
            }
            None => continue,
        };
        let mut draft = found
            .find(format!("The JobManager keeps {count} {what} of every subtask on its heap"))
            .at(written.place(), "kept for the web page")
            .note(note);
        draft = match &heap {
            Some(share) => draft.note(share.heap_in_words()).severity(share.severity()),
            None => draft.confidence(Confidence::Low),
        };
        let usual = default.map_or(String::new(), |default| format!("; the default is {default}"));
        draft.help(format!("set {} to what somebody looks at{usual}", written.key));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::{Confidence, Severity};

    #[test]
    fn attempts_are_counted_too() {
        let text = "# oomph: flink=2.1 parallelism=1000\njobmanager.memory.process.size: 4g\n\
                    jobmanager.execution.attempts-history-size: 2000\n";
        let finding = find("OOM602", "config.yaml", text);
        assert_eq!(finding.severity, Severity::Error, "{finding:?}");
        assert!(finding.notes[0].contains("x 5000 subtasks"), "{finding:?}");
    }

    #[test]
    fn a_history_that_fits_is_fine() {
        let text = "# oomph: flink=1.20 parallelism=10\nweb.checkpoints.history: 10000\n";
        assert!(!codes("config.yaml", text).contains(&"OOM602"));
        assert!(!codes("config.yaml", "web.checkpoints.history: 1000\n").contains(&"OOM602"));
    }

    #[test]
    fn without_a_parallelism_only_the_absurd_is_told() {
        let finding = find("OOM602", "config.yaml", "web.checkpoints.history: 100000\n");
        assert_eq!(finding.confidence, Confidence::Low);
    }
}
