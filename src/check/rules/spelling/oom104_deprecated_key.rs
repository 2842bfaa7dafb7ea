use super::known::{self, Standing};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::flink::options::Declared;
use crate::model::Severity;

rule! {
    /// An old name still works, but a later version will not read it.
    ///
    /// ### Why
    /// Flink warns in its log each time it reads an option by an old name, and drops old names with a major version: what still
    /// works in 1.20 may do nothing in 2.0. If somebody adds the new name, the old one is ignored without a word.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.network.memory.max: 512m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.network.max: 512m
    /// ```
    ///
    /// ### Sources
    /// - `Configuration.applyWithOption`, Flink 1.9 to 2.3: deprecated keys are read where the proper key is not set, with a
    ///   warning.
    /// - The deprecated names of every option of every version: `profiles/options.tsv`.
    "OOM104" "deprecated-key" {
        severity: Severity::Warning,
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for (written, standing) in known::unusual(case) {
        let Standing::Old(rows) = standing else { continue };
        // Beside the new name it has no effect at all: that is another rule's.
        let beaten = |row: &&'static Declared| {
            known::winner(case, row, written.key).is_some() || is_hidden_exactly(case, row.key)
        };
        if rows.iter().any(beaten) {
            continue;
        }
        let key = written.key;
        let names: Vec<&str> = rows.iter().map(|row| row.key).collect();
        let draft = found
            .find(format!("{key} is an old name"))
            .at(&written.key_place(), format!("now {}", names.join(" and ")))
            .note(format!("Flink {} still reads it, and warns", case.version()))
            .help(format!("write {}", names.join(" and ")));
        if let [name] = names.as_slice() {
            draft.safe_fix(format!("write {name}"), case.rename(written, name));
        }
    }
}

fn is_hidden_exactly(case: &Case<'_>, key: &str) -> bool {
    case.placeholders.iter().any(|(hidden, _)| hidden == key)
}

#[cfg(test)]
mod tests {
    use crate::check::edits::applied;
    use crate::check::tried::{checked, codes, find};

    #[test]
    fn the_new_name_is_written_where_the_text_allows_it() {
        let text = "# oomph: flink=1.20\nstate:\n  savepoints.dir: s3://x\n";
        assert!(find("OOM104", "config.yaml", text).fix.is_none());
        let text = "# oomph: flink=1.20\nstate.savepoints.dir: s3://x\n";
        let fixed = applied(text, &find("OOM104", "config.yaml", text).fix.unwrap().edits).unwrap();
        assert_eq!(fixed, "# oomph: flink=1.20\nexecution.checkpointing.savepoint-dir: s3://x\n");
    }

    #[test]
    fn a_name_is_old_only_from_the_version_that_gave_the_new_one() {
        assert!(codes("flink-conf.yaml", "# oomph: flink=1.17\nstate.backend: hashmap\n").contains(&"OOM104"));
        assert!(!codes("flink-conf.yaml", "# oomph: flink=1.16\nstate.backend: filesystem\n").contains(&"OOM104"));
    }

    #[test]
    fn a_name_that_became_two_options_is_not_renamed() {
        let finding = find("OOM104", "config.yaml", "# oomph: flink=1.20\nstate.backend.local-recovery: true\n");
        assert!(finding.fix.is_none() && finding.help.unwrap().contains(" and "));
    }

    #[test]
    fn of_two_old_names_one_is_renamed_and_the_other_has_no_effect() {
        let text = "# oomph: flink=1.20\nrecovery.mode: NONE\nhigh-availability: NONE\n";
        let found: Vec<_> = checked("flink-conf.yaml", text).findings;
        let of = |code| found.iter().filter(|finding| finding.code == code).count();
        assert_eq!((of("OOM104"), of("OOM108")), (1, 1), "{found:?}");
    }

    #[test]
    fn a_fallback_is_no_old_name() {
        assert!(!codes("config.yaml", "# oomph: flink=1.20\njobmanager.rpc.address: host\n").contains(&"OOM104"));
    }
}
