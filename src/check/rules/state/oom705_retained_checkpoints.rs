use super::checkpointing::{self, INCREMENTAL, RETAINED};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::Confidence;

rule! {
    /// Many checkpoints are retained, and the JobManager holds them all.
    ///
    /// ### Why
    /// A JobManager keeps every retained checkpoint as an object with the handles of all its state: one for each state of each
    /// subtask, with incremental checkpoints one for each file of RocksDB, and what is small enough lies in the handle itself.
    /// It reads all of them back when it starts with high availability. A file that any of them names is not deleted, so with
    /// incremental checkpoints the directory grows far beyond the state. Recovery uses the newest only.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.num-retained: 100
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.num-retained: 3
    /// ```
    ///
    /// ### Sources
    /// - `DefaultCompletedCheckpointStore` and `StandaloneCompletedCheckpointStore`, whose `ArrayDeque` has every retained
    ///   `CompletedCheckpoint`, Flink 1.9 to 2.3.
    /// - Thread of FLINK-4754, which makes the number an option: https://github.com/apache/flink/pull/3374.
    "OOM705" "retained-checkpoints" {
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(written) = checkpointing::find(case, &RETAINED) else { return };
    let Ok(count) = written.text().parse::<u64>() else { return };
    if count < case.policy.count(&threshold::RETAINED_CHECKPOINTS) {
        return;
    }
    let mut draft = found
        .find(format!("The JobManager holds the handles of {count} checkpoints"))
        .at(written.place(), "all on its heap");
    if checkpointing::flag(case, &INCREMENTAL) == Some(true)
        && let Some(incremental) = checkpointing::find(case, &INCREMENTAL)
    {
        draft = draft
            .at(incremental.place(), "a handle for each file")
            .note(format!("a file goes when none of {count} checkpoints names it any more"));
    }
    draft
        .note("recovery uses the newest checkpoint; a savepoint is what is meant to be kept")
        .help(format!("set {} to 1 to 3", written.key));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn incremental_checkpoints_keep_files_too() {
        let text = "# oomph: flink=1.18\nstate.checkpoints.num-retained: 20\nstate.backend.incremental: true\n";
        assert_eq!(find("OOM705", "flink-conf.yaml", text).labels.len(), 2);
        assert!(!codes("flink-conf.yaml", &text.replace("20", "19")).contains(&"OOM705"));
    }
}
