//! `oomph repro run`: scenarios one after another, or a workload of the user's own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::engines::{self, Engine};
use super::results::{Results, are_new, prepared_base, refused, tell, until_interrupted, workers, write};
use super::{RunArgs, closed_loop, conduct, on_flink, prepare};
use crate::cli::Exit;
use crate::harness::conduct::Conductor;
use crate::model::EngineChoice;
use crate::probe::root::Root;
use crate::report::repro::NotRun;
use crate::repro::outcome::{Ending, Run, Trial};
use crate::repro::scenario::{Needs, Prepared, Scenario};
use crate::repro::scenarios::{self, OnFlink};

/// What is run, one after another, and what became of it.
struct Session<'a> {
    args: &'a RunArgs,
    conductor: Conductor<'a>,
    results: Results,
    recorded: usize,
}

/// `oomph repro run`.
pub fn run(args: &RunArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.on.is_some() {
        let asked = closed_loop::Asked {
            names: &args.names,
            all: args.all,
            flink_home: &args.engine.flink_home,
            python: &args.python,
            conf: args.conf.as_deref(),
            dir: args.dir.as_deref(),
            keep: None,
            format: args.format,
            output: &args.output,
            html: &args.html,
        };
        return closed_loop::go(&asked, closed_loop::Cure::Known, out);
    }
    if args.names.is_empty() && !args.all && args.workload.is_none() {
        anstream::eprintln!(
            "error: nothing to run: name a scenario (oomph repro list has them), or give --all, or a --workload of your own"
        );
        return Ok(Exit::Usage);
    }
    if args.conf.is_some() && args.workload.is_none() {
        anstream::eprintln!("error: --conf belongs to --workload FILE or to --on flink");
        return Ok(Exit::Usage);
    }
    let mut chosen = Vec::new();
    let mut on_flink = Vec::new();
    for name in &args.names {
        let of_flink = scenarios::ON_FLINK.iter().find(|scenario| scenario.name == name);
        match (scenarios::named(name), of_flink) {
            (Some(scenario), _) => chosen.push(scenario),
            (None, Some(scenario)) => on_flink.push(scenario),
            (None, None) => return Ok(super::unknown(name)),
        }
    }
    if args.all {
        chosen.extend(scenarios::ALL);
        on_flink.extend(scenarios::ON_FLINK);
    }
    if let Err(error) = are_new(&[&args.output, &args.html, &args.record]) {
        anstream::eprintln!("error: {error}");
        return Ok(Exit::Usage);
    }
    let root = Root::live();
    let base = match prepared_base(args.dir.as_deref(), &root) {
        Ok(base) => base,
        Err(error) => return Ok(refused(&error)),
    };
    let stop = until_interrupted()?;
    // A scenario on Flink brings its own RocksDB.
    let has_state = |scenario: &&Scenario| !scenario.workload.contains("\nshuffle:");
    let wanted = chosen.iter().any(has_state) || args.workload.is_some();
    let engines = match wanted.then(|| engines::find(&args.engine, &root, &base)).transpose() {
        Ok(engines) => engines,
        Err(error) => return Ok(refused(&error)),
    };
    let engines = engines.as_ref().map_or(&[][..], |engines| engines.all.as_slice());
    let conductor = Conductor {
        root: &root,
        workers: workers(),
        base,
        disk: args.disk,
        interval: Duration::from_millis(100),
        stop: &stop,
    };
    let mut session = Session { args, conductor, results: Results::default(), recorded: 0 };
    let ended = match &args.workload {
        Some(workload) => session.own(workload, engines),
        None => match session.scenarios(&chosen, engines, out)? {
            Ok(()) => session.on_flink(&on_flink, out)?,
            wrong => wrong,
        },
    };
    let exit = match ended {
        Ok(()) => session.exit(),
        Err(error) => refused(&error),
    };
    write(&session.results, args.format, args.output.as_deref(), args.html.as_deref(), out)?;
    if stop.load(Ordering::Relaxed) {
        anstream::eprintln!("interrupted: what ran was ended, and nothing is left of it");
        return Ok(exit.max(Exit::Findings));
    }
    Ok(exit)
}

impl Session<'_> {
    fn scenarios(
        &mut self,
        chosen: &[&Scenario],
        engines: &[Engine],
        out: &mut dyn Write,
    ) -> anyhow::Result<Result<(), String>> {
        for scenario in chosen {
            if let Some(needs) = missing(scenario.needs) {
                self.leave_out(scenario, needs);
                continue;
            }
            // A scenario that compares engines runs once with all of them; others once with each.
            let groups: Vec<&[Engine]> =
                if scenario.compares_engines { vec![engines] } else { engines.chunks(1).collect() };
            for group in groups {
                if self.conductor.stop.load(Ordering::Relaxed) {
                    return Ok(Ok(()));
                }
                match self.trial(scenario, group, engines.len() > 1) {
                    Ok(trial) => {
                        tell(&trial, self.args.format, out)?;
                        self.results.trials.push(trial);
                    }
                    Err(error) if self.args.all => self.leave_out(scenario, error),
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(()))
    }

    /// Those on a real Flink, on each that is given.
    fn on_flink(&mut self, chosen: &[&OnFlink], out: &mut dyn Write) -> anyhow::Result<Result<(), String>> {
        for scenario in chosen {
            if self.args.engine.flink_home.is_empty() {
                let (name, title) = (scenario.name.to_owned(), scenario.title.to_owned());
                self.results.not_run.push(NotRun { name, title, needs: "--flink-home DIR".to_owned() });
            }
            for home in &self.args.engine.flink_home {
                if self.conductor.stop.load(Ordering::Relaxed) {
                    return Ok(Ok(()));
                }
                match on_flink::run(&self.conductor, scenario, home, self.args.factor) {
                    Ok(trial) => {
                        tell(&trial, self.args.format, out)?;
                        self.results.trials.push(trial);
                    }
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(()))
    }

    fn leave_out(&mut self, scenario: &Scenario, needs: String) {
        self.results.not_run.push(NotRun { name: scenario.name.to_owned(), title: scenario.title.to_owned(), needs });
    }

    fn trial(&mut self, scenario: &Scenario, engines: &[Engine], named: bool) -> Result<Trial, String> {
        let mut runs = Vec::new();
        let mut notes = Vec::new();
        for (number, engine) in engines.iter().enumerate() {
            for mut prepared in prepare::scenario(scenario, engine, self.args.factor)? {
                if number > 0 {
                    prepared.label = format!("{}, {}", prepared.label, engine.name);
                }
                let run = self.conducted(&prepared, engine, &mut notes)?;
                let interrupted = run.ending == Ending::Interrupted;
                runs.push(run);
                if interrupted {
                    notes.push("It was interrupted: what follows was not run.".to_owned());
                    break;
                }
            }
        }
        let statements = (scenario.judge)(&runs);
        let engine = engines.first().filter(|_| named && engines.len() == 1);
        let title = match engine {
            Some(engine) => format!("{} ({})", scenario.title, engine.name),
            None => scenario.title.to_owned(),
        };
        Ok(Trial { scenario: scenario.name.to_owned(), title, runs, statements, notes })
    }

    fn conducted(&mut self, prepared: &Prepared, engine: &Engine, notes: &mut Vec<String>) -> Result<Run, String> {
        let record = self.args.record.as_ref().map(|path| match self.recorded {
            0 => path.clone(),
            number => numbered(path, &prepared.label, number),
        });
        self.recorded += 1;
        let release = conduct::release(prepared, engine.version);
        conduct::run(&self.conductor, prepared, release, record, notes).map_err(|error| format!("could not {error}"))
    }

    fn own(&mut self, path: &Path, engines: &[Engine]) -> Result<(), String> {
        let workload = prepare::own_workload(path)?;
        for engine in engines {
            let mut workload = workload.clone();
            prepare::scale(&mut workload, self.args.factor);
            let (derived, conf) = match &self.args.conf {
                Some(conf) => {
                    let version = Some(engine.version).filter(|_| engine.choice != EngineChoice::Embedded);
                    let (derived, _, text) = prepare::derived_of_file(conf, version)?;
                    (derived, text)
                }
                None => (
                    prepare::derived(prepare::DEFAULT, "the default configuration", engine.version)?,
                    prepare::DEFAULT.to_owned(),
                ),
            };
            let limit = match &self.args.limit {
                Some(text) => prepare::limit(text)?,
                None => derived.native,
            };
            let malloc = self.args.malloc.with(self.args.arenas);
            let mut prepared = prepare::own(workload, derived, engine, malloc, limit, conf);
            prepared.label.clone_from(&engine.name);
            let mut notes = Vec::new();
            let run = self.conducted(&prepared, engine, &mut notes)?;
            notes.iter().for_each(|note| anstream::eprintln!("note: {note}"));
            self.results.runs.push(run);
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        let held = self.results.trials.iter().all(Trial::holds);
        let lived = self.results.runs.iter().all(|run| run.ending == Ending::Finished);
        let nothing = self.results.trials.is_empty() && self.results.runs.is_empty();
        match (held && lived, nothing) {
            (_, true) => Exit::Input,
            (true, false) => Exit::Clean,
            (false, false) => Exit::Findings,
        }
    }
}

/// What a scenario needs and this machine has not.
fn missing(needs: Needs) -> Option<String> {
    let has_python = || {
        std::env::var_os("PATH")
            .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join("python3").is_file()))
    };
    match needs {
        Needs { flink: true, .. } => Some("--flink-home DIR".to_owned()),
        Needs { python: true, .. } if !has_python() => Some("python3".to_owned()),
        _ => None,
    }
}

/// `run.rec` for a further run: `run.cured-2.rec`.
fn numbered(path: &Path, label: &str, number: usize) -> PathBuf {
    let label: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{label}-{}", number + 1));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}
