use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::FileKind;
use crate::flink::profile::ConfigurationFile;
use crate::model::{Place, Position, Severity};

rule! {
    /// This version of Flink does not read a configuration file of this name.
    ///
    /// ### Why
    /// Up to 1.18 Flink reads `flink-conf.yaml` alone, from 2.0 on `config.yaml` alone, and 1.19 and 1.20 read a
    /// `flink-conf.yaml` if there is one, even an empty one, and a `config.yaml` only where there is none. The two are never
    /// merged. What stands in the other file has no effect.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.0
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration.loadConfiguration`, Flink 1.9 to 2.3.
    /// - Threads: https://github.com/apache/flink-kubernetes-operator/pull/1126,
    ///   https://github.com/apache/flink-kubernetes-operator/pull/848, https://github.com/apache/streampark/pull/3629.
    "OOM116" "wrong-file" {
        severity: Severity::Error,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let subject = case.subject();
    let Some(file) = &subject.file else { return };
    let (profile, version) = (case.profile(), case.version());
    let both = profile.behaviour.configuration_file == ConfigurationFile::LegacyElseStandard;
    if let Some((other, place)) = &subject.passed_over
        && (both || !other.is_read_by(profile))
    {
        let (weaker, place) = (*other, place.clone());
        tell(found, weaker, &place, &format!("Flink {version} reads the {} beside it", weaker.other()));
    }
    // A text of no name is read as the version reads it.
    let named = file.offset.lines > 0 || is_named(case, file.kind);
    if !file.kind.is_read_by(profile) && named {
        let line = file.offset.lines.max(1);
        let position = Position { line, column: 1, start: 0, end: 0 };
        let place = Place { source: file.source.clone(), position: Some(position) };
        tell(found, file.kind, &place, &format!("Flink {version} reads a {} and nothing else", file.kind.other()));
    }
}

fn tell(found: &mut Collector<'_>, kind: FileKind, place: &Place, note: &str) {
    found
        .find(format!("no setting of this {kind} has an effect"))
        .at(place, "not read")
        .note(note)
        .help(format!("write them into a {}", kind.other()));
}

/// Whether the file was given under the name of its kind.
fn is_named(case: &Case<'_>, kind: FileKind) -> bool {
    let place = Place {
        source: case.subject().file.as_ref().map_or(crate::model::Source::Stdin, |f| f.source.clone()),
        position: None,
    };
    place.to_string().rsplit(['/', '\\']).next().is_some_and(|name| name == kind.file_name())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("1.18", "config.yaml", true)]
    #[case("1.18", "flink-conf.yaml", false)]
    #[case("1.19", "config.yaml", false)]
    #[case("1.20", "flink-conf.yaml", false)]
    #[case("2.0", "flink-conf.yaml", true)]
    #[case("2.0", "other.yaml", false)]
    #[case("1.18", "other.yaml", false)]
    fn each_version_reads_its_own_file(#[case] version: &str, #[case] file: &str, #[case] wrong: bool) {
        let text = format!("# oomph: flink={version}\nparallelism.default: 2\n");
        assert_eq!(codes(file, &text).contains(&"OOM116"), wrong, "{file} of {version}");
    }

    #[test]
    fn of_two_files_in_a_config_map_one_is_read() {
        let text = |version: &str| {
            format!(
                "# oomph: flink={version}\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: f}}\ndata:\n  config.yaml: |\n    \
                 parallelism.default: 2\n  flink-conf.yaml: |\n    parallelism.default: 3\n"
            )
        };
        let finding = find("OOM116", "f.yaml", &text("1.20"));
        assert!(finding.title.contains("config.yaml") && (5..=7).contains(&finding.line()), "{finding:?}");
        let finding = find("OOM116", "f.yaml", &text("2.0"));
        assert!(finding.title.contains("flink-conf.yaml") && (7..=9).contains(&finding.line()), "{finding:?}");
    }
}
