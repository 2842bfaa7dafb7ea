//! `profiles/policy/*.yaml` as constants with types.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// A size such as `64mb`; nothing for a count.
    size: Option<String>,
    /// A whole number.
    count: Option<u64>,
    reason: String,
    source: String,
}

/// One constant a threshold; a name may stand in one file only.
pub fn generate(files: &[(String, String)]) -> Result<String, Box<dyn Error>> {
    let mut all: BTreeMap<String, Row> = BTreeMap::new();
    for (path, text) in files {
        let rows: BTreeMap<String, Row> = serde_yaml::from_str(text).map_err(|e| format!("{path}: {e}"))?;
        for (name, row) in rows {
            if all.insert(name.clone(), row).is_some() {
                return Err(format!("{path}: {name} stands in another file too").into());
            }
        }
    }
    let mut out = String::new();
    let mut sizes = Vec::new();
    let mut counts = Vec::new();
    for (name, Row { size, count, reason, source }) in &all {
        let constant = name.to_uppercase().replace('-', "_");
        let (kind, value) = match (size, count) {
            (Some(size), None) => {
                sizes.push(constant.clone());
                ("Bytes", format!("Bytes::new({})", bytes(size).ok_or_else(|| format!("{name}: {size} is no size"))?))
            }
            (None, Some(count)) => {
                counts.push(constant.clone());
                ("u64", count.to_string())
            }
            _ => return Err(format!("{name}: give either size or count").into()),
        };
        writeln!(out, "/// {}", reason.replace('\n', " ").trim())?;
        writeln!(
            out,
            "pub const {constant}: Threshold<{kind}> = Threshold {{ name: {name:?}, default: {value}, reason: {reason:?}, \
             source: {source:?} }};"
        )?;
    }
    let list = |names: &[String]| names.iter().map(|name| format!("&{name}")).collect::<Vec<_>>().join(", ");
    writeln!(out, "/// Every size.\npub static SIZES: [&Threshold<Bytes>; {}] = [{}];", sizes.len(), list(&sizes))?;
    writeln!(out, "/// Every count.\npub static COUNTS: [&Threshold<u64>; {}] = [{}];", counts.len(), list(&counts))?;
    Ok(out)
}

fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let shift = match &text[digits.len()..] {
        "b" => 0,
        "kb" => 10,
        "mb" => 20,
        "gb" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_shl(shift)
}
