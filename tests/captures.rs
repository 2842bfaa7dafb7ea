//! Captured TaskManagers against the JVM's own native memory tracking: every pool within 2 MiB or 2 % of it, all pools
//! together exactly what is resident.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What counts to a pool: the tracking's categories.
const CATEGORIES: [(&str, &str); 7] = [
    ("java_heap", "Java Heap"),
    ("metaspace", "Metaspace"),
    ("class_space", "Class"),
    ("code_cache", "Code"),
    ("gc", "GC"),
    ("cds_archive", "Shared class space"),
    ("thread_stacks", "Thread Stack"),
];

fn captures() -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/live");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let root = entry.unwrap().path().join("root");
        let Ok(mut processes) = fs::read_dir(root.join("proc")) else { continue };
        let pid = processes.next().unwrap().unwrap().file_name().into_string().unwrap();
        found.push((root, pid));
    }
    assert!(found.len() >= 3, "{found:?}");
    found
}

fn attach(root: &Path, pid: &str, more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(["attach", "--format", "json", "--root"])
        .arg(root)
        .arg(pid)
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Resident bytes by pool, as the tracking and the mappings' names tell them.
fn truth(root: &Path) -> Option<BTreeMap<&'static str, u64>> {
    let text = fs::read_to_string(root.parent().unwrap().join("truth.json")).ok()?;
    let rows: Value = serde_json::from_str(&text).unwrap();
    let mut truth: BTreeMap<&str, u64> = BTreeMap::new();
    for row in rows["conf"].as_array().unwrap() {
        let (class, category) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
        let bytes = row[2].as_u64().unwrap();
        let untracked = category.starts_with("(not in NMT");
        let pool = match CATEGORIES.iter().find(|(_, known)| *known == category) {
            Some((pool, _)) => pool,
            // RocksDB's threads are not the JVM's.
            None if class == "stack" && untracked => "thread_stacks",
            None if class.starts_with("malloc") || class == "anon.unknown" && untracked => "malloc",
            None => continue,
        };
        *truth.entry(pool).or_default() += bytes;
    }
    Some(truth)
}

#[test]
fn every_pool_is_what_the_jvm_itself_tracks() {
    let mut compared = 0;
    for (root, pid) in captures() {
        let Some(truth) = truth(&root) else { continue };
        let pools = &attach(&root, &pid, &[])["pools"];
        for (pool, expected) in truth {
            let ours = pools[pool].as_u64().unwrap();
            let tolerated = (2 << 20).max(expected / 50);
            assert!(ours.abs_diff(expected) <= tolerated, "{}: {pool}: {ours} and not {expected}", root.display());
            compared += 1;
        }
    }
    assert_eq!(compared, 16);
}

#[test]
fn all_pools_together_are_the_resident_set_to_the_byte() {
    for (root, pid) in captures() {
        let report = attach(&root, &pid, &[]);
        let sum: u64 = report["pools"].as_object().unwrap().values().map(|bytes| bytes.as_u64().unwrap()).sum();
        let rollup = fs::read_to_string(root.join("proc").join(&pid).join("smaps_rollup")).unwrap();
        let rss = rollup.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap();
        let rss: u64 = rss.trim().trim_end_matches(" kB").parse().unwrap();
        assert_eq!(report["rss"].as_u64(), Some(sum));
        // The two files were read one after the other.
        assert!(sum.abs_diff(rss * 1024) < 2 << 20, "{sum} and not {}", rss * 1024);
    }
}

#[test]
fn the_budget_is_that_of_flinks_start_up_block() {
    for (root, pid) in captures() {
        let budget = &attach(&root, &pid, &[])["budget"];
        let expected = [
            ("framework_heap", 134_217_728_u64),
            ("task_heap", 402_653_174),
            ("framework_off_heap", 134_217_728),
            ("task_off_heap", 0),
            ("network", 134_217_730),
            ("managed", 536_870_920),
            ("jvm_metaspace", 268_435_456),
            ("jvm_overhead", 201_326_592),
            ("total_flink", 1_342_177_280),
            ("total_process", 1_811_939_328),
        ];
        for (component, bytes) in expected {
            assert_eq!(budget[component].as_u64(), Some(bytes), "{}: {component}", root.display());
        }
    }
}

#[test]
fn what_a_capture_does_not_hold_is_unseen_with_its_reason() {
    for (root, pid) in captures() {
        let report = attach(&root, &pid, &[]);
        assert_eq!(report["malloc"], Value::Null);
        let unseen = report["unseen"].as_array().unwrap();
        let chunks = unseen.iter().find(|unseen| unseen["what"] == "malloc's chunks").unwrap();
        assert!(chunks["why"].as_str().unwrap().contains("a capture holds no memory"), "{chunks}");
    }
}

/// A copy of the first capture that may be changed.
fn copy() -> (tempfile::TempDir, PathBuf, String) {
    let (root, pid) = captures().into_iter().min().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut open = vec![PathBuf::new()];
    while let Some(next) = open.pop() {
        fs::create_dir_all(folder.path().join(&next)).unwrap();
        for entry in fs::read_dir(root.join(&next)).unwrap() {
            let entry = entry.unwrap();
            let below = next.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => open.push(below),
                false => drop(fs::copy(entry.path(), folder.path().join(&below)).unwrap()),
            }
        }
    }
    let path = folder.path().to_owned();
    (folder, path, pid)
}

#[test]
fn each_file_that_is_missing_is_named_and_the_rest_is_still_told() {
    let files = [
        ("smaps", "mappings"),
        ("status", "sizes"),
        ("limits", "limits"),
        ("environ", "environment"),
        ("cgroup", "cgroup"),
    ];
    for (file, what) in files {
        let (_folder, root, pid) = copy();
        fs::remove_file(root.join("proc").join(&pid).join(file)).unwrap();
        let report = attach(&root, &pid, &[]);
        let unseen: Vec<&str> =
            report["unseen"].as_array().unwrap().iter().filter_map(|u| u["what"].as_str()).collect();
        assert!(unseen.contains(&what), "{file}: {unseen:?}");
        assert_eq!(report["rss"] == Value::Null, file == "smaps");
        assert_eq!(report["budget"]["managed"].as_u64(), Some(536_870_920));
    }
}

#[test]
fn malformed_files_are_unseen_and_nothing_panics() {
    // When it started is no part of the report.
    for (file, text, unseen) in [
        ("smaps", "not a mapping\n", Some("mappings")),
        ("status", "\0\0", Some("sizes")),
        ("limits", "x", Some("limits")),
        ("cgroup", "::", Some("cgroup")),
        ("stat", "1 (", None),
    ] {
        let (_folder, root, pid) = copy();
        fs::write(root.join("proc").join(&pid).join(file), text).unwrap();
        let report = attach(&root, &pid, &[]);
        assert_eq!(report["schema"], "oomph.attach/1");
        let named = |what: &str| report["unseen"].as_array().unwrap().iter().any(|one| one["what"] == what);
        assert!(unseen.is_none_or(named), "{file}: {}", report["unseen"]);
    }
    let (_folder, root, pid) = copy();
    let perf = root.join("tmp/hsperfdata_root").join(&pid);
    let whole = fs::read(&perf).unwrap();
    for cut in [0, 1, 31, 32, 100, whole.len() / 2] {
        fs::write(&perf, &whole[..cut]).unwrap();
        assert!(attach(&root, &pid, &[])["rss"].as_u64().is_some());
    }
}
