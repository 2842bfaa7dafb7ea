//! `profiles/leaks/*.yaml` as one table.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    title: String,
    component: String,
    severity: String,
    affected: Vec<Line>,
    /// Settings that must all be so.
    #[serde(default)]
    all: BTreeMap<String, String>,
    /// Settings of which one must be so.
    #[serde(default)]
    any: BTreeMap<String, String>,
    growth: String,
    workaround: String,
    sources: Vec<String>,
}

/// A minor line of Flink with the release that has the fix, where one is known.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    line: String,
    fixed: Option<String>,
}

/// One row a leak, by its id.
pub fn generate(files: &[(String, String)]) -> Result<String, Box<dyn Error>> {
    let mut all: BTreeMap<String, File> = BTreeMap::new();
    for (path, text) in files {
        let file: File = serde_yaml::from_str(text).map_err(|e| format!("{path}: {e}"))?;
        if file.sources.is_empty() || file.affected.is_empty() {
            return Err(format!("{path}: no source or no version").into());
        }
        if let Some(file) = all.insert(file.id.clone(), file) {
            return Err(format!("{path}: {} stands in another file too", file.id).into());
        }
    }
    let mut out = String::new();
    writeln!(out, "/// Every leak, by id.\npub(crate) static LEAKS: [Leak; {}] = [", all.len())?;
    for (id, file) in &all {
        let text = |text: &str| text.trim().replace('\n', " ");
        write!(out, "Leak {{ id: {id:?}, title: {:?}, ", text(&file.title))?;
        write!(
            out,
            "component: Component::{}, severity: Severity::{}, ",
            camel(&file.component),
            camel(&file.severity)
        )?;
        write!(out, "affected: &[")?;
        for line in &file.affected {
            let [major, minor] = numbers(&line.line)[..] else {
                return Err(format!("{id}: {} is no minor line", line.line).into());
            };
            let fixed = match &line.fixed {
                None => None,
                Some(release) => match numbers(release)[..] {
                    [a, b, patch] if (a, b) == (major, minor) => Some(patch),
                    _ => return Err(format!("{id}: {release} is no release of {}", line.line).into()),
                },
            };
            write!(out, "Affected {{ major: {major}, minor: {minor}, fixed: {fixed:?} }}, ")?;
        }
        write!(out, "], all: &{}, any: &{}, ", conditions(id, &file.all)?, conditions(id, &file.any)?)?;
        let (growth, workaround) = (text(&file.growth), text(&file.workaround));
        writeln!(out, "growth: {growth:?}, workaround: {workaround:?}, sources: &{:?} }},", file.sources)?;
    }
    writeln!(out, "];")?;
    Ok(out)
}

fn conditions(id: &str, rows: &BTreeMap<String, String>) -> Result<String, Box<dyn Error>> {
    let mut out = String::from("[");
    for (option, test) in rows {
        let test = match test.as_str() {
            "true" => "Test::True".to_owned(),
            other => match other.strip_prefix('>').and_then(|number| number.parse::<u64>().ok()) {
                Some(number) => format!("Test::Above({number})"),
                None => return Err(format!("{id}: {option}: {other} is no test: write true or >0").into()),
            },
        };
        write!(out, "Condition {{ option: {option:?}, test: {test} }}, ")?;
    }
    Ok(out + "]")
}

/// Nothing where a part is no number.
fn numbers(text: &str) -> Vec<u16> {
    text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>().unwrap_or_default()
}

fn camel(kebab: &str) -> String {
    let capital = |word: &str| word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default();
    kebab.split('-').map(capital).collect()
}
