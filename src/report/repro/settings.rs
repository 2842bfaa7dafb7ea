//! RocksDB's settings in words, and what differs between two runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::words::{engine, plain, source};
use crate::model::{Experiment, StoreSettings, Workload};
use crate::report::amount::about;
use crate::repro::outcome::Run;

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
    between(&before.experiment, &after.experiment, [release(before), release(after)])
}

/// The same, of two experiments that were not run yet.
pub(super) fn planned(before: &Experiment, after: &Experiment) -> Vec<Difference> {
    between(before, after, [before, after].map(|experiment| source(&experiment.engine)))
}

fn between(one: &Experiment, other: &Experiment, [engine, other_engine]: [String; 2]) -> Vec<Difference> {
    let mut all = vec![
        ("engine".to_owned(), engine, other_engine),
        ("allocator".to_owned(), one.malloc.to_string(), other.malloc.to_string()),
        ("limit".to_owned(), one.limit.to_string(), other.limit.to_string()),
    ];
    let stores = of_store(&one.store).into_iter().zip(of_store(&other.store));
    all.extend(stores.map(|((name, before), (_, after))| (name.to_owned(), before, after)));
    all.extend(in_workload(&one.workload, &other.workload));
    all.into_iter()
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| Difference { name, before, after })
        .collect()
}

/// The fields of two workloads that differ, by their places in JSON.
fn in_workload(before: &Workload, after: &Workload) -> Vec<(String, String, String)> {
    let fields = |workload: &Workload| {
        let mut fields = BTreeMap::new();
        if let Ok(value) = serde_json::to_value(workload) {
            flatten(String::new(), &value, &mut fields);
        }
        fields
    };
    let (before, after) = (fields(before), fields(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let of = |fields: &BTreeMap<String, String>, name: &String| fields.get(name).cloned().unwrap_or("-".to_owned());
    let unequal = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    let unequal = unequal.filter(|name| name.as_str() != "about");
    unequal.map(|name| (format!("workload: {name}"), of(&before, name), of(&after, name))).collect()
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
        let found = in_workload(&before, &after);
        let unequal: Vec<_> = found.iter().filter(|(_, before, after)| before != after).collect();
        assert_eq!(unequal.len(), 1);
        assert_eq!(unequal[0].0, "workload: operators.join.states.exposures.held");
        assert_eq!((unequal[0].1.as_str(), unequal[0].2.as_str()), ("0", "9"));
    }

    #[test]
    fn only_changed_lines_of_a_configuration_are_shown() {
        assert_eq!(changed_lines(Some("a: 1\nb: 2\n"), Some("a: 1\nb: 3\n")), ["- b: 2", "+ b: 3"]);
        assert_eq!(changed_lines(None, Some("a: 1\n")), ["+ a: 1"]);
        assert!(changed_lines(None, None).is_empty());
    }
}
