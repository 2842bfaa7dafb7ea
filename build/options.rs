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
    let mut keys: Vec<(usize, String)> = Vec::new();
    for line in table.lines().skip(1) {
        let [key, from, to, kind, default, deprecated, fallback, source] =
            line.split('\t').collect::<Vec<_>>().try_into().map_err(|_| format!("options.tsv: {line}"))?;
        let default = (!default.is_empty()).then_some(default);
        if keys.last().is_none_or(|(_, last)| last != key) {
            keys.push((rows.len(), key.to_owned()));
        }
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
    // Open addressing at a quarter full: most keys are found, and most others missed, at the first look.
    let mut index = vec![0u16; (keys.len() * 4).next_power_of_two()];
    let mask = index.len() - 1;
    for (row, key) in &keys {
        let mut at = hash(key) as usize & mask;
        while index[at] != 0 {
            at = (at + 1) & mask;
        }
        index[at] = u16::try_from(row + 1)?;
    }
    writeln!(out, "/// The first row of each key, plus one, by the key's hash; 0 is empty.")?;
    writeln!(out, "static INDEX: [u16; {}] = {index:?};", index.len())?;
    Ok(out)
}

/// FNV-1a, as `flink::options` computes it.
fn hash(key: &str) -> u32 {
    key.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
