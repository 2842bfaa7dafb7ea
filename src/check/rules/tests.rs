//! Every rule against its own page.

use std::collections::BTreeSet;

use super::catalogue;
use crate::check::example::{self, Example};
use crate::check::tried::{checked, codes, codes_against};

fn of(rule: &crate::check::Rule, heading: &str) -> Vec<Example> {
    example::examples(rule).into_iter().filter(|example| example.heading == heading).collect()
}

#[test]
fn codes_and_names_are_unique_and_in_order() {
    let codes: Vec<_> = catalogue().map(|rule| rule.code).collect();
    assert!(codes.is_sorted() && codes.windows(2).all(|pair| pair[0] != pair[1]), "{codes:?}");
    let names: BTreeSet<_> = catalogue().map(|rule| rule.name).collect();
    assert_eq!(names.len(), codes.len());
}

#[test]
fn every_page_says_why_shows_bad_and_good_and_names_its_sources() {
    for rule in catalogue() {
        let page = example::page(rule);
        for heading in ["### Why", "### Bad", "### Good", "### Sources"] {
            assert!(page.contains(heading), "{}: no {heading}", rule.code);
        }
        let (_, sources) = page.split_once("### Sources").unwrap();
        assert!(sources.lines().any(|line| line.starts_with("- ")), "{}: no source", rule.code);
        assert!(!of(rule, "Bad").is_empty() && !of(rule, "Good").is_empty(), "{}: no example", rule.code);
        assert!(rule.summary().len() <= 100, "{}: {}", rule.code, rule.summary());
        assert!(page.lines().all(|line| line.chars().count() <= 120), "{}", rule.code);
    }
}

#[test]
fn bad_examples_find_their_rule_and_nothing_else() {
    for rule in catalogue() {
        for bad in of(rule, "Bad") {
            let mut found: BTreeSet<_> = match of(rule, "Before").first() {
                Some(before) => codes_against(&bad.file, &before.text, &bad.text).into_iter().collect(),
                None => codes(&bad.file, &bad.text).into_iter().collect(),
            };
            assert!(found.remove(rule.code), "{} is not found in its bad example:\n{}", rule.code, bad.text);
            found.remove("OOM200");
            assert!(found.is_empty(), "{}: {found:?} in its bad example too:\n{}", rule.code, bad.text);
        }
    }
}

#[test]
fn good_examples_are_silent() {
    for rule in catalogue() {
        for good in of(rule, "Good") {
            let found = checked(&good.file, &good.text).findings;
            assert!(found.is_empty(), "{}: {found:#?} in its good example:\n{}", rule.code, good.text);
            if let Some(before) = of(rule, "Before").first() {
                assert!(codes_against(&good.file, &before.text, &good.text).is_empty(), "{}", rule.code);
            }
        }
    }
}

/// Wraps a configuration file into a ConfigMap; a manifest stays as it is.
fn document(example: &Example) -> Option<String> {
    match example.file.as_str() {
        "config.yaml" | "flink-conf.yaml" => {
            let indented: String = example.text.lines().map(|line| format!("    {line}\n")).collect();
            let name = example.heading.to_lowercase();
            Some(format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  {}: |\n{indented}",
                example.file
            ))
        }
        file if file.ends_with(".yaml") && example.text.contains("apiVersion:") => Some(example.text.clone()),
        _ => None,
    }
}

#[test]
fn a_bad_configuration_behind_a_good_one_is_found_too() {
    let mut tried = 0;
    for rule in catalogue() {
        let (good, bad) = (of(rule, "Good"), of(rule, "Bad"));
        if !of(rule, "Before").is_empty() {
            // It compares two versions of one file.
            continue;
        }
        let same_kind = |good: &&Example| good.file == bad[0].file;
        let Some(good) = good.iter().find(same_kind) else { continue };
        let (Some(first), Some(second)) = (document(good), document(&bad[0])) else { continue };
        let text = format!("{first}---\n{second}");
        let found = checked("both.yaml", &text).findings;
        let lines = u32::try_from(first.lines().count()).unwrap();
        let behind = found.iter().any(|finding| finding.code == rule.code && finding.line() > lines);
        assert!(behind, "{}: {found:#?}\n{text}", rule.code);
        tried += 1;
    }
    assert!(tried * 2 > catalogue().count(), "only {tried} rules were tried so");
}
