//! The shell lines that users of CI paste, run as they stand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn yaml(name: &str) -> serde_yaml::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A repository with one error.
fn repository() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = "taskmanager.memory.process.size: 1g\ntaskmanager.memory.process.size: 4g\n";
    std::fs::write(folder.path().join("flink-conf.yaml"), text).unwrap();
    std::fs::write(folder.path().join("other.yaml"), "hello: world\n").unwrap();
    folder
}

fn bash(folder: &Path, line: &str, variables: &[(&str, &str)]) -> Output {
    let binary = Path::new(env!("CARGO_BIN_EXE_oomph")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-eo", "pipefail", "-c", line]).current_dir(folder).env("PATH", path);
    bash.envs(variables.iter().copied()).output().unwrap()
}

#[test]
fn the_github_action_annotates_and_writes_sarif() {
    let action = yaml("action.yml");
    let lines: Vec<String> = action["runs"]["steps"]
        .as_sequence()
        .unwrap()
        .iter()
        .map(|step| step["run"].as_str().unwrap().to_owned())
        .collect();
    let folder = repository();
    let variables = [("OOMPH_PATH", "."), ("OOMPH_ARGUMENTS", "--fail-on warning"), ("OOMPH_SARIF", "oomph.sarif")];
    let first = bash(folder.path(), &lines[0], &variables);
    assert!(first.status.success(), "oomph is found: {first:?}");
    let output = bash(folder.path(), &lines[1], &variables);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("::error file=flink-conf.yaml,line=2"), "{output:?}");
    let sarif = std::fs::read_to_string(folder.path().join("oomph.sarif")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&sarif).unwrap()["runs"][0]["results"][0]["ruleId"], "OOM102");
    let without = bash(folder.path(), &lines[1], &[("OOMPH_PATH", "other.yaml --only-flink"), ("OOMPH_SARIF", "")]);
    assert!(without.status.success(), "{without:?}");
}

#[test]
fn the_gitlab_job_writes_both_reports() {
    let job = yaml("ci/gitlab.yml");
    let lines: Vec<String> =
        job["oomph"]["script"].as_sequence().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect();
    let folder = repository();
    assert!(bash(folder.path(), &lines[0], &[]).status.success());
    assert_eq!(bash(folder.path(), &lines[1], &[]).status.code(), Some(1));
    let reports = &job["oomph"]["artifacts"]["reports"];
    let read = |name: &str| std::fs::read_to_string(folder.path().join(reports[name].as_str().unwrap())).unwrap();
    let quality: Value = serde_json::from_str(&read("codequality")).unwrap();
    assert_eq!(quality[0]["location"]["path"], "flink-conf.yaml");
    assert!(read("junit").contains("OOM102"));
}

#[test]
fn the_hooks_name_a_command_that_exists() {
    for hook in yaml(".pre-commit-hooks.yaml").as_sequence().unwrap() {
        let folder = repository();
        let entry = hook["entry"].as_str().unwrap();
        let output = bash(folder.path(), &format!("{entry} flink-conf.yaml other.yaml"), &[]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("other.yaml"));
    }
}
