//! `--migrate` over everything there is: the examples, the configurations of the documented commands, and a sample of
//! what real Flink accepted. Sizes keep to the byte or a reason is given; what is written is read again by the new
//! version's own rules and plans to the same budget.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use oomph::config::layers::{FileText, Layers, Offset};
use oomph::config::load::{self, Input};
use oomph::config::{Config, Value};
use oomph::flink::profile::Profile;
use oomph::model::{Bytes, Component, Place, Role, Source, UseCase};
use oomph::plan::jvm::Machine;
use oomph::plan::store::Store;
use oomph::plan::{Deployment, Question, survey};
use oomph::recommend::migrate::{Migration, Refused, Request, Secrets, migrate};

const MACHINE: Machine = Machine { jdk: None, cores: None, collector: None };

fn question(role: Role, deployment: Deployment) -> Question {
    Question {
        role,
        deployment,
        consumers: vec![UseCase::StateBackend],
        managed_backend: true,
        stores: vec![Store::RocksDb, Store::ForSt],
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every configuration file of the examples and of the documented commands.
fn configurations() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join("examples"), root().join("tests/cmd")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What the new version makes of the written text.
fn read_again(migration: &Migration) -> Config {
    let text = migration.text(Secrets::Written);
    let file = FileText { source: Source::Stdin, kind: migration.kind, text, offset: Offset::default() };
    let all = Layers { file: Some(file), ..Layers::default() }.assemble(migration.to).unwrap();
    assert!(all.remarks.is_empty(), "{:?}", all.remarks);
    all.config
}

/// How many of the sizes of how many processes are kept.
#[derive(Debug, Default)]
struct Tally {
    migrations: usize,
    processes: usize,
    kept_whole: usize,
    refused: usize,
    lost: BTreeMap<String, usize>,
}

impl Tally {
    /// Holds a migration against the equations that every one of them keeps.
    fn check(&mut self, migration: &Migration, deployment: Deployment, name: &str) {
        self.migrations += 1;
        let config = read_again(migration);
        for proof in &migration.roles {
            let Ok(before) = &proof.before else { continue };
            self.processes += 1;
            let goals = if proof.role == Role::TaskManager { 4 } else { 2 };
            assert_eq!(proof.kept.len() + proof.lost.len(), goals, "{name}");
            assert!(proof.lost.iter().all(|lost| !lost.why.is_empty()), "{name}");
            let again = survey(&config, migration.to, &question(proof.role, deployment), MACHINE);
            match (&proof.after, again) {
                (Ok(after), Ok(again)) => {
                    assert_eq!(after.plan.budget.parts().len(), again.plan.budget.parts().len(), "{name}");
                    let sizes = |s: &oomph::plan::Survey| -> Vec<(Component, Bytes)> {
                        s.plan.budget.parts().iter().map(|(c, f)| (*c, f.bytes)).collect()
                    };
                    assert_eq!(sizes(after), sizes(&again), "{name}");
                    if proof.lost.is_empty() {
                        assert_eq!(after.plan.budget.heap(), before.plan.budget.heap(), "{name}");
                        assert_eq!(
                            after.plan.budget.total_process().bytes,
                            before.plan.budget.total_process().bytes,
                            "{name}"
                        );
                        let managed = |s: &oomph::plan::Survey| s.plan.budget.size(Component::Managed);
                        assert_eq!(managed(after), managed(before), "{name}");
                        self.kept_whole += 1;
                    }
                }
                (Err(_), Err(_)) => {}
                (after, again) => panic!("{name}: {after:?} but read again {again:?}"),
            }
            for lost in &proof.lost {
                let refused = if proof.after.is_err() { ", refused" } else { "" };
                let step = format!("{} {:?}{refused}", proof.role, lost.goal);
                *self.lost.entry(step).or_default() += 1;
            }
        }
    }
}

#[test]
fn every_configuration_of_the_pages_goes_from_version_to_version_with_its_sizes() {
    let mut tally = Tally::default();
    for path in configurations() {
        for deployment in [Deployment::Standalone, Deployment::Yarn] {
            for (start, from) in Profile::all().iter().enumerate() {
                // What no version reads is no configuration.
                let Ok(loaded) = load::load(&Input::Path(path.clone()), Some(from.version())) else { continue };
                let Ok(assembled) = load::assemble(&loaded[0], &Layers::default()) else { continue };
                let mut config = assembled.config;
                // From here on to the newest, each step from what the last one wrote.
                for pair in Profile::all()[start..].windows(2) {
                    let request = Request {
                        config: &config,
                        from: &pair[0],
                        to: &pair[1],
                        question: &question(Role::TaskManager, deployment),
                        machine: MACHINE,
                    };
                    let name =
                        format!("{} {deployment:?} {} to {}", path.display(), pair[0].version(), pair[1].version());
                    let migration = migrate(&request).unwrap_or_else(|refused| panic!("{name}: {refused}"));
                    tally.check(&migration, deployment, &name);
                    for proof in &migration.roles {
                        let kept = proof.before.is_err() || proof.after.is_ok();
                        assert!(kept, "{name}: {:?}\n{}", proof.after, migration.text(Secrets::Written));
                    }
                    config = read_again(&migration);
                }
            }
        }
    }
    println!("{tally:#?}");
    assert!(tally.processes > 1000 && tally.kept_whole * 10 > tally.processes * 9, "{tally:#?}");
}

/// The rows of a table with the version they are of.
fn rows(file: &Path) -> (&'static Profile, Vec<serde_json::Value>) {
    let name = file.file_name().unwrap().to_str().unwrap();
    let version = name.split(".tm").next().unwrap().parse().unwrap();
    let mut text = String::new();
    GzDecoder::new(fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
    (Profile::of(version).unwrap().0, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Migrates the rows of the tables to the versions that `targets` names, by their place among all.
fn over_the_tables(targets: impl Fn(usize) -> Vec<usize>) -> Tally {
    let mut tally = Tally::default();
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("testdata/golden"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains(".tm"))
        .collect();
    files.sort();
    for file in files {
        let (from, rows) = rows(&file);
        let place = Profile::all().iter().position(|known| std::ptr::eq(known, from)).unwrap();
        for to in targets(place).into_iter().filter_map(|place| Profile::all().get(place)) {
            for row in rows.iter().step_by(SAMPLE) {
                let deployment = match row.get("map").and_then(|map| map.as_str()) {
                    Some("process") => Deployment::Yarn,
                    Some("none") => Deployment::None,
                    // The tables of 1.9 are about containers.
                    _ if place == 0 => Deployment::Yarn,
                    _ => Deployment::Standalone,
                };
                let mut config = Config::new();
                config.set_from_legacy_file();
                for (key, value) in row["cfg"].as_object().unwrap() {
                    config.set(key.clone(), Value::text(value.as_str().unwrap()), Place::of(Source::Caller));
                }
                let question = question(Role::TaskManager, deployment);
                let request = Request { config: &config, from, to, question: &question, machine: MACHINE };
                let name = format!("{} from {} to {}", row["id"], from.version(), to.version());
                let migration = match migrate(&request) {
                    Ok(migration) => migration,
                    Err(refused) => {
                        let Refused::NotInOlder { keys, .. } = &refused;
                        assert!(
                            !keys.is_empty() && keys.iter().all(|key| config.get(key).is_some()),
                            "{name}: {refused}"
                        );
                        tally.refused += 1;
                        continue;
                    }
                };
                tally.check(&migration, deployment, &name);
                for proof in migration.roles.iter().filter(|proof| proof.before.is_ok()) {
                    if std::env::var_os("OOMPH_TELL").is_some() && !proof.lost.is_empty() {
                        println!("{name}: {}\n{:#?}\n{}", row["cfg"], proof.lost, migration.text(Secrets::Written));
                    }
                }
            }
        }
    }
    println!("{tally:#?}");
    tally
}

#[test]
fn what_real_flink_accepted_keeps_its_sizes_in_the_next_version() {
    let tally = over_the_tables(|place| vec![place + 1]);
    assert_eq!(tally.refused, 0);
    assert!(tally.processes > 500 && tally.kept_whole * 100 >= tally.processes * 98, "{tally:#?}");
}

#[test]
fn what_real_flink_accepted_keeps_its_sizes_in_the_newest_version() {
    let newest = Profile::all().len() - 1;
    let tally = over_the_tables(|place| vec![newest].into_iter().filter(|newest| *newest > place + 1).collect());
    assert_eq!(tally.refused, 0);
    assert!(tally.processes > 500 && tally.kept_whole * 100 >= tally.processes * 98, "{tally:#?}");
}

#[test]
fn backwards_it_keeps_its_sizes_too_or_names_the_keys_that_are_not_there() {
    let tally = over_the_tables(|place| place.checked_sub(1).into_iter().collect());
    assert!(tally.refused > 0 && tally.kept_whole * 100 >= tally.processes * 98, "{tally:#?}");
}

/// Every so many rows of the tables.
const SAMPLE: usize = 10;
