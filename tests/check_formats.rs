//! What `oomph check` writes in each format, over every rule's bad example and an input that cannot be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::path::Path;
use std::process::{Command, Output};

use oomph::check::{catalogue, example};
use serde_json::Value;

/// A folder with every example of every rule, a secret, and a file that is no text.
fn examples() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for rule in catalogue() {
        for (number, example) in example::examples(rule).into_iter().enumerate() {
            // A rule may have two bad examples of one file name.
            let directory = folder.path().join(rule.code).join(format!("{}-{number}", example.heading));
            std::fs::create_dir_all(&directory).unwrap();
            std::fs::write(directory.join(&example.file), &example.text).unwrap();
        }
    }
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("flink-conf.yaml", b"s3.secret-key: geheim1\ns3.secret-key: geheim2\nparallelism.default: 1\n");
    std::fs::create_dir_all(folder.path().join("a b%")).unwrap();
    std::fs::write(folder.path().join("a b%/flink-conf.yaml"), b"taskmanager.memory: \xff\n").unwrap();
    folder
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomph"))
        .arg("check")
        .args(arguments)
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn sarif_holds_to_the_official_schema_and_tells_everything() {
    let folder = examples();
    let output = check(folder.path(), &["--format", "sarif"]);
    assert_eq!(output.status.code(), Some(3), "one input cannot be read");
    let sarif = json(&output);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sarif/sarif-schema-2.1.0.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&sarif).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0" })), "the schema checks nothing");

    let run = &sarif["runs"][0];
    let results = run["results"].as_array().unwrap();
    for rule in catalogue().filter(|rule| !example::examples(rule).iter().any(|e| e.heading == "Before")) {
        assert!(results.iter().any(|result| result["ruleId"] == rule.code), "no result of {}", rule.code);
    }
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    }
    let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let place = &notifications[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(place, "a%20b%25/flink-conf.yaml");
}

#[test]
fn every_format_tells_the_same_findings() {
    let folder = examples();
    let own = json(&check(folder.path(), &["--format", "json"]));
    let findings = own["findings"].as_array().unwrap().len();
    assert!(findings > catalogue().count());
    let sarif = json(&check(folder.path(), &["--format", "sarif"]));
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), findings);
    let concise = text(&check(folder.path(), &["--format", "concise"]));
    assert_eq!(concise.lines().count(), findings);
    // These two tell what could not be read as well.
    let gitlab = json(&check(folder.path(), &["--format", "gitlab"]));
    assert_eq!(gitlab.as_array().unwrap().len(), findings + 1);
    let github = text(&check(folder.path(), &["--format", "github"]));
    assert_eq!(github.lines().filter(|line| line.starts_with("::")).count(), findings + 1);
    assert_eq!(github.lines().count(), findings + 1, "a command is one line");
    let junit = text(&check(folder.path(), &["--format", "junit"]));
    assert!(junit.matches("<testcase").count() > findings);
    let mut reader = quick_xml::Reader::from_str(&junit);
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
    let markdown = text(&check(folder.path(), &["--format", "markdown"]));
    assert_eq!(
        markdown.matches("** OOM").count()
            + markdown.matches("| warning OOM").count()
            + markdown.matches("| note OOM").count(),
        findings
    );
}

#[test]
fn no_format_shows_a_secret() {
    let folder = examples();
    for format in ["text", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown"] {
        let output = check(folder.path(), &["--format", format, "--select", "OOM102"]);
        assert!(text(&output).contains("secret-key"), "{format}");
        assert!(!text(&output).contains("geheim"), "{format}: {}", text(&output));
    }
}

#[test]
fn a_text_is_no_wider_than_eighty_columns_where_it_can_be_broken() {
    let folder = examples();
    let text = text(&check(folder.path(), &[]));
    assert!(text.lines().count() > 200);
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    // Paths, words and the input's own lines are as long as they are.
    let breakable = |line: &&&str| {
        let body = line.trim_start_matches([' ', '=']).trim_start();
        let prose = ["note: ", "help: ", "in: ", "fix: "].iter().any(|start| body.starts_with(start));
        prose && line.rsplit(' ').next().is_some_and(|last| last.len() < 60)
    };
    let breakable: Vec<_> = wide.iter().filter(breakable).collect();
    assert!(breakable.is_empty(), "{breakable:#?}");
}

#[test]
fn several_formats_are_written_at_once_and_files_have_no_colours() {
    let folder = examples();
    let arguments = ["--output", "sarif=a.sarif", "--output", "Text=a.txt", "--format", "github", "--select", "OOM102"];
    let output = check(folder.path(), &arguments);
    assert!(text(&output).starts_with("::error file="));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(serde_json::from_str::<Value>(&read("a.sarif")).is_ok());
    assert!(read("a.txt").contains("error[OOM102]") && !read("a.txt").contains('\u{1b}'));
}
