//! A configuration rewritten for another version of Flink so that heap, managed memory and the whole process keep their
//! sizes to the byte, as far as that can be, and the proof: the written text is read again by that version's own rules
//! and planned.

mod names;
mod pins;
mod sizes;
mod text;
mod weights;

use std::collections::BTreeMap;

pub use names::{Dropped, Renamed};
pub use sizes::{Goal, Lost};
pub use text::{NOT_SHOWN, Secrets};

use crate::config::layers::{FileText, Layers, Offset};
use crate::config::{Config, FileKind, Setting, Value, writing};
use crate::flink::profile::{ConfigurationFile, Profile};
use crate::model::{Place, Role, Source};
use crate::plan::jvm::Machine;
use crate::plan::settings::Settings;
use crate::plan::{Backend, Question, Rejected, Survey, survey};

/// What a migration starts from.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The version it is for.
    pub from: &'static Profile,
    /// The version it is to be for.
    pub to: &'static Profile,
    /// Who starts it, and which consumers and stores there are; both roles are migrated.
    pub question: &'a Question,
    /// The machine that both run on.
    pub machine: Machine,
}

/// A rewritten configuration and what became of everything.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The version it was for.
    pub from: &'static Profile,
    /// The version it is for now.
    pub to: &'static Profile,
    /// The kind of file that the version reads.
    pub kind: FileKind,
    /// The settings, in the order of the file.
    pub entries: Vec<Entry>,
    /// Keys with another name.
    pub renamed: Vec<Renamed>,
    /// Keys that are gone, and why.
    pub dropped: Vec<Dropped>,
    /// What became of each role's process.
    pub roles: Vec<RoleProof>,
    /// What no size tells.
    pub notes: Vec<String>,
}

/// One line of the rewritten configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Why the line is there or is as it is; nothing where it is carried over as it was.
    pub why: Option<String>,
    /// Whether the line keeps a size that would move without it.
    pub added: bool,
}

/// One role's process before and after.
#[derive(Clone, Debug)]
pub struct RoleProof {
    /// Whose process.
    pub role: Role,
    /// As the old version plans the configuration as it was.
    pub before: Result<Survey, Rejected>,
    /// As the new version plans the rewritten text.
    pub after: Result<Survey, Rejected>,
    /// What keeps its size to the byte.
    pub kept: Vec<Goal>,
    /// What does not, and why.
    pub lost: Vec<Lost>,
}

/// Why a configuration is not rewritten.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Keys that an older version does not have: what they do cannot be asked of it.
    #[error("Flink {to} has no {}: what {} cannot be asked of it", .keys.join(", "), if .keys.len() == 1 { "it does" } else { "they do" })]
    NotInOlder {
        /// The keys.
        keys: Vec<String>,
        /// The older version.
        to: crate::flink::Version,
    },
}

/// A configuration while it is rewritten.
#[derive(Clone, Debug, Default)]
struct Draft {
    config: Config,
    why: BTreeMap<String, String>,
    added: Vec<String>,
    renamed: Vec<Renamed>,
    dropped: Vec<Dropped>,
    notes: Vec<String>,
}

impl Draft {
    fn put(&mut self, key: &str, value: impl Into<String>, why: impl Into<String>) {
        self.config.set(key.to_owned(), Value::text(value), Place::of(Source::Proposed));
        self.why.insert(key.to_owned(), why.into());
        if !self.added.iter().any(|added| added == key) {
            self.added.push(key.to_owned());
        }
    }

    fn drop(&mut self, key: &str, reason: impl Into<String>) {
        self.config.remove(key);
        self.dropped.push(Dropped { key: key.to_owned(), reason: reason.into() });
    }
}

/// Rewrites a configuration for another version.
pub fn migrate(request: &Request<'_>) -> Result<Migration, Refused> {
    let Request { config, from, to, .. } = *request;
    let kind = kind_of(config, to);
    let mut draft = names::carried(request)?;
    drop_unwritable(&mut draft, kind, to);
    let roles = [Role::TaskManager, Role::JobManager];
    let before = roles.map(|role| planned(request, config, from, role));
    for (role, before) in roles.into_iter().zip(&before) {
        if let Ok(before) = before {
            pins::restore(request, role, before, &mut draft);
        }
    }
    let mut migration = Migration {
        from,
        to,
        kind,
        entries: entries(config, &draft),
        renamed: draft.renamed,
        dropped: draft.dropped,
        roles: Vec::new(),
        notes: draft.notes,
    };
    let read = migration.read_again();
    for (role, before) in roles.into_iter().zip(before) {
        let after = planned(request, &read, to, role);
        let (kept, lost) = match &before {
            Ok(before) => sizes::verdict(request, role, before, &after),
            Err(_) => (Vec::new(), Vec::new()),
        };
        migration.roles.push(RoleProof { role, before, after, kept, lost });
    }
    Ok(migration)
}

/// The kind of file that the version reads; where it reads both, the kind that there was.
fn kind_of(config: &Config, to: &Profile) -> FileKind {
    match to.behaviour.configuration_file {
        ConfigurationFile::LegacyOnly => FileKind::Legacy,
        ConfigurationFile::StandardOnly => FileKind::Standard,
        ConfigurationFile::LegacyElseStandard if config.is_from_legacy_file() => FileKind::Legacy,
        ConfigurationFile::LegacyElseStandard => FileKind::Standard,
    }
}

fn planned(request: &Request<'_>, config: &Config, profile: &'static Profile, role: Role) -> Result<Survey, Rejected> {
    let backend = Backend::of(&Settings::new(config, profile));
    let question = Question { role, managed_backend: backend.takes_managed_memory(), ..request.question.clone() };
    survey(config, profile, &question, request.machine)
}

/// What cannot stand in the file is told and left out.
fn drop_unwritable(draft: &mut Draft, kind: FileKind, to: &Profile) {
    let option = |key: &str| to.option(key).map(|row| row.kind);
    let unwritable: Vec<(String, String)> = draft
        .config
        .iter()
        .filter_map(|(key, setting)| {
            let error = writing::line(kind, key, &setting.value, option(key)).err()?;
            Some((key.to_owned(), error.to_string()))
        })
        .collect();
    for (key, reason) in unwritable {
        draft.drop(&key, reason);
    }
}

/// The settings in the order of the file they come from, what is new behind what was there.
fn entries(original: &Config, draft: &Draft) -> Vec<Entry> {
    let renamed_from = |key: &str| draft.renamed.iter().find(|r| r.to == key).map(|r| r.from.as_str());
    let place = |key: &str| {
        let setting: Option<&Setting> = renamed_from(key).and_then(|old| original.get(old)).or(original.get(key));
        setting.and_then(|setting| setting.place.position).map_or(usize::MAX, |position| position.start)
    };
    let mut entries: Vec<Entry> = draft
        .config
        .iter()
        .map(|(key, setting)| Entry {
            key: key.to_owned(),
            value: setting.value.clone(),
            why: draft.why.get(key).cloned(),
            added: draft.added.iter().any(|added| added == key),
        })
        .collect();
    entries.sort_by_key(|entry| (entry.added, place(&entry.key)));
    entries
}

impl Migration {
    /// The settings as the new version reads them out of the written text.
    fn read_again(&self) -> Config {
        let text = self.text(Secrets::Written);
        let file = FileText { source: Source::Proposed, kind: self.kind, text, offset: Offset::default() };
        // What is written is read; were it not, nothing would be planned, and the proof fails.
        Layers { file: Some(file), ..Layers::default() }.assemble(self.to).map(|all| all.config).unwrap_or_default()
    }

    /// Whether any process could be compared at all.
    pub fn proves_anything(&self) -> bool {
        self.roles.iter().any(|proof| proof.before.is_ok())
    }

    /// Whether the new version refuses a process that the old one planned.
    pub fn breaks_a_role(&self) -> bool {
        self.roles.iter().any(|proof| proof.before.is_ok() && proof.after.is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Component, UseCase};
    use crate::plan::Deployment;
    use crate::plan::store::Store;

    fn config(settings: &[(&str, &str)]) -> Config {
        let mut config = Config::new();
        config.set_from_legacy_file();
        for (key, value) in settings {
            config.set((*key).to_owned(), Value::text(*value), Place::of(Source::Caller));
        }
        config
    }

    fn migrated_for(
        deployment: Deployment,
        from: &str,
        to: &str,
        settings: &[(&str, &str)],
    ) -> Result<Migration, Refused> {
        let profile = |v: &str| Profile::of(v.parse().unwrap()).unwrap().0;
        let question = Question {
            role: Role::TaskManager,
            deployment,
            consumers: vec![UseCase::StateBackend],
            managed_backend: true,
            stores: vec![Store::RocksDb],
        };
        migrate(&Request {
            config: &config(settings),
            from: profile(from),
            to: profile(to),
            question: &question,
            machine: Machine { jdk: None, cores: None, collector: None },
        })
    }

    fn migrated(from: &str, to: &str, settings: &[(&str, &str)]) -> Migration {
        migrated_for(Deployment::Yarn, from, to, settings).unwrap()
    }

    fn added(migration: &Migration) -> Vec<String> {
        let line = |e: &Entry| format!("{}={}", e.key, e.value.java_text());
        migration.entries.iter().filter(|entry| entry.added).map(line).collect()
    }

    #[test]
    fn a_default_that_changed_is_made_explicit_and_nothing_else() {
        let migration = migrated("1.16", "2.2", &[("taskmanager.memory.process.size", "32g")]);
        assert_eq!(added(&migration), ["taskmanager.memory.network.max=1g"]);
        assert!(migration.roles[0].lost.is_empty());
    }

    #[test]
    fn where_nothing_moves_nothing_is_added() {
        let migration = migrated("1.17", "2.2", &[("taskmanager.memory.process.size", "32g"), ("a.b", "c")]);
        assert_eq!(added(&migration), Vec::<String>::new());
        assert_eq!(migration.entries.len(), 2);
    }

    #[test]
    fn a_container_of_1_9_keeps_heap_and_size_and_off_heap_managed_memory() {
        let settings = [
            ("taskmanager.heap.size", "4096m"),
            ("taskmanager.memory.off-heap", "true"),
            ("taskmanager.memory.size", "512"),
        ];
        let migration = migrated("1.9", "2.2", &settings);
        let proof = &migration.roles[0];
        assert!(proof.lost.is_empty(), "{:?}", proof.lost);
        let after = proof.after.as_ref().unwrap();
        assert_eq!(after.plan.budget.size(Component::Managed).whole_mib(), 512);
        assert_eq!(after.plan.budget.total_process().bytes.whole_mib(), 4096);
    }

    #[test]
    fn a_secret_is_proved_with_and_shown_without() {
        let migration = migrated("1.18", "2.2", &[("taskmanager.memory.process.size", "4g"), ("s3.secret-key", "abc")]);
        assert!(!migration.text(Secrets::Masked).contains("abc"));
        assert!(migration.text(Secrets::Written).contains("s3.secret-key: abc"));
        assert_eq!(migration.secrets(), ["s3.secret-key"]);
    }

    #[test]
    fn a_key_that_had_no_effect_does_not_come_to_have_one() {
        let settings = [("taskmanager.heap.size", "4096m"), ("taskmanager.memory.process.size", "1g")];
        let migration = migrated("1.9", "1.10", &settings);
        let reason = &migration.dropped.iter().find(|d| d.key == "taskmanager.memory.process.size").unwrap().reason;
        assert!(reason.contains("had no effect"), "{reason}");
        assert!(migration.roles[0].lost.is_empty());
    }

    #[test]
    fn a_name_that_had_no_effect_does_not_stand_in_the_way_of_the_one_that_takes_it() {
        let settings = [
            ("taskmanager.memory.process.size", "4g"),
            ("state.backend", "rocksdb"),
            ("state.backend.type", "hashmap"),
        ];
        let migration = migrated("1.16", "1.17", &settings);
        let backend = migration.entries.iter().find(|entry| entry.key == "state.backend.type").unwrap();
        assert_eq!(backend.value, Value::text("rocksdb"));
        assert!(migration.roles[0].lost.is_empty());
    }

    #[test]
    fn a_number_of_buffers_of_1_9_keeps_its_bytes() {
        let settings = [("taskmanager.heap.size", "4096m"), ("taskmanager.network.numberOfBuffers", "4096")];
        for to in ["1.10", "2.3"] {
            let migration = migrated("1.9", to, &settings);
            let proof = &migration.roles[0];
            assert!(proof.lost.is_empty(), "{to}: {:?}", proof.lost);
            let network = proof.after.as_ref().unwrap().plan.budget.size(Component::Network);
            assert_eq!(network, crate::model::Bytes::mib(128));
        }
    }

    #[test]
    fn a_heap_key_stands_for_the_total_that_the_deployment_makes_of_it() {
        let total = |deployment| {
            let migration = migrated_for(deployment, "1.20", "2.0", &[("taskmanager.heap.mb", "4096")]).unwrap();
            assert!(migration.roles[0].lost.is_empty());
            added(&migration)
        };
        assert_eq!(total(Deployment::Standalone), ["taskmanager.memory.flink.size=4096m"]);
        assert_eq!(total(Deployment::Yarn), ["taskmanager.memory.process.size=4096m"]);
    }

    #[test]
    fn backwards_a_key_that_is_not_there_is_named() {
        let settings = [("taskmanager.memory.process.size", "4g"), ("state.backend.forst.memory.managed", "true")];
        let refused = migrated_for(Deployment::Yarn, "2.0", "1.20", &settings).unwrap_err();
        assert!(refused.to_string().contains("state.backend.forst.memory.managed"), "{refused}");
    }

    #[test]
    fn weights_keep_their_meaning_under_other_names() {
        let key = "taskmanager.memory.managed.consumer-weights";
        let settings = [("taskmanager.memory.process.size", "4g"), (key, "DATAPROC:60,PYTHON:40")];
        let weights = |from, to, settings: &[(&str, &str)]| {
            migrated(from, to, settings).entries.iter().find(|e| e.key == key).unwrap().value.java_text().into_owned()
        };
        assert_eq!(weights("1.20", "2.0", &settings), "OPERATOR:60,PYTHON:40,STATE_BACKEND:60");
        let parts = [("taskmanager.memory.process.size", "4g"), (key, "OPERATOR:60,STATE_BACKEND:60,PYTHON:40")];
        assert_eq!(weights("1.13", "1.12", &parts), "DATAPROC:60,PYTHON:40");
        let unequal = [("taskmanager.memory.process.size", "4g"), (key, "OPERATOR:1,STATE_BACKEND:2")];
        assert!(migrated_for(Deployment::Yarn, "1.13", "1.12", &unequal).is_err());
    }
}
