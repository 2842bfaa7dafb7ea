use super::stores;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::Bytes;

rule! {
    /// Incremental checkpoints upload every file of the store, and the files are small.
    ///
    /// ### Why
    /// An incremental checkpoint copies each SST file as a file of its own and keeps it until no retained checkpoint
    /// needs it. Files of a few MiB are many: each one is a create and a delete at the name node or object store, an
    /// entry in the JobManager's metadata, and an index with its filter in RocksDB. A team with tens of terabytes of
    /// state chose 64 to 256 MB when the operations of its name node had jumped. `execution.checkpointing.file-merging`
    /// (1.20) writes many into one.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// execution.checkpointing.incremental: true
    /// state.backend.rocksdb.compaction.level.target-file-size-base: 2mb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// execution.checkpointing.incremental: true
    /// state.backend.rocksdb.compaction.level.target-file-size-base: 64mb
    /// ```
    ///
    /// ### Sources
    /// - `RocksDBConfigurableOptions.TARGET_FILE_SIZE_BASE`, 64 MB, Flink 1.9 to 2.3; `RocksDBStateUploader`.
    /// - FLINK-11937: https://issues.apache.org/jira/browse/FLINK-11937; FLINK-32070:
    ///   https://issues.apache.org/jira/browse/FLINK-32070.
    "OOM410" "target-file-size" {
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    // Each version has one of the two names.
    let names = ["execution.checkpointing.incremental", "state.backend.incremental"];
    let incremental = names.into_iter().find_map(|name| case.find(name));
    let Some(incremental) = incremental.filter(|written| written.text().eq_ignore_ascii_case("true")) else { return };
    if case.flag("execution.checkpointing.file-merging.enabled") == Some(true) {
        return;
    }
    let directory = case.find("execution.checkpointing.dir").or_else(|| case.find("state.checkpoints.dir"));
    if directory.is_some_and(|written| written.text().starts_with("file:")) {
        return;
    }
    for &store in stores::possible(case) {
        let Some(written) = stores::written(case, store, "compaction.level.target-file-size-base") else { continue };
        let Ok(target) = Bytes::parse_flink(&written.text()) else { continue };
        let least = case.policy.size(&threshold::TARGET_FILE_SIZE_MIN);
        if target >= least || target == Bytes::ZERO {
            continue;
        }
        let mut draft = found
            .find(format!("{} of {target} makes many small files of every checkpoint", written.key))
            .at(written.place(), "the default is 64 MiB")
            .at(incremental.place(), "each file is uploaded as one");
        if let Some(state) = case.told.workload.state_size {
            let files = |size: Bytes| state.get().div_ceil(size.get());
            draft = draft.note(format!(
                "a state of {state} is {} files of {target}, and {} of 64 MiB",
                files(target),
                files(Bytes::mib(64))
            ));
        }
        let names = ["execution.checkpointing.num-retained", "state.checkpoints.num-retained"];
        let retained = names.into_iter().find_map(|name| case.find(name)).filter(Written::is_own);
        if let Some(retained) = retained {
            draft = draft.note(format!("{} checkpoints are retained, each with the files it had", retained.shown()));
        }
        draft.help(format!("set {} to 64mb, or to 256mb for terabytes, or take it out", written.key));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    const SMALL: &str = "state.backend.rocksdb.compaction.level.target-file-size-base: 4mb\n";

    #[test]
    fn full_checkpoints_a_local_directory_or_merged_files_are_left() {
        let text = format!("# oomph: flink=1.20\n{SMALL}execution.checkpointing.incremental: true\n");
        assert!(codes("config.yaml", &text).contains(&"OOM410"));
        for other in [
            text.replace("incremental: true", "incremental: false"),
            format!("{text}execution.checkpointing.dir: file:///data/checkpoints\n"),
            format!("{text}execution.checkpointing.file-merging.enabled: true\n"),
            text.replace("4mb", "16mb"),
        ] {
            assert!(!codes("config.yaml", &other).contains(&"OOM410"), "{other}");
        }
    }

    #[test]
    fn the_number_of_files_is_said_where_the_state_is_known_and_old_names_are_read() {
        let text = format!(
            "# oomph: flink=1.16 state-size=1t\n{SMALL}state.backend.incremental: true\n\
                            state.checkpoints.num-retained: 3\n"
        );
        let finding = find("OOM410", "flink-conf.yaml", &text);
        assert_eq!(finding.notes[0], "a state of 1 TiB is 262144 files of 4 MiB, and 16384 of 64 MiB");
        assert!(finding.notes[1].starts_with("3 checkpoints"), "{finding:?}");
    }
}
