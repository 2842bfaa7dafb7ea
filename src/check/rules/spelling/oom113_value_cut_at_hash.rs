use super::declared_type;
use super::nested::FlatFile;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::legacy;
use crate::flink::options::{self, ValueKind};
use crate::flink::sensitive;
use crate::model::{Confidence, Severity};

rule! {
    /// A `#` cuts off the rest of a value in flink-conf.yaml.
    ///
    /// ### Why
    /// Flink cuts each line of `flink-conf.yaml` at the first `#`, wherever it stands: in a password, in a URL, between quotes.
    /// What is in front of it becomes the value. There is no way to escape it; `config.yaml` of 1.19 and later takes a `#`
    /// without a blank in front of it, and any within quotes.
    ///
    /// ### Bad
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// taskmanager.memory.process.size: 4g
    /// web.upload.dir: /data/flink#1
    /// ```
    ///
    /// ### Good
    /// ```yaml flink-conf.yaml
    /// # oomph: flink=1.18
    /// taskmanager.memory.process.size: 4g
    /// web.upload.dir: /data/flink-1
    /// ```
    ///
    /// ### Sources
    /// - `GlobalConfiguration.loadYAMLResource`, Flink 1.9 to 1.18, and `loadLegacyYAMLResource`, 1.19 and 1.20:
    ///   `line.split("#", 2)`.
    /// - Threads: https://github.com/apache/flink/pull/19511, https://github.com/apache/streampark/issues/2661,
    ///   https://github.com/apache/flink/pull/24957.
    "OOM113" "value-cut-at-hash" {
        severity: Severity::Error,
        until: Some((1, 20)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(flat) = FlatFile::of(case) else { return };
    for (index, line) in flat.file.text.lines().enumerate() {
        let Some(hash) = line.find('#').filter(|hash| *hash > 0) else { continue };
        let before = &line[..hash];
        let (read, _) = legacy::parse(before);
        let [setting] = read.as_slice() else { continue };
        let value = setting.value.java_text();
        let quoted = value.starts_with(['"', '\'']) && !is_closed(&value) && line[hash..].contains(&value[..1]);
        let glued = !before.ends_with([' ', '\t']);
        // `4g#comment` is read as it is meant.
        let kind = options::declared(&setting.key, case.profile()).map(|row| (row.kind, declared_type::is_size(row)));
        let is_whole = match kind {
            Some((ValueKind::String | ValueKind::List | ValueKind::Map | ValueKind::Untyped, false)) | None => false,
            Some(_) => true,
        };
        if !(quoted || glued && !is_whole) {
            continue;
        }
        let place = flat.part_of(index + 1, hash, line.len());
        let draft = found
            .find(format!("the value of {} ends at its #", setting.key))
            .at(&place, "cut off from here")
            .note("Flink cuts a line of flink-conf.yaml at the first #, in quotes too");
        let draft = if quoted || sensitive::is_sensitive(&setting.key) {
            draft
        } else {
            // It may be a comment that lacks its blank.
            draft.confidence(Confidence::Medium)
        };
        if case.version().line() >= (1, 19) {
            draft.help("move to config.yaml, which takes it within quotes, or do without the #");
        } else {
            draft.help("do without the #, or pass the value in another way than by this file");
        }
    }
}

/// Whether a text that begins with a quote ends with the same one.
fn is_closed(value: &str) -> bool {
    value.len() > 1 && value.chars().next() == value.chars().next_back()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("s3.secret-key: ab#cd", true)]
    #[case("env.java.opts: \"-Da=b #c\"", true)]
    #[case("my.url: http://host/#/path", true)]
    #[case("web.upload.dir: /data # where it goes", false)]
    #[case("web.upload.dir: \"/data\" # where it \"goes\"", false)]
    #[case("parallelism.default: 4#four", false)]
    #[case("taskmanager.memory.process.size: 4g#four", false)]
    #[case("#web.upload.dir: /data#x", false)]
    fn a_hash_cuts_where_no_blank_is_before_it_or_quotes_are_around_it(#[case] line: &str, #[case] expected: bool) {
        let text = format!("# oomph: flink=1.16\n{line}\n");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM113"), expected, "{line}");
    }

    #[test]
    fn a_secret_is_not_shown_and_the_place_is_the_hash() {
        let finding = find("OOM113", "flink-conf.yaml", "s3.secret-key: ab#cd\n");
        assert!(!format!("{finding:?}").contains("ab#"), "{finding:?}");
        assert_eq!(finding.labels[0].place.position.unwrap().column, 18);
    }

    #[test]
    fn a_config_yaml_keeps_it() {
        assert!(!codes("config.yaml", "web.upload.dir: /data/flink#1\n").contains(&"OOM113"));
    }
}
