//! What there is to run: the list, and one of it in full.

use std::io::Write;

use super::engines::Engine;
use super::results::refused;
use super::{conduct, prepare};
use crate::cli::Exit;
use crate::cli::plan::width;
use crate::flink::profile::Profile;
use crate::model::EngineChoice;
use crate::report::repro::show::{Half, Plan};
use crate::report::repro::{self as report, Entry};
use crate::repro::failure::Failure;
use crate::repro::failures;
use crate::repro::scenario::{Needs, Scenario};
use crate::repro::scenarios::{self, OnFlink};

/// `oomph repro list`.
pub fn list(out: &mut dyn Write) -> anyhow::Result<Exit> {
    let on_flink = scenarios::ON_FLINK.iter().map(entry_on_flink);
    let entries: Vec<Entry> = scenarios::ALL.iter().map(entry).chain(on_flink).collect();
    let failures: Vec<Entry> = failures::ALL.iter().map(entry_of_failure).collect();
    out.write_all(report::list::list(&entries, &failures, width()).as_bytes())?;
    Ok(Exit::Clean)
}

/// `oomph repro show`; nothing where there is none of this name.
pub fn show(name: &str, out: &mut dyn Write) -> anyhow::Result<Option<Exit>> {
    if let Some(scenario) = scenarios::named(name) {
        return show_scenario(scenario, out).map(Some);
    }
    let on_flink = scenarios::ON_FLINK.iter().find(|scenario| scenario.name == name).map(plan_on_flink);
    let Some(plan) = on_flink.or_else(|| failures::named(name).map(plan_of_failure)) else { return Ok(None) };
    out.write_all(report::show::page(&plan, width()).as_bytes())?;
    Ok(Some(Exit::Clean))
}

/// A scenario in a list: its time is that of its runs, each at most.
fn entry(scenario: &Scenario) -> Entry {
    let needs = match scenario.needs {
        Needs { flink: true, .. } => Some("--flink-home"),
        Needs { python: true, .. } => Some("python3"),
        _ => None,
    };
    Entry {
        name: scenario.name.to_owned(),
        title: scenario.title.to_owned(),
        seconds: scenario.variants.iter().map(|variant| variant.usual_seconds).sum(),
        needs: needs.map(str::to_owned),
    }
}

/// One on a real Flink in a list.
fn entry_on_flink(scenario: &OnFlink) -> Entry {
    Entry {
        name: scenario.name.to_owned(),
        title: scenario.title.to_owned(),
        seconds: scenario.seconds,
        needs: Some("--flink-home".to_owned()),
    }
}

/// A failure on a real Flink in a list.
fn entry_of_failure(failure: &Failure) -> Entry {
    Entry {
        name: failure.name.to_owned(),
        title: failure.title.to_owned(),
        seconds: failure.usual_seconds,
        needs: None,
    }
}

fn plan_of_failure(failure: &Failure) -> Plan {
    Plan {
        entry: Entry { needs: Some("--on flink --flink-home".to_owned()), ..entry_of_failure(failure) },
        about: failure.story.to_owned(),
        states: failure.states(),
        runs: Vec::new(),
    }
}

fn plan_on_flink(scenario: &OnFlink) -> Plan {
    Plan {
        entry: entry_on_flink(scenario),
        about: scenario.story.to_owned(),
        states: scenario.states.iter().map(|says| (*says).to_owned()).collect(),
        runs: Vec::new(),
    }
}

fn show_scenario(scenario: &Scenario, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let version = Profile::newest().version();
    let engine = Engine { choice: EngineChoice::Embedded, version, name: String::new() };
    let all = match prepare::scenario(scenario, &engine, 1) {
        Ok(all) => all,
        Err(error) => return Ok(refused(&error)),
    };
    let runs = all.into_iter().map(|prepared| Half {
        prediction: conduct::predicted(&prepared, conduct::release_of(version)),
        label: prepared.label,
        configuration: Some(prepared.configuration),
        home: prepared.home,
        experiment: Some(prepared.experiment),
    });
    let plan = Plan {
        entry: entry(scenario),
        about: scenario.story.to_owned(),
        states: scenario.states.iter().map(|says| (*says).to_owned()).collect(),
        runs: runs.collect(),
    };
    out.write_all(report::show::page(&plan, width()).as_bytes())?;
    Ok(Exit::Clean)
}
