use super::oom211_consumer_weights::weights;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Edit, Severity, UseCase};
use crate::plan::consumers;
use crate::plan::settings::Settings;

rule! {
    /// A consumer of managed memory has no weight, so that the job that needs it fails.
    ///
    /// ### Why
    /// Weights that are set replace all defaults: who is not named has a weight of 0. A job whose RocksDB or Python worker
    /// has none fails when its tasks start, with "The fraction of memory to allocate should not be 0". The old name DATAPROC
    /// stands for operators and state backend up to 1.20; 2.x passes over it without a word, and leaves both with nothing.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.consumer-weights: DATAPROC:70,PYTHON:30
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.consumer-weights: OPERATOR:70,STATE_BACKEND:70,PYTHON:30
    /// state.backend.type: rocksdb
    /// ```
    ///
    /// ### Sources
    /// - `ManagedMemoryUtils.convertToFractionOfSlot` and `MemoryManager.validateFraction`, Flink 1.12 to 2.3.
    /// - Threads: https://github.com/apache/flink/pull/14161, https://github.com/apache/paimon/issues/4232.
    "OOM212" "consumer-without-weight" {
        severity: Severity::Error,
        since: Some((1, 12)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// Who takes managed memory, as far as the text tells, and how to call it.
fn takers(case: &Case<'_>) -> Vec<(UseCase, String)> {
    let mut all = Vec::new();
    if let Some(store) = case.store() {
        let key = |rest: &str| case.store_key(store, rest);
        let fixed = key("memory.fixed-per-slot");
        let otherwise = case.find(&fixed).is_some() || case.is_hidden(&fixed);
        if !otherwise && case.flag(&key("memory.managed")) == Some(true) {
            all.push((UseCase::StateBackend, store.label().to_owned()));
        }
    }
    if case.told.workload.python == Some(true) {
        all.push((UseCase::Python, "the Python worker".to_owned()));
    }
    all
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(written) = weights(case) else { return };
    let Ok(Some(read)) = consumers::weights(&Settings::new(case.config, case.profile())) else { return };
    for (use_case, taker) in takers(case) {
        if read.get(&use_case).is_some_and(|weight| *weight > 0) {
            continue;
        }
        let title = format!("{taker} takes managed memory, and the weights leave {use_case} nothing");
        let mut draft = found.find(title).at(written.place(), format!("{use_case} has a weight of 0"));
        if let Some(backend) = case.backend_setting().filter(|_| use_case == UseCase::StateBackend) {
            draft = draft.at(backend.place(), "needs a weight");
        }
        let text = format!("{}:{}", written.key, written.text());
        if text.contains("DATAPROC") && case.profile().version().line() >= (2, 0) {
            draft = draft.note("2.x does not know DATAPROC any more and passes over it");
        }
        draft
            .note("weights that are set replace all of the defaults, OPERATOR:70,STATE_BACKEND:70,PYTHON:30")
            .help(advice(written, use_case, case.profile().version().line()))
            .unsafe_fix("give it a weight", with_weight(case, written, use_case));
    }
}

/// The weights with one more; DATAPROC, where it is no name any more, becomes the two that it stood for.
fn with_weight(case: &Case<'_>, written: Written<'_>, use_case: UseCase) -> Option<Vec<Edit>> {
    let text = written.text();
    let line = case.profile().version().line();
    // A map in braces, or a key for each weight, is for its writer to change.
    if !written.key.ends_with(".consumer-weights") || text.contains(['{', '\'', '"']) {
        return None;
    }
    let (name, weight) = name_and_weight(use_case, line);
    let old = text.split(',').find_map(|item| item.trim().strip_prefix("DATAPROC:"));
    let value = match old.filter(|_| line >= (2, 0) && use_case == UseCase::StateBackend) {
        Some(weight) => {
            text.replace(&format!("DATAPROC:{weight}"), &format!("OPERATOR:{weight},STATE_BACKEND:{weight}"))
        }
        None if text.contains(name) => return None,
        None => format!("{text},{name}:{weight}"),
    };
    case.set(written, &value)
}

fn name_and_weight(use_case: UseCase, line: (u16, u16)) -> (&'static str, u32) {
    match use_case {
        UseCase::Python => ("PYTHON", 30),
        _ if line == (1, 12) => ("DATAPROC", 70),
        _ => (use_case.name(), 70),
    }
}

fn advice(written: Written<'_>, use_case: UseCase, line: (u16, u16)) -> String {
    let (name, weight) = name_and_weight(use_case, line);
    format!("add {name}:{weight}, or take {} out", written.key)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Edit;

    #[rstest]
    #[case("1.20", "DATAPROC:70,PYTHON:30", false)]
    #[case("2.3", "DATAPROC:70,PYTHON:30", true)]
    #[case("1.20", "PYTHON:30", true)]
    #[case("1.20", "STATE_BACKEND:0,PYTHON:30", true)]
    #[case("1.12", "PYTHON:30", true)]
    #[case("1.11", "PYTHON:30", false)]
    fn it_depends_on_the_version(#[case] version: &str, #[case] weights: &str, #[case] fails: bool) {
        let text = format!(
            "# oomph: flink={version}\nstate.backend: rocksdb\n\
             taskmanager.memory.managed.consumer-weights: {weights}\n"
        );
        let file = if version == "2.3" { "config.yaml" } else { "flink-conf.yaml" };
        let text = if version == "2.3" { text.replace("state.backend:", "state.backend.type:") } else { text };
        assert_eq!(codes(file, &text).contains(&"OOM212"), fails, "{text}");
    }

    #[test]
    fn a_pool_of_a_fixed_size_takes_no_managed_memory() {
        let text = "state.backend.type: rocksdb\nstate.backend.rocksdb.memory.fixed-per-slot: 512m\n\
                    taskmanager.memory.managed.consumer-weights: PYTHON:30\n";
        assert!(!codes("config.yaml", text).contains(&"OOM212"));
    }

    #[test]
    fn dataproc_becomes_what_it_stood_for() {
        let replaced = |text: &str| {
            let finding =
                find("OOM212", "config.yaml", &format!("# oomph: flink=2.0\nstate.backend.type: rocksdb\n{text}"));
            finding.fix.map(|fix| match &fix.edits[0] {
                Edit::Replace { text, .. } => text.clone(),
                other => panic!("{other:?}"),
            })
        };
        let weights = "taskmanager.memory.managed.consumer-weights: ";
        assert_eq!(
            replaced(&format!("{weights}DATAPROC:60,PYTHON:40\n")).unwrap(),
            "OPERATOR:60,STATE_BACKEND:60,PYTHON:40"
        );
        assert_eq!(replaced(&format!("{weights}PYTHON:40\n")).unwrap(), "PYTHON:40,STATE_BACKEND:70");
        assert_eq!(replaced(&format!("{weights}STATE_BACKEND:0\n")), None);
    }

    #[test]
    fn python_has_to_be_told_of() {
        let weights = "taskmanager.memory.managed.consumer-weights: STATE_BACKEND:70\n";
        assert!(!codes("config.yaml", weights).contains(&"OOM212"));
        let finding = find("OOM212", "config.yaml", &format!("# oomph: python=true\n{weights}"));
        assert!(finding.help.unwrap().starts_with("add PYTHON:30"));
    }
}
