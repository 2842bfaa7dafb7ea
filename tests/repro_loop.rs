//! Failures on a real Flink, from the Python package index, through the closed loop as a user runs it. They need a JDK, python3
//! with pip, a memory cgroup, 4 GiB of memory, and a quarter of an hour:
//!
//! ```text
//! cargo test --release --features live-tests --test repro_loop
//! OOMPH_LIVE_FLINK=1.20.5 cargo test --release --features live-tests --test repro_loop
//! ```
//!
//! The one with Python functions is run where `OOMPH_LIVE_PYTHON` names a Python with PyFlink of that release, or `python3` has it;
//! elsewhere it has to be named as not run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The directory of the release that the caller chooses, fetched where it is not in the cache.
fn home() -> String {
    let version = std::env::var("OOMPH_LIVE_FLINK").unwrap_or_else(|_| "2.3.0".to_owned());
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let program = format!("import flink_release; print(flink_release.fetch('{version}'))");
    let output = Command::new("python3").args(["-c", &program]).current_dir(scripts).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Statements that did not hold, of all trials of a document.
fn not_held(document: &Value) -> Vec<String> {
    let of_trial = |trial: &Value| {
        let name = trial["scenario"].as_str().unwrap_or_default().to_owned();
        let statements = trial["statements"].as_array().cloned().unwrap_or_default();
        let wrong = statements.into_iter().filter(|statement| statement["held"] != Value::Bool(true));
        wrong.map(move |statement| format!("{name}: {} ({})", statement["says"], statement["measured"])).collect()
    };
    document["trials"].as_array().unwrap().iter().flat_map(|trial| -> Vec<String> { of_trial(trial) }).collect()
}

#[cfg(feature = "rocksdb")]
#[test]
fn every_scenario_that_closes_without_a_flink_does() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(["repro", "loop", "--all", "--on", "embedded", "--format", "json", "--dir", "runs"]);
    let output = command.current_dir(directory.path()).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(not_held(&document), Vec::<String>::new());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(std::fs::read_dir(directory.path().join("runs")).unwrap().count(), 0);
}

#[test]
fn every_failure_fails_is_explained_and_is_cured_and_nothing_is_left() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args([
        "repro",
        "loop",
        "--all",
        "--format",
        "json",
        "--html",
        "loop.html",
        "--dir",
        "runs",
        "--flink-home",
    ]);
    if let Some(python) = std::env::var_os("OOMPH_LIVE_PYTHON") {
        command.arg("--python").arg(python);
    }
    let output = command.arg(home()).current_dir(directory.path()).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let trials = document["trials"].as_array().unwrap();
    assert_eq!(not_held(&document), Vec::<String>::new());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let not_run: Vec<&str> =
        document["not_run"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(not_run.is_empty() || not_run == ["python-worker"], "{not_run:?}");
    assert!(not_run.is_empty() || std::env::var_os("OOMPH_LIVE_PYTHON").is_none(), "{not_run:?}");
    assert_eq!(trials.len() + not_run.len(), oomph::repro::failures::ALL.len());
    assert!(directory.path().join("loop.html").is_file());
    assert_eq!(std::fs::read_dir(directory.path().join("runs")).unwrap().count(), 0);
}
