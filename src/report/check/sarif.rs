//! SARIF 2.1.0, the part of it that code scanning reads. `testdata/sarif` has the schema that a test holds it against.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Entry, Shown, Sink, Spot, Totals, message};
use crate::check::{Rule, by_code_or_name, example};
use crate::model::{Confidence, Edit, Severity};

/// Keeps the results until the end.
#[derive(Default)]
pub struct Sarif {
    results: Vec<Value>,
    notifications: Vec<Value>,
    /// The rules of the results with their place in the list of rules.
    rules: BTreeMap<&'static str, usize>,
    listed: Vec<Value>,
}

fn level(severity: Severity) -> &'static str {
    // SARIF's own words are ours.
    severity.name()
}

fn rule(rule: &Rule) -> Value {
    let precision = match rule.confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "medium",
    };
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary() },
        "fullDescription": { "text": rule.summary() },
        "help": { "text": example::page(rule), "markdown": example::page(rule) },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": ["flink", "memory", rule.family()], "precision": precision },
    })
}

/// A path as the reference of a URI: only what a URI may hold stays as it is.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.trim_start_matches("./").replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            other => out += &format!("%{other:02X}"),
        }
    }
    out
}

fn region(spot: Spot) -> Value {
    json!({ "startLine": spot.line, "startColumn": spot.column, "endLine": spot.line, "endColumn": spot.end })
}

fn location(path: &str, spot: Spot) -> Value {
    json!({ "physicalLocation": { "artifactLocation": { "uri": uri(path) }, "region": region(spot) } })
}

fn replacement(edit: &Edit) -> Value {
    let deleted = |line, column, end_line, end_column| json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column });
    let (region, text) = match edit {
        Edit::Replace { line, from, to, text } => (deleted(*line, *from, *line, *to), text.clone()),
        Edit::Remove { first, last } => (deleted(*first, 1, last + 1, 1), String::new()),
        Edit::Insert { below, text } => (deleted(below + 1, 1, below + 1, 1), format!("{text}\n")),
    };
    json!({ "deletedRegion": region, "insertedContent": { "text": text } })
}

impl Sarif {
    fn index(&mut self, code: &'static str) -> usize {
        if let Some(index) = self.rules.get(code) {
            return *index;
        }
        let index = self.listed.len();
        self.listed.push(by_code_or_name(code).map_or_else(|| json!({ "id": code }), rule));
        self.rules.insert(code, index);
        index
    }

    fn result(&mut self, path: &str, shown: &Shown) -> Value {
        let finding = &shown.finding;
        let mut result = json!({
            "ruleId": finding.code,
            "ruleIndex": self.index(finding.code),
            "level": level(finding.severity),
            "message": { "text": message(finding) },
            "locations": [location(path, shown.spot())],
            "partialFingerprints": { "oomph/v1": shown.fingerprint },
        });
        let related: Vec<Value> = finding
            .labels
            .iter()
            .zip(&shown.spots)
            .skip(1)
            .map(|(label, spot)| {
                let mut place = location(path, *spot);
                if !label.text.is_empty() {
                    place["message"] = json!({ "text": label.text });
                }
                place
            })
            .collect();
        if !related.is_empty() {
            result["relatedLocations"] = Value::Array(related);
        }
        if let Some(fix) = &finding.fix {
            let replacements: Vec<Value> = fix.edits.iter().map(replacement).collect();
            result["fixes"] = json!([{
                "description": { "text": fix.title },
                "artifactChanges": [{ "artifactLocation": { "uri": uri(path) }, "replacements": replacements }],
            }]);
        }
        result
    }
}

impl Sink for Sarif {
    fn entry(&mut self, entry: &Entry, _: &mut dyn Write) -> io::Result<()> {
        for shown in &entry.findings {
            let result = self.result(&entry.path, shown);
            self.results.push(result);
        }
        if let Some(reason) = &entry.unread {
            self.notifications.push(json!({
                "level": "error",
                "message": { "text": format!("could not {reason}") },
                "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&entry.path) } } }],
            }));
        }
        Ok(())
    }

    fn finish(&mut self, _: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let document = json!({
            "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "oomph",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": std::mem::take(&mut self.listed),
                } },
                "columnKind": "unicodeCodePoints",
                "invocations": [{
                    "executionSuccessful": self.notifications.is_empty(),
                    "toolExecutionNotifications": std::mem::take(&mut self.notifications),
                }],
                "results": std::mem::take(&mut self.results),
            }],
        });
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }
}
