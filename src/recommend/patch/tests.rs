#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use super::*;
use crate::model::Place;

fn original<'a>(text: &'a str, kind: FileKind) -> Original<'a> {
    Original { path: "/conf/config.yaml", text, kind, profile: Profile::newest() }
}

const CHANGES: [(&str, Option<&str>); 3] = [
    ("taskmanager.memory.process.size", Some("6g")),
    ("taskmanager.memory.managed.size", None),
    ("taskmanager.memory.jvm-overhead.min", Some("1024m")),
];

fn changes() -> Vec<Change> {
    let change = |(key, value): &(&str, Option<&str>)| match value {
        Some(value) => Change::set(*key, *value),
        None => Change::remove(*key),
    };
    CHANGES.iter().map(change).collect()
}

#[test]
fn a_diff_changes_takes_out_and_adds_lines_and_keeps_the_rest() {
    let text = "# ours\ntaskmanager.memory.process.size: 4g # of the pod\ntaskmanager.memory.managed.size: \
                1g\nparallelism.default: 4\n";
    for kind in [FileKind::Standard, FileKind::Legacy] {
        let after = super::text(&original(text, kind), &changes()).unwrap();
        assert_eq!(
            after,
            "# ours\ntaskmanager.memory.process.size: 6g # of the pod\nparallelism.default: 4\n\
             taskmanager.memory.jvm-overhead.min: 1024m\n"
        );
        let diff = unified(&original(text, kind), &changes()).unwrap();
        assert!(diff.starts_with("--- a/conf/config.yaml\n+++ b/conf/config.yaml\n@@"), "{diff}");
        assert!(diff.contains("-taskmanager.memory.managed.size: 1g\n"), "{diff}");
        assert!(diff.contains("+taskmanager.memory.jvm-overhead.min: 1024m\n"), "{diff}");
    }
}

#[test]
fn a_nested_file_is_edited_in_its_place() {
    let text =
        "taskmanager:\n  memory:\n    process:\n      size: 4g\n    managed:\n      size: 1g\n      fraction: 0.2\n";
    let after = super::text(&original(text, FileKind::Standard), &changes()).unwrap();
    assert!(after.contains("      size: 6g\n") && !after.contains("size: 1g"), "{after}");
    assert!(after.ends_with("taskmanager.memory.jvm-overhead.min: 1024m\n"), "{after}");
}

#[test]
fn what_cannot_be_edited_is_said_and_not_guessed() {
    let alone = "taskmanager:\n  memory:\n    managed:\n      size: 1g\n";
    let refused =
        super::text(&original(alone, FileKind::Standard), &[Change::remove("taskmanager.memory.managed.size")]);
    assert_eq!(refused, Err(Unpatched::Line("taskmanager.memory.managed.size".to_owned())));
    assert_eq!(super::text(&original("a: 1\n", FileKind::Standard), &[]), Err(Unpatched::Nothing));
}

#[test]
fn a_secret_beside_a_change_is_masked() {
    let text = "s3.secret-key: hunter2\ntaskmanager.memory.process.size: 4g\n";
    let diff =
        unified(&original(text, FileKind::Standard), &[Change::set("taskmanager.memory.process.size", "6g")]).unwrap();
    assert!(!diff.contains("hunter2"), "{diff}");
}

#[test]
fn a_deployment_is_patched_where_it_states_the_size() {
    let mut config = Config::new();
    config.begin(Layer::Resource);
    config.set("taskmanager.memory.process.size".to_owned(), Value::text("4g"), Place::of(Source::Stdin));
    let patch = flink_deployment(&config, &changes()).unwrap();
    assert_eq!(
        patch,
        "spec:\n  flinkConfiguration:\n    taskmanager.memory.managed.size: null\n    \
         taskmanager.memory.jvm-overhead.min: \"1024m\"\n  taskManager:\n    resource:\n      memory: \"6g\"\n"
    );
    let plain = flink_deployment(&Config::new(), &changes()).unwrap();
    assert!(plain.contains("    taskmanager.memory.process.size: \"6g\"\n") && !plain.contains("resource"), "{plain}");
    assert!(crate::config::yaml::parse(&patch).unwrap().is_some());
}
