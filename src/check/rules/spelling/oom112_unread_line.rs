use super::known::{self, Standing};
use super::nested::FlatFile;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::config::legacy::{self, UnreadReason};
use crate::flink::{options, sensitive};
use crate::model::{Edit, Place, Severity};

rule! {
    /// Flink passes over a line of flink-conf.yaml that is no `key: value`.
    ///
    /// ### Why
    /// A line is split at the first colon that a space follows. Without the space, with a tab, with an equals sign, or with
    /// nothing behind the colon there is nothing to split: Flink warns in its log and goes on with what was set before, or with
    /// the default. `config.yaml` refuses such a file; `flink-conf.yaml` does not.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots:2
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.numberOfTaskSlots: 2
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration.loadYAMLResource`, Flink 1.9 to 1.18, and `loadLegacyYAMLResource`, 1.19 and 1.20.
    /// - Thread: https://github.com/apache/flink-cdc/issues/2802 (the warning in a log).
    "OOM112" "unread-line" {
        severity: Severity::Error,
        until: Some((1, 20)),
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(flat) = FlatFile::of(case) else { return };
    let file = flat.file;
    let (_, unread) = legacy::parse(&file.text);
    if unread.is_empty() {
        return;
    }
    for line in unread {
        let number = usize::try_from(line.position.line).unwrap_or(0);
        let in_block = flat.block_at(number).is_some();
        let bare = line.text.trim();
        // Markers of a document and templates' own lines carry no setting.
        if in_block || matches!(bare, "---" | "...") || bare.starts_with("{{") || bare.contains("${") {
            continue;
        }
        let position = file.offset.moved(&file.text, line.position);
        let place = Place { source: file.source.clone(), position: Some(position) };
        let shown = sensitive::shown_line(&line.text, "this line");
        let split = split(&line.text);
        let is_known = split.as_ref().is_some_and(|split| {
            !options::ever(split.key).is_empty()
                || !matches!(known::standing(split.key, case.profile()), Standing::Unknown)
        });
        let draft = found
            .find(format!("Flink passes over {shown}"))
            .at(&place, "no effect")
            .severity(if is_known { Severity::Error } else { Severity::Warning })
            .note(match line.reason {
                UnreadReason::NoPair => "a line is split at the first colon that a space follows, and here is none",
                UnreadReason::Empty => "nothing stands in front of the colon or behind it",
            });
        match split.filter(|split| is_known && !split.value.is_empty()) {
            Some(split) => {
                let between = flat.part_of(number, split.from, split.to).position;
                let edit = between.map(|between| {
                    let width = line.text.get(split.from..split.to).unwrap_or_default().chars().count();
                    Edit::Replace {
                        line: between.line,
                        from: between.column,
                        to: between.column + u32::try_from(width).unwrap_or(0),
                        text: ": ".to_owned(),
                    }
                });
                let fix = edit.filter(|_| file.source == *case.lines.source()).map(|edit| vec![edit]);
                draft
                    .help(format!("write {}, a colon and a space, and then the value", split.key))
                    .safe_fix("write a colon and a space", fix);
            }
            None => {
                draft.help("write it as key, colon, space and value, or take it out");
            }
        }
    }
}

/// A line that seems to be a key and a value, with what is between them.
struct Split<'a> {
    key: &'a str,
    value: &'a str,
    from: usize,
    to: usize,
}

fn split(line: &str) -> Option<Split<'_>> {
    let content = line.split('#').next().unwrap_or_default();
    let start = content.len() - content.trim_start().len();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let length = content[start..].find(|c| !is_part(c)).unwrap_or(content.len() - start);
    let key = &content[start..start + length];
    let behind = &content[start + length..];
    let separator = behind.trim_start();
    let after = separator.strip_prefix([':', '='])?;
    let value = after.trim();
    let from = start + length;
    let to = content.len() - after.trim_start().len();
    (!key.is_empty()).then_some(Split { key, value, from, to })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("parallelism.default:4", "parallelism.default: 4")]
    #[case("parallelism.default:\t4 # x", "parallelism.default: 4 # x")]
    #[case("parallelism.default=4", "parallelism.default: 4")]
    #[case("parallelism.default =4", "parallelism.default: 4")]
    #[case("é: 1\nstate.backend:rocksdb", "é: 1\nstate.backend: rocksdb")]
    fn a_known_key_gets_its_space(#[case] line: &str, #[case] expected: &str) {
        let text = format!("# oomph: flink=1.16\n{line}\n");
        let finding = find("OOM112", "flink-conf.yaml", &text);
        assert_eq!(finding.severity, Severity::Error);
        let fixed = applied(&text, &finding.fix.unwrap().edits).unwrap();
        assert_eq!(fixed, format!("# oomph: flink=1.16\n{expected}\n"));
    }

    #[test]
    fn in_a_config_map_the_right_place_is_mended() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: f}\ndata:\n  flink-conf.yaml: |\n    \
                    parallelism.default: 2\n    taskmanager.numberOfTaskSlots:4\n";
        let finding = find("OOM112", "f.yaml", text);
        assert_eq!(finding.line(), 7);
        assert_eq!(applied(text, &finding.fix.unwrap().edits).unwrap(), text.replace("Slots:4", "Slots: 4"));
    }

    #[test]
    fn an_empty_value_is_told_and_not_mended() {
        let finding = find("OOM112", "flink-conf.yaml", "parallelism.default:\n");
        assert!(finding.fix.is_none() && finding.severity == Severity::Error);
    }

    #[test]
    fn prose_is_a_warning_and_a_marker_is_nothing() {
        assert_eq!(
            find("OOM112", "flink-conf.yaml", "parallelism.default: 1\nhello world\n").severity,
            Severity::Warning
        );
        assert!(!codes("flink-conf.yaml", "---\nparallelism.default: 1\n").contains(&"OOM112"));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let finding = find("OOM112", "flink-conf.yaml", "s3.secret-key:abc\n");
        assert!(!format!("{finding:?}").contains("abc"), "{finding:?}");
    }
}
