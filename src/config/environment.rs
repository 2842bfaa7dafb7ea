//! The environment of a container, as far as it carries configuration: `FLINK_PROPERTIES` and
//! `TASK_MANAGER_NUMBER_OF_TASK_SLOTS` of the official images, `FLINK_TM_HEAP` and `FLINK_JM_HEAP` of Flink's scripts.

use std::sync::Arc;

use super::inlay::Inlay;
use super::{Value, legacy};
use crate::flink::profile::{ConfigurationFile, Profile};
use crate::model::{Place, Position, Source};

/// The variable with lines of configuration.
pub const FLINK_PROPERTIES: &str = "FLINK_PROPERTIES";
/// The variable with the number of slots.
pub const TASK_SLOTS: &str = "TASK_MANAGER_NUMBER_OF_TASK_SLOTS";
/// The variable that stands in for a TaskManager's total, up to 1.20.
pub const TM_HEAP: &str = "FLINK_TM_HEAP";
/// The variable that stands in for a JobManager's heap, up to 1.20.
pub const JM_HEAP: &str = "FLINK_JM_HEAP";

/// The variables that oomph reads; any other has no bearing on memory.
pub const VARIABLES: [&str; 4] = [FLINK_PROPERTIES, TASK_SLOTS, TM_HEAP, JM_HEAP];

/// A variable of a container's environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Where the text stands, if it stands in an input.
    pub inlay: Option<Inlay>,
}

impl Variable {
    /// A variable that stands in no text.
    pub fn given(name: impl Into<String>, text: impl Into<String>) -> Variable {
        Variable { name: name.into(), text: text.into(), inlay: None }
    }

    /// The place of a part of its text.
    pub fn place(&self, part: Position) -> Place {
        match &self.inlay {
            Some(inlay) => inlay.place(&self.text, part),
            None => Place { position: Some(part), ..self.own() },
        }
    }

    /// The place of all its text.
    pub fn whole(&self) -> Place {
        match &self.inlay {
            Some(inlay) => {
                let all = Position { line: 1, column: 1, start: 0, end: self.text.len() };
                inlay.place(&self.text, all)
            }
            None => self.own(),
        }
    }

    fn own(&self) -> Place {
        Place::of(Source::Environment(Arc::from(self.name.as_str())))
    }
}

/// One setting out of `FLINK_PROPERTIES`.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// The key.
    pub key: String,
    /// The value, always a text.
    pub value: Value,
    /// Where it stands in the variable.
    pub position: Position,
    /// Where the key stands in the variable.
    pub written: Position,
}

/// Reads `FLINK_PROPERTIES` as the official image of that version does.
///
/// Up to 1.18 the entry point appends the text to `flink-conf.yaml`, so that file's line rules hold. From 1.19 on it
/// takes all white space out of each line and splits at the first colon (`process_flink_properties` in
/// `docker-entrypoint.sh`); it knows no comments.
pub fn properties(text: &str, profile: &Profile) -> (Vec<Property>, Vec<legacy::UnreadLine>) {
    if profile.behaviour.configuration_file == ConfigurationFile::LegacyOnly {
        let (lines, unread) = legacy::parse(text);
        let properties = lines.into_iter().map(|l| Property {
            key: l.key,
            value: l.value,
            position: l.position,
            written: l.written,
        });
        return (properties.collect(), unread);
    }
    let mut properties = Vec::new();
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let squeezed: String = line.chars().filter(|c| !c.is_ascii_whitespace()).collect();
        let position = |part: &str| {
            let part = part.trim();
            let offset = part.as_ptr() as usize - line.as_ptr() as usize;
            Position {
                line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                column: u32::try_from(line[..offset].chars().count() + 1).unwrap_or(u32::MAX),
                start: start + offset,
                end: start + offset + part.len(),
            }
        };
        let (key, value) = squeezed.split_once(':').unwrap_or((&squeezed, ""));
        if !squeezed.is_empty() {
            let (raw_key, raw_value) = line.split_once(':').unwrap_or((line, &line[line.len()..]));
            properties.push(Property {
                key: key.to_owned(),
                value: Value::text(value),
                position: position(if raw_value.trim().is_empty() { raw_key } else { raw_value }),
                written: position(raw_key),
            });
        }
        start += line.len();
    }
    (properties, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, version: &str) -> Vec<(String, String)> {
        let profile = Profile::of(version.parse().unwrap()).unwrap().0;
        properties(text, profile).0.into_iter().map(|p| (p.key, p.value.java_text().into_owned())).collect()
    }

    #[test]
    fn up_to_1_18_the_lines_are_those_of_flink_conf_yaml() {
        let text = "a: 4 g # big\nb:2\n";
        assert_eq!(read(text, "1.18"), [("a".to_owned(), "4 g".to_owned())]);
    }

    #[test]
    fn from_1_19_on_white_space_goes_and_comments_do_not() {
        let text = "\n  a: 4 g\nb:2\n#c: 3\nd: x:y\n";
        let expected = [("a", "4g"), ("b", "2"), ("#c", "3"), ("d", "x:y")];
        assert_eq!(read(text, "1.19"), expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }
}
