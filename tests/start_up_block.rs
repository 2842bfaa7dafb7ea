//! Flink's own output against ours: the block in its start-up log, the JVM's arguments and the dynamic properties.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

fn oomph(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_oomph")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[rstest]
fn a_plan_printed_as_flinks_log_is_flinks_log(
    #[values("1.11.4", "1.20.5", "2.3.0")] version: &str,
    #[values("taskmanager", "jobmanager")] role: &str,
) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/start-up-block");
    let config = folder.join("flink-conf.yaml");
    let ask =
        |format| oomph(&["plan", config.to_str().unwrap(), "--flink", version, "--role", role, "--format", format]);
    let read = |what: &str| fs::read_to_string(folder.join(format!("{version}.{role}.{what}"))).unwrap();
    assert_eq!(ask("flink-log"), read("log"));
    let arguments = read("arguments");
    let mut lines = arguments.lines();
    assert_eq!(Some(ask("jvm-args").trim_end_matches('\n')), lines.next());
    assert_eq!(ask("properties").trim_end_matches('\n'), lines.next().unwrap_or_default());
}
