use super::known::{self, Below, Standing};
use super::near;
use super::nested::FlatFile;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::flink::options;
use crate::flink::profile::Profile;
use crate::model::{Confidence, Severity};

rule! {
    /// No version of Flink knows this key.
    ///
    /// ### Why
    /// Flink takes any key and says nothing about one it does not know: the option keeps its default. What is one letter away
    /// from an option of this version is taken for a slip of the pen, and for an error; so is what differs by upper and lower
    /// case or by `.`, `-` and `_` alone. Other unknown keys are a note, and only where every key is Flink's own. Keys of your
    /// own, of file systems, reporters and plugins are never reported.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.proces.size: 4g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - `Configuration.getRawValue`, Flink 1.9 to 2.3: options look their keys up; keys do not look for options.
    /// - The options of every version, read out of its jars: `profiles/options.tsv`.
    "OOM101" "unknown-key" {
        severity: Severity::Error,
        fix: FixKind::Safe,
        check: check,
    }
}

/// Other keys that are so many edits away are worth naming.
const NEAR: usize = 3;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let flat = FlatFile::of(case);
    let mut offered: Vec<&str> = Vec::new();
    for (written, standing) in known::unusual(case) {
        let key = written.key;
        if !matches!(standing, Standing::Unknown) || !key.is_ascii() || key.starts_with('#') {
            continue;
        }
        let below = known::below(key);
        if below == Below::Open || flat.as_ref().is_some_and(|flat| flat.has_inside(&written)) {
            continue;
        }
        let meant = one_edit_away(case.profile(), key);
        if meant.is_empty() && below != Below::Closed {
            continue;
        }
        let version = case.version();
        let draft = found.find(format!("{key} is no option of Flink {version}"));
        match meant.as_slice() {
            [] => {
                let near = near_to(case, key);
                let draft = draft
                    .at(&written.key_place(), "no version knows this key")
                    .severity(Severity::Note)
                    .confidence(Confidence::Medium)
                    .note("Flink does not read it and says nothing about it");
                match near.as_slice() {
                    [] => draft.help("take it out, or look its name up"),
                    near => draft.help(format!("{} is near; otherwise take it out", near.join(" or "))),
                };
            }
            [meant] => {
                // Two keys must not become one.
                let free = case.find(meant).is_none() && !case.is_hidden(meant) && !offered.contains(meant);
                offered.push(meant);
                let fix = if free { case.rename(written, meant) } else { None };
                draft
                    .at(&written.key_place(), format!("{meant} is meant"))
                    .note("Flink does not read it and says nothing about it")
                    .help(format!("write {meant}"))
                    .safe_fix(format!("write {meant}"), fix);
            }
            several => {
                draft
                    .at(&written.key_place(), "one letter is wrong")
                    .note("Flink does not read it and says nothing about it")
                    .help(format!("write {}", several.join(" or ")));
            }
        }
    }
}

/// The options that this key is a slip away from.
fn one_edit_away(profile: &Profile, key: &str) -> Vec<&'static str> {
    let is_slip = |option: &&str| near::is_one_edit(key, option) || near::is_same_but_for_separators(key, option);
    let options = options::of(profile).map(|row| row.key);
    options.filter(is_slip).filter(|option| known::is_clusters_own(option)).collect()
}

/// The option that is meant where no Flink knows a key, and one option is a slip away from it.
pub fn meant_by(key: &str, profile: &Profile) -> Option<&'static str> {
    let unknown = matches!(known::standing(key, profile), Standing::Unknown);
    match one_edit_away(profile, key).as_slice() {
        [meant] if unknown => Some(meant),
        _ => None,
    }
}

/// At most two options in the same section whose keys are not far from this one.
fn near_to(case: &Case<'_>, key: &str) -> Vec<&'static str> {
    let section = key.split('.').next().unwrap_or(key);
    let in_section = |option: &&str| option.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
    let mut near: Vec<(usize, &'static str)> = options::of(case.profile())
        .map(|row| row.key)
        .filter(in_section)
        .filter_map(|option| Some((near::distance(key, option, NEAR)?, option)))
        .collect();
    near.sort_unstable();
    near.into_iter().take(2).map(|(_, option)| option).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{checked, codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("taskmanager.memory.managed.fration", "taskmanager.memory.managed.fraction")]
    #[case("taskmanager.memory.managed-fraction", "taskmanager.memory.managed.fraction")]
    #[case("taskManager.numberOfTaskslots", "taskmanager.numberOfTaskSlots")]
    #[case("taskmanger.numberOfTaskSlots", "taskmanager.numberOfTaskSlots")]
    #[case("state.backend.rocksdb.block.cache_size", "state.backend.rocksdb.block.cache-size")]
    #[case("restart-strategy.fixed-delay.attempts.", "")]
    fn a_slip_of_the_pen_is_an_error_with_a_fix(#[case] key: &str, #[case] meant: &str) {
        let text = format!("# oomph: flink=1.20\n{key}: 1\n");
        if meant.is_empty() {
            assert!(!codes("flink-conf.yaml", &text).contains(&"OOM101"));
            return;
        }
        let finding = find("OOM101", "flink-conf.yaml", &text);
        assert_eq!(finding.severity, Severity::Error);
        let fixed = applied(&text, &finding.fix.unwrap().edits).unwrap();
        assert_eq!(fixed, format!("# oomph: flink=1.20\n{meant}: 1\n"));
    }

    #[test]
    fn what_is_not_near_is_a_note() {
        let finding = find("OOM101", "config.yaml", "taskmanager.memory.proc.size: 4g\n");
        assert_eq!(finding.severity, Severity::Note);
        assert!(finding.fix.is_none());
        let near = find("OOM101", "config.yaml", "taskmanager.memory.managed.weights: 4g\n");
        assert!(near.help.unwrap().contains("take it out"));
    }

    #[test]
    fn a_fix_never_makes_a_second_setting_of_one_option() {
        let text = "parallelism.default: 2\nparallelism.defualt: 3\n";
        let finding = find("OOM101", "config.yaml", text);
        assert!(finding.fix.is_none(), "{finding:?}");
        let both = "parallelism.defaul: 2\nparallelism.defualt: 3\n";
        let fixes = checked("config.yaml", both).findings.iter().filter(|finding| finding.fix.is_some()).count();
        assert_eq!(fixes, 1);
    }

    #[rstest]
    #[case("my.own.key")]
    #[case("orders.parallelism")]
    #[case("s3.access.key")]
    #[case("s3a.path.style.access")]
    #[case("fs.azure.account.key.x.blob.core.windows.net")]
    #[case("metrics.reporter.prom.factory.class")]
    #[case("kubernetes.operator.job.upgrade.ignore-pending-savepoint")]
    #[case("job.autoscaler.enabled")]
    #[case("containerized.taskmanager.env.MALLOC_ARENA_MAX")]
    #[case("external-resource.gpu.amount")]
    #[case("kubernetes.taskmanager.labels.team")]
    #[case("flink.hadoop.dfs.replication")]
    #[case("table.exec.hive.infer-source-parallelism")]
    #[case("$internal.application.main")]
    #[case("env.java.home")]
    fn keys_that_somebody_else_reads_are_left_alone(#[case] key: &str) {
        let text = format!("# oomph: flink=1.20\n{key}: x\n");
        assert!(!codes("flink-conf.yaml", &text).contains(&"OOM101"), "{key}");
    }

    #[test]
    fn a_key_of_another_version_is_not_unknown() {
        for key in ["taskmanager.memory.fraction", "pekko.ask.timeout", "recovery.mode"] {
            assert!(
                !codes("flink-conf.yaml", &format!("# oomph: flink=1.14\n{key}: 1\n")).contains(&"OOM101"),
                "{key}"
            );
        }
    }
}
