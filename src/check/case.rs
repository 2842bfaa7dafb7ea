//! One configuration as a rule sees it: its settings, what they plan to, and the text they stand in.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::edits::Lines;
use super::engine::{Told, Yarn};
use super::policy::Policy;
use super::rules::Standing;
use crate::config::load::Loaded;
use crate::config::{Config, Pod, Setting, Subject, is_placeholder};
use crate::flink::options::{self, Declared};
use crate::flink::profile::Profile;
use crate::flink::{duration, java, sensitive};
use crate::model::{Bytes, Deployment, Edit, Place, Role, Source};
use crate::plan::settings::Settings;
use crate::plan::store::{Store, StoreMemory};
use crate::plan::{Backend, Question, Rejected, Survey};

/// What a rule is asked about.
pub struct Case<'a> {
    /// The subject as it was read, with its version.
    pub loaded: &'a Loaded,
    /// Its settings, of which those that hold a placeholder are left out.
    pub config: &'a Config,
    /// Settings whose value, or whose key, is not known before a template is rendered.
    pub placeholders: &'a [(String, Setting)],
    /// Who starts the processes, where that is known.
    pub deployment: Option<Deployment>,
    /// What the team and the caller tell beside the configuration.
    pub told: &'a Told,
    /// Thresholds.
    pub policy: &'a Policy,
    /// What YARN is told, where a `yarn-site.xml` lies beside the file.
    pub yarn: Option<&'a Yarn>,
    pub(super) lines: &'a Lines<'a>,
    pub(super) taskmanager: Option<Judged>,
    pub(super) jobmanager: Option<Judged>,
    pub(super) backend: OnceCell<Backend>,
    pub(super) standings: OnceCell<Vec<(Written<'a>, Standing)>>,
}

/// A role's plan.
pub struct Judged {
    /// What was asked.
    pub question: Question,
    /// What came of it.
    pub outcome: Result<Survey, Rejected>,
}

/// A setting and the name under which it was found.
#[derive(Clone, Copy)]
pub struct Written<'a> {
    /// The key as it is written: the option's own or an old name of it.
    pub key: &'a str,
    /// The setting.
    pub setting: &'a Setting,
}

impl<'a> Written<'a> {
    /// Its value as Flink reads it.
    pub fn text(&self) -> Cow<'a, str> {
        self.setting.value.java_text()
    }

    /// Its value as it may be shown.
    pub fn shown(&self) -> String {
        sensitive::shown(self.key, &self.text()).to_owned()
    }

    /// Where the value stands.
    pub fn place(&self) -> &'a Place {
        &self.setting.place
    }

    /// Where the key stands; where that is not known, where the value does.
    pub fn key_place(&self) -> Place {
        match self.setting.written {
            Some(position) => Place { source: self.setting.place.source.clone(), position: Some(position) },
            None => self.setting.place.clone(),
        }
    }

    /// Whether somebody wrote it; otherwise it comes with the image.
    pub fn is_own(&self) -> bool {
        self.setting.place.source != Source::Shipped
    }
}

impl<'a> Case<'a> {
    /// The subject.
    pub fn subject(&self) -> &'a Subject {
        &self.loaded.subject
    }

    /// What oomph knows of its Flink version.
    pub fn profile(&self) -> &'static Profile {
        self.loaded.choice.profile
    }

    /// The Flink version as named: `1.20`, or `1.20.5` where the release is known.
    pub fn version(&self) -> crate::flink::Version {
        self.loaded.choice.version
    }

    /// The whole text.
    pub fn text_of_input(&self) -> &'a str {
        self.lines.text()
    }

    /// Every setting that somebody wrote, by key. Those with placeholders are not among them.
    pub fn settings(&self) -> impl Iterator<Item = Written<'a>> + use<'a> {
        self.config.iter().map(|(key, setting)| Written { key, setting }).filter(Written::is_own)
    }

    /// The setting under exactly this name, if somebody wrote it.
    pub fn exactly(&self, key: &str) -> Option<Written<'a>> {
        let (key, setting) = self.config.entry(key)?;
        Some(Written { key, setting }).filter(Written::is_own)
    }

    /// The setting that this version of Flink reads for an option: by its own name, else by a fallback, else by an old one.
    /// Nothing where this version has no such option, or where nobody wrote it.
    pub fn find(&self, option: &str) -> Option<Written<'a>> {
        let row = self.option(option)?;
        let names = std::iter::once(&row.key).chain(row.fallback).chain(row.deprecated);
        names.into_iter().find_map(|name| {
            let (key, setting) = self.config.entry(name)?;
            Some(Written { key, setting })
        })
    }

    /// What this version declares under a name.
    pub fn option(&self, option: &str) -> Option<&'static Declared> {
        options::declared(option, self.profile())
    }

    /// Whether the value of an option is not known: a placeholder stands there.
    pub fn is_hidden(&self, option: &str) -> bool {
        let names: Vec<&str> = match self.option(option) {
            Some(row) => std::iter::once(&row.key).chain(row.fallback).chain(row.deprecated).copied().collect(),
            None => vec![option],
        };
        self.placeholders.iter().any(|(key, _)| names.contains(&key.as_str()) || is_placeholder(key))
    }

    /// An option's value as a text: what is set, else this version's default. Nothing where it has neither, or where a
    /// placeholder hides it.
    pub fn value(&self, option: &str) -> Option<Cow<'a, str>> {
        if let Some(found) = self.find(option) {
            return Some(found.text());
        }
        if self.is_hidden(option) {
            return None;
        }
        self.option(option)?.default.map(Cow::Borrowed)
    }

    /// A boolean option; nothing where it is no boolean.
    pub fn flag(&self, option: &str) -> Option<bool> {
        match self.value(option)?.to_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A size option; nothing where it is no size.
    pub fn size(&self, option: &str) -> Option<Bytes> {
        Bytes::parse_flink(&self.value(option)?).ok()
    }

    /// A whole number; nothing where it is none.
    pub fn int(&self, option: &str) -> Option<i64> {
        self.value(option)?.parse().ok()
    }

    /// A number; nothing where it is none.
    pub fn number(&self, option: &str) -> Option<f64> {
        java::parse_double(&self.value(option)?).ok()
    }

    /// A duration in milliseconds; nothing where it is none.
    pub fn millis(&self, option: &str) -> Option<u64> {
        duration::millis(&self.value(option)?)
    }

    /// Where keyed state lives.
    pub fn backend(&self) -> &Backend {
        self.backend.get_or_init(|| Backend::of(&Settings::new(self.config, self.profile())))
    }

    /// The embedded store that the configuration names; nothing where it names none, or none yet.
    pub fn store(&self) -> Option<Store> {
        match self.backend() {
            Backend::Embedded(store) => Some(*store),
            _ => None,
        }
    }

    /// `state.backend.rocksdb.` or `state.backend.forst.`, with what follows.
    pub fn store_key(&self, store: Store, rest: &str) -> String {
        match store {
            Store::RocksDb => format!("state.backend.rocksdb.{rest}"),
            Store::ForSt => format!("state.backend.forst.{rest}"),
        }
    }

    /// The setting that names the state backend.
    pub fn backend_setting(&self) -> Option<Written<'a>> {
        self.find("state.backend.type").or_else(|| self.find("state.backend"))
    }

    /// A role's plan, where the role is judged.
    pub fn judged(&self, role: Role) -> Option<&Judged> {
        match role {
            Role::TaskManager => self.taskmanager.as_ref(),
            Role::JobManager => self.jobmanager.as_ref(),
        }
    }

    /// A role's budget, where the role is judged and Flink accepts it.
    pub fn survey(&self, role: Role) -> Option<&Survey> {
        self.judged(role)?.outcome.as_ref().ok()
    }

    /// What one slot's store gets, where the TaskManager is judged and accepted.
    pub fn store_memory(&self, store: Store) -> Option<&StoreMemory> {
        let slots = self.survey(Role::TaskManager)?.plan.slots.as_ref()?.as_ref().ok()?;
        slots.stores.iter().find(|(known, _)| *known == store)?.1.as_ref().ok()
    }

    /// Slots of a TaskManager, where the TaskManager is judged and accepted.
    pub fn slots(&self) -> Option<u32> {
        Some(self.survey(Role::TaskManager)?.plan.slots.as_ref()?.as_ref().ok()?.count)
    }

    /// The pod of a role, as far as it is written down.
    pub fn pod(&self, role: Role) -> Option<&'a Pod> {
        self.loaded.subject.pod(role)
    }

    /// The job's parallelism: what is told, else what is written.
    pub fn parallelism(&self) -> Option<u32> {
        let told = self.told.workload.parallelism.or(self.loaded.subject.fleet.parallelism);
        told.or_else(|| self.find("parallelism.default")?.text().parse().ok())
    }

    /// The edit that gives a key another name; nothing where its text does not allow it.
    pub fn rename(&self, written: Written<'_>, to: &str) -> Option<Vec<Edit>> {
        self.lines.rename(written, to)
    }

    /// The edit that gives a key another value.
    pub fn set(&self, written: Written<'_>, value: &str) -> Option<Vec<Edit>> {
        self.lines.set(written, value)
    }

    /// The edit that takes a key out.
    pub fn remove(&self, written: Written<'_>) -> Option<Vec<Edit>> {
        self.lines.remove(written)
    }

    /// The edit that writes another setting below a key, at the same depth.
    pub fn insert_below(&self, written: Written<'_>, key: &str, value: &str) -> Option<Vec<Edit>> {
        self.lines.insert_below(written, key, value)
    }
}
