//! What two versions make of the same option: one may not read it, read it under another name, or have another default.

use crate::config::Config;
use crate::flink::profile::{OptionKind, OptionRow, Profile};
use crate::flink::reads::Reads;
use crate::model::{Bytes, Role};

/// An option that two versions do not read alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionDifference {
    /// The key, as written where it is set.
    pub key: String,
    /// Whether it is set in one of the configurations; where it is not, its defaults differ.
    pub is_set: bool,
    /// What the first version makes of it.
    pub a: Reading,
    /// What the second version makes of it.
    pub b: Reading,
}

/// What a version makes of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// It reads it.
    Read,
    /// It reads it as this option.
    As(&'static str),
    /// It does not know it.
    NotRead,
    /// Nobody set it, and this is its default.
    Default(&'static str),
    /// Nobody set it, and it has no default.
    NoDefault,
}

impl Reading {
    fn of(profile: &Profile, key: &str) -> Reading {
        match profile.reads(key) {
            Reads::Itself | Reads::Foreign => Reading::Read,
            Reads::As(name) => Reading::As(name),
            Reads::Not => Reading::NotRead,
        }
    }
}

/// Whether an option's default has a bearing on a role's memory: only a TaskManager has state, buffers and Python.
fn concerns(role: Role, key: &str) -> bool {
    match role {
        Role::TaskManager => !key.starts_with("jobmanager."),
        Role::JobManager => ["jobmanager.", "containerized.", "env.", "kubernetes."].iter().any(|p| key.starts_with(p)),
    }
}

/// The options that the two versions do not read alike: those that are set, then those of the role whose defaults differ.
pub fn differences(configs: [&Config; 2], profiles: [&'static Profile; 2], role: Role) -> Vec<OptionDifference> {
    let [a, b] = profiles;
    let mut keys: Vec<&str> = configs.iter().flat_map(|config| config.iter().map(|(key, _)| key)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut found: Vec<OptionDifference> = keys
        .iter()
        .map(|key| OptionDifference {
            key: (*key).to_owned(),
            is_set: true,
            a: Reading::of(a, key),
            b: Reading::of(b, key),
        })
        .filter(|difference| difference.a != difference.b)
        .collect();
    for (name, row) in a.options() {
        let Some(other) = b.option(name) else { continue };
        let is_set = |row: &OptionRow| {
            let written = |key: &str| keys.binary_search(&key).is_ok();
            written(name) || row.deprecated.iter().chain(row.fallback).any(|old| written(old))
        };
        // What is an old name of another option is told under that one's name.
        let superseded = matches!(b.reads(name), Reads::As(_));
        if concerns(role, name) && !superseded && !is_set(row) && !is_set(other) && !same_default(row, other) {
            let default = |row: &OptionRow| row.default.map_or(Reading::NoDefault, Reading::Default);
            let (a, b) = (default(row), default(other));
            found.push(OptionDifference { key: name.to_owned(), is_set: false, a, b });
        }
    }
    found
}

/// `32kb` and `32 kb` are one default.
fn same_default(a: &OptionRow, b: &OptionRow) -> bool {
    let size = |row: &OptionRow| row.default.and_then(|text| Bytes::parse_flink(text).ok());
    a.default == b.default || (b.kind == OptionKind::Size && size(a).is_some() && size(a) == size(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Value;
    use crate::model::{Place, Source};

    fn between(from: &str, to: &str, keys: &[&str]) -> Vec<OptionDifference> {
        let mut config = Config::new();
        for key in keys {
            config.set((*key).to_owned(), Value::text("1"), Place::of(Source::Caller));
        }
        let profile = |v: &str| Profile::of(v.parse().unwrap()).unwrap().0;
        differences([&config, &config], [profile(from), profile(to)], Role::TaskManager)
    }

    #[test]
    fn a_changed_default_is_named_until_somebody_sets_the_option() {
        let max = "taskmanager.memory.network.max";
        let unset = between("1.16", "1.17", &[]);
        let named = unset.iter().find(|d| d.key == max).unwrap();
        assert_eq!(named.a, Reading::Default("1 gb"));
        assert!(!between("1.16", "1.17", &[max]).iter().any(|d| d.key == max));
    }

    #[test]
    fn keys_that_one_version_reads_under_another_name_or_not_at_all_are_named() {
        let found = between("1.16", "2.0", &["state.backend", "taskmanager.heap.size", "parallelism.default"]);
        let set: Vec<_> = found.iter().filter(|d| d.is_set).map(|d| (d.key.as_str(), d.b.clone())).collect();
        assert_eq!(
            set,
            [("state.backend", Reading::As("state.backend.type")), ("taskmanager.heap.size", Reading::NotRead)]
        );
    }
}
