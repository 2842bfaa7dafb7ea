//! What newcomers meet: the wrong file, the wrong folder, a typo, no argument. One line that says what was wrong and what to
//! do, and the right exit code.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

/// Runs it in a folder with one of everything that is no configuration.
fn oomph(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("empty")).unwrap();
    fs::write(at("config.yaml"), "taskmanager.memory.process.size: 4g\n").unwrap();
    fs::write(at("tm.log"), "2026-01-01 00:00:00,000 INFO something\n2026-01-01 00:00:01,000 INFO more\n").unwrap();
    fs::write(at("kernel.log"), "[812311.204] java invoked oom-killer: gfp_mask=0xcc0, order=0\n").unwrap();
    fs::write(at("job.jar"), b"PK\x03\x04\x14\x00\x08\x08").unwrap();
    Command::new(env!("CARGO_BIN_EXE_oomph")).args(arguments).current_dir(folder.path()).output().unwrap()
}

#[rstest]
// The wrong file.
#[case(&["plan", "tm.log"], 3, "error: could not read tm.log: it is a log, and shows neither")]
#[case(&["plan", "kernel.log"], 3, "oomph diagnose reads what logs tell of a death")]
#[case(&["plan", "job.jar"], 3, "error: could not read job.jar: it has zero bytes, as programs and archives have")]
#[case(&["plan", "nothing.yaml"], 3, "error: could not read nothing.yaml: No such file")]
#[case(&["diagnose", "nothing.log"], 3, "error: could not read nothing.log: No such file")]
#[case(&["diagnose", "job.jar"], 3, "error: could not read job.jar: ")]
#[case(&["attach", "--recording", "tm.log"], 3, "error: could not read tm.log: it is no recording of oomph")]
#[case(&["attach", "--root", "empty"], 3, "error: empty is no capture: there is no proc/PID in it")]
// The wrong folder.
#[case(&["plan", "empty"], 3, "A configuration directory holds config.yaml or flink-conf.yaml")]
#[case(&["diagnose", "empty"], 3, "error: there is no file in what was given; oomph diagnose --ask")]
#[case(&["repro", "loop", "--all", "--flink-home", "empty"], 3, "--flink-home is the directory of a Flink")]
// Nothing.
#[case(&["plan"], 2, "error: no configuration: name a file or a directory")]
#[case(&["attach"], 2, "error: no process: give its id, or --all")]
#[case(&["serve"], 2, "error: no process: give its id, or --all")]
#[case(&["diagnose"], 2, "error: nothing to read: name logs or a folder of them")]
#[case(&["explain"], 2, "error: no rule or cause: give its code or its name")]
#[case(&["repro", "run"], 2, "error: nothing to run: name a scenario (oomph repro list has them)")]
#[case(&["repro", "loop", "--flink-home", "empty"], 2, "error: nothing to run: give --all, or names of these: ")]
// A typo.
#[case(&["config.yaml"], 2, "error: config.yaml is no verb: say what is to be done with it, as in oomph plan config.yaml")]
#[case(&["paln"], 2, "a similar subcommand exists: 'plan'")]
#[case(&["repro", "show", "unmanaged"], 2, "error: there is no scenario `unmanaged`; did you mean unmanaged-rocksdb?")]
#[case(&["repro", "run", "sotf-cache"], 2, "error: there is no scenario `sotf-cache`; did you mean soft-cache?")]
#[case(&["repro", "run", "metaspace"], 2, "error: metaspace runs on a real Flink: oomph repro run metaspace --on flink")]
#[case(&["explain", "duplicate-kye"], 2, "error: there is no rule or cause duplicate-kye; did you mean duplicate-key?")]
#[case(&["attach", "taskmanager"], 2, "a process is named by its id; oomph attach --all finds those of Flink")]
#[case(&["size", "--container", "8"], 2, "bare digits are bytes, as in Flink; write 8g or 8m")]
fn what_newcomers_do_wrong_is_said_in_words(#[case] arguments: &[&str], #[case] code: i32, #[case] says: &str) {
    let output = oomph(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{error}");
    assert!(error.contains(says), "{error}");
    assert!(output.stdout.is_empty(), "nothing that looks like an answer: {}", String::from_utf8_lossy(&output.stdout));
}

/// A folder with a Flink of which there is a name alone, and an interpreter with PyFlink of another version.
fn flink_and_another_python() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("flink/lib")).unwrap();
    fs::write(at("flink/lib/flink-dist-2.3.0.jar"), "").unwrap();
    fs::write(at("python3"), "#!/bin/sh\necho 1.20.5\n").unwrap();
    fs::set_permissions(at("python3"), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

#[test]
fn a_job_with_python_functions_says_which_python_it_needs_and_how_to_get_it() {
    let folder = flink_and_another_python();
    let words = ["repro", "loop", "python-worker", "--flink-home", "flink", "--python", "./python3", "--dir", "runs"];
    let output = Command::new(env!("CARGO_BIN_EXE_oomph")).args(words).current_dir(folder.path()).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.starts_with("error: could not run python-worker: it needs PyFlink 2.3.0, and "), "{error}");
    assert!(error.contains("/python3 has PyFlink 1.20.5: python3 -m venv pyflink-2.3.0; "), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(fs::read_dir(folder.path().join("runs")).unwrap().count(), 0);
}

#[test]
fn of_all_failures_the_one_that_needs_a_python_is_named_as_not_run_where_there_is_none() {
    let folder = flink_and_another_python();
    let words = ["repro", "loop", "--all", "--flink-home", "flink", "--python", "./python3", "--dir", "runs"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    // No JDK: the others end before anything is started.
    let output = command.args(words).current_dir(folder.path()).env("JAVA_HOME", folder.path()).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let (_, not_run) = told.split_once("\nNot run\n").unwrap();
    assert!(not_run.trim_start().starts_with("python-worker: needs PyFlink 2.3.0, and"), "{not_run}");
    assert!(not_run.ends_with("; 1 not run\n") && not_run.contains("0 of "), "{not_run}");
    assert_eq!(fs::read_dir(folder.path().join("runs")).unwrap().count(), 0);
}

#[test]
fn a_configuration_that_is_to_be_diagnosed_is_told_where_it_belongs() {
    let output = oomph(&["diagnose", "config.yaml"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("note: a configuration tells of no death: oomph check"), "{error}");
}

#[test]
fn a_log_that_is_to_be_checked_is_told_where_it_belongs() {
    let output = oomph(&["check", "tm.log"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.starts_with("error: could not read tm.log: it is a log"), "{error}");
}

#[test]
fn a_directory_without_a_configuration_is_clean_and_says_that_nothing_was_recognised() {
    let output = oomph(&["check", "empty"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.starts_with("note: no Flink configuration was recognised"), "{error}");
    assert!(oomph(&["check", "config.yaml"]).stderr.is_empty());
}

#[test]
fn a_slip_in_what_is_supposed_is_told_since_flink_would_take_it_in_silence() {
    let supposed = |key: &str| oomph(&["plan", "config.yaml", "--set", &format!("{key}=8g")]);
    let output = supposed("taskmanager.memory.proces.size");
    assert_eq!(output.status.code(), Some(0));
    let error = String::from_utf8(output.stderr).unwrap();
    let expected =
        "note: no Flink knows taskmanager.memory.proces.size; did you mean taskmanager.memory.process.size?\n";
    assert_eq!(error, expected);
    assert!(supposed("taskmanager.memory.process.size").stderr.is_empty());
    assert!(supposed("my.own.key").stderr.is_empty());
}

#[test]
fn kubernetes_is_called_k8s_too() {
    let output = oomph(&["plan", "config.yaml", "--deployment", "k8s"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("config.yaml, on Kubernetes"), "{text}");
}

/// Every verb with the verbs below it.
const VERBS: [&[&str]; 18] = [
    &[],
    &["plan"],
    &["size"],
    &["check"],
    &["attach"],
    &["record"],
    &["capture"],
    &["serve"],
    &["diagnose"],
    &["repro"],
    &["repro", "list"],
    &["repro", "show"],
    &["repro", "run"],
    &["repro", "loop"],
    &["repro", "predict"],
    &["repro", "compare"],
    &["explain"],
    &["rules"],
];

#[test]
fn every_verb_says_in_80_columns_how_it_is_used_and_how_it_ends() {
    for verb in VERBS {
        let output = oomph(&[verb, &["--help"]].concat());
        let help = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{verb:?}");
        assert!(help.contains("\nExit codes:\n"), "{verb:?} does not say how it ends");
        assert!(help.lines().filter(|line| line.starts_with("  oomph ")).count() > 0, "{verb:?} has no example");
        let wide = help.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "{verb:?}");
    }
}

#[test]
fn no_verb_is_left_out_of_the_list_above() {
    let help = String::from_utf8(oomph(&["--help"]).stdout).unwrap();
    let list = help.split("\nCommands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let verbs =
        list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|word| !word.is_empty()));
    for verb in verbs.filter(|verb| *verb != "help") {
        assert!(VERBS.contains(&&[verb][..]), "{verb}");
    }
}

/// The texts that people read first, and all that they lead to.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned(), "ARCHITECTURE.md".to_owned()];
    for folder in ["docs", "docs/guide", "docs/causes"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".md") {
                names.push(format!("{folder}/{name}"));
            }
        }
    }
    names.into_iter().map(|name| (name.clone(), fs::read_to_string(root.join(&name)).unwrap())).collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut followed = 0;
    for (name, text) in documents() {
        let folder = Path::new(&name).parent().unwrap();
        // What stands in a fence is output, or to be copied.
        let prose: String = text.split("```").step_by(2).collect();
        for target in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { root.join(&name) } else { root.join(folder).join(path) };
            assert!(path.exists(), "{name} links to {target}");
            if !heading.is_empty() {
                let linked = fs::read_to_string(&path).unwrap();
                let headings = linked.lines().filter_map(|line| line.strip_prefix('#'));
                let found =
                    headings.map(|line| anchor(line.trim_start_matches('#').trim())).any(|found| found == heading);
                assert!(found, "{name} links to {target}");
            }
            followed += 1;
        }
    }
    assert!(followed > 100, "{followed} links were found, and there are more");
}

#[test]
fn the_verdicts_and_scenarios_of_the_five_incidents_are_as_the_front_page_has_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("README.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.contains("`oomph repro show ")).collect();
    let mut folders: Vec<_> =
        fs::read_dir(root.join("testdata/incidents")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert_eq!((rows.len(), folders.len()), (5, 5));
    for (row, folder) in rows.iter().zip(&folders) {
        let code = row.split("| [").nth(1).unwrap().split(']').next().unwrap();
        let output = oomph(&["diagnose", folder.to_str().unwrap()]);
        let verdict = String::from_utf8(output.stdout).unwrap();
        assert!(verdict.lines().nth(2).unwrap().starts_with(code), "{row}\n{verdict}");
        let scenario = row.split("`oomph repro show ").nth(1).unwrap().split('`').next().unwrap();
        let shown = oomph(&["repro", "show", scenario]);
        assert_eq!(shown.status.code(), Some(0), "{row}");
        assert!(String::from_utf8(shown.stdout).unwrap().starts_with(&format!("{scenario}: ")));
    }
}
