use super::java_options::{JavaOptions, ignores_unknown_flags, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::{Layer, environment};
use crate::model::Severity;

rule! {
    /// JVM options stand without a blank between them, so that the JVM reads none of them.
    ///
    /// ### Why
    /// The JVM takes what stands between two blanks for one option. Two switches run together are one that it does not know:
    /// up to Flink 1.17 the process does not start, from 1.18 on both are passed over in silence. Two sizes run together
    /// (`-Xmx3g-Xms3g`) are no size in any version. The entry point of the official image does this by itself: from 1.19 on
    /// it takes every blank out of the lines of `FLINK_PROPERTIES`, so that a list of options in that variable always
    /// arrives as one word.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:+UseG1GC-XX:MaxGCPauseMillis=200
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:+UseG1GC -XX:MaxGCPauseMillis=200
    /// ```
    ///
    /// ### Sources
    /// - Own measurement, OpenJDK 17.0.15: `-XX:+UseG1GC-XX:MaxGCPauseMillis=200` ends with "Unrecognized VM option", and is
    ///   passed over with `-XX:+IgnoreUnrecognizedVMOptions`; `-Xmx1g-Xms1g` ends with "Invalid maximum heap size" and
    ///   `-XX:MaxMetaspaceSize=256m-XX:+UseG1GC` with "Improperly specified VM option" either way; `--add-opens` run together
    ///   is a warning.
    /// - `docker-entrypoint.sh` of the official image, `process_flink_properties`: `tr -d '[:space:]'` on each line.
    /// - https://github.com/apache/flink/pull/22738 (FLINK-32290, 1.18).
    "OOM317" "joined-options" {
        severity: Severity::Error,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        for option in options.joined.iter().filter(|option| !option.told) {
            let by_image = option.written.setting.layer == Layer::Environment;
            let is_switch = option.text.starts_with("-XX:+") || option.text.starts_with("-XX:-");
            let note = match (option.text.starts_with("--"), is_switch && ignores_unknown_flags(case)) {
                (true, _) => "the JVM warns of a module that it does not know, and opens nothing",
                (false, true) => "the JVM does not know it, and passes it over in silence",
                (false, false) => "the JVM does not start with it",
            };
            let mut draft = found
                .find(format!("{} is several options without a blank between them", shown(option)))
                .at(option.place(), "one word for the JVM")
                .note(note);
            if by_image {
                draft = draft
                    .note(format!("the image's entry point takes all blanks out of {}", environment::FLINK_PROPERTIES));
            }
            draft.help(if by_image {
                "set the options in a configuration file that is mounted, or one option alone in each key"
            } else {
                "put a blank between them"
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("1.17", "-XX:+UseG1GC-XX:+AlwaysPreTouch", "does not start")]
    #[case("1.18", "-XX:+UseG1GC-XX:+AlwaysPreTouch", "in silence")]
    #[case("1.20", "-Xmx3g-Xms3g", "does not start")]
    #[case("1.20", "--add-opens=a/b=ALL-UNNAMED--add-opens=a/c=ALL-UNNAMED", "opens nothing")]
    fn what_comes_of_it_depends_on_the_version(#[case] version: &str, #[case] options: &str, #[case] expected: &str) {
        let text = format!("# oomph: flink={version}\nenv.java.opts.all: {options}\n");
        let finding = find("OOM317", "config.yaml", &text);
        assert!(finding.notes[0].contains(expected), "{finding:?}");
    }

    #[test]
    fn sizes_run_together_are_no_size_for_another_rule() {
        let text = "# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\nenv.java.opts.all: -Xmx3g-Xms3g\n";
        assert!(!codes("config.yaml", text).contains(&"OOM301"));
    }

    #[rstest]
    #[case("1.20.1", true)]
    #[case("1.18.1", false)]
    fn the_image_runs_them_together_from_1_19_on(#[case] version: &str, #[case] expected: bool) {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: tm}}\nspec:\n  template:\n    spec:\n      \
             containers:\n      - name: taskmanager\n        image: flink:{version}\n        args: [taskmanager]\n        \
             env:\n        - {{name: FLINK_PROPERTIES, value: \"env.java.opts.all: -XX:+UseG1GC -XX:+UseNUMA\"}}\n"
        );
        assert_eq!(codes("tm.yaml", &text).contains(&"OOM317"), expected);
        if expected {
            let finding = find("OOM317", "tm.yaml", &text);
            assert!(finding.notes.iter().any(|note| note.contains("entry point")), "{finding:?}");
        }
    }
}
