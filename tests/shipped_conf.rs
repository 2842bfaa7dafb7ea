//! No false alarm on the configuration files that Flink itself ships, each at its own version.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::path::{Path, PathBuf};

use oomph::check::{Policy, Selection, Told, check};
use oomph::config::load;
use oomph::flink::Version;
use oomph::model::{Deployment, Finding, Role, Severity};

fn shipped() -> Vec<(Version, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/shipped-conf");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(version) = folder.file_name().unwrap().to_str().unwrap().parse::<Version>() else { continue };
        for file in std::fs::read_dir(folder).unwrap() {
            found.push((version, file.unwrap().path()));
        }
    }
    assert_eq!(found.len(), 19);
    found
}

fn findings(path: &Path, told: &Told) -> Vec<Finding> {
    let input = load::read(path).unwrap();
    check(&input, told, &Policy::default(), None, &Selection::default()).unwrap().findings
}

#[test]
fn no_file_of_flinks_has_an_error_or_an_unknown_key() {
    for (version, path) in shipped() {
        for role in [None, Some(Role::TaskManager), Some(Role::JobManager)] {
            for deployment in [None, Some(Deployment::Standalone), Some(Deployment::Yarn), Some(Deployment::Kubernetes)]
            {
                let told = Told { version: Some(version), role, deployment, ..Told::default() };
                let found = findings(&path, &told);
                let wrong: Vec<_> = found
                    .iter()
                    .filter(|finding| finding.severity == Severity::Error || finding.code == "OOM101")
                    .collect();
                assert!(wrong.is_empty(), "{version} {role:?} {deployment:?}: {wrong:#?}");
            }
        }
    }
}

#[test]
fn a_plain_check_of_flinks_files_finds_nothing_at_all() {
    for (version, path) in shipped() {
        let told = Told { version: Some(version), ..Told::default() };
        let found: Vec<_> = findings(&path, &told).into_iter().map(|finding| (finding.code, finding.title)).collect();
        assert_eq!(found, [], "{version}");
    }
}
