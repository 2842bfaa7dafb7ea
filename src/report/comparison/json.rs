//! A comparison for programs: `oomph.comparison/1`. Sizes are bytes.

use serde::Serialize;

use super::super::Sheet;
use crate::plan::compare::{self, Amount, OptionDifference, Reading, Row};
use crate::plan::settings::Notice;

/// The whole comparison.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.comparison/1`.
    schema: &'static str,
    a: Side,
    b: Side,
    /// Empty where Flink refuses one of the sides.
    rows: Vec<RowV1>,
    /// What Flink logs for one side only.
    only_a: Vec<String>,
    only_b: Vec<String>,
    /// What the two versions read differently.
    options: Vec<OptionV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Side {
    source: Option<String>,
    flink: String,
    accepted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jvm_arguments: Option<String>,
    /// What has been planned for this side, also where the other one is refused.
    sizes: std::collections::BTreeMap<String, u64>,
}

/// One measure on both sides.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RowV1 {
    name: String,
    /// `bytes` or `count`.
    unit: &'static str,
    /// Null where this side has no such thing.
    a: Option<u64>,
    b: Option<u64>,
    difference: Option<i64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct OptionV1 {
    key: String,
    is_set: bool,
    a: ReadingV1,
    b: ReadingV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ReadingV1 {
    read: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_as: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'static str>,
}

/// The comparison of two sheets.
pub fn document(a: &Sheet, b: &Sheet) -> Document {
    let comparison = match (&a.outcome, &b.outcome) {
        (Ok(first), Ok(second)) => Some(compare::compare(first, second)),
        _ => None,
    };
    let (rows, only_a, only_b) = match &comparison {
        Some(found) => (rows(&found.rows), lines(&found.only_a), lines(&found.only_b)),
        None => Default::default(),
    };
    let options = super::differences(a, b).iter().map(option).collect();
    Document { schema: "oomph.comparison/1", a: side(a), b: side(b), rows, only_a, only_b, options }
}

/// The measures of a comparison.
pub fn rows(rows: &[Row]) -> Vec<RowV1> {
    rows.iter()
        .map(|row| RowV1 {
            name: row.measure.key(),
            unit: match row.a.or(row.b) {
                Some(Amount::Count(_)) => "count",
                _ => "bytes",
            },
            a: row.a.map(Amount::get),
            b: row.b.map(Amount::get),
            difference: row.difference().and_then(|n| i64::try_from(n).ok()),
        })
        .collect()
}

fn side(sheet: &Sheet) -> Side {
    let survey = sheet.outcome.as_ref().ok();
    Side {
        source: sheet.source.clone(),
        flink: sheet.planned_version().to_string(),
        accepted: survey.is_some(),
        rejection: sheet.outcome.as_ref().err().map(|rejected| rejected.rejection.to_string()),
        jvm_arguments: survey.map(|survey| survey.plan.jvm_arguments.clone()),
        sizes: survey
            .map(|survey| compare::measures(survey).into_iter().map(|(m, n)| (m.key(), n.get())).collect())
            .unwrap_or_default(),
    }
}

fn lines(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(Notice::to_string).collect()
}

fn option(difference: &OptionDifference) -> OptionV1 {
    let reading = |reading: &Reading| match reading {
        Reading::NotRead => ReadingV1 { read: false, read_as: None, default: None },
        Reading::As(name) => ReadingV1 { read: true, read_as: Some(name), default: None },
        Reading::Default(text) => ReadingV1 { read: true, read_as: None, default: Some(text) },
        Reading::Read | Reading::NoDefault => ReadingV1 { read: true, read_as: None, default: None },
    };
    OptionV1 {
        key: difference.key.clone(),
        is_set: difference.is_set,
        a: reading(&difference.a),
        b: reading(&difference.b),
    }
}
