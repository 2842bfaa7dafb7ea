//! What files were before: at a revision of git's, or in another directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::CheckArgs;
use crate::config::load::{self, TextInput};
use crate::model::Bytes;

/// Where earlier versions are.
pub enum Before {
    /// At a revision.
    Revision {
        /// The revision.
        name: String,
        /// The top of the working tree.
        top: PathBuf,
        /// The files that changed since, from the top.
        changed: BTreeSet<PathBuf>,
    },
    /// In a directory.
    Directory(PathBuf),
}

impl Before {
    /// What the arguments ask for; what is wrong with them is one line.
    pub fn of(args: &CheckArgs) -> Result<Option<Before>, String> {
        if let Some(directory) = &args.against {
            return match directory.is_dir() {
                true => Ok(Some(Before::Directory(directory.clone()))),
                false => Err(format!("--against {}: it is no directory", directory.display())),
            };
        }
        let Some(name) = &args.since else { return Ok(None) };
        if name.starts_with('-') {
            return Err(format!("--since {name}: a revision does not begin with -"));
        }
        let top = git(&["rev-parse", "--show-toplevel"]).map_err(|error| format!("--since {name}: {error}"))?;
        let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end());
        let revision = format!("{name}^{{commit}}");
        git(&["rev-parse", "--verify", "--quiet", &revision])
            .map_err(|_| format!("--since {name}: git knows no such revision here"))?;
        let listed = git(&["diff", "--name-only", "-z", "--no-renames", name, "--"])
            .map_err(|error| format!("--since {name}: {error}"))?;
        let changed = listed.split(|byte| *byte == 0).filter(|path| !path.is_empty());
        let changed = changed.map(|path| PathBuf::from(String::from_utf8_lossy(path).into_owned())).collect();
        Ok(Some(Before::Revision { name: name.clone(), top, changed }))
    }

    /// What a file was; an empty text where there was none. Nothing where it has not changed.
    pub fn text(&self, path: &Path, now: &TextInput) -> Option<TextInput> {
        let text = match self {
            Before::Revision { name, top, changed } => {
                let absolute = path.canonicalize().ok()?;
                let inside = absolute.strip_prefix(top.canonicalize().ok()?).ok()?;
                if !changed.contains(inside) {
                    return None;
                }
                let object = format!("{name}:{}", inside.to_str()?);
                let bytes = git(&["-C", top.to_str()?, "show", &object]).unwrap_or_default();
                String::from_utf8(bytes).ok().filter(|text| Bytes::new(text.len() as u64) <= load::MAX_FILE)?
            }
            Before::Directory(directory) => {
                let relative: PathBuf =
                    path.components().filter(|part| matches!(part, std::path::Component::Normal(_))).collect();
                load::read(&directory.join(relative)).map(|input| input.text).unwrap_or_default()
            }
        };
        (text != now.text).then(|| TextInput { text, ..now.clone() })
    }
}

/// What git prints; why it does not.
fn git(arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git").args(arguments).output().map_err(|error| format!("could not run git: {error}"))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said.lines().next().unwrap_or("git fails and does not say why").to_owned())
        }
    }
}
