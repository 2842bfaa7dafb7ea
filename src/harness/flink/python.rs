//! The Python that runs a job's Python functions: one in which PyFlink of the same version is installed.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use thiserror::Error;

use super::distribution::Distribution;

/// What an interpreter is asked: the version of its PyFlink, after what its workers import. Both are looked up alone:
/// importing Beam takes seconds.
const ASKED: &str = "\
import importlib.util
from pyflink.version import __version__
if importlib.util.find_spec('apache_beam') is None: raise ImportError('apache_beam')
print(__version__)";

/// An interpreter that runs Python functions on a Flink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// Its program.
    pub program: PathBuf,
}

/// Why there is none. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum PythonError {
    /// The one that was named is none, or cannot be started.
    #[error("start {}, which --python names: {source}", program.display())]
    Start {
        /// Which.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is none with PyFlink.
    #[error("run Python functions: they need {needed}")]
    None {
        /// What is needed, why what there is is not enough, and how to get it.
        needed: String,
    },
}

impl Python {
    /// That of several which are named whose PyFlink is of the distribution's version; where none is named, that of the
    /// package in which the distribution lies, else the first `python3` on the `PATH`.
    ///
    /// # Errors
    ///
    /// Where one that is named cannot be started, or none has PyFlink of this version.
    pub fn find(named: &[PathBuf], distribution: &Distribution) -> Result<Python, PythonError> {
        let path = env::var_os("PATH").unwrap_or_default();
        let programs = match named {
            [] => beside(&distribution.home).or_else(|| first_of(&path, "python3".as_ref())).into_iter().collect(),
            named => named.iter().map(|named| placed(named, &path)).collect::<Vec<_>>(),
        };
        let mut seen = Vec::new();
        for program in programs {
            match version_of(&program) {
                Ok(version) if version == distribution.version => return Ok(Python { program }),
                Ok(version) => seen.push(format!("{} has PyFlink {version}", program.display())),
                Err(Unasked::Start(source)) if !named.is_empty() => return Err(PythonError::Start { program, source }),
                Err(Unasked::Start(source)) => seen.push(format!("{}: {source}", program.display())),
                Err(Unasked::Said(said)) => seen.push(format!("{} has none ({said})", program.display())),
            }
        }
        if seen.is_empty() {
            seen.push("there is no python3 on the PATH".to_owned());
        }
        let version = &distribution.version;
        let needed = format!(
            "PyFlink {version}, and {}: python3 -m venv pyflink-{version}; pyflink-{version}/bin/pip install \
             apache-flink=={version}; then --python pyflink-{version}/bin/python3",
            seen.join(", ")
        );
        Err(PythonError::None { needed })
    }
}

/// The program of a name: as shells do, a name alone is looked for on the `PATH`. It is started in other directories, too.
fn placed(named: &Path, path: &OsStr) -> PathBuf {
    let alone = (named.components().count() == 1 && !named.is_file()).then_some(named.as_os_str());
    let found = alone.and_then(|name| first_of(path, name));
    found.unwrap_or_else(|| std::path::absolute(named).unwrap_or_else(|_| named.to_owned()))
}

/// The interpreter whose package the distribution is: `ROOT/lib/python3.11/site-packages/pyflink` has `ROOT/bin/python3`.
fn beside(home: &Path) -> Option<PathBuf> {
    let packages = home.parent().filter(|_| home.file_name() == Some(OsStr::new("pyflink")))?;
    let is_of_packages = |name: &OsStr| name == "site-packages" || name == "dist-packages";
    let library = packages.file_name().filter(|name| is_of_packages(name)).and(packages.parent())?;
    let bin = library.parent()?.parent()?.join("bin");
    // `lib/python3.11`, and Debian's `lib/python3`.
    [library.file_name()?, OsStr::new("python3")].iter().map(|name| bin.join(name)).find(|program| program.is_file())
}

/// The first program of a name in some directories.
fn first_of(path: &OsStr, name: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Why an interpreter did not tell its version.
enum Unasked {
    Start(io::Error),
    Said(String),
}

/// The version of an interpreter's PyFlink.
fn version_of(program: &Path) -> Result<String, Unasked> {
    let mut command = Command::new(program);
    // As a worker starts: without what the environment adds, and not in the directory in which oomph was started.
    command.args(["-E", "-c", ASKED]).current_dir("/").stdin(Stdio::null());
    let output = command.output().map_err(Unasked::Start)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(&output.stderr);
    Err(Unasked::Said(said.lines().next_back().unwrap_or("it ended without a word").to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(at: &Path, text: &str) {
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, text).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn distribution(home: &Path) -> Distribution {
        fs::create_dir_all(home.join("lib")).unwrap();
        fs::write(home.join("lib/flink-dist-2.3.0.jar"), "").unwrap();
        Distribution::at(home).unwrap()
    }

    #[test]
    fn the_python_of_the_package_that_the_distribution_lies_in_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let flink = distribution(&root.path().join("lib/python3.11/site-packages/pyflink"));
        program(&root.path().join("bin/python3"), "#!/bin/sh\necho 2.3.0\n");
        let found = Python::find(&[], &flink).unwrap();
        assert_eq!(found.program, fs::canonicalize(root.path()).unwrap().join("bin/python3"));
        program(&root.path().join("bin/python3.11"), "#!/bin/sh\necho 2.3.0\n");
        assert!(Python::find(&[], &flink).unwrap().program.ends_with("bin/python3.11"));
        assert_eq!(beside(Path::new("/opt/flink")), None);
        assert_eq!(beside(Path::new("/opt/pyflink")), None);
    }

    #[test]
    fn of_those_that_are_named_the_one_of_the_same_version_is_taken_before_any_other() {
        let root = tempfile::tempdir().unwrap();
        let flink = distribution(&root.path().join("lib/python3.11/site-packages/pyflink"));
        program(&root.path().join("bin/python3"), "#!/bin/sh\necho 2.3.0\n");
        let (old, new) = (root.path().join("old"), root.path().join("new"));
        program(&old, "#!/bin/sh\necho 1.20.5\n");
        program(&new, "#!/bin/sh\necho 2.3.0\n");
        assert_eq!(Python::find(&[old.clone(), new.clone()], &flink).unwrap().program, new);
        let other = Python::find(&[old], &flink).unwrap_err().to_string();
        assert!(other.contains("has PyFlink 1.20.5: python3 -m venv pyflink-2.3.0; "), "{other}");
        program(&new, "#!/bin/sh\necho \"Traceback\nModuleNotFoundError: No module named 'pyflink'\" >&2; exit 1\n");
        let none = Python::find(&[new], &flink).unwrap_err().to_string();
        assert!(none.contains("has none (ModuleNotFoundError: No module named 'pyflink'): "), "{none}");
        assert!(none.contains("pip install apache-flink==2.3.0") && !none.contains('\n'), "{none}");
        let gone = Python::find(&[root.path().join("gone")], &flink).unwrap_err();
        assert!(matches!(gone, PythonError::Start { .. }), "{gone}");
    }

    #[test]
    fn a_name_alone_is_looked_for_on_the_path_in_its_order() {
        let root = tempfile::tempdir().unwrap();
        program(&root.path().join("b/python3"), "");
        program(&root.path().join("c/python3"), "");
        let path = env::join_paths(["a", "b", "c"].map(|name| root.path().join(name))).unwrap();
        assert_eq!(placed(Path::new("python3"), &path), root.path().join("b/python3"));
        assert_eq!(placed(Path::new("/x/python3"), &path), Path::new("/x/python3"));
        assert!(placed(Path::new("x/python3"), &path).is_absolute());
        assert_eq!(first_of(OsStr::new(""), OsStr::new("python3")), None);
    }
}
