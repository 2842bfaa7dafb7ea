//! What `oomph attach` prints of a captured TaskManager in each of its formats: they agree with one another, keep to the
//! width, and are what they claim to be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/live/1.20.5-no-nmt/root");
const PID: &str = "16651";

fn attach(more: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO_BIN_EXE_oomph")).args(["attach", "--root", ROOT]).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json() -> Value {
    serde_json::from_str(&attach(&[PID, "--format", "json"])).unwrap()
}

#[test]
fn the_page_keeps_to_the_width() {
    let page = attach(&[PID]);
    for section in ["The JVM", "Other limits", "Page cache: no action", "Not seen"] {
        assert!(page.contains(section), "no {section}: {page}");
    }
    for line in page.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn each_null_is_named_with_its_reason() {
    let report = json();
    let unseen: BTreeSet<&str> =
        report["unseen"].as_array().unwrap().iter().map(|unseen| unseen["what"].as_str().unwrap()).collect();
    let observations = report["observations"].as_object().unwrap();
    assert!(observations.len() > 50, "{}", observations.len());
    for (name, value) in observations {
        assert_eq!(value.is_null(), unseen.contains(format!("observations.{name}").as_str()), "{name}");
    }
    for (part, source) in [("malloc", "malloc's chunks"), ("nmt", "native memory tracking")] {
        assert!(report[part].is_null() && unseen.contains(source), "{part}");
    }
    let jvm = &report["jvm"];
    assert_eq!((jvm["collector"].as_str(), jvm["heap_used_as_of"].as_str()), (Some("G1"), Some("collection")));
    assert_eq!(report["container"]["page_cache"]["verdict"], "no_action");
}

#[test]
fn the_ledger_and_what_is_outside_are_the_resident_set() {
    let report = json();
    let sum = |rows: &Value| -> u64 {
        let each = rows.as_array().unwrap().iter();
        each.map(|row| match row["pools"].as_object() {
            Some(pools) => pools.values().map(|bytes| bytes.as_u64().unwrap()).sum(),
            None => row["bytes"].as_u64().unwrap(),
        })
        .sum()
    };
    let malloc = report["pools"]["malloc"].as_u64().unwrap();
    assert_eq!(sum(&report["ledger"]) + sum(&report["outside"]) + malloc, report["rss"].as_u64().unwrap());
    for row in report["ledger"].as_array().unwrap() {
        let (budget, used) = (row["budget"].as_i64().unwrap(), row["used"].as_i64());
        assert_eq!(row["head_room"].as_i64(), used.map(|used| budget - used), "{row}");
        assert_eq!(row["at_most"].is_null(), used.is_some(), "{row}");
    }
}

/// A sample's line: metric, labels, value.
fn sample(line: &str) -> (&str, &str, &str) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    (name, labels, value)
}

#[test]
fn a_scrape_is_well_formed() {
    let text = attach(&[PID, "--openmetrics"]);
    let names = |text: &str| text.lines().filter(|line| line.starts_with("# TYPE")).count();
    assert_eq!(names(&text), names(&attach(&[PID, "--format", "openmetrics"])));
    assert!(text.ends_with("# EOF\n") && text.matches("# EOF").count() == 1);
    let mut series = BTreeSet::new();
    let mut families = BTreeSet::new();
    let mut family = "";
    let mut kind = "";
    for line in text.lines().take_while(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (what, name, text) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
            match what {
                "HELP" => {
                    assert!(families.insert(name), "{name} is in two places");
                    family = name;
                }
                "TYPE" => kind = text,
                "UNIT" => assert!(name.ends_with(&format!("_{text}")), "{line}"),
                other => panic!("{other}"),
            }
            assert_eq!(name, family, "{line}");
            continue;
        }
        let (name, labels, value) = sample(line);
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        assert_eq!(name, format!("{family}{suffix}"), "{line}");
        assert!(value.parse::<f64>().is_ok(), "{line}");
        assert!(series.insert((name, labels)), "{line} is there twice");
    }
    assert!(series.len() > 60, "{}", series.len());
}

#[test]
fn a_scrape_says_the_same_as_the_json() {
    let (report, text) = (json(), attach(&[PID, "--openmetrics"]));
    let value = |start: &str| {
        let line = text.lines().find(|line| line.starts_with("oomph_") && line.contains(start));
        line.map(|line| sample(line).2.to_owned())
    };
    assert_eq!(value("pool=\"java_heap\""), Some(report["pools"]["java_heap"].to_string()));
    assert_eq!(value("component=\"managed\""), Some(report["budget"]["managed"].to_string()));
    assert_eq!(value("oomph_young_collections_total"), Some(report["jvm"]["young"]["times"].to_string()));
    // What malloc holds was not seen: there is no series that says 0.
    assert_eq!(value("pool=\"block_cache\""), None);
    assert!(value("what=\"malloc's chunks\"").is_some());
}

#[test]
fn a_page_of_html_loads_and_runs_nothing() {
    let page = attach(&[PID, "--format", "html"]);
    assert!(page.starts_with("<!DOCTYPE html>") && page.trim_end().ends_with("</html>"));
    for forbidden in ["<script", "<link", "<iframe", "href=", "src=", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("<svg") && page.contains("Java heap 373.8 MiB"), "{page}");
    assert!(page.contains("<td class=\"n\">373.8</td><td class=\"n\">512.0</td>"));
}

#[test]
fn markdown_has_the_table_and_what_was_not_seen() {
    let page = attach(&[PID, "--format", "markdown"]);
    assert!(page.starts_with("### TaskManager 16651"));
    assert!(page.contains("| JVM Heap | 373.8 | 512.0 | 138.2 | by shape, smaps |"), "{page}");
    assert_eq!(page.matches("```").count() % 2, 0);
    assert!(page.contains("\nNot seen:\n"));
}

#[test]
fn a_summary_has_a_row_a_process() {
    let text = attach(&["--all", "--summary"]);
    assert!(text.lines().nth(1).unwrap().contains("pid 16651"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let rows: Value = serde_json::from_str(&attach(&["--all", "--summary", "--format", "json"])).unwrap();
    assert_eq!(rows["schema"], "oomph.attach-summary/1");
    assert_eq!((rows["rows"].as_array().unwrap().len(), &rows["rows"][0]["resident"]), (1, &json()["rss"]));
}
