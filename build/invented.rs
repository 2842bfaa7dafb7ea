//! `profiles/invented-keys.yaml` as a static table.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    /// The option that does what the key seems to do, where there is one.
    instead: Option<String>,
    /// The option means exactly that: the key is only spelled otherwise.
    #[serde(default)]
    same: bool,
    /// What is so in Flink.
    fact: String,
    /// What to do.
    help: String,
    /// Where it was seen.
    seen: String,
}

/// One static row a key, sorted.
pub fn generate(table: &str) -> Result<String, Box<dyn Error>> {
    let rows: BTreeMap<String, Row> =
        serde_yaml::from_str(table).map_err(|e| format!("profiles/invented-keys.yaml: {e}"))?;
    let mut out = String::new();
    writeln!(out, "/// Every invented key, sorted.\nstatic INVENTED: [Invented; {}] = [", rows.len())?;
    for (key, Row { instead, same, fact, help, seen }) in &rows {
        if seen.is_empty() {
            return Err(format!("profiles/invented-keys.yaml: {key} was seen nowhere").into());
        }
        writeln!(
            out,
            "Invented {{ key: {key:?}, instead: {instead:?}, same: {same}, fact: {fact:?}, help: {help:?} }},"
        )?;
    }
    writeln!(out, "];")?;
    Ok(out)
}
