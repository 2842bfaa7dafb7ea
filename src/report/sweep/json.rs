//! A table of values for programs: `oomph.vary/1`. Sizes are bytes.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::Sheet;
use crate::flink::sensitive;
use crate::plan::compare::measures;
use crate::plan::vary::{Axis, Row};

/// The whole table.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.vary/1`.
    schema: &'static str,
    source: Option<String>,
    flink: String,
    /// The options that vary.
    keys: Vec<String>,
    rows: Vec<RowV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RowV1 {
    /// Each option's value, in the order of `keys`.
    values: Vec<String>,
    accepted: bool,
    /// What Flink says where it does not start.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<String>,
    /// Bytes, and counts of slots and network buffers.
    sizes: BTreeMap<String, u64>,
}

/// The table.
pub fn document(sheet: &Sheet, axes: &[Axis], rows: &[Row]) -> Document {
    let row = |row: &Row| RowV1 {
        values: axes.iter().zip(&row.values).map(|(a, v)| sensitive::shown(&a.key, v).to_owned()).collect(),
        accepted: row.outcome.is_ok(),
        rejection: row.outcome.as_ref().err().map(|rejected| rejected.rejection.to_string()),
        sizes: row
            .outcome
            .as_ref()
            .map(|survey| measures(survey).into_iter().map(|(m, amount)| (m.key(), amount.get())).collect())
            .unwrap_or_default(),
    };
    Document {
        schema: "oomph.vary/1",
        source: sheet.source.clone(),
        flink: sheet.planned_version().to_string(),
        keys: axes.iter().map(|axis| axis.key.clone()).collect(),
        rows: rows.iter().map(row).collect(),
    }
}
