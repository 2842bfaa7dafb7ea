use super::known::{self, Standing};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Severity};

rule! {
    /// The key comes only with a later version.
    ///
    /// ### Why
    /// A page about a newer Flink names it; this one ignores it without a word. So is a map spelled as one key for each entry,
    /// which Flink reads from 1.14 on.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.16
    /// taskmanager.memory.process.size: 4g
    /// pekko.ask.timeout: 1 min
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// taskmanager.memory.process.size: 4g
    /// pekko.ask.timeout: 1 min
    /// ```
    ///
    /// ### Sources
    /// - The options of every version, read out of its jars, and the string constants of those jars: `profiles/options.tsv`.
    /// - `ConfigurationUtils.convertToPropertiesPrefixed`, Flink 1.14 and later: maps as prefixed keys.
    "OOM106" "not-yet-key" {
        severity: Severity::Warning,
        check: check,
    }
}

/// Beginnings of keys that older versions read by their text, without declaring them as options: string constants in
/// classes of flink-dist 1.9.3 to 1.19.3 other than `ConfigConstants`.
const READ_BEFORE_DECLARED: [&str; 12] = [
    "python.archives",
    "python.files",
    "python.internal.",
    "restart-strategy.failure-rate.",
    "restart-strategy.fixed-delay.",
    "table.exec.local-hash-agg.",
    "table.optimizer.incremental-agg-enabled",
    "table.optimizer.reuse-optimize-block-with-digest-enabled",
    "table.optimizer.union-all-as-breakpoint-enabled",
    "taskmanager.log.path",
    "taskmanager.runtime.large-record-handler",
    "yarn.container-start-command-template",
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (version, profile) = (case.version(), case.profile());
    for (written, standing) in known::unusual(case) {
        let key = written.key;
        match standing {
            Standing::Later(first) => {
                let read = READ_BEFORE_DECLARED.iter().any(|prefix| key.starts_with(prefix));
                if read || !known::is_clusters_own(key) {
                    continue;
                }
                let from = first.from().version();
                let draft = found
                    .find(format!("Flink {version} does not read {key} yet"))
                    .at(&written.key_place(), format!("from {from} on"));
                let old = first.deprecated.iter().find(|old| case.option(old).is_some());
                let draft = match old {
                    Some(old) => draft.help(format!("write {old}, as it is called in this version")),
                    None => draft.help("take it out, or move to a version that has it"),
                };
                // A patch release behind the one that was read may have brought it.
                let tested = profile.tested.parse::<crate::flink::Version>().ok().and_then(|tested| tested.patch);
                if version.patch > tested {
                    draft.confidence(Confidence::Medium);
                }
            }
            Standing::Entry(map) if !profile.behaviour.prefixed_map_keys => {
                found
                    .find(format!("Flink {version} does not read a map spelled as {key}"))
                    .at(&written.key_place(), "from 1.14 on")
                    .help(format!("write {}: key:value,key:value", map.key));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("1.16", "state.backend.type", true)]
    #[case("1.17", "state.backend.type", false)]
    #[case("1.9", "restart-strategy.fixed-delay.attempts", false)]
    #[case("1.9", "taskmanager.memory.process.size", true)]
    #[case("1.10", "jobmanager.memory.process.size", true)]
    #[case("1.13", "taskmanager.memory.managed.consumer-weights.PYTHON", true)]
    #[case("1.14", "taskmanager.memory.managed.consumer-weights.PYTHON", false)]
    #[case("1.12", "env.java.home", false)]
    #[case("1.16", "restart-strategy.type", true)]
    fn a_key_is_read_from_the_version_that_brought_it(#[case] version: &str, #[case] key: &str, #[case] early: bool) {
        let text = format!("# oomph: flink={version}\n{key}: 1\n");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM106"), early, "{key} in {version}");
    }

    #[test]
    fn the_name_of_this_version_is_told() {
        let finding = find("OOM106", "flink-conf.yaml", "# oomph: flink=1.16\nstate.backend.type: rocksdb\n");
        assert!(finding.help.unwrap().starts_with("write state.backend,"));
    }
}
