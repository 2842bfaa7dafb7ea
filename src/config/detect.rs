//! Which rules a configuration file is read by.

use std::collections::HashSet;
use std::fmt;

use super::standard;
use crate::flink::profile::{ConfigurationFile, Profile};

/// The two kinds of configuration file that Flink has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `flink-conf.yaml`: lines of `key: value`, not YAML.
    Legacy,
    /// `config.yaml`: standard YAML.
    Standard,
}

impl FileKind {
    /// The name Flink gives such a file.
    pub fn file_name(self) -> &'static str {
        match self {
            FileKind::Legacy => "flink-conf.yaml",
            FileKind::Standard => "config.yaml",
        }
    }

    /// The kind by the file's name, where it has one of Flink's two names.
    pub fn of_name(name: &str) -> Option<FileKind> {
        [FileKind::Legacy, FileKind::Standard].into_iter().find(|kind| kind.file_name() == name)
    }

    /// The kind that a version reads out of a configuration directory, with or without a `flink-conf.yaml` in it.
    pub fn read_by(profile: &Profile, has_legacy: bool) -> FileKind {
        match profile.behaviour.configuration_file {
            ConfigurationFile::LegacyOnly => FileKind::Legacy,
            ConfigurationFile::StandardOnly => FileKind::Standard,
            ConfigurationFile::LegacyElseStandard if has_legacy => FileKind::Legacy,
            ConfigurationFile::LegacyElseStandard => FileKind::Standard,
        }
    }

    /// Whether a version reads this kind at all.
    pub fn is_read_by(self, profile: &Profile) -> bool {
        match profile.behaviour.configuration_file {
            ConfigurationFile::LegacyOnly => self == FileKind::Legacy,
            ConfigurationFile::StandardOnly => self == FileKind::Standard,
            ConfigurationFile::LegacyElseStandard => true,
        }
    }

    /// The other kind.
    pub fn other(self) -> FileKind {
        match self {
            FileKind::Legacy => FileKind::Standard,
            FileKind::Standard => FileKind::Legacy,
        }
    }

    /// The kind by content: standard YAML where the text is a YAML map. A text that is none is lines where it looks
    /// like them, and else broken YAML, whose place the YAML parser can name.
    pub fn of_text(text: &str) -> FileKind {
        if is_plainly_flat(text) {
            return FileKind::Standard;
        }
        FileKind::of_parsed(text)
    }

    fn of_parsed(text: &str) -> FileKind {
        match standard::parse(text) {
            Ok(entries) if entries.is_empty() => FileKind::Legacy,
            Ok(_) => FileKind::Standard,
            Err(_) if looks_like_lines(text) => FileKind::Legacy,
            Err(_) => FileKind::Standard,
        }
    }
}

/// Whether a text has nothing but comments and lines of `dotted.key: word`, each key once: it is standard YAML, and to
/// see that takes no parser.
fn is_plainly_flat(text: &str) -> bool {
    let mut keys = HashSet::new();
    let word = |text: &str, more: &[u8]| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    let flat = text.lines().all(|line| {
        if line.is_empty() || line.starts_with('#') && !line.contains(['\t', '\r']) {
            return true;
        }
        let Some((key, value)) = line.split_once(": ") else { return false };
        let value_is_plain =
            word(value, b"._/:-") && !value.ends_with(':') && !value.to_lowercase().starts_with("null");
        let key_is_plain = key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.contains('.') && word(key, b"._-");
        value_is_plain && key_is_plain && keys.insert(key)
    });
    flat && !keys.is_empty()
}

/// Whether a text has lines of `dotted.key: value` and no nesting.
fn looks_like_lines(text: &str) -> bool {
    let mut lines =
        text.lines().filter(|line| !matches!(line.trim_start().chars().next(), None | Some('#'))).peekable();
    let mut flat = false;
    while let Some(line) = lines.next() {
        let opens = line.starts_with(['{', '[']);
        let nests = line.trim_end().ends_with(':') && lines.peek().is_some_and(|next| next.starts_with([' ', '\t']));
        if opens || nests {
            return false;
        }
        flat |= line
            .split_once(": ")
            .is_some_and(|(key, value)| key.contains('.') && !key.contains(' ') && !value.trim().is_empty());
    }
    flat
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.file_name())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("taskmanager:\n  memory.process.size: 4g\n", FileKind::Standard)]
    #[case("taskmanager.memory.process.size: 4g\n", FileKind::Standard)]
    #[case("a.b: 1\na.b: 2\n", FileKind::Legacy)]
    #[case("a.b: 1 # x\nbroken: [\n", FileKind::Legacy)]
    #[case("a.b: '1\n", FileKind::Legacy)]
    #[case("a: [\n", FileKind::Standard)]
    #[case("a:\n  b: 1\n c: 2\n", FileKind::Standard)]
    #[case("a.b: 1\na:\n  c: 1\na:\n  d: 2\n", FileKind::Standard)]
    #[case("{\"a.b\": 1,\n", FileKind::Standard)]
    #[case("hello world\n", FileKind::Standard)]
    #[case("# nothing\n", FileKind::Legacy)]
    #[case("", FileKind::Legacy)]
    fn content_tells_the_kind_where_the_name_does_not(#[case] text: &str, #[case] kind: FileKind) {
        assert_eq!(FileKind::of_text(text), kind);
    }
    #[test]
    fn the_usual_file_is_told_without_a_parser() {
        assert!(is_plainly_flat("# x\n\na.b: 4g\r\na.c: s3://x/y:z\n"));
        assert!(!is_plainly_flat("a.b: 1\na.b: 2\n") && !is_plainly_flat("# x\n") && !is_plainly_flat("a.b: null\n"));
    }

    proptest! {
        #[test]
        fn what_is_told_without_a_parser_is_what_the_parser_tells(
            text in "((a\\.b|a\\.c|a|1\\.x|true): ?(1|4g|null|~|x:|a:b|- x|[-a-z0-9:/.#'\" ]{0,5})(\n|\r\n| # c\n|\t\n)|# ?x\n|\n|\r){0,4}"
        ) {
            prop_assert_eq!(FileKind::of_text(&text), FileKind::of_parsed(&text));
        }
    }
}
