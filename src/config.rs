//! Text to configuration: flat keys, each with its value, the place where it is written and what it took precedence
//! over. Only `load` touches the file system.

mod cursor;
mod detect;
mod dynamic;
pub mod environment;
pub mod inlay;
pub mod job_plan;
pub mod layers;
pub mod legacy;
pub mod load;
pub mod manifest;
mod placeholder;
pub mod shell_script;
mod sql_environment;
pub mod sql_script;
pub mod standard;
pub mod startup_log;
mod subject;
pub mod template;
mod value;
pub mod workload;
pub mod writing;
pub mod yaml;
pub mod yarn_site;

use std::collections::BTreeMap;

pub use detect::FileKind;
pub use dynamic::{Assignment, AssignmentError, yarn_memory};
pub use environment::Variable;
pub use placeholder::is_placeholder;
pub use subject::{
    ContainerVariable, Fleet, MemoryVolume, Mount, Of, Placed, Pod, Sidecar, Stated, Subject, Volume, VolumeKind,
    Written, YarnFlags,
};
pub use value::Value;

use crate::model::{Place, Position};

/// A flat configuration: what Flink sees once every file and argument is read.
#[derive(Clone, Debug, Default)]
pub struct Config {
    settings: BTreeMap<String, Setting>,
    variables: BTreeMap<String, String>,
    from_legacy_file: bool,
    layer: Layer,
}

/// How many places of a key that lost are remembered, so that a key that is there a million times takes no time.
const MAX_OVERRIDDEN: usize = 100;

/// A key's value, where it stands, and what it hides.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// The value.
    pub value: Value,
    /// Where the value is written.
    pub place: Place,
    /// Where the key is written, in the same source; what is no text has no such place.
    pub written: Option<Position>,
    /// Places of values for the same key that lost, the last to lose first; of very many, the last hundred.
    pub overridden: Vec<Lost>,
    /// The layer it comes from.
    pub layer: Layer,
}

/// A value that another one lies over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Where it is written.
    pub place: Place,
    /// The layer it comes from.
    pub layer: Layer,
}

/// What a setting comes from. Several layers may stand in one text, as in a manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    /// The file that the distribution comes with.
    Shipped,
    /// A configuration file, or what stands for one in a manifest or log.
    #[default]
    File,
    /// The resources of a `FlinkDeployment`, which the operator puts over its `flinkConfiguration`.
    Resource,
    /// The environment of a container.
    Environment,
    /// Arguments of a command line, and what a caller gives.
    Arguments,
}

impl Config {
    /// An empty configuration.
    pub fn new() -> Config {
        Config::default()
    }

    /// Says which layer the settings that follow come from.
    pub fn begin(&mut self, layer: Layer) {
        self.layer = layer;
    }

    /// Sets a key; a value that was there before is overridden and its place remembered.
    pub fn set(&mut self, key: String, value: Value, place: Place) {
        self.put(key, value, place, None);
    }

    /// The same for a key that stands in a text.
    pub fn put(&mut self, key: String, value: Value, place: Place, written: Option<Position>) {
        let layer = self.layer;
        match self.settings.get_mut(&key) {
            Some(setting) => {
                let new = Setting { value, place, written, overridden: Vec::new(), layer };
                let loser = std::mem::replace(setting, new);
                let last = Lost { place: loser.place, layer: loser.layer };
                let lost = std::iter::once(last).chain(loser.overridden);
                setting.overridden = lost.take(MAX_OVERRIDDEN).collect();
            }
            None => {
                self.settings.insert(key, Setting { value, place, written, overridden: Vec::new(), layer });
            }
        }
    }

    /// The setting of exactly this key.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key)
    }

    /// The setting of exactly this key, with the key as it lives here.
    pub fn entry(&self, key: &str) -> Option<(&str, &Setting)> {
        self.settings.get_key_value(key).map(|(key, setting)| (key.as_str(), setting))
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) {
        self.settings.remove(key);
    }

    /// Every setting, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings.iter().map(|(key, setting)| (key.as_str(), setting))
    }

    /// The settings whose key begins with this text.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Setting)> {
        self.settings
            .range(prefix.to_owned()..)
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, setting)| (key.as_str(), setting))
    }

    /// Says that the configuration's file is a `flink-conf.yaml`: lists and maps in its values are then not tried as
    /// YAML (`Configuration.standardYaml`).
    pub fn set_from_legacy_file(&mut self) {
        self.from_legacy_file = true;
    }

    /// Whether the configuration's file is a `flink-conf.yaml`.
    pub fn is_from_legacy_file(&self) -> bool {
        self.from_legacy_file
    }

    /// Sets an environment variable that Flink itself reads.
    pub fn set_variable(&mut self, name: &str, value: String) {
        self.variables.insert(name.to_owned(), value);
    }

    /// An environment variable that Flink itself reads.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Forgets the environment, so that only settings count.
    pub fn forget_variables(&mut self) {
        self.variables.clear();
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.settings.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;

    #[test]
    fn of_very_many_values_the_last_places_are_remembered() {
        let mut config = Config::new();
        for line in 1..=1_000 {
            let position = Position { line, column: 1, start: 0, end: 1 };
            config.set("a".into(), Value::Int(1), Place { source: Source::Stdin, position: Some(position) });
        }
        let setting = config.get("a").unwrap();
        let line = |place: &Place| place.position.map(|position| position.line);
        assert_eq!(
            (setting.overridden.len(), line(&setting.overridden[0].place), line(&setting.place)),
            (100, Some(999), Some(1000))
        );
    }

    #[test]
    fn a_later_value_wins_and_remembers_what_it_overrode() {
        let mut config = Config::new();
        config.set("a".into(), Value::text("1"), Place::of(Source::Stdin));
        config.set("a".into(), Value::text("2"), Place::of(Source::DynamicProperty));
        config.set("a".into(), Value::text("3"), Place::of(Source::Supposed));
        let setting = config.get("a").unwrap();
        assert_eq!(setting.value, Value::text("3"));
        let lost: Vec<&Place> = setting.overridden.iter().map(|lost| &lost.place).collect();
        assert_eq!(lost, [&Place::of(Source::DynamicProperty), &Place::of(Source::Stdin)]);
    }

    #[test]
    fn a_prefix_finds_its_keys_and_no_others() {
        let mut config = Config::new();
        for key in ["a.b", "a.b.c", "a.b.d", "a.bc"] {
            config.set(key.into(), Value::text(""), Place::of(Source::Caller));
        }
        let found: Vec<_> = config.with_prefix("a.b.").map(|(key, _)| key).collect();
        assert_eq!(found, ["a.b.c", "a.b.d"]);
    }
}
