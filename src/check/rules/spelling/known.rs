//! What a key is to a version of Flink.

use std::sync::LazyLock;

use crate::check::{Case, Written};
use crate::config::Layer;
use crate::flink::options::{self, Declared, ValueKind};
use crate::flink::profile::Profile;
use crate::model::Source;

include!(concat!(env!("OUT_DIR"), "/invented.rs"));

/// A key that pages name and that no Flink has.
#[derive(Debug)]
pub struct Invented {
    /// The key.
    pub key: &'static str,
    /// The option that does what it seems to do.
    pub instead: Option<&'static str>,
    /// Whether that option means exactly the same.
    pub same: bool,
    /// What is so in Flink.
    pub fact: &'static str,
    /// What to do.
    pub help: &'static str,
}

/// What a key is to a version.
#[derive(Debug)]
pub enum Standing {
    /// An option of its own.
    Option(&'static Declared),
    /// An old name of these options; of more than one where an option was split.
    Old(Vec<&'static Declared>),
    /// An entry of an option that is a map.
    Entry(&'static Declared),
    /// A key that pages invented.
    Invented(&'static Invented),
    /// Comes with a later version: this is the first stretch of it.
    Later(&'static Declared),
    /// Was read until this version, as this option.
    Gone(&'static Declared),
    /// Known in some way that is nobody's business.
    Known,
    /// No version declares it.
    Unknown,
}

/// What a key is to a version.
pub fn standing(key: &str, profile: &Profile) -> Standing {
    let rows = options::ever(key);
    let names = names_of(key);
    let old: Vec<&'static Declared> = names
        .iter()
        .filter(|name| name.deprecated && name.option.is_in(profile) && name.option.key != key)
        .map(|name| name.option)
        .collect();
    if !old.is_empty() {
        return Standing::Old(old);
    }
    if let Some(row) = rows.iter().find(|row| row.is_in(profile)) {
        return Standing::Option(row);
    }
    if names.iter().any(|name| name.option.is_in(profile)) {
        return Standing::Known;
    }
    if let Some(row) = map_of(key, profile) {
        return Standing::Entry(row);
    }
    if let Some(invented) = invented(key) {
        return Standing::Invented(invented);
    }
    // Below here this version does not know the key.
    let now = profile.index();
    let before = |row: &&'static Declared| row.to().index() < now;
    let stretches = || rows.iter().chain(names.iter().map(|name| name.option));
    if let Some(last) = stretches().filter(before).max_by_key(|row| row.to().index()) {
        return Standing::Gone(last);
    }
    match rows.first() {
        Some(first) => Standing::Later(first),
        None if !names.is_empty() => Standing::Known,
        None => Standing::Unknown,
    }
}

/// The invented key of this name.
fn invented(key: &str) -> Option<&'static Invented> {
    INVENTED.binary_search_by_key(&key, |row| row.key).ok().map(|index| &INVENTED[index])
}

/// The map option that a key is an entry of.
fn map_of(key: &str, profile: &Profile) -> Option<&'static Declared> {
    key.match_indices('.').rev().find_map(|(at, _)| {
        let row = options::declared(&key[..at], profile)?;
        (row.kind == ValueKind::Map).then_some(row)
    })
}

/// Another name of an option.
struct Name {
    name: &'static str,
    option: &'static Declared,
    deprecated: bool,
}

/// Every other name, sorted.
static NAMES: LazyLock<Vec<Name>> = LazyLock::new(|| {
    let mut names: Vec<Name> = Vec::new();
    for option in options::all() {
        names.extend(option.deprecated.iter().map(|name| Name { name, option, deprecated: true }));
        names.extend(option.fallback.iter().map(|name| Name { name, option, deprecated: false }));
    }
    names.sort_by_key(|name| name.name);
    names
});

fn names_of(key: &str) -> &'static [Name] {
    let names: &'static [Name] = &NAMES;
    let start = names.partition_point(|name| name.name < key);
    let count = names[start..].iter().take_while(|name| name.name == key).count();
    &names[start..start + count]
}

/// Whether somebody typed this key: `resource.memory` of a FlinkDeployment sets keys that stand nowhere.
pub fn is_typed(written: &Written<'_>) -> bool {
    written.setting.layer != Layer::Resource && written.setting.written.is_some()
        || matches!(written.setting.place.source, Source::DynamicProperty | Source::Environment(_))
}

/// Settings whose key somebody typed, each with what its key is: found once for all rules.
pub fn typed<'c, 'a>(case: &'c Case<'a>) -> &'c [(Written<'a>, Standing)] {
    let all = || {
        let typed = case.settings().filter(is_typed);
        typed.map(|written| (written, standing(written.key, case.profile()))).collect()
    };
    case.standings.get_or_init(all)
}

/// Those that this version does not read as an option under its present name.
pub fn unusual<'c, 'a>(case: &'c Case<'a>) -> impl Iterator<Item = (Written<'a>, &'c Standing)> {
    typed(case)
        .iter()
        .filter(|(_, standing)| !matches!(standing, Standing::Option(_) | Standing::Known))
        .map(|(written, standing)| (*written, standing))
}

/// The setting that an option is read from instead of this old name of it: its own name, or an old one that comes first.
pub fn winner<'a>(case: &Case<'a>, option: &Declared, old: &str) -> Option<Written<'a>> {
    let earlier = option.deprecated.iter().take_while(|name| **name != old);
    std::iter::once(&option.key).chain(earlier).find_map(|name| case.exactly(name))
}

/// What may stand below a beginning of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// Anything: somebody else reads it.
    Open,
    /// Options, and keys that plugins or users may have.
    Mixed,
    /// Options and nothing else.
    Closed,
}

/// Beginnings below which plugins, Hadoop, file systems, reporters and scripts have keys of their own.
const OPEN: [&str; 27] = [
    "$internal.",
    "internal.",
    "metrics.reporter.",
    "metrics.scope.",
    "traces.reporter.",
    "events.reporter.",
    "external-resource.",
    "fs.",
    "s3.",
    "s3a.",
    "s3p.",
    "presto.",
    "gs.",
    "oss.",
    "flink.",
    "hadoop.",
    "dfs.",
    "hive.",
    "env.",
    "security.delegation.token.provider.",
    "containerized.taskmanager.env.",
    "containerized.master.env.",
    "kubernetes.operator.",
    "sql-gateway.endpoint.",
    "restart-strategy.",
    "factory.",
    "job.autoscaler.",
];

/// Beginnings below which Flink alone reads keys, every one of which is an option.
const CLOSED: [&str; 27] = [
    "akka.",
    "blob.",
    "classloader.",
    "execution.",
    "heartbeat.",
    "high-availability.kubernetes.",
    "high-availability.zookeeper.",
    "historyserver.",
    "jobmanager.",
    "jobstore.",
    "kubernetes.container.",
    "kubernetes.jobmanager.",
    "kubernetes.taskmanager.",
    "parallelism.",
    "pekko.",
    "pipeline.",
    "resourcemanager.",
    "rest.",
    "slotmanager.",
    "state.backend.changelog.",
    "state.backend.forst.",
    "state.backend.rocksdb.",
    "state.checkpoints.",
    "state.savepoints.",
    "taskmanager.",
    "web.",
    "yarn.",
];

/// What may stand below the beginning of this key.
pub fn below(key: &str) -> Below {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| key.starts_with(prefix));
    if begins(&OPEN) {
        Below::Open
    } else if begins(&CLOSED) {
        Below::Closed
    } else {
        Below::Mixed
    }
}

/// Beginnings of keys that are options of connectors, formats and reporters: they stand in tables and reporters' own
/// sections, not in a cluster's configuration, and moved into jars of their own.
const OF_CONNECTORS: [&str; 11] = [
    "__table",
    "compaction.",
    "factory.",
    "filter.",
    "hidden.",
    "lookup.",
    "partition.",
    "s3.",
    "scope.",
    "sink.",
    "streaming-source.",
];

/// Whether what the table of options says about a version is all there is to say about a key: neither scripts nor
/// connectors read it.
pub fn is_clusters_own(key: &str) -> bool {
    !key.starts_with("env.") && !OF_CONNECTORS.iter().any(|prefix| key.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(version: &str) -> &'static Profile {
        Profile::of(version.parse().unwrap()).unwrap().0
    }

    #[test]
    fn a_key_is_old_now_gone_later_and_before_that_to_come() {
        let of = |key, version| standing(key, profile(version));
        assert!(matches!(of("state.backend", "1.16"), Standing::Option(_)));
        assert!(matches!(of("state.backend", "1.20"), Standing::Old(rows) if rows[0].key == "state.backend.type"));
        assert!(matches!(of("state.backend.type", "1.16"), Standing::Later(_)));
        assert!(matches!(of("taskmanager.memory.fraction", "1.10"), Standing::Gone(_)));
        assert!(matches!(of("taskmanager.memory.size", "2.3"), Standing::Old(_)));
        assert!(matches!(of("taskmanager.memory.heap.size", "1.20"), Standing::Invented(_)));
        assert!(matches!(of("kubernetes.taskmanager.labels.team", "1.20"), Standing::Entry(_)));
        assert!(matches!(of("taskmanager.memory.foo", "1.20"), Standing::Unknown));
    }

    #[test]
    fn an_option_that_was_split_has_two_present_names() {
        let Standing::Old(rows) = standing("state.backend.local-recovery", profile("1.20")) else { panic!("not old") };
        assert_eq!(rows.len(), 2, "{rows:?}");
    }

    #[test]
    fn no_invented_key_was_ever_an_option_and_each_leads_to_one() {
        assert!(INVENTED.windows(2).all(|pair| pair[0].key < pair[1].key));
        for row in &INVENTED {
            assert!(options::ever(row.key).is_empty() && names_of(row.key).is_empty(), "{}", row.key);
            assert!(row.instead.is_none_or(|key| !options::ever(key).is_empty()), "{}", row.key);
            assert!(row.instead.is_some() || !row.same, "{}", row.key);
            assert!(row.fact.len() > 20 && row.help.len() > 10, "{}", row.key);
        }
    }
}
