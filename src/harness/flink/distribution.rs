//! A Flink that lies on this machine: a distribution, or the jars of the Python packages laid out like one.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The jars of one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Its directory.
    pub home: PathBuf,
    /// Its version, as the jar is named: `1.20.5`.
    pub version: String,
    /// The jars of `lib`, by name.
    jars: Vec<PathBuf>,
}

/// Why a directory is no Flink. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum DistributionError {
    /// It cannot be listed.
    #[error("read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It has none, or more than one.
    #[error("find Flink in {}: {found} jars there are named flink-dist-VERSION.jar, and one is needed", path.display())]
    Jars {
        /// Where was looked.
        path: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// It has no part for Python functions.
    #[error("find PyFlink's part of Flink: {} has no flink-python-VERSION.jar", path.display())]
    NoPython {
        /// Where was looked.
        path: PathBuf,
    },
}

impl Distribution {
    /// Looks into the directory that `--flink-home` names.
    ///
    /// # Errors
    ///
    /// Where it has no `lib` with one `flink-dist`.
    pub fn at(home: &Path) -> Result<Distribution, DistributionError> {
        // Processes are started elsewhere: a relative path would lead nowhere there.
        let lib = fs::canonicalize(home.join("lib"));
        let lib = lib.map_err(|source| DistributionError::Unreadable { path: home.join("lib"), source })?;
        let unreadable = |source| DistributionError::Unreadable { path: lib.clone(), source };
        let entries = fs::read_dir(&lib).map_err(unreadable)?.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
        let mut jars: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).collect();
        jars.retain(|path| path.extension().is_some_and(|extension| extension == "jar"));
        jars.sort();
        let names = jars.iter().filter_map(|jar| jar.file_name()?.to_str());
        let versions: Vec<String> = names.filter_map(version_of).map(str::to_owned).collect();
        match versions.as_slice() {
            [version] => {
                Ok(Distribution { home: lib.parent().unwrap_or(&lib).to_owned(), version: version.clone(), jars })
            }
            _ => Err(DistributionError::Jars { found: versions.len(), path: lib }),
        }
    }

    /// The same with the jar that runs Python functions, which lies in `opt` until somebody uses it.
    ///
    /// # Errors
    ///
    /// Where there is none.
    pub fn with_python(&self) -> Result<Distribution, DistributionError> {
        let opt = self.home.join("opt");
        let entries = fs::read_dir(&opt).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_it = |path: &PathBuf| {
            path.file_name().and_then(|name| name.to_str()).is_some_and(|name| {
                name.strip_prefix("flink-python").is_some_and(|rest| rest.starts_with(['-', '_']))
                    && name.ends_with(".jar")
            })
        };
        // Somebody who uses it may have put it where all programs find it.
        if self.jars.iter().any(is_it) {
            return Ok(self.clone());
        }
        let jar = entries.filter(is_it).min().ok_or(DistributionError::NoPython { path: opt })?;
        let jars = self.jars.iter().cloned().chain([jar]).collect();
        Ok(Distribution { jars, ..self.clone() })
    }

    /// All jars, as a class path.
    pub fn class_path(&self) -> OsString {
        let mut path = OsString::new();
        for jar in &self.jars {
            if !path.is_empty() {
                path.push(":");
            }
            path.push(jar);
        }
        path
    }
}

/// `flink-dist-1.20.5.jar`, and up to 1.14 with the version of Scala: `flink-dist_2.12-1.13.6.jar`.
fn version_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("flink-dist")?.strip_suffix(".jar")?;
    let (scala, version) = rest.split_once('-')?;
    (scala.is_empty() || scala.starts_with('_')).then_some(version)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_version_is_in_the_name_of_the_jar() {
        assert_eq!(version_of("flink-dist-1.20.5.jar"), Some("1.20.5"));
        assert_eq!(version_of("flink-dist_2.12-1.13.6.jar"), Some("1.13.6"));
        assert_eq!(version_of("flink-distance-1.jar"), None);
        assert_eq!(version_of("flink-table-1.13.6.jar"), None);
    }

    #[test]
    fn a_directory_without_flink_is_told_from_one_that_is_not_there() {
        let empty = tempfile::tempdir().unwrap();
        fs::create_dir(empty.path().join("lib")).unwrap();
        let none = Distribution::at(empty.path()).unwrap_err();
        assert!(matches!(none, DistributionError::Jars { found: 0, .. }), "{none}");
        let gone = Distribution::at(&empty.path().join("x")).unwrap_err();
        assert!(matches!(gone, DistributionError::Unreadable { .. }), "{gone}");
    }

    #[test]
    fn all_jars_are_on_the_class_path_in_the_order_of_their_names() {
        let home = tempfile::tempdir().unwrap();
        let lib = home.path().join("lib");
        fs::create_dir(&lib).unwrap();
        for name in ["log4j.jar", "flink-dist-2.3.0.jar", "README"] {
            fs::write(lib.join(name), "").unwrap();
        }
        let found = Distribution::at(home.path()).unwrap();
        assert_eq!(found.version, "2.3.0");
        let path = found.class_path().into_string().unwrap();
        let names: Vec<&str> = path.split(':').filter_map(|jar| jar.rsplit('/').next()).collect();
        assert_eq!(names, ["flink-dist-2.3.0.jar", "log4j.jar"]);
    }

    #[test]
    fn the_jar_for_python_functions_is_on_the_class_path_once() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("lib")).unwrap();
        fs::create_dir(at("opt")).unwrap();
        fs::write(at("lib/flink-dist-2.3.0.jar"), "").unwrap();
        fs::write(at("opt/flink-sql-client-2.3.0.jar"), "").unwrap();
        let none = Distribution::at(home.path()).unwrap().with_python().unwrap_err();
        assert!(matches!(none, DistributionError::NoPython { .. }), "{none}");
        fs::write(at("opt/flink-python-2.3.0.jar"), "").unwrap();
        let with = Distribution::at(home.path()).unwrap().with_python().unwrap();
        assert!(with.class_path().into_string().unwrap().ends_with("/opt/flink-python-2.3.0.jar"));
        fs::write(at("lib/flink-python-2.3.0.jar"), "").unwrap();
        let already = Distribution::at(home.path()).unwrap();
        assert_eq!(already.with_python().unwrap(), already);
    }
}
