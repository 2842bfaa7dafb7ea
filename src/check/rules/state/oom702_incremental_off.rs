use super::checkpointing::{self, INCREMENTAL};
use crate::check::policy::threshold;
use crate::check::rule::{FixKind, rule};
use crate::check::{Case, Collector};
use crate::model::{Bytes, Severity};

rule! {
    /// Every checkpoint of RocksDB or ForSt uploads the whole state.
    ///
    /// ### Why
    /// Without incremental checkpoints, which are off by default, a checkpoint reads and serialises all state of every
    /// TaskManager and uploads it; reading it also replaces what the block cache held. With them it uploads the files that
    /// are new since the last one. A state that takes longer to upload than the interval is being checkpointed all the time.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 state-size=200g
    /// state.backend.type: rocksdb
    /// execution.checkpointing.interval: 1 min
    /// execution.checkpointing.dir: hdfs:///checkpoints
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 state-size=200g
    /// state.backend.type: rocksdb
    /// execution.checkpointing.interval: 1 min
    /// execution.checkpointing.dir: hdfs:///checkpoints
    /// execution.checkpointing.incremental: true
    /// ```
    ///
    /// ### Sources
    /// - `CheckpointingOptions.INCREMENTAL_CHECKPOINTS` and `RocksDBSnapshotStrategyBase`, Flink 1.9 to 2.3.
    /// - Flink's page on tuning checkpoints and large state, section on incremental checkpoints.
    "OOM702" "incremental-off" {
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(store) = case.store() else { return };
    let Some((interval, millis)) = checkpointing::interval(case) else { return };
    let Some(name) = checkpointing::name(case, &INCREMENTAL) else { return };
    let changelog = checkpointing::flag(case, &["state.changelog.enabled", "state.backend.changelog.enabled"]);
    if changelog == Some(true) || checkpointing::is_batch(case) {
        return;
    }
    let written = checkpointing::find(case, &INCREMENTAL);
    let off = match written {
        Some(written) => written.text().eq_ignore_ascii_case("false"),
        None => checkpointing::is_absent(case, &INCREMENTAL),
    };
    let large = case.told.workload.state_size.filter(|state| *state >= case.policy.size(&threshold::FULL_CHECKPOINT));
    if !off || (written.is_none() && large.is_none()) {
        return;
    }
    let mut draft = found.find(format!("Every checkpoint of {} uploads the whole state", store.label()));
    if let Some(written) = written {
        draft = draft.at(written.place(), "everything, each time");
    } else if let Some(backend) = case.backend_setting() {
        draft = draft.at(backend.place(), format!("{name} is false by default"));
    }
    draft = draft.at(interval.place(), format!("every {}", checkpointing::in_words(millis)));
    draft = match large {
        Some(state) => {
            let rate = u128::from(state.get()) * 1000 / u128::from(millis);
            let rate = Bytes::new(u64::try_from(rate).unwrap_or(u64::MAX).max(1));
            draft.note(format!("{state} every {} is {} a second", checkpointing::in_words(millis), mib(rate)))
        }
        None => draft.severity(Severity::Note),
    };
    let edits = match written {
        Some(written) => case.set(written, "true"),
        None => case.insert_below(interval, name, "true"),
    };
    draft
        .help(format!("set {name}: true; recovery then reads files of several checkpoints"))
        .unsafe_fix("upload what is new only", edits);
}

/// A rate in whole MiB.
fn mib(bytes: Bytes) -> String {
    format!("{} MiB", bytes.get().div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    const JOB: &str =
        "state.backend: rocksdb\nexecution.checkpointing.interval: 60000\nstate.checkpoints.dir: hdfs:///c\n";

    #[test]
    fn what_is_set_is_a_note_until_the_state_is_known() {
        let text = format!("# oomph: flink=1.16\n{JOB}state.backend.incremental: false\n");
        let finding = find("OOM702", "flink-conf.yaml", &text);
        assert_eq!(finding.severity, Severity::Note, "{finding:?}");
        let large = text.replace("flink=1.16", "flink=1.16 state-size=200g");
        let finding = find("OOM702", "flink-conf.yaml", &large);
        assert_eq!(finding.severity, Severity::Warning);
        assert!(finding.notes[0].contains("3414 MiB a second"), "{finding:?}");
    }

    #[test]
    fn the_default_is_no_finding_of_a_state_that_is_small_or_unknown() {
        let text = format!("# oomph: flink=1.16\n{JOB}");
        assert!(!codes("flink-conf.yaml", &text).contains(&"OOM702"));
        let small = text.replace("flink=1.16", "flink=1.16 state-size=1g");
        assert!(!codes("flink-conf.yaml", &small).contains(&"OOM702"));
    }

    #[test]
    fn the_heap_backend_has_nothing_to_upload_in_parts() {
        let text =
            format!("# oomph: flink=1.16\n{JOB}state.backend.incremental: false\n").replace("rocksdb", "hashmap");
        assert!(!codes("flink-conf.yaml", &text).contains(&"OOM702"));
    }
}
