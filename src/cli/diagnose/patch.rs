//! `--patch`: the first recommendation that changes keys, as a patch of the user's file. Nothing is applied.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::patient::Found;
use crate::cli::Exit;
use crate::config::FileKind;
use crate::config::load;
use crate::recommend::Change;
use crate::recommend::cure::{Advice, Proof, Recommendation};
use crate::recommend::patch::{self, Original, Unpatched};

/// Prints it; what cannot be patched is one line.
pub fn print(conf: &Path, found: &Found, advice: &Advice, out: &mut impl Write) -> anyhow::Result<Exit> {
    let Some(cure) = first(advice) else {
        anstream::eprintln!("no key of {} changes: oomph diagnose without --patch says what to do", conf.display());
        return Ok(Exit::Findings);
    };
    let changes = cure.changes();
    let written = if load::is_manifest(conf) {
        patch::flink_deployment(&found.sheet.config, &changes)
    } else {
        of_file(conf, found, &changes)?
    };
    match written {
        Ok(text) => {
            anstream::eprintln!("{}", cure.title);
            out.write_all(text.as_bytes())?;
            Ok(Exit::Clean)
        }
        Err(unpatched) => {
            anstream::eprintln!("error: could not patch {}: {unpatched}", conf.display());
            Ok(Exit::Findings)
        }
    }
}

/// The first recommendation that changes keys: one that was planned before one that was not.
fn first(advice: &Advice) -> Option<&Recommendation> {
    let proved = |proof: &Proof| matches!(proof, Proof::Planned { .. });
    let with_keys = || advice.recommendations.iter().filter(|cure| !cure.changes().is_empty());
    with_keys().find(|cure| proved(&cure.proof)).or_else(|| with_keys().next())
}

/// A recommendation as it is applied to a file.
pub struct Patched {
    /// What it does, in a few words.
    pub title: String,
    /// The keys that it changes.
    pub changes: Vec<Change>,
}

/// The first recommendation that changes keys, for a configuration file; nothing where there is none, or the file cannot be
/// patched: what is applied is what `--patch` would print.
///
/// # Errors
/// Where the file cannot be read.
pub fn of(conf: &Path, found: &Found, advice: &Advice) -> anyhow::Result<Option<Patched>> {
    let Some(cure) = first(advice) else { return Ok(None) };
    let changes = cure.changes();
    let written = of_file(conf, found, &changes)?;
    Ok(written.is_ok().then(|| Patched { title: cure.title.clone(), changes }))
}

fn of_file(conf: &Path, found: &Found, changes: &[Change]) -> anyhow::Result<Result<String, Unpatched>> {
    let path = if conf.is_dir() { file_in(conf) } else { conf.to_owned() };
    let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let kind = FileKind::of_name(&name).unwrap_or_else(|| FileKind::of_text(&text));
    let shown = path.display().to_string();
    let original = Original { path: &shown, text: &text, kind, profile: found.sheet.choice.profile };
    Ok(patch::unified(&original, changes))
}

/// The file of a configuration directory.
fn file_in(directory: &Path) -> PathBuf {
    let standard = directory.join("config.yaml");
    if standard.is_file() { standard } else { directory.join("flink-conf.yaml") }
}
