//! A recommendation as a patch: a unified diff of the user's own file, or a document for `kubectl patch`. Nothing is
//! applied, and nothing is shown that, read again, does not give what was recommended.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::Change;
use super::change::applied;
use crate::check::Written;
use crate::check::edits::{Lines, applied as edited};
use crate::config::layers::{FileText, Layers, Offset};
use crate::config::{Config, FileKind, Layer, Value, writing};
use crate::flink::profile::Profile;
use crate::flink::sensitive::masked_line;
use crate::flink::{keys, options};
use crate::model::{Edit, Source};

/// Why there is no patch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unpatched {
    /// Nothing changes.
    #[error("no key of the configuration changes")]
    Nothing,
    /// The file cannot be read.
    #[error("the file cannot be read: {0}")]
    Unread(String),
    /// A line that cannot be edited by itself.
    #[error("the line of {0} cannot be edited by itself: change it by hand")]
    Line(String),
    /// A value that this kind of file cannot hold.
    #[error("{0} cannot be written in this file: {1}")]
    Value(String, String),
    /// The edited file does not say what was recommended.
    #[error("the edited file would not read as recommended: change {0} by hand")]
    ReadsOtherwise(String),
}

/// A configuration file.
#[derive(Clone, Copy, Debug)]
pub struct Original<'a> {
    /// Its path, for the header.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Which of Flink's files it is.
    pub kind: FileKind,
    /// The version that reads it.
    pub profile: &'static Profile,
}

/// The changes as a unified diff; secrets in it are masked, so their lines are for reading and not for `patch`.
///
/// # Errors
/// [`Unpatched`] where a line cannot be edited, or the file would read otherwise than it should.
pub fn unified(original: &Original<'_>, changes: &[Change]) -> Result<String, Unpatched> {
    let after = text(original, changes)?;
    if after == original.text {
        return Err(Unpatched::Nothing);
    }
    let (before, after) = (masked(original.text), masked(&after));
    let diff = similar::TextDiff::from_lines(before.as_str(), after.as_str());
    let path = original.path.trim_start_matches('/');
    Ok(diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string())
}

/// The file with the changes in it, proved by reading it.
///
/// # Errors
/// As [`unified`].
pub fn text(original: &Original<'_>, changes: &[Change]) -> Result<String, Unpatched> {
    if changes.is_empty() {
        return Err(Unpatched::Nothing);
    }
    let config = read(original, original.text)?;
    let lines = Lines::new(Source::Stdin, original.text);
    let mut edits: Vec<Edit> = Vec::new();
    let mut appended = String::new();
    for change in changes {
        let key = change.key();
        let unedited = || Unpatched::Line(key.to_owned());
        match (change.value(), config.get(key)) {
            (Some(value), Some(setting)) => {
                edits.extend(lines.set(Written { key, setting }, value).ok_or_else(unedited)?);
            }
            (Some(value), None) => {
                let option = options::declared(key, original.profile).and(original.profile.option(key));
                let kind = option.map(|row| row.kind);
                let line = writing::line(original.kind, key, &Value::text(value), kind)
                    .map_err(|error| Unpatched::Value(key.to_owned(), error.to_string()))?;
                appended.push_str(&line);
                appended.push('\n');
            }
            (None, Some(setting)) => edits.extend(lines.remove(Written { key, setting }).ok_or_else(unedited)?),
            (None, None) => {}
        }
    }
    let mut after =
        edited(original.text, &edits).ok_or_else(|| Unpatched::Line("keys that share a line".to_owned()))?;
    if !appended.is_empty() {
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after.push_str(&appended);
    }
    let (wanted, got) = (applied(&config, changes), read(original, &after)?);
    let value = |config: &Config, key: &str| config.get(key).map(|setting| setting.value.java_text().into_owned());
    let keys: Vec<&str> = wanted.iter().chain(got.iter()).map(|(key, _)| key).collect();
    match keys.into_iter().find(|key| value(&wanted, key) != value(&got, key)) {
        Some(key) => Err(Unpatched::ReadsOtherwise(key.to_owned())),
        None => Ok(after),
    }
}

fn read(original: &Original<'_>, text: &str) -> Result<Config, Unpatched> {
    let file =
        FileText { source: Source::Stdin, kind: original.kind, text: text.to_owned(), offset: Offset::default() };
    let layers = Layers { file: Some(file), ..Layers::default() };
    let assembled = layers.assemble(original.profile).map_err(|error| Unpatched::Unread(error.to_string()))?;
    Ok(assembled.config)
}

/// The text without the values of secrets.
fn masked(text: &str) -> String {
    let line = |line: &str| {
        let bare = line.trim_end_matches(['\n', '\r']);
        format!("{}{}", masked_line(bare).trim_end(), &line[bare.len()..])
    };
    text.split_inclusive('\n').map(line).collect()
}

/// The changes as a merge patch of a `FlinkDeployment`, for
/// `kubectl patch flinkdeployment NAME --type merge --patch-file FILE`: a key that goes is null. The size of a process
/// that the resource states goes where it states it, since the operator puts that over `flinkConfiguration`.
///
/// # Errors
/// [`Unpatched::Nothing`] where nothing changes.
pub fn flink_deployment(config: &Config, changes: &[Change]) -> Result<String, Unpatched> {
    if changes.is_empty() {
        return Err(Unpatched::Nothing);
    }
    let roles = [("taskManager", keys::TM_PROCESS.name()), ("jobManager", keys::JM_PROCESS.name())];
    let stated = |key: &str| config.get(key).is_some_and(|setting| setting.layer == Layer::Resource);
    let mut out = String::from("spec:\n");
    let mut options = String::new();
    for change in changes.iter().filter(|change| !stated(change.key())) {
        let key = Value::text(change.key());
        let value = match change.value() {
            // A map of texts: numbers and truth values are quoted.
            Some(value) => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
            None => "null".to_owned(),
        };
        options.push_str(&format!("    {}: {value}\n", key.yaml_text()));
    }
    if !options.is_empty() {
        out.push_str("  flinkConfiguration:\n");
        out.push_str(&options);
    }
    for (role, key) in roles {
        let value = changes.iter().rev().find(|change| change.key() == key && stated(key)).and_then(Change::value);
        if let Some(value) = value {
            out.push_str(&format!("  {role}:\n    resource:\n      memory: \"{value}\"\n"));
        }
    }
    Ok(out)
}
