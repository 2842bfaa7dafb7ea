use super::known::{self, Standing};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::Severity;

rule! {
    /// Pages name this key, but no Flink has ever had it.
    ///
    /// ### Why
    /// Flink takes any key and says nothing about one it does not know. These look right, are copied from page to page and
    /// into generated configurations, and do nothing: whoever raises `taskmanager.memory.heap.size` after an
    /// OutOfMemoryError changes no byte. `profiles/invented-keys.yaml` lists them, with the option that does what each of
    /// them seems to do.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.heap.size: 2g
    /// ```
    ///
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.total-process.size: 4g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - The options and the string constants of flink-dist 1.9.3 to 2.3.0, none of which is such a key.
    /// - The names of a draft: https://github.com/apache/flink/pull/9760.
    "OOM103" "invented-key" {
        severity: Severity::Error,
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let mut offered: Vec<&str> = Vec::new();
    for (written, standing) in known::unusual(case) {
        let Standing::Invented(row) = standing else { continue };
        let key = written.key;
        let mut draft = found
            .find(format!("{key} is no option of any Flink"))
            .at(&written.key_place(), "has no effect")
            .note(row.fact)
            .help(row.help);
        if let Some(instead) = row.instead.filter(|instead| row.same && case.option(instead).is_some())
            && case.find(instead).is_none()
            && !case.is_hidden(instead)
            // Two keys must not become one.
            && !offered.contains(&instead)
        {
            offered.push(instead);
            draft = draft.safe_fix(format!("write {instead}"), case.rename(written, instead));
        }
        let _ = draft;
    }
}

#[cfg(test)]
mod tests {
    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};

    #[test]
    fn another_spelling_of_an_option_is_mended() {
        let text = "state.backend.rocksdb.write-buffer-size: 64mb\n";
        let finding = find("OOM103", "flink-conf.yaml", text);
        let fixed = applied(text, &finding.fix.unwrap().edits).unwrap();
        assert_eq!(fixed, "state.backend.rocksdb.writebuffer.size: 64mb\n");
    }

    #[test]
    fn where_the_option_means_something_else_nothing_is_mended() {
        let finding = find("OOM103", "config.yaml", "taskmanager.memory.network.size: 64mb\n");
        assert!(finding.fix.is_none() && finding.help.unwrap().contains("taskmanager.memory.network.min"));
    }

    #[test]
    fn where_the_option_is_set_too_the_key_is_not_renamed_onto_it() {
        let text = "state.backend.rocksdb.block.cache.size: 64mb\nstate.backend.rocksdb.block.cache-size: 8mb\n";
        assert!(find("OOM103", "config.yaml", text).fix.is_none());
    }

    #[test]
    fn an_option_that_looks_alike_is_none_of_these() {
        let text = "# oomph: flink=1.9\ntaskmanager.memory.off-heap: true\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM103"));
    }
}
