use super::nested::FlatFile;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::legacy;
use crate::model::Severity;

rule! {
    /// flink-conf.yaml knows no nesting, and every line below a key stands for itself.
    ///
    /// ### Why
    /// `config.yaml` of 1.19 and later may be nested, `flink-conf.yaml` may not: the line with nothing behind its colon is
    /// passed over, and each line below it is a key of its own name. `process.size: 4g` below `taskmanager:` sets an option
    /// `process.size`, which does not exist. Items of lists are passed over.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// jobmanager.rpc.address: localhost
    /// taskmanager:
    ///   numberOfTaskSlots: 4
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// jobmanager.rpc.address: localhost
    /// taskmanager.numberOfTaskSlots: 4
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration.loadYAMLResource`, Flink 1.9 to 1.18, and `loadLegacyYAMLResource`, 1.19 and 1.20.
    /// - Thread: https://github.com/apache/streampark/issues/4199 (the warnings, from a reader of the same kind).
    "OOM115" "nested-in-flat-file" {
        severity: Severity::Error,
        until: Some((1, 20)),
        check: check,
    }
}

/// So many lines of a block are pointed at.
const SHOWN: usize = 5;

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(flat) = FlatFile::of(case) else { return };
    for block in flat.blocks() {
        let keys: Vec<(usize, String)> = (block.first + 1..=block.last)
            .filter_map(|number| Some((number, legacy::parse(flat.line(number).1).0.into_iter().next()?.key)))
            .collect();
        let mut draft = found
            .find(format!(
                "what stands below {} is not part of it: flink-conf.yaml knows no nesting",
                shown(&block.key)
            ))
            .at(&flat.place_of(block.first), "passed over");
        for (line, key) in keys.iter().take(SHOWN) {
            draft = draft.at(&flat.place_of(*line), format!("sets {key}"));
        }
        if keys.is_empty() {
            draft = draft.note("its lines are passed over too");
        }
        let help = match case.version().line() >= (1, 19) {
            true => "write every key in full, in one line each, or move to config.yaml",
            false => "write every key in full, in one line each",
        };
        draft.help(help);
    }
}

fn shown(key: &str) -> String {
    crate::flink::sensitive::shown_line(&format!("{key}:"), "this line")
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn every_key_that_comes_of_it_is_shown() {
        let text = "# oomph: flink=1.18\ntaskmanager:\n  memory:\n    process.size: 4g\n  numberOfTaskSlots: 4\n";
        let finding = find("OOM115", "flink-conf.yaml", text);
        let labels: Vec<_> =
            finding.labels.iter().map(|label| (label.place.position.unwrap().line, label.text.as_str())).collect();
        assert_eq!(labels, [(2, "passed over"), (4, "sets process.size"), (5, "sets numberOfTaskSlots")]);
        assert_eq!(codes("flink-conf.yaml", text), ["OOM115"]);
    }

    #[test]
    fn items_of_a_list_are_told() {
        let text = "# oomph: flink=1.18\nclassloader.parent-first-patterns.additional:\n  - a\n  - b\n";
        assert!(find("OOM115", "flink-conf.yaml", text).notes[0].contains("passed over"));
        assert_eq!(codes("flink-conf.yaml", text), ["OOM115"]);
    }

    #[test]
    fn a_config_yaml_may_be_nested() {
        assert!(!codes("config.yaml", "taskmanager:\n  numberOfTaskSlots: 4\n").contains(&"OOM115"));
    }
}
