#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use super::*;
use crate::config::{Config, Value};
use crate::flink::profile::Profile;
use crate::model::{Place, Role, Source};
use crate::plan::Question;
use crate::recommend::cure::Evidence;

const VPA: &str = "kind: VerticalPodAutoscaler\nstatus:\n  recommendation:\n    containerRecommendations:\n    - \
                   containerName: flink-main-container\n      target: {cpu: 500m, memory: SIZE}\n      upperBound: \
                   {memory: 9Gi}\n";

fn judged(text: &str, process: &str, evidence: Evidence) -> Opinion {
    let mut config = Config::new();
    config.set("taskmanager.memory.process.size".to_owned(), Value::text(process), Place::of(Source::Caller));
    let question = Question {
        role: Role::TaskManager,
        deployment: Deployment::Kubernetes,
        consumers: Vec::new(),
        managed_backend: true,
        stores: Vec::new(),
    };
    let patient = Patient {
        role: Role::TaskManager,
        config: &config,
        whole: true,
        profile: Profile::newest(),
        version: Profile::newest().version(),
        question: &question,
        cause: "OOM940",
        limit: None,
        usage: None,
        shortfall: None,
        evidence,
    };
    judge(&read(text).unwrap()[0], &patient)
}

#[test]
fn a_size_below_what_flink_takes_is_not_allowed() {
    let opinion = judged(&VPA.replace("SIZE", "600Mi"), "4g", Evidence::default());
    assert!(!opinion.allowed && opinion.floor.unwrap() > Bytes::mib(600), "{opinion:?}");
    assert!(opinion.reasons.iter().any(|why| why.contains("Flink takes no less")), "{opinion:?}");
}

#[test]
fn the_floor_is_the_least_that_flink_takes() {
    let floor = judged(&VPA.replace("SIZE", "4Gi"), "4g", Evidence::default()).floor.unwrap();
    let at = |size: u64| {
        let opinion = judged(&VPA.replace("SIZE", &format!("{size}Mi")), "4g", Evidence::default());
        opinion.allowed
    };
    assert!(at(floor.whole_mib()) && !at(floor.whole_mib() - 1), "{floor:?}");
}

#[test]
fn a_pod_that_shrinks_without_flink_is_told_to_take_flink_along() {
    let opinion = judged(&VPA.replace("SIZE", "3Gi"), "4g", Evidence::default());
    assert!(opinion.allowed, "{opinion:?}");
    assert!(opinion.reasons[0].contains("taskmanager.memory.process.size has to be set with it"), "{opinion:?}");
    assert_eq!(opinion.changes, [Change::set("taskmanager.memory.process.size", "3072m")]);
}

#[test]
fn what_was_measured_has_to_fit() {
    let seen = Evidence { heap_live: Some(Bytes::mib(1200)), ..Evidence::default() };
    let opinion = judged(&VPA.replace("SIZE", "3Gi"), "4g", seen.clone());
    assert!(!opinion.allowed && opinion.reasons.iter().any(|why| why.contains("what lives in it")), "{opinion:?}");
    assert!(judged(&VPA.replace("SIZE", "8Gi"), "4g", seen).allowed);
}

#[test]
fn krr_and_keys_of_flinks_are_read() {
    let krr = r#"{"scans": [{"object": {"kind": "Deployment", "container": "flink-main-container"},
        "recommended": {"requests": {"memory": {"value": 2147483648.0}}, "limits": {"memory": {"value": 2147483648}}}}]}"#;
    let found = read(krr).unwrap();
    assert_eq!((found[0].origin, found[0].memory), (Origin::Krr, Some(Bytes::gib(2))));
    let keys = "taskmanager.memory.process.size: 2048m\ntaskmanager.memory.task.heap.size: null\nother: 1\n";
    let found = read(keys).unwrap();
    assert_eq!(found[0].changes.len(), 2);
    assert!(judged(keys, "4g", Evidence::default()).allowed);
    let bad = "taskmanager.memory.process.size: 300m\n";
    assert!(judged(bad, "4g", Evidence::default()).reasons[0].contains("Flink refuses it"));
    assert_eq!(read("a: 1\n"), Err(ProposalError::Nothing));
}
