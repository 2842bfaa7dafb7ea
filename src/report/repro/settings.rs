//! RocksDB's settings in words, and what differs between two runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::words::{self, engine, plain};
use crate::model::{Bytes, Experiment, StoreSettings, Workload};
use crate::report::amount::{about, grouped};
use crate::repro::outcome::Run;
use crate::repro::scenario::Home;

/// So many fields of two workloads are held against one another.
const MOST: usize = 8;

/// Fields of a workload that are sizes; all other numbers count something.
const SIZES: [&str; 8] =
    ["leak", "python", "shuffle.bytes", "shuffle.file", "shuffle.rate", "key_size", "value_least", "value_most"];

/// Something that two runs have differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// What.
    pub name: String,
    /// In the first run.
    pub before: String,
    /// In the other.
    pub after: String,
}

/// How RocksDB is set up: a name and a value each.
pub(super) fn of_store(store: &StoreSettings) -> Vec<(&'static str, String)> {
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let or = |value: Option<String>, none: &str| value.unwrap_or_else(|| none.to_owned());
    let pool = store.pool.map(|pool| {
        let strict = if pool.strict { ", strict" } else { "" };
        format!(
            "cache {}, write-buffer manager {}, {} % for index and filter{strict}",
            about(pool.cache),
            about(pool.write_buffer_manager),
            pool.high_priority_percent
        )
    });
    vec![
        ("shared pool", or(pool, "none: each column family has its own cache")),
        ("one pool for all slots", yes(store.one_pool_for_all)),
        ("block cache of a column family", about(store.block_cache)),
        ("write buffer", about(store.write_buffer)),
        ("write buffers", store.write_buffers.to_string()),
        ("write buffers merged", store.merged_write_buffers.to_string()),
        ("arena block", or(store.arena_block.map(about), "left to RocksDB")),
        ("block size", about(store.block_size)),
        ("metadata block size", about(store.metadata_block_size)),
        ("target file size", about(store.target_file)),
        ("level 1", about(store.level_base)),
        ("dynamic level sizes", yes(store.dynamic_levels)),
        ("index and filter in the cache", yes(store.index_and_filter_in_cache)),
        ("index and filter partitioned", yes(store.partitioned)),
        ("Bloom filter", or(store.bloom_bits.map(|bits| format!("{bits} bits a key")), "none")),
        ("background threads", store.threads.to_string()),
        ("open files", or(store.open_files.map(|files| files.to_string()), "all")),
        ("Snappy compression", yes(store.snappy)),
        ("write batch", about(store.write_batch)),
    ]
}

/// What the second run has otherwise than the first, Flink's configuration aside.
pub(super) fn differences(before: &Run, after: &Run) -> Vec<Difference> {
    let release = |run: &Run| engine(&run.experiment.engine, run.release.as_deref());
    let mut all = between(&before.experiment, &after.experiment, [release(before), release(after)]);
    if before.tmpfs != after.tmpfs {
        let [before, after] = [before, after].map(|run| home(run.tmpfs.map_or(Home::Disk, Home::Tmpfs)));
        all.push(Difference { name: "data".to_owned(), before, after });
    }
    all
}

/// Where data lies.
pub(super) fn home(home: Home) -> String {
    match home {
        Home::Disk => "on a disk".to_owned(),
        Home::Tmpfs(size) => format!("on a tmpfs of {}", about(size)),
    }
}

/// The same, of two experiments that were not run yet.
pub(super) fn planned(before: &Experiment, after: &Experiment) -> Vec<Difference> {
    between(before, after, [before, after].map(|experiment| words::source(&experiment.engine)))
}

fn between(one: &Experiment, other: &Experiment, [engine, other_engine]: [String; 2]) -> Vec<Difference> {
    let all = [
        ("engine", engine, other_engine),
        ("allocator", one.malloc.to_string(), other.malloc.to_string()),
        ("limit", one.limit.to_string(), other.limit.to_string()),
    ];
    let first = all.map(|(name, before, after)| Difference { name: name.to_owned(), before, after });
    let mut differences: Vec<Difference> =
        first.into_iter().filter(|difference| difference.before != difference.after).collect();
    differences.extend(of_stores(&one.store, &other.store));
    differences.extend(of_workloads(&one.workload, &other.workload));
    differences
}

/// The settings of RocksDB that differ.
fn of_stores(before: &StoreSettings, after: &StoreSettings) -> Vec<Difference> {
    let pairs = of_store(before).into_iter().zip(of_store(after));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((name, before), (_, after))| Difference { name: name.to_owned(), before, after })
        .collect()
}

/// The fields of two workloads that differ, by their places in JSON. Where a workload is another one altogether, its
/// fields would say less than its name: many that differ are told as their number.
fn of_workloads(before: &Workload, after: &Workload) -> Vec<Difference> {
    let fields = |workload: &Workload| {
        let mut fields = BTreeMap::new();
        if let Ok(value) = serde_json::to_value(workload) {
            flatten(String::new(), &value, &mut fields);
        }
        // What it is called and said to be is not what is done.
        fields.remove("name");
        fields.remove("about");
        fields
    };
    let (one, other) = (fields(before), fields(after));
    let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
    names.sort();
    names.dedup();
    let of = |fields: &BTreeMap<String, String>, name: &String| fields.get(name).cloned().unwrap_or("-".to_owned());
    let unequal: Vec<&String> = names.into_iter().filter(|name| one.get(*name) != other.get(*name)).collect();
    if unequal.len() > MOST {
        let told = |workload: &Workload| format!("{} ({})", plain(&workload.name), words::workload(workload));
        return vec![Difference { name: "workload".to_owned(), before: told(before), after: told(after) }];
    }
    let difference = |name: &String| Difference {
        name: format!("workload: {name}"),
        before: of(&one, name),
        after: of(&other, name),
    };
    unequal.into_iter().map(difference).collect()
}

fn flatten(path: String, value: &Value, into: &mut BTreeMap<String, String>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| flatten(below(key), value, into)),
        Value::Array(all) => {
            // An element with a name is known by it: inserting one does not make all behind it differ.
            let name = |value: &Value, at: usize| match value.get("name").or_else(|| value.get("state")) {
                Some(Value::String(name)) => name.clone(),
                _ => at.to_string(),
            };
            all.iter().enumerate().for_each(|(at, value)| flatten(below(&name(value, at)), value, into));
        }
        Value::String(text) => drop(into.insert(path, plain(text))),
        Value::Null => drop(into.insert(path, "none".to_owned())),
        Value::Number(number) => {
            let is_size = SIZES.iter().any(|size| path == *size || path.ends_with(&format!(".{size}")));
            let shown = number.as_u64().map(|number| if is_size { about(Bytes::new(number)) } else { grouped(number) });
            drop(into.insert(path, shown.unwrap_or_else(|| number.to_string())));
        }
        other => drop(into.insert(path, other.to_string())),
    }
}

/// The lines of two configurations that differ: `-` in front of the first's, `+` in front of the second's.
pub(super) fn changed_lines(before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
    let diff = similar::TextDiff::from_lines(before, after);
    let sign = |tag: similar::ChangeTag| match tag {
        similar::ChangeTag::Equal => None,
        similar::ChangeTag::Delete => Some('-'),
        similar::ChangeTag::Insert => Some('+'),
    };
    let lines = diff.iter_all_changes().filter_map(|change| Some((sign(change.tag())?, change.value())));
    lines.map(|(sign, line)| format!("{sign} {}", plain(line))).filter(|line| line.len() > 2).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::report::repro::made;

    #[test]
    fn every_setting_of_rocksdb_has_a_name() {
        let store = made::run("a").experiment.store;
        let fields = serde_json::to_value(&store).unwrap();
        assert_eq!(fields.as_object().unwrap().len(), of_store(&store).len());
    }

    #[test]
    fn fields_of_a_workload_that_differ_are_told_by_their_place() {
        let before = made::run("a").experiment.workload;
        let mut after = before.clone();
        after.operators[0].states[0].held = 9;
        after.operators[0].states[0].value_most = Bytes::mib(1);
        let found = of_workloads(&before, &after);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "workload: operators.join.states.exposures.held");
        assert_eq!((found[0].before.as_str(), found[0].after.as_str()), ("0", "9"));
        assert_eq!((found[1].before.as_str(), found[1].after.as_str()), ("400 B", "1 MiB"));
    }

    #[test]
    fn only_changed_lines_of_a_configuration_are_shown() {
        assert_eq!(changed_lines(Some("a: 1\nb: 2\n"), Some("a: 1\nb: 3\n")), ["- b: 2", "+ b: 3"]);
        assert_eq!(changed_lines(None, Some("a: 1\n")), ["+ a: 1"]);
        assert!(changed_lines(None, None).is_empty());
    }
}
