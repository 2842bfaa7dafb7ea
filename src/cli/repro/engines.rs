//! Which RocksDB: the one that is linked in, or those of the user's distributions.

use std::path::{Path, PathBuf};

use super::EngineArgs;
use crate::flink::Version;
use crate::flink::profile::Profile;
use crate::harness::engine::{Library, jar};
use crate::harness::leftovers::RunDirectory;
use crate::model::EngineChoice;
use crate::probe::root::Root;

/// An engine with the Flink whose configuration it is set up by.
#[derive(Clone, Debug)]
pub struct Engine {
    /// For the worker.
    pub choice: EngineChoice,
    /// The version of Flink whose rules are followed.
    pub version: Version,
    /// A short name: `RocksDB 8.10.0`, `flink-1.20.5`.
    pub name: String,
}

/// The engines that were asked for, and the directory in which libraries lie as long as this lives.
pub struct Engines {
    /// In the order of the command line.
    pub all: Vec<Engine>,
    _libraries: Option<RunDirectory>,
}

/// Finds them: where none is named, the one that is linked in.
pub fn find(args: &EngineArgs, root: &Root, base: &Path) -> Result<Engines, String> {
    let mut jars = Vec::new();
    for home in &args.flink_home {
        jars.push(jar::find(home).map_err(|error| format!("could not {error}"))?);
    }
    jars.extend(args.flink_dist.iter().cloned());
    if jars.is_empty() {
        return Ok(Engines { all: vec![embedded()?], _libraries: None });
    }
    let directory = RunDirectory::create(root, Some(base), "engines").map_err(|error| format!("could not {error}"))?;
    let mut all = Vec::new();
    for (number, jar) in jars.iter().enumerate() {
        let into = directory.path().join(number.to_string());
        std::fs::create_dir_all(&into).map_err(|error| format!("could not make {}: {error}", into.display()))?;
        let library = jar::take_out(jar, &into).map_err(|error| format!("could not {error}"))?;
        let version = version_of(jar).unwrap_or_else(|| Profile::newest().version());
        let choice = EngineChoice::Library { path: library.display().to_string(), of: jar.display().to_string() };
        all.push(Engine { choice, version, name: name(jar) });
    }
    Ok(Engines { all, _libraries: Some(directory) })
}

/// The one that is linked in, set up as the newest Flink does.
pub fn embedded() -> Result<Engine, String> {
    Library::embedded().map_err(|error| format!("could not {error}"))?;
    let version = Profile::newest().version();
    Ok(Engine { choice: EngineChoice::Embedded, version, name: "the RocksDB of oomph".to_owned() })
}

/// `flink-dist-1.20.5.jar`, `flink-dist_2.12-1.13.6.jar`.
fn version_of(jar: &Path) -> Option<Version> {
    let stem = jar.file_stem()?.to_str()?;
    let (_, version) = stem.rsplit_once('-')?;
    version.parse().ok()
}

fn name(jar: &Path) -> String {
    match version_of(jar) {
        Some(version) => format!("Flink {version}"),
        None => jar.file_name().map(PathBuf::from).unwrap_or_default().display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_version_of_a_distribution_is_in_the_name_of_its_jar() {
        for (jar, version) in [("lib/flink-dist-1.20.5.jar", "1.20.5"), ("flink-dist_2.12-1.13.6.jar", "1.13.6")] {
            assert_eq!(version_of(Path::new(jar)).unwrap(), version.parse().unwrap());
        }
        assert_eq!(version_of(Path::new("dist.jar")), None);
    }
}
