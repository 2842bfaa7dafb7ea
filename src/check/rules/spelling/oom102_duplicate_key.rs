use super::known;
use super::nested::FlatFile;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::config::Lost;
use crate::flink::sensitive;
use crate::model::Severity;

rule! {
    /// One key is set twice in one file, in any spelling.
    ///
    /// ### Why
    /// Flink keeps the last value and says nothing. Whoever changes the first one changes nothing. In a `config.yaml` the
    /// same key may be written flat and nested, which is easy to overlook; written twice in the same spelling, Flink refuses
    /// the whole file.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager:
    ///   memory:
    ///     process:
    ///       size: 8g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager:
    ///   memory:
    ///     process:
    ///       size: 8g
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration.loadYAMLResource`, Flink 1.9 to 1.20: a later line replaces an earlier one.
    /// - `YamlParserUtils.flatten`, Flink 1.19 to 2.3: flat and nested spellings become one key.
    "OOM102" "duplicate-key" {
        severity: Severity::Error,
        fix: FixKind::None,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    // A script sets a key again for the statements that follow.
    if case.subject().partial && !case.subject().settings.is_empty() {
        return;
    }
    let flat = FlatFile::of(case);
    for written in case.settings() {
        let setting = written.setting;
        let same = |lost: &&Lost| lost.place.source == setting.place.source && lost.layer == setting.layer;
        let mut losers = setting.overridden.iter().filter(same).map(|lost| &lost.place).peekable();
        // What a resource of a manifest sets is no line that is there twice, and nesting in a flat file is told as such.
        let is_line = known::is_typed(&written) && written.place().position.is_some();
        if losers.peek().is_none() || !is_line || flat.as_ref().is_some_and(|flat| flat.has_inside(&written)) {
            continue;
        }
        let key = written.key;
        let value = sensitive::shown(key, &written.text()).to_owned();
        let mut draft =
            found.find(format!("{key} is set more than once")).at(written.place(), format!("this one counts: {value}"));
        for loser in losers {
            draft = draft.at(loser, "this one has no effect");
        }
        draft.help("keep one of them");
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn the_last_of_three_counts_and_all_are_shown() {
        let text =
            "taskmanager.numberOfTaskSlots: 1\ntaskmanager.numberOfTaskSlots: 2\ntaskmanager.numberOfTaskSlots: 3\n";
        let finding = find("OOM102", "flink-conf.yaml", text);
        let lines: Vec<_> = finding.labels.iter().map(|label| label.place.position.unwrap().line).collect();
        assert_eq!(lines, [3, 2, 1]);
    }

    #[test]
    fn a_secret_is_not_shown() {
        let finding = find("OOM102", "flink-conf.yaml", "s3.secret-key: abc\ns3.secret-key: def\n");
        assert!(finding.labels.iter().all(|label| !label.text.contains("def")), "{finding:?}");
    }

    #[test]
    fn the_last_part_of_two_keys_may_be_the_same() {
        let text = "jobmanager:\n  rpc.port: 6123\ntaskmanager:\n  rpc.port: 0\n";
        assert!(!codes("config.yaml", text).contains(&"OOM102"));
    }
    #[test]
    fn a_script_may_set_a_key_again_for_its_next_statement() {
        let text =
            "SET 'parallelism.default' = '4';\nINSERT INTO a SELECT * FROM b;\nSET 'parallelism.default' = '8';\n";
        assert!(!codes("job.sql", text).contains(&"OOM102"));
    }
}
