use super::checkpointing;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::Severity;

rule! {
    /// The changelog of state grows on the heap.
    ///
    /// ### Why
    /// With the changelog, every change of state is also written to a log, until the state is materialised, every ten minutes
    /// by default. The log's storage is `memory` where nobody says otherwise: the changes lie as bytes on the TaskManager's
    /// heap, and with each checkpoint they go into handles on the JobManager's heap. Flink's own tests ran out of memory with
    /// it. Without periodic materialisation nothing ever shortens the log, whatever its storage is.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.changelog.enabled: true
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.changelog.enabled: true
    /// state.changelog.storage: filesystem
    /// state.changelog.dstl.dfs.base-path: hdfs:///changelog
    /// ```
    ///
    /// ### Sources
    /// - `StateChangelogOptions`, `InMemoryStateChangelogWriter` and `InMemoryChangelogStateHandle`, Flink 1.14 to 2.3.
    /// - FLINK-26106, out of memory in Flink's tests: https://github.com/apache/flink/pull/19081.
    "OOM703" "changelog-on-heap" {
        since: Some((1, 14)),
        check: check,
    }
}

const ENABLED: [&str; 2] = ["state.changelog.enabled", "state.backend.changelog.enabled"];
const STORAGE: [&str; 2] = ["state.changelog.storage", "state.backend.changelog.storage"];
const MATERIALISE: [&str; 2] =
    ["state.changelog.periodic-materialize.enabled", "state.backend.changelog.periodic-materialize.enabled"];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(enabled) = checkpointing::find(case, &ENABLED) else { return };
    if checkpointing::flag(case, &ENABLED) != Some(true) {
        return;
    }
    let Some(name) = checkpointing::name(case, &STORAGE) else { return };
    let storage = checkpointing::find(case, &STORAGE);
    let in_memory = match storage {
        Some(written) => written.text().eq_ignore_ascii_case("memory"),
        None => checkpointing::is_absent(case, &STORAGE),
    };
    if in_memory {
        let mut draft = found.find("The changelog keeps every change of state on the heap");
        draft = match storage {
            Some(written) => draft.at(written.place(), "on the heap").at(enabled.place(), "turns it on"),
            None => draft.at(enabled.place(), format!("{name} is memory by default")),
        };
        draft
            .note("changes lie on the TaskManager's heap, and in checkpoints on the JobManager's, until the state is materialised")
            .help(format!("set {name}: filesystem and a base path for it, or take {} out", enabled.key));
    }
    let endless = checkpointing::find(case, &MATERIALISE).filter(|written| is_false(*written));
    if let Some(written) = endless {
        found
            .find("Nothing ever shortens the changelog")
            .at(written.place(), "the log is not cut")
            .at(enabled.place(), "the log")
            .note("every change since the job's start stays in the log, and a recovery applies all of them")
            .help(format!("take {} out: state is then materialised every ten minutes", written.key))
            .severity(if in_memory { Severity::Error } else { Severity::Warning });
    }
}

fn is_false(written: Written<'_>) -> bool {
    written.text().eq_ignore_ascii_case("false")
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{checked, codes, find};
    use crate::model::Severity;

    #[test]
    fn memory_that_is_asked_for_is_found_under_the_old_names_too() {
        let text =
            "# oomph: flink=1.16\nstate.backend.changelog.enabled: true\nstate.backend.changelog.storage: memory\n";
        assert_eq!(find("OOM703", "flink-conf.yaml", text).labels.len(), 2);
    }

    #[test]
    fn a_log_that_is_never_cut_is_told_of_any_storage() {
        let text = "# oomph: flink=2.1\nstate.changelog.enabled: true\nstate.changelog.storage: filesystem\n\
                    state.changelog.periodic-materialize.enabled: false\n";
        assert!(find("OOM703", "config.yaml", text).title.contains("shortens"));
        let memory = text.replace("filesystem", "memory");
        let both = checked("config.yaml", &memory).findings;
        assert!(both.iter().any(|finding| finding.severity == Severity::Error), "{both:?}");
    }

    #[test]
    fn a_storage_out_of_sight_or_a_changelog_that_is_off_is_fine() {
        let hidden = "# oomph: flink=1.20\nstate.changelog.enabled: true\nstate.changelog.storage: ${STORAGE}\n";
        assert!(!codes("config.yaml", hidden).contains(&"OOM703"));
        let off = "# oomph: flink=1.20\nstate.changelog.enabled: false\nstate.changelog.storage: memory\n";
        assert!(!codes("config.yaml", off).contains(&"OOM703"));
    }
}
