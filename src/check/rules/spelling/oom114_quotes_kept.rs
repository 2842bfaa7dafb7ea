use super::declared_type;
use super::nested::FlatFile;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::flink::options::ValueKind;
use crate::model::Severity;

rule! {
    /// Quotes stay in a value of flink-conf.yaml.
    ///
    /// ### Why
    /// `flink-conf.yaml` is no YAML: what stands behind the colon is the value, quotes and all. `"4g"` is no size, `"true"` is
    /// neither true nor false, and `"rocksdb"` names no backend. Lists and maps have quotes of their own, and the start scripts
    /// take them off the JVM's options: those are left alone.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// taskmanager.memory.process.size: "4g"
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration.loadYAMLResource`, Flink 1.9 to 1.18, and `loadLegacyYAMLResource`, 1.19 and 1.20.
    /// - `config.sh`, Flink 1.9 to 1.20: takes quotes off `env.java.opts`.
    "OOM114" "quotes-kept" {
        severity: Severity::Error,
        until: Some((1, 20)),
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(flat) = FlatFile::of(case) else { return };
    for (written, row) in declared_type::options(case) {
        if written.place().source != flat.file.source || written.key.starts_with("env.") {
            continue;
        }
        let text = written.text();
        let Some(bare) = ['"', '\'']
            .into_iter()
            .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote)))
        else {
            continue;
        };
        let severity = match row.kind {
            ValueKind::List | ValueKind::Map => continue,
            ValueKind::String | ValueKind::Untyped if !declared_type::is_size(row) => Severity::Warning,
            _ => Severity::Error,
        };
        let fix = if bare.trim() == bare && !bare.is_empty() { case.set(written, bare) } else { None };
        found
            .find(format!("the quotes are part of the value of {}", written.key))
            .at(written.place(), format!("Flink sees {}", written.shown()))
            .severity(severity)
            .help("take the quotes off")
            .safe_fix("take the quotes off", fix);
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("parallelism.default: \"4\"", Severity::Error)]
    #[case("state.backend: 'rocksdb'", Severity::Warning)]
    fn quotes_are_taken_off(#[case] line: &str, #[case] severity: Severity) {
        let text = format!("# oomph: flink=1.16\n{line} # x\n");
        let finding = find("OOM114", "flink-conf.yaml", &text);
        assert_eq!(finding.severity, severity);
        let fixed = applied(&text, &finding.fix.unwrap().edits).unwrap();
        assert_eq!(fixed, text.replace(['"', '\''], ""));
        assert!(!codes("flink-conf.yaml", &text).contains(&"OOM117"));
    }

    #[rstest]
    #[case("flink-conf.yaml", "env.java.opts: \"-Xss512k\"")]
    #[case("flink-conf.yaml", "classloader.parent-first-patterns.additional: \"a;b\"")]
    #[case("flink-conf.yaml", "my.own: \"x\"")]
    #[case("config.yaml", "parallelism.default: \"4\"")]
    fn quotes_that_somebody_takes_off_are_left_alone(#[case] file: &str, #[case] line: &str) {
        let version = if file == "config.yaml" { "1.20" } else { "1.16" };
        assert!(!codes(file, &format!("# oomph: flink={version}\n{line}\n")).contains(&"OOM114"), "{line}");
    }
}
