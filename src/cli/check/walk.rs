//! From arguments to files: what is named is taken; what a directory or a glob holds is taken where it may be Flink's.

use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

use ignore::overrides::OverrideBuilder;
use ignore::{WalkBuilder, WalkState};

use super::given::Given;
use crate::cli::Exit;
use crate::config::FileKind;

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Candidate {
    /// Standard input.
    Stdin,
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Whether the caller named it; otherwise it need not be Flink's.
        named: bool,
    },
}

/// Every file of the arguments, in order of paths, none twice; an argument that leads to none is told at once.
pub fn files(given: &Given) -> (Vec<Candidate>, Exit) {
    let mut found: Vec<Candidate> = Vec::new();
    let mut exit = Exit::Clean;
    for input in &given.inputs {
        let path = Path::new(input);
        if input == "-" {
            found.push(Candidate::Stdin);
        } else if path.is_dir() {
            found.extend(below(path, None, given));
        } else if path.exists() || !input.contains(['*', '?', '[', '{']) {
            found.push(Candidate::File { path: path.to_owned(), named: true });
        } else {
            match glob(input, given) {
                Ok(files) if files.is_empty() => {
                    anstream::eprintln!("error: could not read {input}: no file matches it");
                    exit = exit.max(Exit::Input);
                }
                Ok(files) => found.extend(files),
                Err(error) => {
                    anstream::eprintln!("error: could not read {input}: {error}");
                    exit = exit.max(Exit::Input);
                }
            }
        }
    }
    for candidate in &mut found {
        if let Candidate::File { path, .. } = candidate {
            *path = path.components().filter(|part| *part != Component::CurDir).collect();
        }
    }
    found.sort();
    found.dedup_by(|a, b| match (a, b) {
        (Candidate::File { path: a, .. }, Candidate::File { path: b, named }) if a == b => {
            *named = true;
            true
        }
        _ => false,
    });
    (found, exit)
}

/// The files below a directory that may be Flink's; what `.gitignore` leaves out is left out.
fn below(directory: &Path, only: Option<ignore::overrides::Override>, given: &Given) -> Vec<Candidate> {
    let by_glob = only.is_some();
    let mut walk = WalkBuilder::new(directory);
    walk.require_git(false).hidden(false).filter_entry(|entry| entry.file_name() != ".git");
    if let Some(only) = only {
        walk.overrides(only);
    }
    let found = Mutex::new(Vec::new());
    walk.build_parallel().run(|| {
        Box::new(|entry| {
            match entry {
                Ok(entry) if entry.file_type().is_some_and(|kind| kind.is_file()) => {
                    let path = entry.into_path();
                    if (by_glob || may_be_flinks(&path))
                        && given.wants(&path)
                        && let Ok(mut found) = found.lock()
                    {
                        found.push(Candidate::File { path, named: by_glob });
                    }
                }
                Ok(_) => {}
                Err(error) => anstream::eprintln!("warning: {error}"),
            }
            WalkState::Continue
        })
    });
    found.into_inner().unwrap_or_default()
}

/// The files that a glob names, for shells that do not expand it.
fn glob(text: &str, given: &Given) -> Result<Vec<Candidate>, ignore::Error> {
    let fixed = text.split('/').take_while(|part| !part.contains(['*', '?', '[', '{'])).collect::<Vec<_>>().join("/");
    let base = if fixed.is_empty() && !text.starts_with('/') { PathBuf::from(".") } else { PathBuf::from(fixed + "/") };
    let pattern = text.strip_prefix(&*base.to_string_lossy()).unwrap_or(text);
    let mut only = OverrideBuilder::new(&base);
    only.add(&format!("/{pattern}"))?;
    Ok(below(&base, Some(only.build()?), given))
}

/// Whether a file's name is one that carries a configuration of Flink's.
fn may_be_flinks(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if FileKind::of_name(name).is_some() || name == "yarn-site.xml" {
        return true;
    }
    if ["oomph.yaml", ".pre-commit-config.yaml", "package.json", "package-lock.json"].contains(&name) {
        return false;
    }
    if name.starts_with("Dockerfile") || name == "Containerfile" {
        return true;
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    ["yaml", "yml", "json", "sql", "sh", "bash", "dockerfile", "tpl", "j2"].contains(&extension)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("conf/flink-conf.yaml", true)]
    #[case("a/jobs.yml", true)]
    #[case("Dockerfile.flink", true)]
    #[case("etc/hadoop/yarn-site.xml", true)]
    #[case("oomph.yaml", false)]
    #[case("src/main.rs", false)]
    fn names_tell_what_may_be_flinks(#[case] path: &str, #[case] expected: bool) {
        assert_eq!(may_be_flinks(Path::new(path)), expected);
    }
}
