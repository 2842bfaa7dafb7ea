//! `profiles/options.tsv` as a static table.

use std::error::Error;
use std::fmt::Write as _;

/// One static row a line. `versions` are those of the profiles, oldest first.
pub fn generate(table: &str, versions: &[String]) -> Result<String, Box<dyn Error>> {
    let index = |name: &str| {
        versions.iter().position(|version| version == name).ok_or_else(|| format!("options.tsv: no profile for {name}"))
    };
    let names =
        |text: &str| -> Vec<String> { text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect() };
    let mut rows = Vec::new();
    for line in table.lines().skip(1) {
        let [key, from, to, kind, default, deprecated, fallback, source] =
            line.split('\t').collect::<Vec<_>>().try_into().map_err(|_| format!("options.tsv: {line}"))?;
        let default = (!default.is_empty()).then_some(default);
        rows.push(format!(
            "Declared {{ key: {key:?}, from: {}, to: {}, kind: ValueKind::{}, default: {default:?}, deprecated: &{:?}, \
             fallback: &{:?}, source: {source:?} }},",
            index(from)?,
            index(to)?,
            super::camel(kind),
            names(deprecated),
            names(fallback)
        ));
    }
    let mut out = String::new();
    writeln!(out, "/// Every option of every version, sorted by key, then by version.")?;
    writeln!(out, "static DECLARED: [Declared; {}] = [\n{}\n];", rows.len(), rows.join("\n"))?;
    Ok(out)
}
