//! `oomph repro` as a user meets it: what is wrong is one clear line, a run leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rstest::rstest;

fn oomph(directory: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(words).current_dir(directory).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const WORKLOAD: &str = "\
operators: [{name: o, states: [{name: s, keys: 20k, value-size: 100}]}]
phases: [{records: 60k, do: {s: {update: 1}}}]
";
const CONF: &str = "\
taskmanager.memory.process.size: 1280m
taskmanager.memory.managed.size: 32m
state.backend.type: rocksdb
";

/// A directory with a workload, a configuration and a directory for runs.
fn room() -> tempfile::TempDir {
    let room = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(room.path().join("w.yaml"), WORKLOAD).unwrap();
    fs::write(room.path().join("flink-conf.yaml"), CONF).unwrap();
    fs::create_dir(room.path().join("runs")).unwrap();
    room
}

#[rstest]
#[case(&["repro", "run", "no-such"], 2, "there is no scenario `no-such`; there are: unmanaged-rocksdb,")]
#[case(&["repro", "show", "no-such"], 2, "there is no scenario `no-such`")]
#[case(&["repro", "run"], 2, "nothing to run: name a scenario")]
#[case(&["repro", "predict", "--workload", "gone.yaml"], 3, "could not read gone.yaml")]
#[case(&["repro", "compare", "w.yaml", "w.yaml"], 3, "could not read w.yaml")]
#[case(&["repro", "run", "many-states", "--flink-home", "."], 3, "error: could not")]
#[case(&["repro", "run", "many-states", "--flink-dist", "w.yaml"], 3, "error: could not")]
#[case(&["repro", "run", "many-states", "-o", "w.yaml"], 2, "w.yaml is there already")]
#[case(&["repro", "run", "many-states", "-o", "gone/x.json"], 2, "there is no directory gone")]
#[case(&["repro", "loop"], 2, "nothing to run: give --all, or names of these: unmanaged-rocksdb,")]
#[case(&["repro", "loop", "metaspace"], 2, "metaspace runs on a real Flink: add --flink-home DIR")]
#[case(&["repro", "loop", "slow-leak"], 2, "no change of a key follows from what slow-leak leaves")]
#[case(&["repro", "loop", "many-state"], 2, "did you mean many-states?")]
#[case(&["repro", "loop", "many-states", "--conf", "w.yaml"], 2, "--conf belongs to a loop on a real Flink")]
#[case(&["repro", "loop", "many-states", "--html", "w.yaml"], 2, "w.yaml is there already")]
#[case(&["repro", "loop", "metaspace", "--on", "flink"], 2, "--flink-home <DIR>")]
fn what_is_wrong_is_said_in_one_line(#[case] words: &[&str], #[case] code: i32, #[case] expected: &str) {
    let room = room();
    let output = oomph(room.path(), words);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(expected) && !said.contains("panicked"), "{said}");
}

#[test]
fn a_workload_that_is_none_is_said_with_its_line() {
    let room = room();
    fs::write(room.path().join("bad.yaml"), WORKLOAD.replace("keys: 20k", "keys: many")).unwrap();
    let output = oomph(room.path(), &["repro", "predict", "--workload", "bad.yaml"]);
    assert!(text(&output.stderr).contains("bad.yaml: line 1, column 48: many is no count"), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_prediction_is_made_without_any_engine() {
    let room = room();
    let output = oomph(room.path(), &["repro", "predict", "--workload", "w.yaml", "flink-conf.yaml"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Anonymous memory"), "{}", text(&output.stdout));
}

#[cfg(not(feature = "rocksdb"))]
#[test]
fn a_build_without_rocksdb_says_how_to_get_it() {
    let room = room();
    let output =
        oomph(room.path(), &["repro", "run", "--workload", "w.yaml", "--conf", "flink-conf.yaml", "--dir", "runs"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("--features rocksdb") && said.contains("--flink-home"), "{said}");
}

#[cfg(feature = "rocksdb")]
mod with_an_engine {
    use std::time::{Duration, Instant};

    use super::*;

    fn is_empty(directory: &Path) -> bool {
        fs::read_dir(directory).unwrap().next().is_none()
    }

    fn run(room: &Path, more: &[&str]) -> Output {
        let mut words = vec!["repro", "run", "--workload", "w.yaml", "--conf", "flink-conf.yaml", "--dir", "runs"];
        words.extend(more);
        oomph(room, &words)
    }

    #[test]
    fn a_run_is_measured_recorded_compared_and_leaves_nothing() {
        let room = room();
        let output = run(room.path(), &["-o", "a.json", "--html", "a.html", "--record", "a.rec"]);
        assert_eq!(output.status.code(), Some(0), "{}\n{}", text(&output.stdout), text(&output.stderr));
        assert!(text(&output.stdout).contains("Anonymous memory at most"));
        assert!(is_empty(&room.path().join("runs")));
        let page = fs::read_to_string(room.path().join("a.html")).unwrap();
        assert!(page.contains("<svg") && !page.contains("http://") && !page.contains("src="));
        for (a, b) in [("a.json", "a.json"), ("a.json", "a.rec")] {
            let compared = oomph(room.path(), &["repro", "compare", a, b]);
            assert_eq!(compared.status.code(), Some(0), "{}", text(&compared.stderr));
        }
        let recalled = oomph(room.path(), &["attach", "--recording", "a.rec"]);
        assert_eq!(recalled.status.code(), Some(0), "{}", text(&recalled.stderr));
    }

    #[test]
    fn the_same_seed_writes_the_same_bytes() {
        let room = room();
        let written = |file: &str| {
            run(room.path(), &["-o", file]);
            let value: serde_json::Value =
                serde_json::from_str(&fs::read_to_string(room.path().join(file)).unwrap()).unwrap();
            value["runs"][0]["written_by_workload"].as_u64().unwrap()
        };
        assert_eq!(written("a.json"), written("b.json"));
    }

    #[rstest]
    #[case(&["--limit", "1m"], 3)]
    #[case(&["--limit", "900g"], 3)]
    #[case(&["--disk", "1k"], 3)]
    fn a_limit_that_is_impossible_or_endangers_the_host_is_refused(#[case] more: &[&str], #[case] code: i32) {
        let room = room();
        let output = run(room.path(), more);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains("error: could not") && said.lines().count() <= 2, "{said}");
        assert!(is_empty(&room.path().join("runs")));
    }

    #[test]
    fn a_run_that_is_interrupted_ends_in_order() {
        let room = room();
        fs::write(room.path().join("w.yaml"), WORKLOAD.replace("records: 60k", "records: 60k, rate: 500")).unwrap();
        let words = ["repro", "run", "--workload", "w.yaml", "--conf", "flink-conf.yaml", "--dir", "runs"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
        command.args(words).current_dir(room.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let runs = room.path().join("runs");
        let began = Instant::now();
        while is_empty(&runs) && began.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(50));
        }
        std::thread::sleep(Duration::from_secs(1));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(1));
        assert!(is_empty(&runs));
    }
}
