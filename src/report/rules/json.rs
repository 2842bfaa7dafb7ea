//! Version 1 of the JSON of `oomph rules`: `docs/schema/rules-v1.json`, which a test keeps equal to these types.

use serde::Serialize;

use crate::check::policy::threshold::{COUNTS, SIZES};
use crate::check::{catalogue, example};

/// Everything about rules.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.rules/1`.
    schema: &'static str,
    rules: Vec<RuleV1>,
    thresholds: Vec<ThresholdV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RuleV1 {
    code: &'static str,
    name: &'static str,
    family: &'static str,
    /// `note`, `warning` or `error`.
    severity: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    /// The first Flink version it holds for.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// `none`, `safe` or `unsafe`.
    fix: &'static str,
    summary: String,
    /// The whole page, as Markdown.
    page: String,
    examples: Vec<ExampleV1>,
}

/// A file that is an example on the page.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ExampleV1 {
    /// `Bad` or `Good`.
    heading: String,
    /// The name that the file must have.
    file: String,
    text: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ThresholdV1 {
    name: &'static str,
    /// `bytes` or `count`.
    unit: &'static str,
    value: u64,
    reason: &'static str,
    source: &'static str,
}

/// The document.
pub fn document() -> Document {
    let version = |line: Option<(u16, u16)>| line.map(|(major, minor)| format!("{major}.{minor}"));
    let rules = catalogue().map(|rule| RuleV1 {
        code: rule.code,
        name: rule.name,
        family: rule.family(),
        severity: rule.severity.name(),
        confidence: rule.confidence.name(),
        since: version(rule.since),
        until: version(rule.until),
        fix: rule.fix.name(),
        summary: rule.summary(),
        page: example::page(rule),
        examples: example::examples(rule)
            .into_iter()
            .map(|example| ExampleV1 { heading: example.heading, file: example.file, text: example.text })
            .collect(),
    });
    let sizes = SIZES.iter().map(|t| ThresholdV1 {
        name: t.name,
        unit: "bytes",
        value: t.default.get(),
        reason: t.reason,
        source: t.source,
    });
    let counts = COUNTS.iter().map(|t| ThresholdV1 {
        name: t.name,
        unit: "count",
        value: t.default,
        reason: t.reason,
        source: t.source,
    });
    Document { schema: "oomph.rules/1", rules: rules.collect(), thresholds: sizes.chain(counts).collect() }
}
