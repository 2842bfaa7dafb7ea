//! From a scenario or a workload, a configuration and an engine to what is run.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;

use super::engines::Engine;
use crate::cli::plan::gather::{Asked, Request};
use crate::config::FileKind;
use crate::config::load::{self, Input, TextInput};
use crate::config::template::Templates;
use crate::flink::Version;
use crate::model::{Bytes, Experiment, Limit, Malloc, Role, Source, Workload};
use crate::report::Sheet;
use crate::repro::launch::Settings;
use crate::repro::scenario::{Bound, Home, Prepared, Scenario, Variant};
use crate::repro::settings::{self, Derived};
use crate::repro::workload;

/// Flink's own configuration, where a workload comes without one.
pub const DEFAULT: &str = "taskmanager.memory.process.size: 1728m\nstate.backend.type: rocksdb\n";

/// An allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MallocArg {
    /// The C library's.
    Glibc,
    /// jemalloc.
    Jemalloc,
}

impl MallocArg {
    /// With so many arenas.
    pub fn with(self, arenas: Option<u32>) -> Malloc {
        match self {
            MallocArg::Glibc => Malloc::Glibc { arenas },
            MallocArg::Jemalloc => Malloc::Jemalloc,
        }
    }
}

/// What memory a configuration gives RocksDB, as a version of Flink derives it.
pub fn derived(text: &str, name: &str, version: Version) -> Result<Derived, String> {
    let text = spelled_for(text, version);
    let input = TextInput {
        source: Source::File(Arc::from(name)),
        text,
        kind_by_name: Some(FileKind::Legacy),
        distribution: None,
        templates: Templates::Refused,
    };
    let loaded = load::interpret(input, Some(version)).map_err(|error| format!("could not {error}"))?;
    let loaded = loaded.into_iter().next().ok_or_else(|| format!("could not find a configuration in {name}"))?;
    of_sheet(&sheet(loaded, name)?)
}

/// The same of a user's file.
pub fn derived_of_file(conf: &Path, version: Option<Version>) -> Result<(Derived, Version, String), String> {
    let input = Input::Path(conf.to_owned());
    let loaded = load::load(&input, version).map_err(|error| format!("could not {error}"))?;
    let role = |loaded: &load::Loaded| loaded.subject.role.is_none_or(|role| role == Role::TaskManager);
    let name = conf.display().to_string();
    let loaded = loaded
        .into_iter()
        .find(role)
        .ok_or_else(|| format!("could not find a TaskManager's configuration in {name}"))?;
    let version = loaded.choice.profile.version();
    let text = fs::read_to_string(conf).unwrap_or_default();
    Ok((of_sheet(&sheet(loaded, &name)?)?, version, text))
}

/// What a user's file sets, as a version of Flink reads it.
pub fn settings_of_file(conf: &Path, version: Version) -> Result<Settings, String> {
    let loaded =
        load::load(&Input::Path(conf.to_owned()), Some(version)).map_err(|error| format!("could not {error}"))?;
    let name = conf.display().to_string();
    let first = loaded.into_iter().next().ok_or_else(|| format!("could not find a configuration in {name}"))?;
    let sheet = sheet(first, &name)?;
    Ok(sheet.config.iter().map(|(key, set)| (key.to_owned(), set.value.java_text().into_owned())).collect())
}

fn sheet(loaded: load::Loaded, name: &str) -> Result<Sheet, String> {
    let asked = Asked { role: Some(Role::TaskManager), ..Asked::default() };
    let sheet = Request::default().sheet_of(&asked, &Input::Path(name.into()), loaded);
    sheet.map_err(|error| format!("could not {error}"))
}

fn of_sheet(sheet: &Sheet) -> Result<Derived, String> {
    match &sheet.outcome {
        Ok(survey) => settings::derive(&sheet.config, survey).map_err(|error| format!("could not {error}")),
        Err(rejected) => Err(format!("could not plan the configuration: Flink refuses it: {}", rejected.rejection)),
    }
}

/// Scenarios name the state backend as newer versions do; before 1.17 the option had another name.
fn spelled_for(text: &str, version: Version) -> String {
    let knows = |key: &str| {
        crate::flink::profile::Profile::of(version)
            .is_ok_and(|(profile, _)| crate::flink::options::declared(key, profile).is_some())
    };
    match knows("state.backend.type") {
        true => text.to_owned(),
        false => text.replace("state.backend.type:", "state.backend:"),
    }
}

/// Everything that a scenario runs with one engine.
pub fn scenario(scenario: &Scenario, engine: &Engine, factor: u32) -> Result<Vec<Prepared>, String> {
    let mut all: Vec<Prepared> = Vec::new();
    for variant in scenario.variants {
        let first = all.first().map(|prepared| prepared.native);
        all.push(self::variant(scenario, variant, engine, factor, first)?);
    }
    Ok(all)
}

fn variant(
    scenario: &Scenario,
    variant: &Variant,
    engine: &Engine,
    factor: u32,
    first: Option<Limit>,
) -> Result<Prepared, String> {
    let name = format!("{} ({})", scenario.name, variant.label);
    let text = variant.workload.unwrap_or(scenario.workload);
    let mut workload =
        workload::parse(scenario.name, text).map_err(|error| format!("could not read {name}: {error}"))?;
    scale(&mut workload, factor);
    let configuration = spelled_for(variant.configuration, engine.version);
    // Where there is no RocksDB there is nothing to derive.
    let derived = match workload.operators.is_empty() {
        true => None,
        false => Some(derived(&configuration, &name, engine.version)?),
    };
    let native = derived.as_ref().map_or(Limit::Unlimited, |derived| derived.native);
    let limit = match variant.bound {
        Bound::Native => native,
        Bound::NativeOfTheFirst => first.unwrap_or(native),
        Bound::Fixed(limit) => Limit::AtMost(limit),
        Bound::None => Limit::Unlimited,
    };
    Ok(Prepared {
        experiment: Experiment {
            name: scenario.name.to_owned(),
            workload,
            store: derived.map_or_else(settings::plain, |derived| derived.store),
            malloc: variant.malloc,
            engine: engine.choice.clone(),
            limit,
            directory: String::new(),
        },
        configuration,
        native,
        seconds: variant.seconds.saturating_mul(u64::from(factor)),
        label: variant.label.to_owned(),
        home: variant.home,
    })
}

/// More of the same.
pub fn scale(workload: &mut Workload, factor: u32) {
    for phase in &mut workload.phases {
        phase.records = phase.records.saturating_mul(u64::from(factor));
    }
    if let Some(shuffle) = &mut workload.shuffle {
        shuffle.bytes = shuffle.bytes.checked_mul(u64::from(factor)).unwrap_or(shuffle.bytes);
    }
}

/// A workload of the user's own.
pub fn own_workload(path: &Path) -> Result<Workload, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    workload::parse(&name, &text).map_err(|error| format!("could not read {}: {error}", path.display()))
}

/// `none`, or a size.
pub fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "none" => Ok(Limit::Unlimited),
        _ => Bytes::parse_flink(text)
            .map(Limit::AtMost)
            .map_err(|_| format!("--limit: {text} is no size; write one such as 512m, or none")),
    }
}

/// What a user's workload is run with.
pub fn own(
    workload: Workload,
    derived: Derived,
    engine: &Engine,
    malloc: Malloc,
    limit: Limit,
    conf: String,
) -> Prepared {
    let records: u64 = workload.phases.iter().map(|phase| phase.records).sum();
    let rates = workload.phases.iter().filter_map(|phase| Some(phase.records / phase.rate?.max(1)));
    Prepared {
        // As slow as a thousand records a second, or as its rates say.
        seconds: 120 + (records / 1_000).max(rates.sum::<u64>().saturating_mul(2)),
        experiment: Experiment {
            name: workload.name.clone(),
            workload,
            store: derived.store,
            malloc,
            engine: engine.choice.clone(),
            limit,
            directory: String::new(),
        },
        configuration: conf,
        native: derived.native,
        label: "run".to_owned(),
        home: Home::Disk,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::flink::profile::Profile;
    use crate::model::EngineChoice;
    use crate::repro::scenarios;

    /// From 1.10 on: before, Flink cannot put RocksDB into managed memory.
    #[test]
    fn every_scenario_is_planned_by_every_flink_since_managed_rocksdb() {
        for profile in Profile::all().iter().skip(1) {
            let engine = Engine { choice: EngineChoice::Embedded, version: profile.version(), name: String::new() };
            for scenario in scenarios::ALL {
                let prepared = super::scenario(scenario, &engine, 1).unwrap();
                assert_eq!(prepared.len(), scenario.variants.len(), "{}", scenario.name);
            }
        }
    }
}
