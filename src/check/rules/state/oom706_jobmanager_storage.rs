use super::super::jobmanager::heap_share::times;
use super::checkpointing::{self, DIRECTORY, STORAGE};
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Bytes, Confidence, Place, Role, Severity};

rule! {
    /// Checkpoints are kept on the JobManager's heap.
    ///
    /// ### Why
    /// With the storage `jobmanager` every piece of state travels in a message to the JobManager, which keeps it on its heap
    /// for as long as the checkpoint is retained. A piece may have 5 MiB; a larger one fails its checkpoint. That storage is
    /// in force where somebody names it, or names the backend `jobmanager`, and, from Flink 1.13 on, where nobody names a
    /// directory for checkpoints, with RocksDB too: it keeps state on disk and then sends it to the JobManager.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.interval: 1 min
    /// execution.checkpointing.storage: jobmanager
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.interval: 1 min
    /// execution.checkpointing.dir: hdfs:///checkpoints
    /// ```
    ///
    /// ### Sources
    /// - `CheckpointStorageLoader`, `JobManagerCheckpointStorage.DEFAULT_MAX_STATE_SIZE` and `MemCheckpointStreamFactory`,
    ///   Flink 1.13 to 2.3; `MemoryStateBackend`, Flink 1.9 to 1.20.
    /// - Thread: https://github.com/apache/flink/pull/14932.
    "OOM706" "jobmanager-storage" {
        check: check,
    }
}

/// `JobManagerCheckpointStorage.DEFAULT_MAX_STATE_SIZE`.
const LARGEST: Bytes = Bytes::mib(5);
/// A JobManager's heap in Flink's own configuration, where this one sets none.
const USUAL_HEAP: Bytes = Bytes::gib(1);

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if checkpointing::is_batch(case) {
        return;
    }
    let Some((place, text, is_named)) = storage(case) else { return };
    let heap = case.survey(Role::JobManager).map(|survey| survey.plan.budget.heap());
    let state = case.told.workload.state_size;
    let mut draft = found
        .find("Checkpoints are kept on the JobManager's heap")
        .at(&place, text)
        .confidence(if is_named { Confidence::High } else { Confidence::Medium });
    if !is_named && let Some((interval, _)) = checkpointing::interval(case) {
        draft = draft
            .at(interval.place(), "turns checkpoints on")
            .note("unless the job's code names a directory, there is none");
    }
    draft = draft.note(format!("a piece of state that is larger than {LARGEST} fails its checkpoint"));
    if let Some(parallelism) = case.parallelism() {
        let all = times(LARGEST, parallelism.into());
        draft = draft
            .note(format!("with parallelism {parallelism} one state of one operator may take {all} in a checkpoint"));
    }
    if let Some(heap) = heap {
        draft = draft.note(format!("the JobManager's heap is {heap}"));
    }
    if let Some(state) = state.filter(|state| *state > heap.unwrap_or(USUAL_HEAP)) {
        draft =
            draft.severity(Severity::Error).note(format!("{state} of state are told, more than any of it can hold"));
    }
    let name = checkpointing::name(case, &DIRECTORY).unwrap_or(DIRECTORY[1]);
    draft.help(format!("set {name} to a directory of a file system that all processes reach"));
}

/// Where it is said that the JobManager keeps checkpoints, in a few words, and whether that is its name.
fn storage(case: &Case<'_>) -> Option<(Place, String, bool)> {
    if let Some(written) = checkpointing::find(case, &STORAGE) {
        let is_named = written.text().eq_ignore_ascii_case("jobmanager");
        return is_named.then(|| (written.place().clone(), "all state of a checkpoint".to_owned(), true));
    }
    let line = case.profile().version().line();
    let backend = case.backend_setting().filter(Written::is_own);
    if let Some(written) = backend.filter(|written| written.text().eq_ignore_ascii_case("jobmanager")) {
        return (line < (2, 0)).then(|| (written.place().clone(), "state and checkpoints".to_owned(), true));
    }
    // The legacy backends of files ask for a directory themselves.
    let legacy = backend.is_some_and(|written| written.text().eq_ignore_ascii_case("filesystem"));
    if line < (1, 13) || legacy || checkpointing::is_hidden(case, &STORAGE) {
        return None;
    }
    if !checkpointing::is_absent(case, &DIRECTORY) || !checkpointing::is_absent(case, &STORAGE) {
        return None;
    }
    checkpointing::interval(case)?;
    case.store()?;
    let name = checkpointing::name(case, &DIRECTORY)?;
    Some((backend?.place().clone(), format!("{name} is not set: this goes to the JobManager"), false))
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    const ROCKSDB: &str = "state.backend.type: rocksdb\nexecution.checkpointing.interval: 1 min\n";

    #[test]
    fn rocksdb_without_a_directory_sends_its_state_to_the_jobmanager() {
        let text = format!("# oomph: flink=1.20 parallelism=10\n{ROCKSDB}");
        let finding = find("OOM706", "config.yaml", &text);
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.notes[2].contains("50 MiB"), "{finding:?}");
        for rest in ["state.checkpoints.dir: hdfs:///c\n", "execution.checkpointing.dir: ${DIR}\n"] {
            assert!(!codes("config.yaml", &format!("{text}{rest}")).contains(&"OOM706"), "{rest}");
        }
    }

    #[test]
    fn before_1_13_a_directory_was_required() {
        let text = "# oomph: flink=1.12\nstate.backend: rocksdb\nexecution.checkpointing.interval: 1 min\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM706"));
        assert!(codes("flink-conf.yaml", "# oomph: flink=1.12\nstate.backend: jobmanager\n").contains(&"OOM706"));
    }

    #[test]
    fn a_state_beyond_the_heap_is_an_error() {
        let text = "# oomph: flink=1.20 state-size=20g\njobmanager.memory.process.size: 4g\n\
                    execution.checkpointing.storage: jobmanager\n";
        assert_eq!(find("OOM706", "config.yaml", text).severity, Severity::Error);
    }

    #[test]
    fn without_checkpoints_or_a_store_nothing_is_said() {
        assert!(!codes("config.yaml", "state.backend.type: rocksdb\n").contains(&"OOM706"));
        assert!(!codes("config.yaml", "execution.checkpointing.interval: 1 min\n").contains(&"OOM706"));
    }
}
