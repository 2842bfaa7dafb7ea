//! `oomph repro loop` without Flink: a scenario fails in a worker, diagnose explains what is left, and the same workload
//! runs again with the configuration that diagnose proposes.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::closed_loop::Asked;
use super::engines::Engine;
use super::proposal::{changed, proposed};
use super::{conduct, engines, prepare, refused_names, results};
use crate::cli::Exit;
use crate::harness::conduct::Conductor;
use crate::model::{Limit, Malloc, Role};
use crate::probe::root::Root;
use crate::repro::failures;
use crate::repro::judging;
use crate::repro::launch::Settings;
use crate::repro::outcome::{Ending, Statement, Trial, Verdict};
use crate::repro::scenario::{Bound, CURED, Closes, Prepared, Scenario};
use crate::repro::scenarios;

/// The cured run has so many times the work of the failing one, which did not even do its own.
const TIMES: u32 = 2;

/// The scenarios whose cure diagnose can find in what they leave.
fn closing() -> impl Iterator<Item = (&'static Scenario, Closes)> {
    scenarios::ALL.iter().filter_map(|scenario| Some((scenario, scenario.closes?)))
}

/// Goes through them, one after another.
pub fn go(asked: &Asked<'_>, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut chosen = Vec::new();
    for name in asked.names {
        match closing().find(|(scenario, _)| scenario.name == name) {
            Some(found) => chosen.push(found),
            None => return Ok(not_here(name)),
        }
    }
    if asked.all {
        chosen.extend(closing());
    }
    if chosen.is_empty() {
        let names: Vec<&str> = closing().map(|(scenario, _)| scenario.name).collect();
        anstream::eprintln!("error: nothing to run: give --all, or names of these: {}", names.join(", "));
        return Ok(Exit::Usage);
    }
    let of_flink =
        [(asked.conf.is_some(), "--conf"), (asked.keep.is_some(), "--keep"), (!asked.python.is_empty(), "--python")];
    if let Some((_, option)) = of_flink.iter().find(|(given, _)| *given) {
        anstream::eprintln!("error: {option} belongs to a loop on a real Flink: add --flink-home DIR");
        return Ok(Exit::Usage);
    }
    if let Err(error) = results::are_new(&[asked.output, asked.html]) {
        anstream::eprintln!("error: {error}");
        return Ok(Exit::Usage);
    }
    let root = Root::live();
    let base = match results::prepared_base(asked.dir, &root) {
        Ok(base) => base,
        Err(error) => return Ok(results::refused(&error)),
    };
    let engine = match engines::embedded() {
        Ok(engine) => engine,
        Err(error) => return Ok(results::refused(&error)),
    };
    let stop = results::until_interrupted()?;
    let interval = Duration::from_millis(100);
    let conductor = Conductor { root: &root, workers: results::workers(), base, disk: None, interval, stop: &stop };
    let mut done = results::Results::default();
    for (scenario, closes) in chosen {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match closed(&conductor, scenario, closes, &engine) {
            Ok(trial) => {
                results::tell(&trial, asked.format, out)?;
                done.trials.push(trial);
            }
            Err(error) => return Ok(results::refused(&error)),
        }
    }
    results::write(&done, asked.format, asked.output.as_deref(), asked.html.as_deref(), out)?;
    if stop.load(Ordering::Relaxed) {
        anstream::eprintln!("interrupted: what ran was ended, and nothing is left of it");
        return Ok(Exit::Findings);
    }
    Ok(if done.trials.iter().all(Trial::holds) { Exit::Clean } else { Exit::Findings })
}

/// What has that name runs elsewhere, or nowhere.
fn not_here(name: &str) -> Exit {
    if failures::named(name).is_some() {
        anstream::eprintln!("error: {name} runs on a real Flink: add --flink-home DIR");
        return Exit::Usage;
    }
    if scenarios::named(name).is_some() {
        anstream::eprintln!(
            "error: no change of a key follows from what {name} leaves; oomph repro run {name} runs it with the cure that it \
             knows itself"
        );
        return Exit::Usage;
    }
    refused_names(name, closing().map(|(scenario, _)| scenario.name).chain(failures::ALL.iter().map(|it| it.name)))
}

/// One: fails, is explained, is cured.
fn closed(
    conductor: &Conductor<'_>,
    scenario: &'static Scenario,
    closes: Closes,
    engine: &Engine,
) -> Result<Trial, String> {
    let mut notes = Vec::new();
    let first = prepare::scenario(scenario, engine, 1)?.into_iter().next();
    let first = first.ok_or_else(|| format!("could not run {}: it has no runs", scenario.name))?;
    let (run, explained) = conduct::run_and_explain(conductor, &first, engine, &mut notes)?;
    let interrupted = run.ending == Ending::Interrupted;
    let mut statements = vec![explained_right(closes, run.verdict.as_ref())];
    let mut runs = vec![run];
    statements.insert(0, judging::fails_of_memory("The process is killed at its limit.", &runs));
    if let Some(explained) = explained.filter(|_| !interrupted) {
        let (statement, changes) = proposed(&explained, Role::TaskManager);
        statements.push(statement);
        if let Some(changes) = changes {
            let second = with(scenario, &first, &changed(settings(&first.configuration), &changes), engine)?;
            let release = conduct::release(&second, engine.version);
            let cured = conduct::run(conductor, &second, release, None, &mut notes);
            runs.push(cured.map_err(|error| format!("could not {error}"))?);
            statements.push(judging::cured_lives("With the change it does all of twice the work.", &runs));
        }
    }
    Ok(Trial { scenario: scenario.name.to_owned(), title: scenario.title.to_owned(), runs, statements, notes })
}

/// Whether diagnose said what is true.
fn explained_right(closes: Closes, verdict: Option<&Verdict>) -> Statement {
    let areas: Vec<String> = closes.areas.iter().map(ToString::to_string).collect();
    let held = verdict.is_some_and(|verdict| {
        closes.killers.iter().any(|killer| killer.name() == verdict.killer) && areas.contains(&verdict.area)
    });
    let killers: Vec<&str> = closes.killers.iter().map(|killer| killer.name()).collect();
    let measured = verdict.map_or_else(
        || "nothing was said".to_owned(),
        |verdict| format!("{}, {} ({} confidence)", verdict.killer, verdict.area, verdict.confidence),
    );
    Statement { says: format!("diagnose says {}, {}", killers.join(" or "), areas.join(" or ")), held, measured }
}

/// A scenario's configuration, which is flat.
fn settings(configuration: &str) -> Settings {
    let pairs = configuration.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// The failing run with other settings. Its container has what Flink plans for native memory, as the failing run's had; one
/// of a size of its own grows with that.
fn with(scenario: &Scenario, first: &Prepared, settings: &Settings, engine: &Engine) -> Result<Prepared, String> {
    let configuration: String = settings.iter().map(|(key, value)| format!("{key}: {value}\n")).collect();
    let derived = prepare::derived(&configuration, "what diagnose proposes", engine.version)?;
    let mut second = first.clone();
    let bound = scenario.variants.first().map(|variant| variant.bound);
    second.experiment.limit = match (bound, first.experiment.limit, first.native, derived.native) {
        (Some(Bound::Fixed(_)), Limit::AtMost(limit), Limit::AtMost(before), Limit::AtMost(now)) => {
            let more = now.checked_sub(before).unwrap_or_default();
            Limit::AtMost(limit.checked_add(more).unwrap_or(limit))
        }
        (_, _, _, native) => native,
    };
    let arenas = settings.get("containerized.taskmanager.env.MALLOC_ARENA_MAX").and_then(|text| text.parse().ok());
    let preloaded = settings.get("containerized.taskmanager.env.LD_PRELOAD");
    second.experiment.malloc = match (arenas, preloaded) {
        (Some(arenas), _) => Malloc::Glibc { arenas: Some(arenas) },
        (None, Some(library)) if library.contains("jemalloc") => Malloc::Jemalloc,
        _ => first.experiment.malloc,
    };
    second.native = derived.native;
    second.experiment.store = derived.store;
    second.configuration = configuration;
    prepare::scale(&mut second.experiment.workload, TIMES);
    second.seconds = second.seconds.saturating_mul(u64::from(TIMES));
    CURED.clone_into(&mut second.label);
    Ok(second)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::flink::profile::Profile;
    use crate::model::{Bytes, EngineChoice};
    use crate::recommend::Change;

    fn engine() -> Engine {
        let version = Profile::newest().version();
        Engine { choice: EngineChoice::Embedded, version, name: String::new() }
    }

    fn changed_to(name: &str, changes: &[Change]) -> (Prepared, Prepared) {
        let scenario = scenarios::named(name).unwrap();
        let first = prepare::scenario(scenario, &engine(), 1).unwrap().remove(0);
        let settings = changed(settings(&first.configuration), changes);
        let second = with(scenario, &first, &settings, &engine()).unwrap();
        (first, second)
    }

    #[test]
    fn the_container_of_the_second_run_grows_as_its_plan_does() {
        let more = [
            Change::set("taskmanager.memory.process.size", "1380m"),
            Change::set("taskmanager.memory.jvm-overhead.min", "124m"),
            Change::set("taskmanager.memory.jvm-overhead.max", "124m"),
        ];
        let (first, second) = changed_to("allocator", &more);
        assert_eq!(first.experiment.limit, Limit::AtMost(Bytes::mib(264)));
        assert_eq!(second.experiment.limit, Limit::AtMost(Bytes::mib(364)));
        let records = |prepared: &Prepared| prepared.experiment.workload.phases.iter().map(|phase| phase.records).sum();
        let (one, two): (u64, u64) = (records(&first), records(&second));
        assert_eq!(two, 2 * one);
    }

    #[test]
    fn a_variable_of_the_environment_chooses_the_allocator() {
        let one_arena = Change::set("containerized.taskmanager.env.MALLOC_ARENA_MAX", "1");
        assert_eq!(changed_to("allocator", &[one_arena]).1.experiment.malloc, Malloc::Glibc { arenas: Some(1) });
        let preloaded = Change::set("containerized.taskmanager.env.LD_PRELOAD", "/usr/lib/libjemalloc.so.2");
        assert_eq!(changed_to("allocator", &[preloaded]).1.experiment.malloc, Malloc::Jemalloc);
        assert_eq!(changed_to("allocator", &[]).1.experiment.malloc, Malloc::Glibc { arenas: None });
    }
}
