//! Which rules a configuration file is read by.

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

    /// The kind by content: standard YAML where the text is a YAML map, else lines.
    pub fn of_text(text: &str) -> FileKind {
        if standard::parse(text).is_ok_and(|entries| !entries.is_empty()) {
            FileKind::Standard
        } else {
            FileKind::Legacy
        }
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.file_name())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("taskmanager:\n  memory.process.size: 4g\n", FileKind::Standard)]
    #[case("taskmanager.memory.process.size: 4g\n", FileKind::Standard)]
    #[case("a: 1\na: 2\n", FileKind::Legacy)]
    #[case("a: 1 # x\nbroken: [\n", FileKind::Legacy)]
    #[case("", FileKind::Legacy)]
    fn content_tells_the_kind_where_the_name_does_not(#[case] text: &str, #[case] kind: FileKind) {
        assert_eq!(FileKind::of_text(text), kind);
    }
}
