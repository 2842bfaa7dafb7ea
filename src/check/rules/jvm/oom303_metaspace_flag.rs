use super::java_options::{JavaOptions, flink_comes_last, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Bytes, Component, Role, Severity};
use crate::plan;

rule! {
    /// The JVM options give metaspace another limit than Flink's plan does.
    ///
    /// ### Why
    /// Flink passes `-XX:MaxMetaspaceSize` from `taskmanager.memory.jvm-metaspace.size` or its JobManager's, and counts that
    /// into the total. An option of the configuration stands behind it and wins: with a higher limit class metadata grows
    /// into memory that belongs to somebody else, with a lower one it ends in "OutOfMemoryError: Metaspace" before the
    /// budget is used. `-XX:CompressedClassSpaceSize` beyond the limit is cut to four fifths of it without an error.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:MaxMetaspaceSize=512m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.jvm-metaspace.size: 512m
    /// ```
    ///
    /// ### Sources
    /// - `ProcessMemoryUtils.generateJvmParametersStr`, Flink 1.10 to 2.3; a JobManager from 1.11.
    /// - Own measurement, OpenJDK 17.0.15 and 25: of two limits the last counts; with a limit of 100 MiB a class space of
    ///   90, 101 or 256 MiB becomes one of 80 MiB.
    /// - Which flag comes last: the scripts and classes that OOM301 names.
    "OOM303" "metaspace-flag" {
        severity: Severity::Error,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let role = options.role;
        if plan::is_cut_off(case.profile(), role) || flink_comes_last(case) {
            continue;
        }
        let key = match role {
            Role::TaskManager => "taskmanager.memory.jvm-metaspace.size",
            Role::JobManager => "jobmanager.memory.jvm-metaspace.size",
        };
        let planned = case.survey(role).map(|survey| survey.plan.budget.size(Component::JvmMetaspace));
        let limit = options.last(&["-XX:MaxMetaspaceSize="]);
        let asked = limit.and_then(|(_, value)| Bytes::parse_jvm(value).ok());
        if let Some((option, _)) = limit.filter(|(option, _)| !option.told && (asked.is_none() || asked != planned)) {
            let mut draft = found
                .find(format!("{} outranks the metaspace that Flink plans", shown(option)))
                .at(option.place(), "the last one counts");
            if let (Some(asked), Some(planned)) = (asked, planned) {
                draft = draft.note(match asked.checked_sub(planned) {
                    Some(more) => format!("Flink plans {planned}; {more} more may be used than the total holds"),
                    None => format!("Flink plans {planned}, of which the JVM then uses no more than {asked}"),
                });
            }
            draft.help(format!("take it out and set {key}")).unsafe_fix("take the flag out", option.remove(case));
        }
        let metaspace = if limit.is_some() { asked } else { planned };
        let (Some((option, class_space)), Some(metaspace)) =
            (options.size(&["-XX:CompressedClassSpaceSize="]), metaspace)
        else {
            continue;
        };
        if class_space > metaspace && !option.told {
            found
                .find(format!("{} does not fit into a metaspace of {metaspace}", shown(option)))
                .severity(Severity::Warning)
                .at(option.place(), "cut to four fifths of metaspace")
                .help(format!("take it out: the JVM gives class space its share; more room comes from {key}"))
                .unsafe_fix("take the flag out", option.remove(case));
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    fn text(version: &str, options: &str) -> String {
        format!("# oomph: flink={version}\ntaskmanager.memory.process.size: 4g\nenv.java.opts.taskmanager: {options}\n")
    }

    #[rstest]
    #[case("512m", Some("256 MiB more"))]
    #[case("128m", Some("no more than 128 MiB"))]
    #[case("256m", None)]
    fn the_limit_is_compared_with_flinks(#[case] limit: &str, #[case] expected: Option<&str>) {
        let text = text("1.20", &format!("-XX:MaxMetaspaceSize={limit}"));
        match expected {
            Some(note) => assert!(find("OOM303", "config.yaml", &text).notes[0].contains(note)),
            None => assert!(!codes("config.yaml", &text).contains(&"OOM303")),
        }
    }

    #[rstest]
    #[case("-XX:CompressedClassSpaceSize=512m", true)]
    #[case("-XX:CompressedClassSpaceSize=200m", false)]
    #[case("-XX:MetaspaceSize=512m", false)]
    fn a_class_space_has_to_fit_into_metaspace(#[case] options: &str, #[case] expected: bool) {
        assert_eq!(codes("config.yaml", &text("1.20", options)).contains(&"OOM303"), expected);
    }

    #[test]
    fn flink_1_9_sets_no_limit_of_its_own() {
        let text =
            "# oomph: flink=1.9\ntaskmanager.heap.size: 4g\nenv.java.opts.taskmanager: -XX:MaxMetaspaceSize=256m\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM303"));
    }
}
