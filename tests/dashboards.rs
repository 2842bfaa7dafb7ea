//! The dashboard and the alert rules name no metric and no label that a scrape does not have, and the page of metrics lists
//! all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;

use oomph::model::{Component, Pool};
use oomph::report::attach::openmetrics::families;
use serde_json::Value;

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Every text below a key of one of these names.
fn texts<'v>(value: &'v Value, keys: &[&str], found: &mut Vec<&'v str>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str() {
                    Some(text) if keys.contains(&key.as_str()) => found.push(text),
                    _ => texts(value, keys, found),
                }
            }
        }
        Value::Array(array) => array.iter().for_each(|value| texts(value, keys, found)),
        _ => {}
    }
}

/// The words of a query that begin with `oomph_`.
fn metrics(query: &str) -> impl Iterator<Item = &str> {
    query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("oomph_"))
}

/// The matchers of a query: label and value.
fn matchers(query: &str) -> Vec<(String, String)> {
    let inside = query.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let each = inside.flat_map(|list| list.split("\",")).filter_map(|matcher| {
        let (label, value) = matcher.split_once(['=', '!'])?;
        Some((label.to_owned(), value.trim_start_matches(['=', '~']).trim_matches('"').to_owned()))
    });
    each.collect()
}

#[test]
fn every_query_names_metrics_and_labels_of_a_scrape() {
    let dashboard: Value = serde_json::from_str(&read("dashboards/grafana-oomph.json")).unwrap();
    let rules: Value = serde_yaml::from_str(&read("dashboards/prometheus-rules.yaml")).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, &["expr", "query"], &mut queries);
    let in_dashboard = queries.len();
    texts(&rules, &["expr"], &mut queries);
    assert!(in_dashboard > 20 && queries.len() - in_dashboard > 8, "{in_dashboard} of {}", queries.len());

    let families = families();
    let known: BTreeSet<String> = families.iter().map(|family| family.sample()).collect();
    let mut labels: BTreeSet<&str> = families.iter().flat_map(|family| family.labels).copied().collect();
    labels.extend(["pid", "name", "role", "instance"]);
    let components =
        [Component::JvmMetaspace, Component::JvmOverhead, Component::Managed, Component::Network, Component::TaskHeap];
    let mut used = 0;
    for query in queries {
        for metric in metrics(query) {
            used += 1;
            assert!(known.contains(metric), "{metric} is no metric: {query}");
        }
        for (label, value) in matchers(query) {
            assert!(labels.contains(label.as_str()), "{label} is no label: {query}");
            for value in value.split('|').filter(|value| !value.starts_with('$')) {
                match label.as_str() {
                    "pool" => assert!(Pool::of_key(value).is_some(), "{value} is no pool: {query}"),
                    "component" => assert!(components.iter().any(|known| known.key() == value), "{value}: {query}"),
                    _ => {}
                }
            }
        }
    }
    assert!(used > 30, "only {used} uses of metrics were recognised");
}

#[test]
fn every_alert_says_what_is_wrong() {
    let rules: Value = serde_yaml::from_str(&read("dashboards/prometheus-rules.yaml")).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule["alert"].as_str().unwrap()).collect();
    assert_eq!(names.len(), rules.len());
    for rule in rules {
        assert!(rule["annotations"]["summary"].as_str().unwrap().contains("$labels.pid"), "{rule}");
        assert!(matches!(rule["labels"]["severity"].as_str(), Some("warning" | "critical")), "{rule}");
    }
}

/// Writes the list anew when `UPDATE_METRICS` is set.
#[test]
fn the_page_lists_every_metric() {
    let page = read("docs/metrics.md");
    let (before, rest) = page.split_once("<!-- metrics -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of metrics -->").unwrap();
    let mut list = "| metric | type | labels | what it is |\n|---|---|---|---|\n".to_owned();
    for family in families() {
        let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
        let (name, labels) = (family.sample(), labels.join(", "));
        list += &format!("| `{name}` | {} | {labels} | {} |\n", family.kind.name(), family.help);
    }
    let expected = format!("{before}<!-- metrics -->\n{list}<!-- end of metrics -->{after}");
    if std::env::var_os("UPDATE_METRICS").is_some() {
        fs::write(format!("{}/docs/metrics.md", env!("CARGO_MANIFEST_DIR")), &expected).unwrap();
    }
    assert!(read("docs/metrics.md") == expected, "out of date: UPDATE_METRICS=1 cargo test --test dashboards");
}
