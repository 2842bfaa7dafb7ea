use super::super::jobmanager::heap_share::{HeapShare, about, times};
use super::checkpointing::{self, INLINE, RETAINED};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Confidence, Severity};

rule! {
    /// State that is kept in checkpoints' metadata fills the JobManager, or the threshold for it is ignored.
    ///
    /// ### Why
    /// A piece of state up to the threshold, 20 KB by default, gets no file of its own: its bytes travel to the JobManager,
    /// stay on its heap for as long as the checkpoint is retained, and are written into the metadata. That is up to threshold
    /// x pieces x subtasks x retained checkpoints. The most is 1 MB: Flink ignores a larger threshold with a warning in the log
    /// and takes the default, so that the small files stay that it should have done away with.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.data-inline-threshold: 4mb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.data-inline-threshold: 100kb
    /// ```
    ///
    /// ### Sources
    /// - `FileSystemCheckpointStorage.MAX_FILE_STATE_THRESHOLD`, Flink 1.13 to 2.3, and `FsStateBackend`, Flink 1.9 to 1.12:
    ///   "Ignoring invalid file size threshold value".
    /// - `FsCheckpointStreamFactory` and `ByteStreamStateHandle`, Flink 1.9 to 2.3.
    /// - FLINK-17865, the default of 20 KB: https://github.com/apache/flink/pull/12282.
    "OOM708" "inline-state" {
        check: check,
    }
}

/// `FileSystemCheckpointStorage.MAX_FILE_STATE_THRESHOLD`.
const LARGEST: Bytes = Bytes::mib(1);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some((written, threshold)) = checkpointing::size(case, &INLINE) else { return };
    if threshold > LARGEST {
        let usual = case.option(written.key).and_then(|row| Bytes::parse_flink(row.default?).ok());
        let mut draft = found
            .find(format!("{} is ignored: {threshold} is more than {LARGEST}", written.key))
            .at(written.place(), "out of range")
            .note("Flink logs a warning, Ignoring invalid file size threshold value, and takes its default");
        if let Some(usual) = usual {
            draft = draft.note(format!("the default is {usual}"));
        }
        draft.help(format!("set {} to at most 1mb", written.key)).severity(Severity::Error);
        return;
    }
    let Some(parallelism) = case.parallelism().map(u64::from) else { return };
    let vertices = case.policy.count(&threshold::JOB_VERTICES);
    let retained = checkpointing::name(case, &RETAINED).and_then(|name| case.int(name)).unwrap_or(1);
    let retained = u64::try_from(retained).unwrap_or(1).max(1);
    let pieces = parallelism.saturating_mul(vertices);
    // The one that is being written is there beside those that are retained.
    let kept = times(times(threshold, pieces), retained.saturating_add(1));
    let Some(share) = HeapShare::too_large(case, kept) else { return };
    let mut draft = found
        .find(format!("Small state may take {} of the JobManager's heap", about(share.kept)))
        .at(written.place(), "bytes that go to the JobManager")
        .note(format!(
            "{threshold} x {pieces} subtasks ({vertices} vertices of parallelism {parallelism}, one piece each) x {} \
             checkpoints, of which one is being written",
            retained + 1
        ))
        .note(share.heap_in_words())
        .severity(share.severity())
        .confidence(Confidence::Medium);
    if let Some(retained) = checkpointing::find(case, &RETAINED) {
        draft = draft.at(retained.place(), "each of them");
    }
    draft.help(format!("set {} lower, or give the JobManager more heap", written.key));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[test]
    fn subtasks_and_retained_checkpoints_multiply() {
        let text = "# oomph: flink=1.18 parallelism=500\nstate.storage.fs.memory-threshold: 1mb\n\
                    state.checkpoints.num-retained: 3\njobmanager.memory.process.size: 4g\n";
        let finding = find("OOM708", "flink-conf.yaml", text);
        assert_eq!(finding.severity, Severity::Error, "{finding:?}");
        assert!(finding.title.contains("10000 MiB"), "{finding:?}");
        let small = text.replace("1mb", "20kb");
        assert!(!codes("flink-conf.yaml", &small).contains(&"OOM708"));
    }

    #[test]
    fn a_threshold_out_of_range_is_an_error_under_every_name() {
        for (version, name) in [
            ("1.12", "state.backend.fs.memory-threshold"),
            ("1.18", "state.storage.fs.memory-threshold"),
            ("1.18", "state.backend.fs.memory-threshold"),
            ("2.1", "state.storage.fs.memory-threshold"),
        ] {
            let file = if version == "2.1" { "config.yaml" } else { "flink-conf.yaml" };
            let text = |size: &str| format!("# oomph: flink={version}\n{name}: {size}\n");
            assert_eq!(find("OOM708", file, &text("1048577")).severity, Severity::Error, "{version}");
            assert!(!codes(file, &text("1048576")).contains(&"OOM708"), "{version}");
        }
    }
}
