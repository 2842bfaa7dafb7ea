//! `oomph repro predict`.

use std::io::Write;
use std::path::Path;

use super::engines::Engine;
use super::results::Format;
use super::results::refused;
use super::{PredictArgs, conduct, prepare};
use crate::cli::Exit;
use crate::cli::plan::width;
use crate::flink::profile::Profile;
use crate::model::EngineChoice;
use crate::report::repro as report;
use crate::repro::scenario::{Prepared, Scenario};
use crate::repro::scenarios;

/// `oomph repro predict`.
pub fn predict(args: &PredictArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let version = args.flink.unwrap_or_else(|| Profile::newest().version());
    let engine = Engine { choice: EngineChoice::Embedded, version, name: String::new() };
    let all = match (scenarios::named(&args.workload), &args.conf) {
        (Some(scenario), None) => prepare::scenario(scenario, &engine, 1),
        (named, conf) => one(args, named, conf.as_deref(), &engine).map(|prepared| vec![prepared]),
    };
    let all = match all {
        Ok(all) => all,
        Err(error) => return Ok(refused(&error)),
    };
    let release = conduct::release_of(version);
    for prepared in &all {
        let Some(prediction) = conduct::predicted(prepared, release) else {
            return Ok(refused(&"this workload has no state in RocksDB: there is nothing to predict"));
        };
        match args.format {
            Format::Json => {
                let document = report::json::prediction(&prepared.experiment, &prediction);
                writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?;
            }
            Format::Text => {
                if all.len() > 1 {
                    writeln!(out, "{} ({})\n", prepared.experiment.name, prepared.label)?;
                }
                writeln!(out, "{}", report::predict::page(&prepared.experiment, &prediction, width()))?;
            }
        }
    }
    Ok(Exit::Clean)
}

fn one(args: &PredictArgs, named: Option<&Scenario>, conf: Option<&Path>, engine: &Engine) -> Result<Prepared, String> {
    let workload = match named {
        Some(scenario) => crate::repro::workload::parse(scenario.name, scenario.workload)
            .map_err(|error| format!("could not read {}: {error}", scenario.name))?,
        None => prepare::own_workload(Path::new(&args.workload))?,
    };
    let (derived, text) = match conf {
        Some(conf) => {
            let (derived, _, text) = prepare::derived_of_file(conf, args.flink)?;
            (derived, text)
        }
        None => (
            prepare::derived(prepare::DEFAULT, "the default configuration", engine.version)?,
            prepare::DEFAULT.to_owned(),
        ),
    };
    let limit = derived.native;
    Ok(prepare::own(workload, derived, engine, args.malloc.with(args.arenas), limit, text))
}
