//! The layers of a configuration and their precedence.
//!
//! From weakest to strongest: the file of the distribution, where it is known; the file that was given; what a manifest
//! or log sets beside it; what an operator's resources set; the environment that the official image writes behind it;
//! the memory flags of YARN's client; dynamic properties; and what the caller asks to suppose. A stronger layer's value
//! wins, and the setting remembers whom it overrode.

use super::environment::Variable;
use super::inlay::Inlay;
use super::legacy::UnreadLine;
use super::yaml::YamlError;
use super::{Assignment, Config, FileKind, Layer, Placed, Value, YarnFlags, dynamic, environment, legacy, standard};
use crate::flink::profile::{JobmanagerModel, Profile, TaskmanagerModel};
use crate::flink::{keys, sensitive};
use crate::model::{Place, Position, Source};

/// Everything that settings may come from, still as text.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// Whether the file that the distribution comes with lies below.
    pub shipped: bool,
    /// The configuration file.
    pub file: Option<FileText>,
    /// Settings that stand by themselves in a manifest or log.
    pub settings: Vec<Placed>,
    /// What an operator's resources set over those.
    pub resources: Vec<Placed>,
    /// Variables of the container's environment.
    pub environment: Vec<Variable>,
    /// Memory flags of YARN's client that stand in the input.
    pub yarn: YarnFlags,
    /// Dynamic properties that stand in the input.
    pub arguments: Vec<Placed>,
    /// `-D key=value`.
    pub dynamic: Vec<Assignment>,
    /// YARN's `-tm`.
    pub yarn_tm: Option<String>,
    /// YARN's `-jm`.
    pub yarn_jm: Option<String>,
    /// `--set key=value`.
    pub supposed: Vec<Assignment>,
}

/// A configuration file's text and the rules it is read by.
#[derive(Clone, Debug)]
pub struct FileText {
    /// Where it comes from.
    pub source: Source,
    /// The rules.
    pub kind: FileKind,
    /// The text.
    pub text: String,
    /// How far its lines stand from where they stand in the source, for a text within another.
    pub offset: Offset,
}

/// Where a text within another stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offset {
    /// Lines before it.
    pub lines: u32,
    inlay: Option<Inlay>,
}

/// Something in the input that has no effect, or not the one it seems to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where.
    pub place: Place,
    /// What, with the remedy.
    pub text: String,
}

/// A configuration and what was noticed while it was read.
#[derive(Clone, Debug, Default)]
pub struct Assembled {
    /// The configuration.
    pub config: Config,
    /// What has no effect.
    pub remarks: Vec<Remark>,
}

impl Layers {
    /// Puts the layers on top of each other as this version of Flink does.
    pub fn assemble(&self, profile: &Profile) -> Result<Assembled, YamlError> {
        let mut all = Assembled::default();
        all.config.begin(Layer::Shipped);
        if self.shipped {
            for (key, value) in profile.shipped {
                all.config.set((*key).to_owned(), Value::text(*value), Place::of(Source::Shipped));
            }
        }
        all.config.begin(Layer::File);
        if let Some(file) = &self.file {
            read_file(file, &mut all)?;
        }
        put_all(&mut all.config, &self.settings);
        all.config.begin(Layer::Resource);
        put_all(&mut all.config, &self.resources);
        all.config.begin(Layer::Environment);
        self.read_environment(profile, &mut all);
        all.config.begin(Layer::Arguments);
        let tm_key = match profile.behaviour.taskmanager_model {
            TaskmanagerModel::CutOff => keys::TM_HEAP_SIZE,
            TaskmanagerModel::Unified => keys::TM_PROCESS,
        };
        let jm_key = match profile.behaviour.jobmanager_model {
            JobmanagerModel::CutOff => keys::JM_HEAP_SIZE,
            JobmanagerModel::Unified => keys::JM_PROCESS,
        };
        let put_flag = |all: &mut Assembled, flag, key: &str, written: &Option<Placed>, value: &Option<String>| {
            if let Some(Placed { value, place, written, .. }) = written {
                let value = Value::text(dynamic::yarn_memory(&value.java_text()));
                all.config.put(key.to_owned(), value, place.clone(), *written);
            }
            if let Some(value) = value {
                let value = Value::text(dynamic::yarn_memory(value));
                all.config.set(key.to_owned(), value, Place::of(Source::YarnFlag(flag)));
            }
        };
        put_flag(&mut all, "-tm", tm_key.name(), &self.yarn.taskmanager, &self.yarn_tm);
        if !profile.behaviour.yarn_master_flag_wins {
            put_flag(&mut all, "-jm", jm_key.name(), &self.yarn.jobmanager, &self.yarn_jm);
        }
        put_all(&mut all.config, &self.arguments);
        for Assignment { key, value } in &self.dynamic {
            all.config.set(key.clone(), Value::text(value), Place::of(Source::DynamicProperty));
        }
        if profile.behaviour.yarn_master_flag_wins {
            put_flag(&mut all, "-jm", jm_key.name(), &self.yarn.jobmanager, &self.yarn_jm);
        }
        for Assignment { key, value } in &self.supposed {
            all.config.set(key.clone(), Value::text(value), Place::of(Source::Supposed));
        }
        all.config.begin(Layer::default());
        Ok(all)
    }

    fn read_environment(&self, profile: &Profile, all: &mut Assembled) {
        let mut from_properties = Vec::new();
        for variable in &self.environment {
            let Variable { name, text, .. } = variable;
            match name.as_str() {
                environment::FLINK_PROPERTIES => {
                    let (properties, unread) = environment::properties(text, profile);
                    for property in properties {
                        let place = variable.place(property.position);
                        let written = variable.place(property.written).position;
                        if property.value.java_text().contains("${") {
                            let text = format!(
                                "{} holds a ${{…}}, which the image replaces when it starts; here it stands as written",
                                property.key
                            );
                            all.remarks.push(Remark { place: place.clone(), text });
                        }
                        if property.key == keys::SLOTS.name() {
                            from_properties.push(place.clone());
                        }
                        all.config.put(property.key, property.value, place, written);
                    }
                    all.remarks.extend(unread.iter().map(|line| remark(variable.place(line.position), line)));
                }
                environment::TASK_SLOTS => {
                    let key = keys::SLOTS.name().to_owned();
                    // The image sets the slots before it reads FLINK_PROPERTIES.
                    let weaker = all.config.get(&key).is_none_or(|setting| !from_properties.contains(&setting.place));
                    if weaker {
                        all.config.set(key, Value::text(text), variable.whole());
                    }
                }
                name => all.config.set_variable(name, text.clone()),
            }
        }
    }
}

impl Offset {
    /// Where the pieces of an inlaid text stand.
    pub fn of(inlay: Inlay, inner: &str) -> Offset {
        Offset { lines: inlay.lines_before(inner), inlay: Some(inlay) }
    }

    /// A position in the inner text, counted in the outer one.
    pub fn moved(&self, inner: &str, position: Position) -> Position {
        match &self.inlay {
            Some(inlay) => inlay.position(inner, position),
            None => position,
        }
    }
}

fn put_all(config: &mut Config, all: &[Placed]) {
    for Placed { key, value, place, written } in all {
        config.put(key.clone(), value.clone(), place.clone(), *written);
    }
}

fn read_file(file: &FileText, all: &mut Assembled) -> Result<(), YamlError> {
    let moved = |position| file.offset.moved(&file.text, position);
    let place = |position| Place { source: file.source.clone(), position: Some(moved(position)) };
    match file.kind {
        FileKind::Standard => {
            for entry in standard::parse(&file.text)? {
                all.config.put(entry.key, entry.value, place(entry.position), Some(moved(entry.written)));
            }
        }
        FileKind::Legacy => {
            all.config.set_from_legacy_file();
            let (lines, unread) = legacy::parse(&file.text);
            for line in lines {
                all.config.put(line.key, line.value, place(line.position), Some(moved(line.written)));
            }
            all.remarks.extend(unread.iter().map(|line| remark(place(line.position), line)));
        }
    }
    Ok(())
}

fn remark(place: Place, line: &UnreadLine) -> Remark {
    let text =
        format!("Flink passes over {}: {}", sensitive::shown_line(&line.text, "this line"), line.reason.message());
    Remark { place, text }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn layers() -> Layers {
        Layers {
            file: Some(FileText {
                source: Source::File(Arc::from("flink-conf.yaml")),
                kind: FileKind::Legacy,
                text: "taskmanager.memory.process.size: 1g\ntaskmanager.numberOfTaskSlots: 2\n".into(),
                offset: Offset::default(),
            }),
            environment: vec![
                Variable::given(environment::FLINK_PROPERTIES, "taskmanager.memory.process.size: 2g\n"),
                Variable::given(environment::TASK_SLOTS, "3"),
            ],
            shipped: false,
            settings: Vec::new(),
            resources: Vec::new(),
            yarn: YarnFlags::default(),
            arguments: Vec::new(),
            dynamic: vec!["taskmanager.memory.process.size=3g".parse().unwrap()],
            yarn_tm: Some("4096".into()),
            yarn_jm: None,
            supposed: vec!["taskmanager.memory.process.size=5g".parse().unwrap()],
        }
    }

    #[test]
    fn the_stronger_layer_wins_and_remembers_the_weaker_ones() {
        let profile = Profile::of("1.18".parse().unwrap()).unwrap().0;
        let config = layers().assemble(profile).unwrap().config;
        let setting = config.get("taskmanager.memory.process.size").unwrap();
        assert_eq!(setting.value, Value::text("5g"));
        let lost: Vec<_> = setting.overridden.iter().map(|lost| lost.place.to_string()).collect();
        assert_eq!(lost, ["-D", "-tm", "$FLINK_PROPERTIES:1:34", "flink-conf.yaml:1:34"]);
        assert_eq!(config.get("taskmanager.numberOfTaskSlots").unwrap().value, Value::text("3"));
    }

    #[test]
    fn yarns_flags_set_the_total_of_their_version() {
        let value = |version: &str, key: &str| {
            let profile = Profile::of(version.parse().unwrap()).unwrap().0;
            let layers = Layers { yarn_tm: Some("4096".into()), yarn_jm: Some("1g".into()), ..Layers::default() };
            layers.assemble(profile).unwrap().config.get(key).map(|s| s.value.clone())
        };
        assert_eq!(value("1.9", "taskmanager.heap.size"), Some(Value::text("4096m")));
        assert_eq!(value("1.10", "taskmanager.memory.process.size"), Some(Value::text("4096m")));
        assert_eq!(value("1.10", "jobmanager.heap.size"), Some(Value::text("1g")));
        assert_eq!(value("1.11", "jobmanager.memory.process.size"), Some(Value::text("1g")));
    }

    #[test]
    fn a_line_that_flink_passes_over_is_remarked_without_its_secret() {
        let profile = Profile::newest();
        let text = "s3.secret-key:abc\n".to_owned();
        let file = FileText { source: Source::Stdin, kind: FileKind::Legacy, text, offset: Offset::default() };
        let all = Layers { file: Some(file), ..Layers::default() }.assemble(profile).unwrap();
        assert_eq!(all.remarks.len(), 1);
        assert!(!all.remarks[0].text.contains("abc"), "{:?}", all.remarks);
    }
}
