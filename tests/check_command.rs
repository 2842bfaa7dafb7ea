//! `oomph check` from the outside: what is looked at, what it changes, how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use oomph::check::{catalogue, example};

const TWICE: &str = "taskmanager.memory.process.size: 2g\ntaskmanager.memory.process.size: 4g\n";
const GOOD: &str = "taskmanager.memory.process.size: 4g\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn oomph(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomph")).args(arguments).current_dir(folder).output().unwrap()
}

fn check(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = oomph(folder, &[&["check", "--format", "concise"], arguments].concat());
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn one_bad_file_never_hides_another() {
    let folder = folder(&[("a/flink-conf.yaml", TWICE), ("b/flink-conf.yaml", "x"), ("c/flink-conf.yaml", TWICE)]);
    fs::write(folder.path().join("b/flink-conf.yaml"), b"a.b: \xff\n").unwrap();
    let (code, out, err) = check(folder.path(), &["--select", "OOM102"]);
    assert_eq!(code, Some(3));
    assert_eq!(out.lines().count(), 2, "{out}");
    assert_eq!(err, "error: could not read b/flink-conf.yaml:1:6: byte 0xff is not UTF-8; save the file as UTF-8\n");
}

#[test]
fn what_is_not_flinks_is_passed_over_in_a_walk_and_refused_where_it_is_named() {
    let files = [
        ("flink-conf.yaml", GOOD),
        ("app.yaml", "server:\n  port: 80\n"),
        ("broken.yaml", "a: [\nflink: {\n"),
        ("config.yaml", "name: not flink's\n"),
        ("chart/values.yaml", "image:\n  tag: flink\njobmanager:\n  command:\ntaskmanager:\n  replicas: 2\n"),
        ("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: flink}\n"),
        (".github/workflows/ci.yml", "on: push\njobs: {flink: {runs-on: x}}\n"),
        ("ignored/flink-conf.yaml", TWICE),
        (".gitignore", "ignored/\n"),
    ];
    let folder = folder(&files);
    let output = oomph(folder.path(), &["check"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "nothing found in 1 file\n");
    let (code, _, err) = check(folder.path(), &["service.yaml"]);
    assert_eq!(code, Some(3));
    assert!(err.contains("nothing in it configures Flink"), "{err}");
    assert_eq!(check(folder.path(), &["service.yaml", "--only-flink"]).0, Some(0));
    assert_eq!(check(folder.path(), &["ignored"]).0, Some(1), "a folder that is named is looked at");
}

#[test]
fn files_directories_globs_and_standard_input_are_taken() {
    let folder = folder(&[("a/flink-conf.yaml", TWICE), ("b/flink-conf.yaml", TWICE), ("b/other.conf", TWICE)]);
    let count =
        |arguments: &[&str]| check(folder.path(), &[arguments, &["--select", "OOM102"]].concat()).1.lines().count();
    assert_eq!(count(&["a", "a/flink-conf.yaml", "./a"]), 1, "each file once");
    assert_eq!(count(&["*/flink-conf.yaml"]), 2);
    assert_eq!(count(&["b/*"]), 2);
    assert_eq!(count(&["b/other.conf"]), 1);
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(["check", "-", "--format", "concise", "--stdin-name", "chart"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(TWICE.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("chart:2:34: error[OOM102]"), "{output:?}");
}

#[test]
fn what_cannot_be_understood_is_one_line_and_its_own_exit_code() {
    let folder = folder(&[("flink-conf.yaml", GOOD), ("oomph.yaml", ""), ("base.json", "{}")]);
    let wrong = |yaml: &str, arguments: &[&str], code: i32, expected: &str| {
        fs::write(folder.path().join("oomph.yaml"), yaml).unwrap();
        let (found, out, err) = check(folder.path(), arguments);
        assert_eq!(found, Some(code), "{arguments:?} {yaml}: {err}");
        assert!(err.contains(expected) && err.starts_with("error: "), "{arguments:?} {yaml}: {err}");
        assert_eq!((out.as_str(), err.lines().count()), ("", 1), "{err}");
    };
    wrong("", &["--select", "OOM9"], 2, "`OOM9`");
    wrong("", &["nowhere"], 3, "nowhere");
    wrong("", &["no*where"], 3, "no file matches");
    wrong("", &["--baseline", "base.json"], 2, "no baseline");
    wrong("", &["--baseline", "none.json"], 2, "none.json");
    wrong("", &["--output", "sarif"], 2, "FORMAT=FILE");
    wrong("", &["--output", "xml=a"], 2, "there are text");
    wrong("", &["--output", "text=no/such/a"], 2, "no/such/a");
    wrong("", &["--against", "nowhere"], 2, "no directory");
    wrong("", &["--config", "none.yaml"], 2, "none.yaml");
    wrong("", &["--since", "HEAD"], 2, "git");
    wrong("flnk: 1\n", &[], 2, "flnk");
    wrong("select: [nope]\n", &[], 2, "nope");
    wrong("fail-on: always\n", &[], 2, "always");
    wrong("severity: {OOM102: loud}\n", &[], 2, "loud");
    wrong("flink: soon\n", &[], 2, "soon");
    wrong("thresholds: {none: 1}\n", &[], 2, "none");
    wrong("overrides: [{paths: ['*'], deployment: moon}]\n", &[], 2, "moon");
}

#[test]
fn a_team_decides_in_its_file() {
    let folder = folder(&[("jobs/flink-conf.yaml", TWICE), ("old/flink-conf.yaml", TWICE), ("oomph.yaml", "")]);
    let with = |yaml: &str| {
        fs::write(folder.path().join("oomph.yaml"), yaml).unwrap();
        check(&folder.path().join("jobs"), &[".."])
    };
    assert_eq!(with("").1.lines().count(), 2);
    assert_eq!(with("ignore: [duplicate-key]\n").0, Some(0));
    assert_eq!(with("severity: {OOM102: 'off'}\n").1, "");
    assert_eq!(with("severity: {OOM1: note}\n").0, Some(0));
    assert_eq!(with("severity: {OOM1: note}\nfail-on: note\n").0, Some(1));
    assert_eq!(with("paths: {exclude: [old/]}\n").1.lines().count(), 1);
    assert_eq!(with("paths: {include: ['jobs/**']}\n").1.lines().count(), 1);
    let out = with("overrides:\n- paths: [old/**]\n  ignore: [OOM102]\n").1;
    assert!(out.contains("jobs/") && !out.contains("old/"), "{out}");
}

#[test]
fn a_version_is_told_by_the_team_but_the_file_knows_better() {
    let old = "taskmanager.heap.size: 4g\n";
    let manifest = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: a}\nspec:\n  flinkVersion: \
                    v1_20\n  flinkConfiguration: {state.backend.forst.memory.managed: 'true'}\n";
    let files = [("a/flink-conf.yaml", old), ("b.yaml", manifest), ("oomph.yaml", "flink: '2.1'\n")];
    let folder = folder(&files);
    let (_, out, _) = check(folder.path(), &[]);
    assert!(out.contains("a/flink-conf.yaml") && out.contains("2.1"), "{out}");
    // ForSt came with 2.0.
    assert!(out.lines().any(|line| line.starts_with("b.yaml") && line.contains("OOM106")), "{out}");
    let (_, out, _) = check(folder.path(), &["--flink", "2.0"]);
    assert!(!out.contains("OOM106"), "{out}");
}

#[test]
fn fixing_twice_changes_nothing_the_second_time_and_a_diff_changes_nothing_at_all() {
    let folder = tempfile::tempdir().unwrap();
    for rule in catalogue() {
        for (number, example) in example::examples(rule).iter().enumerate() {
            let directory = folder.path().join(format!("{}-{number}", rule.code));
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(&example.file), &example.text).unwrap();
        }
    }
    let all = || -> Vec<(String, String)> {
        let mut found = Vec::new();
        for directory in fs::read_dir(folder.path()).unwrap() {
            for file in fs::read_dir(directory.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
        found.sort();
        found
    };
    let before = all();
    let output = oomph(folder.path(), &["check", "--diff", "--unsafe-fixes"]);
    assert_eq!(output.status.code(), Some(1));
    let diff = String::from_utf8(output.stdout).unwrap();
    assert_eq!(all(), before);

    oomph(folder.path(), &["check", "--fix"]);
    let safely = all();
    let changed = before.iter().zip(&safely).filter(|(a, b)| a != b).count();
    assert!(changed > 5, "only {changed} files were mended");
    let twice = oomph(folder.path(), &["check", "--fix", "--diff"]);
    assert_eq!((twice.status.code(), twice.stdout.len()), (Some(0), 0), "{}", String::from_utf8_lossy(&twice.stdout));
    oomph(folder.path(), &["check", "--unsafe-fixes"]);
    let all_made = all();
    assert_ne!(all_made, safely);
    let output = oomph(folder.path(), &["check", "--unsafe-fixes", "--diff"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    for ((path, old), (_, new)) in before.iter().zip(&all_made).filter(|(a, b)| a != b) {
        assert!(diff.contains(path.rsplit_once("/OOM").unwrap().1), "{path} is not in the diff");
        // Lines that no edit is about stay as they were.
        let kept = old.lines().filter(|line| new.lines().any(|other| other == *line)).count();
        assert!(kept + 3 >= old.lines().count(), "{path}:\n{old}\nbecame\n{new}");
    }
}

#[test]
fn a_fix_leaves_every_other_byte_alone() {
    let text =
        "# kept\r\n\r\nstate.backend:   hashmap   # and this\r\n\ttaskmanager.memory.process.size : 4g\r\nlast: \u{e9}";
    let folder = folder(&[("flink-conf.yaml", text)]);
    oomph(folder.path(), &["check", "--fix", "--flink", "1.20", "--select", "OOM104"]);
    let after = fs::read_to_string(folder.path().join("flink-conf.yaml")).unwrap();
    assert_eq!(after, text.replace("state.backend:", "state.backend.type:"));
}

#[test]
fn what_moves_since_a_revision_is_told_for_the_files_that_changed() {
    let folder = folder(&[("a/flink-conf.yaml", GOOD), ("b/flink-conf.yaml", GOOD)]);
    let git = |arguments: &[&str]| {
        let done = Command::new("git").args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "a"]);
    fs::write(folder.path().join("b/flink-conf.yaml"), "taskmanager.memory.process.size: 2g\n").unwrap();
    fs::create_dir(folder.path().join("c")).unwrap();
    fs::write(folder.path().join("c/flink-conf.yaml"), GOOD).unwrap();
    git(&["add", "-N", "."]);
    let arguments = ["check", "--since", "HEAD", "--format", "markdown", "--select", "OOM220", "--fail-on", "warning"];
    let output = oomph(folder.path(), &arguments);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("| Total Process Memory | 4 GiB | 2 GiB |"), "{text}");
    assert!(text.contains("`c/flink-conf.yaml`") && text.contains("was not planned before"), "{text}");
    assert!(!text.contains("`a/flink-conf.yaml`"), "{text}");
    // From below the top of the tree as well.
    let output = oomph(&folder.path().join("b"), &arguments);
    assert!(String::from_utf8_lossy(&output.stdout).contains("| 4 GiB | 2 GiB |"));
}

#[test]
fn a_baseline_hides_what_was_there_and_shows_what_is_new() {
    let folder = folder(&[("flink-conf.yaml", TWICE)]);
    let (code, out, err) = check(folder.path(), &["--baseline", "base.json", "--write-baseline"]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert_eq!(check(folder.path(), &["--baseline", "base.json"]).0, Some(0));
    assert_eq!(check(folder.path(), &["--write-baseline=other.json"]).0, Some(0));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("other.json"), read("base.json"));
    assert_eq!(check(folder.path(), &["--write-baseline"]).0, Some(2));
    let more = format!("# one line more\n{TWICE}parallelism.default: 1\nparallelism.default: 2\n");
    fs::write(folder.path().join("flink-conf.yaml"), more).unwrap();
    let (code, out, _) = check(folder.path(), &["--baseline", "base.json"]);
    assert_eq!(code, Some(1));
    assert!(out.starts_with("flink-conf.yaml:5:") && out.lines().count() == 1, "{out}");
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let folder = folder(&[("flink-conf.yaml", TWICE)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .arg("check")
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
}
