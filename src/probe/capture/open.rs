//! Opens bundles and captured directories to be read like the machine they are from.

use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{FORMAT, MANIFEST, Manifest};
use super::unpack::unpack;
use crate::model::{Seen, Unseen};
use crate::probe::root::Root;

/// A manifest of a hundred thousand files has 10 MB.
const LARGEST_MANIFEST: u64 = 64 << 20;

/// A capture that can be read. What was unpacked for it is gone when it is dropped.
#[derive(Debug)]
pub struct Opened {
    /// What to read it through.
    pub root: Root,
    /// The process that was captured: the manifest's, else the only one with mappings.
    pub pid: Seen<u32>,
    /// What the bundle says of itself; nothing where another tool made it.
    pub manifest: Option<Manifest>,
    _unpacked: Option<tempfile::TempDir>,
}

/// A capture in a directory of captures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name without the ending.
    pub name: String,
    /// What to [`open`].
    pub path: PathBuf,
}

/// Opens a capture: a `.tar.gz` or `.tar`, a directory laid out like a machine's root, or one that holds such a directory as
/// `root` or as the only one.
///
/// # Errors
/// Where it is none, is damaged, or is of a later oomph.
pub fn open(path: &Path) -> Seen<Opened> {
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Unseen::because(format!("{} is not there", path.display())),
        _ => Unseen::because(format!("{}: {error}", path.display())),
    })?;
    if about.is_dir() {
        return opened(path, path, None);
    }
    if !about.is_file() {
        return Err(Unseen::because(format!("{} is neither a file nor a directory", path.display())));
    }
    let unpacked = unpack(path)?;
    let at = unpacked.path().to_owned();
    let opened = opened(path, &at, Some(unpacked))?;
    if let Some(manifest) = &opened.manifest {
        let there = |file: &&super::Taken| opened.root.path(&file.path).is_file();
        let lost = manifest.files.len() - manifest.files.iter().filter(there).count();
        if lost > 0 {
            return Err(Unseen::because(format!(
                "{} is not whole: {lost} of the {} files that its manifest names are not in it",
                path.display(),
                manifest.files.len()
            )));
        }
    }
    Ok(opened)
}

/// The captures in a directory, by name: bundles, and directories that can be opened. They are not opened, so that a hundred
/// of them need not be unpacked at once.
///
/// # Errors
/// Where the directory cannot be listed.
pub fn list(directory: &Path) -> Seen<Vec<Listed>> {
    let refused = |error: std::io::Error| Unseen::because(format!("{}: {error}", directory.display()));
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).map_err(refused)?.flatten() {
        let path = entry.path();
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let stem = [".tar.gz", ".tgz", ".tar"].iter().find_map(|ending| name.strip_suffix(ending));
        // What begins with a dot is being written.
        let name = match stem {
            _ if name.starts_with('.') => continue,
            Some(stem) if path.is_file() => stem.to_owned(),
            _ if path.is_dir() && top(&path).is_some_and(|top| !captured(&top).is_empty()) => name,
            _ => continue,
        };
        found.push(Listed { name, path });
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

fn opened(named: &Path, at: &Path, unpacked: Option<tempfile::TempDir>) -> Seen<Opened> {
    let top = top(at).ok_or_else(|| {
        Unseen::because(format!("{} is no capture: there is no proc/PID in it", named.display()))
            .granted_by("make one with oomph capture PID -o FILE")
    })?;
    let manifest = manifest(named, &top)?;
    let pid = match &manifest {
        Some(manifest) => Ok(manifest.pid),
        None => only(named, &captured(&top)),
    };
    Ok(Opened { root: Root::captured(&top), pid, manifest, _unpacked: unpacked })
}

/// The directory that is laid out like a machine's root.
fn top(at: &Path) -> Option<PathBuf> {
    let is_top = |at: &PathBuf| at.join("proc").is_dir();
    let nearer = [at.to_owned(), at.join("root")].into_iter().find(is_top);
    // Whoever packs a directory anew packs its name, too.
    nearer.or_else(|| {
        let mut inner = fs::read_dir(at).ok()?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        let only = inner.next().filter(|_| inner.next().is_none())?;
        [only.clone(), only.join("root")].into_iter().find(is_top)
    })
}

/// The processes whose mappings are in a capture.
fn captured(top: &Path) -> Vec<u32> {
    let entries = fs::read_dir(top.join("proc")).into_iter().flatten().flatten();
    let with_smaps = entries.filter(|entry| entry.path().join("smaps").is_file());
    let mut found: Vec<u32> = with_smaps.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    found.sort_unstable();
    found
}

fn only(named: &Path, captured: &[u32]) -> Seen<u32> {
    match captured {
        [only] => Ok(*only),
        [] => Err(Unseen::because(format!("{} has no process with its smaps", named.display()))),
        several => {
            let named_all: Vec<String> = several.iter().map(u32::to_string).collect();
            Err(Unseen::because(format!("{} has several processes: {}", named.display(), named_all.join(", ")))
                .granted_by("name one of them"))
        }
    }
}

fn manifest(named: &Path, top: &Path) -> Seen<Option<Manifest>> {
    let path = top.join(MANIFEST);
    if !path.exists() {
        return Ok(None);
    }
    let damaged = |why: &dyn std::fmt::Display| Unseen::because(format!("{}: {MANIFEST}: {why}", named.display()));
    let bytes = super::collect::plain_file(&path, LARGEST_MANIFEST).map_err(|error| damaged(&error))?;
    // Before anything else: a later layout may have other fields.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?;
    if let Some(format) = value.get("format").and_then(serde_json::Value::as_u64)
        && format > u64::from(FORMAT)
    {
        return Err(damaged(&format!("it is of format {format}, which a later oomph wrote"))
            .granted_by("read it with that oomph"));
    }
    serde_json::from_value(value).map(Some).map_err(|error| damaged(&error))
}
