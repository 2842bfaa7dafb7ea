//! Runs what was asked for, and prints what came of it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::ValueEnum;

use super::engines::{self, Engine};
use super::{PredictArgs, RunArgs, closed_loop, conduct, on_flink, prepare};
use crate::cli::Exit;
use crate::cli::attach::over_time;
use crate::cli::plan::width;
use crate::flink::profile::Profile;
use crate::harness::conduct::{Conductor, WORKER, WORKER_JEMALLOC};
use crate::harness::leftovers;
use crate::model::EngineChoice;
use crate::probe::root::Root;
use crate::report::repro::show::{Half, Plan};
use crate::report::repro::{self as report, Entry, NotRun};
use crate::repro::compare::{self, Side};
use crate::repro::failure::Failure;
use crate::repro::outcome::{Ending, Run, Trial};
use crate::repro::scenario::{Needs, Prepared, Scenario};
use crate::repro::scenarios::{self, OnFlink};

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// Everything, for programs (docs/schema/repro-v1.json).
    Json,
}

/// A run that could not be begun.
pub fn refused(error: &dyn std::fmt::Display) -> Exit {
    anstream::eprintln!("error: {error}");
    Exit::Input
}

/// Where run directories go: a directory of temporary files that outlives a restart lies on a disk.
fn base(dir: Option<&Path>) -> PathBuf {
    let lasting = PathBuf::from("/var/tmp");
    match dir {
        Some(dir) => dir.to_owned(),
        None if lasting.is_dir() => lasting,
        None => std::env::temp_dir(),
    }
}

/// Where the workers lie, unless the environment says otherwise: beside this program, or in `../lib/oomph`, where the Debian
/// package puts what nobody calls by hand.
pub fn workers() -> PathBuf {
    let told = std::env::var_os("OOMPH_WORKERS").map(PathBuf::from);
    told.or_else(|| std::env::current_exe().ok().as_deref().and_then(workers_of)).unwrap_or_default()
}

fn workers_of(program: &Path) -> Option<PathBuf> {
    let beside = program.parent()?;
    let packaged = beside.parent().map(|above| above.join("lib/oomph")).filter(|packaged| packaged.is_dir());
    let is_beside = [WORKER, WORKER_JEMALLOC].iter().any(|worker| beside.join(worker).is_file());
    Some(packaged.filter(|_| !is_beside).unwrap_or_else(|| beside.to_owned()))
}

/// Files that must not be there yet: nothing is written over.
pub fn are_new(outputs: &[&Option<PathBuf>]) -> Result<(), String> {
    for path in outputs.iter().copied().flatten() {
        if path.exists() {
            return Err(format!("{} is there already: name another file, or remove it", path.display()));
        }
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Some(parent) = parent.filter(|parent| !parent.is_dir()) {
            return Err(format!("could not write {}: there is no directory {}", path.display(), parent.display()));
        }
    }
    Ok(())
}

/// Where run directories go, made where it is not there, and without what earlier runs left that were cut off.
pub fn prepared_base(dir: Option<&Path>, root: &Root) -> Result<PathBuf, String> {
    let base = base(dir);
    fs::create_dir_all(&base).map_err(|error| format!("could not make {}: {error}", base.display()))?;
    for swept in leftovers::sweep(root, Some(&base)) {
        match &swept.kept {
            None => anstream::eprintln!(
                "note: {} was left by an earlier run that was cut off; it is gone",
                swept.path.display()
            ),
            Some(why) => {
                anstream::eprintln!("note: {} was left by an earlier run, and stays: {why}", swept.path.display())
            }
        }
    }
    Ok(base)
}

/// What is set when somebody wants all of it to end.
pub fn until_interrupted() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    Ok(stop)
}

/// A long session shows each scenario when it is done; JSON is one document at the end.
pub fn tell(trial: &Trial, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    if format == Format::Text {
        writeln!(out, "{}", report::text::trial(trial, width(), over_time::signs()))?;
        out.flush()?;
    }
    Ok(())
}

/// What comes at the end of a session of trials: the table of several, or the document, and the files asked for.
pub fn write(
    trials: &[Trial],
    format: Format,
    output: Option<&Path>,
    html: Option<&Path>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let document = || serde_json::to_string_pretty(&report::json::document(trials, &[], &[]));
    match format {
        Format::Json => writeln!(out, "{}", document()?)?,
        Format::Text if trials.len() > 1 => write!(out, "{}", report::all::page(trials, &[], width()))?,
        Format::Text => {}
    }
    if let Some(path) = output {
        write_new(path, &document()?)?;
    }
    if let Some(path) = html {
        write_new(path, &report::html::page(trials, &[])?)?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.with_context(|| format!("could not write {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("could not write {}", path.display()))
}

/// What is run, one after another, and what became of it.
struct Session<'a> {
    args: &'a RunArgs,
    conductor: Conductor<'a>,
    trials: Vec<Trial>,
    runs: Vec<Run>,
    not_run: Vec<NotRun>,
    recorded: usize,
}

/// `oomph repro run`.
pub fn run(args: &RunArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.on.is_some() {
        let asked = closed_loop::Asked {
            names: &args.names,
            all: args.all,
            flink_home: &args.engine.flink_home,
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
    let mut session =
        Session { args, conductor, trials: Vec::new(), runs: Vec::new(), not_run: Vec::new(), recorded: 0 };
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
    session.print(out)?;
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
                        self.trials.push(trial);
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
                self.not_run.push(NotRun { name, title, needs: "--flink-home DIR".to_owned() });
            }
            for home in &self.args.engine.flink_home {
                if self.conductor.stop.load(Ordering::Relaxed) {
                    return Ok(Ok(()));
                }
                match on_flink::run(&self.conductor, scenario, home, self.args.factor) {
                    Ok(trial) => {
                        tell(&trial, self.args.format, out)?;
                        self.trials.push(trial);
                    }
                    Err(error) => return Ok(Err(error)),
                }
            }
        }
        Ok(Ok(()))
    }

    fn leave_out(&mut self, scenario: &Scenario, needs: String) {
        self.not_run.push(NotRun { name: scenario.name.to_owned(), title: scenario.title.to_owned(), needs });
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
                None => (prepare::derived(DEFAULT, "the default configuration", engine.version)?, DEFAULT.to_owned()),
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
            self.runs.push(run);
        }
        Ok(())
    }

    fn exit(&self) -> Exit {
        let held = self.trials.iter().all(Trial::holds);
        let lived = self.runs.iter().all(|run| run.ending == Ending::Finished);
        let nothing = self.trials.is_empty() && self.runs.is_empty();
        match (held && lived, nothing) {
            (_, true) => Exit::Input,
            (true, false) => Exit::Clean,
            (false, false) => Exit::Findings,
        }
    }

    fn print(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let document =
            || serde_json::to_string_pretty(&report::json::document(&self.trials, &self.runs, &self.not_run));
        match self.args.format {
            Format::Json => writeln!(out, "{}", document()?)?,
            Format::Text => {
                for run in &self.runs {
                    writeln!(out, "{}", report::text::run(run, width(), over_time::signs()))?;
                }
                if self.trials.len() + self.not_run.len() > 1 || !self.not_run.is_empty() {
                    write!(out, "{}", report::all::page(&self.trials, &self.not_run, width()))?;
                }
            }
        }
        if let Some(path) = &self.args.output {
            write_new(path, &document()?)?;
        }
        if let Some(path) = &self.args.html {
            let page = match self.runs.is_empty() {
                true => report::html::page(&self.trials, &self.not_run)?,
                false => report::html::page_of_runs(&self.runs)?,
            };
            write_new(path, &page)?;
        }
        Ok(())
    }
}

/// Flink's own configuration, where a workload comes without one.
const DEFAULT: &str = "taskmanager.memory.process.size: 1728m\nstate.backend.type: rocksdb\n";

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

/// A scenario in a list: its time is that of its runs, each at most.
pub fn entry(scenario: &Scenario) -> Entry {
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
pub fn entry_on_flink(scenario: &OnFlink) -> Entry {
    Entry {
        name: scenario.name.to_owned(),
        title: scenario.title.to_owned(),
        seconds: scenario.seconds,
        needs: Some("--flink-home".to_owned()),
    }
}

/// A failure on a real Flink in a list.
pub fn entry_of_failure(failure: &Failure) -> Entry {
    Entry {
        name: failure.name.to_owned(),
        title: failure.title.to_owned(),
        seconds: failure.usual_seconds,
        needs: None,
    }
}

/// `oomph repro show` of a failure.
pub fn show_failure(failure: &Failure, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let plan = Plan {
        entry: Entry { needs: Some("--on flink --flink-home".to_owned()), ..entry_of_failure(failure) },
        about: failure.story.to_owned(),
        states: failure.states(),
        runs: Vec::new(),
    };
    out.write_all(report::show::page(&plan, width()).as_bytes())?;
    Ok(Exit::Clean)
}

/// `oomph repro show` of one on a real Flink.
pub fn show_on_flink(scenario: &OnFlink, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let plan = Plan {
        entry: entry_on_flink(scenario),
        about: scenario.story.to_owned(),
        states: scenario.states.iter().map(|says| (*says).to_owned()).collect(),
        runs: Vec::new(),
    };
    out.write_all(report::show::page(&plan, width()).as_bytes())?;
    Ok(Exit::Clean)
}

/// `oomph repro show`.
pub fn show(scenario: &Scenario, out: &mut dyn Write) -> anyhow::Result<Exit> {
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
        None => (prepare::derived(DEFAULT, "the default configuration", engine.version)?, DEFAULT.to_owned()),
    };
    let limit = derived.native;
    Ok(prepare::own(workload, derived, engine, args.malloc.with(args.arenas), limit, text))
}

/// `oomph repro compare`.
pub fn compare(a: &Path, b: &Path, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let sides = match (sides(a), sides(b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(error), _) | (_, Err(error)) => return Ok(refused(&error)),
    };
    let comparison = compare::compare(&sides.0, &sides.1);
    let names = (a.display().to_string(), b.display().to_string());
    write!(out, "{}", report::compare::page(&comparison, (&names.0, &names.1), width()))?;
    Ok(Exit::Clean)
}

/// What a file holds: a result as JSON, or a recording.
fn sides(path: &Path) -> Result<Vec<Side>, String> {
    let bytes = fs::read(path).map_err(|error| format!("could not read {}: {error}", path.display()))?;
    if bytes.trim_ascii_start().starts_with(b"{\n") || bytes.trim_ascii_start().starts_with(b"{ ") {
        let text = String::from_utf8_lossy(&bytes);
        let document =
            report::json::read(&text).map_err(|error| format!("could not read {}: {error}", path.display()))?;
        return Ok(document.sides());
    }
    match over_time::recall(path) {
        Ok((Some(recalled), _)) => Ok(vec![Side::of_recording(&recalled)]),
        Ok((None, _)) => Err(format!("could not compare {}: there is no look in it", path.display())),
        Err(error) => {
            Err(format!("could not read {}: no result of oomph repro, and as a recording: {error}", path.display()))
        }
    }
}
