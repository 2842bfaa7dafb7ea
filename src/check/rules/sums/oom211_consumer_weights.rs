use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Confidence, Severity};
use crate::plan::consumers;
use crate::plan::rejection::Reason;
use crate::plan::settings::Settings;

rule! {
    /// Flink cannot read the weights by which consumers share managed memory.
    ///
    /// ### Why
    /// The TaskManager starts, for its own derivation does not need the weights. The first job with RocksDB, Python or batch
    /// operators reads them, and fails. Weights are whole numbers that are not negative, as `NAME:70,NAME:30`. Flink 1.12
    /// knows the names DATAPROC and PYTHON and fails with any other, so with those of later versions.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.consumer-weights: OPERATOR:0.7,STATE_BACKEND:0.7,PYTHON:0.3
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.consumer-weights: OPERATOR:70,STATE_BACKEND:70,PYTHON:30
    /// ```
    ///
    /// ### Sources
    /// - `ManagedMemoryUtils.getManagedMemoryUseCaseWeightsFromConfig`, Flink 1.12 to 2.3.
    /// - Threads: https://github.com/apache/flink/pull/14161, https://github.com/apache/flink/pull/14576.
    "OOM211" "consumer-weights" {
        severity: Severity::Error,
        confidence: Confidence::Medium,
        since: Some((1, 12)),
        check: check,
    }
}

/// The setting of the weights, or the first of those that stand under names of their own.
pub fn weights<'a>(case: &Case<'a>) -> Option<Written<'a>> {
    const KEY: &str = "taskmanager.memory.managed.consumer-weights";
    let prefixed = || {
        let reads = case.profile().behaviour.prefixed_map_keys;
        let (key, setting) = case.config.with_prefix("taskmanager.memory.managed.consumer-weights.").next()?;
        reads.then_some(Written { key, setting })
    };
    case.exactly(KEY).or_else(|| prefixed().filter(Written::is_own))
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(written) = weights(case) else { return };
    let Err(rejection) = consumers::weights(&Settings::new(case.config, case.profile())) else { return };
    let mut draft = found
        .find(format!("Flink {} cannot use these weights of managed memory", case.version()))
        .at(written.place(), written.shown())
        .note(rejection.exception.message.clone());
    if let Some(root) = rejection.causes.last() {
        draft = draft.note(format!("because {}", root.message));
    }
    let accepted = match &rejection.reason {
        Some(Reason::BadValue(bad)) if case.profile().version().line() > (1, 12) => bad.accepted,
        _ => "names and whole numbers, such as DATAPROC:70,PYTHON:30",
    };
    draft.help(format!("write {accepted}"));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("1.12", "OPERATOR:70,PYTHON:30", true)]
    #[case("1.12", "DATAPROC:70,PYTHON:30", false)]
    #[case("1.13", "DATAPROC:70,PYTHON:30", false)]
    #[case("1.20", "STATE_BACKEND:-1", true)]
    #[case("1.20", "STATE_BACKEND=70", true)]
    #[case("1.20", "STATE_BACKEND:70,STATE_BACKEND:30", true)]
    fn as_that_version_reads_them(#[case] version: &str, #[case] weights: &str, #[case] refused: bool) {
        let text = format!("# oomph: flink={version}\ntaskmanager.memory.managed.consumer-weights: {weights}\n");
        let found = codes("flink-conf.yaml", &text).contains(&"OOM211");
        assert_eq!(found, refused, "{text}");
    }

    #[test]
    fn nested_weights_are_read_too() {
        let text = "taskmanager.memory.managed.consumer-weights:\n  STATE_BACKEND: many\n";
        assert!(codes("config.yaml", text).contains(&"OOM211"));
    }
}
