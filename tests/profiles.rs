//! The profiles against the options that real Flink declares, read out of each version's jars by reflection.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use oomph::flink::profile::{OptionKind, Profile};
use serde_json::Value as Json;

/// The options of a release, by key; of two constants with one key the one that is not deprecated.
fn options(release: &str) -> BTreeMap<String, Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("testdata/golden/options/{release}.jsonl.gz"));
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let mut options: BTreeMap<String, Json> = BTreeMap::new();
    for line in text.lines() {
        let option: Json = serde_json::from_str(line).unwrap();
        let key = option["key"].as_str().unwrap().to_owned();
        let known_is_better = options.get(&key).is_some_and(|known| known["deprecated"] != true);
        if !known_is_better {
            options.insert(key, option);
        }
    }
    options
}

fn kind(option: &Json) -> OptionKind {
    match option["type"].as_str().unwrap_or("String") {
        _ if option["list"] == true => OptionKind::List,
        "MemorySize" => OptionKind::Size,
        "Float" => OptionKind::Float,
        "Double" => OptionKind::Double,
        "Integer" => OptionKind::Int,
        "Boolean" => OptionKind::Boolean,
        "Map" => OptionKind::Map,
        // Flink 1.9 leaves options without a default untyped.
        _ => OptionKind::String,
    }
}

#[test]
fn every_option_of_a_profile_is_what_that_release_declares() {
    let mut compared = 0;
    for profile in Profile::all() {
        let declared = options(profile.tested);
        for (key, row) in profile.options() {
            let of = format!("{key} in {}", profile.tested);
            let option = declared.get(key).unwrap_or_else(|| panic!("{of} is not declared"));
            assert_eq!(row.kind, kind(option), "type of {of}");
            assert_eq!(row.default, option["default"].as_str(), "default of {of}");
            let keys = |field: &str| -> Vec<&str> {
                option[field].as_array().into_iter().flatten().map(|k| k.as_str().unwrap()).collect()
            };
            assert_eq!(row.deprecated, keys("deprecated_keys"), "old names of {of}");
            assert_eq!(row.fallback, keys("fallback_keys"), "fallback keys of {of}");
            let class = option["class"].as_str().unwrap().rsplit('.').next().unwrap();
            assert_eq!(row.source, format!("{class}.{}", option["field"].as_str().unwrap()), "source of {of}");
            compared += 1;
        }
    }
    assert!(compared > 1000, "only {compared} options compared");
}

/// What the planner reads must not be missing from a profile by oversight.
#[test]
fn no_memory_option_of_a_release_is_missing_from_its_profile() {
    let prefixes = [
        "taskmanager.memory.",
        "jobmanager.memory.",
        "taskmanager.heap.",
        "jobmanager.heap.",
        "state.backend.rocksdb.memory.",
        "state.backend.forst.memory.",
        "containerized.heap-cutoff",
    ];
    for profile in Profile::all() {
        for key in options(profile.tested).keys().filter(|key| prefixes.iter().any(|prefix| key.starts_with(prefix))) {
            assert!(profile.option(key).is_some(), "{key} of {} is in no profile", profile.tested);
        }
    }
}
