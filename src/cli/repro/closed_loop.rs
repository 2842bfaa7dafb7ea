//! `oomph repro loop`: a failure, what diagnose says of what it left, the change that diagnose proposes applied to a copy of the
//! configuration, and the same again with that.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::proposal::{changed, more_threads, proposed, spared};
use super::results::{self, Format};
use super::{embedded_loop, on_flink, prepare, refused_names};
use crate::cli::Exit;
use crate::cli::diagnose;
use crate::harness::flink::distribution::Distribution;
use crate::harness::flink::failing::{self, Attempt, Left};
use crate::harness::flink::python::{Python, PythonError};
use crate::harness::flink::{FlinkError, Stage};
use crate::harness::leftovers::RunDirectory;
use crate::harness::thread_limit::Threads;
use crate::probe::root::Root;
use crate::report::repro::NotRun;
use crate::repro::failure::{Failure, Fence, Seen, Site, Worker};
use crate::repro::failures;
use crate::repro::outcome::{Run, Statement, Trial, Verdict};

/// Where a loop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum On {
    /// On a real Flink: --flink-home.
    Flink,
    /// In workers with the RocksDB that oomph brings along.
    Embedded,
}

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph repro loop metaspace --flink-home flink-2.3.0
      does diagnose see why it dies, and does what it proposes cure it
  oomph repro loop --all --flink-home flink-1.20.5 --html loop.html
      the same of every failure, as one page
  oomph repro loop metaspace --flink-home flink-2.3.0 --keep left
      and what the failing run left, to be read with oomph diagnose
  oomph repro loop unmanaged-rocksdb
      the same without Flink, with the RocksDB that oomph brings along

Exit codes:
  0  each failed as it states, was explained, and lived with what was proposed
  1  one did not, or it was interrupted
  2  the command line is wrong, or an output is there already
  3  nothing could be run";

/// What is to be gone through.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LoopArgs {
    /// Which failures.
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// All of them.
    #[arg(long, conflicts_with = "names")]
    all: bool,

    /// Where they run [default: flink with --flink-home, else embedded].
    #[arg(long, value_enum, value_name = "WHERE")]
    on: Option<On>,

    /// A distribution of Flink; several for one after another.
    #[arg(long, value_name = "DIR", required_if_eq("on", "flink"))]
    flink_home: Vec<PathBuf>,

    /// The Python with PyFlink for jobs with Python functions; several for several versions [default: that of the package
    /// --flink-home lies in, else python3].
    #[arg(long, value_name = "FILE")]
    python: Vec<PathBuf>,

    /// Flink's configuration, in place of that of the failure.
    #[arg(long, value_name = "CONF", conflicts_with = "all")]
    conf: Option<PathBuf>,

    /// Where run directories go: on a disk, not in memory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Keep what each failing run left, in NAME-VERSION below this directory.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,

    /// How to print it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    format: Format,

    /// Write the results as JSON too.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write one page with charts too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Where the second run's configuration is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// From diagnose.
    Diagnosed,
    /// From the failure itself.
    Known,
}

/// What is asked for.
pub struct Asked<'a> {
    /// Which failures.
    pub names: &'a [String],
    /// All of them.
    pub all: bool,
    /// Distributions of Flink.
    pub flink_home: &'a [PathBuf],
    /// Interpreters with PyFlink.
    pub python: &'a [PathBuf],
    /// Flink's configuration, in place of that of the failures.
    pub conf: Option<&'a Path>,
    /// Where run directories go.
    pub dir: Option<&'a Path>,
    /// Where what failing runs left is kept.
    pub keep: Option<&'a Path>,
    /// How it is printed.
    pub format: Format,
    /// The file for JSON.
    pub output: &'a Option<PathBuf>,
    /// The file for the page.
    pub html: &'a Option<PathBuf>,
}

/// `oomph repro loop`.
pub fn run(args: &LoopArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let embedded = args.on.map_or(args.flink_home.is_empty(), |on| on == On::Embedded);
    let asked = Asked {
        names: &args.names,
        all: args.all,
        flink_home: &args.flink_home,
        python: &args.python,
        conf: args.conf.as_deref(),
        dir: args.dir.as_deref(),
        keep: args.keep.as_deref(),
        format: args.format,
        output: &args.output,
        html: &args.html,
    };
    if embedded {
        return embedded_loop::go(&asked, out);
    }
    go(&asked, Cure::Diagnosed, out)
}

/// Goes through failures on Flink, one after another.
pub fn go(asked: &Asked<'_>, cure: Cure, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut chosen: Vec<&'static Failure> = Vec::new();
    for name in asked.names {
        match failures::named(name) {
            Some(failure) => chosen.push(failure),
            None => return Ok(refused_names(name, failures::ALL.iter().map(|failure| failure.name))),
        }
    }
    if asked.all {
        chosen.extend(failures::ALL);
    }
    if chosen.is_empty() {
        let names: Vec<&str> = failures::ALL.iter().map(|failure| failure.name).collect();
        anstream::eprintln!("error: nothing to run: give --all, or names of these: {}", names.join(", "));
        return Ok(Exit::Usage);
    }
    // Before anything is made: what is no Flink is none for each of the failures.
    for home in asked.flink_home {
        if let Err(error) = Distribution::at(home) {
            anstream::eprintln!(
                "error: could not {error}; --flink-home is the directory of a Flink, with lib/flink-dist*.jar in it"
            );
            return Ok(Exit::Input);
        }
    }
    let kept = |home: &PathBuf| {
        let version = Distribution::at(home).map(|found| found.version).unwrap_or_default();
        chosen.iter().filter_map(|failure| Some(kept_at(asked.keep?, &version, failure))).collect::<Vec<_>>()
    };
    // A failing run takes minutes, and would be lost then.
    if let Some(there) = asked.flink_home.iter().flat_map(kept).find(|path| path.exists()) {
        anstream::eprintln!(
            "error: {} is there already: name another directory for --keep, or remove it",
            there.display()
        );
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
    let stop = results::until_interrupted()?;
    let mut trials = Vec::new();
    let mut not_run = Vec::new();
    for home in asked.flink_home {
        for failure in &chosen {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let ground = Ground { root: &root, base: &base, home, asked, stop: &stop };
            match ground.go(failure, cure) {
                Ok(trial) => {
                    results::tell(&trial, asked.format, out)?;
                    trials.push(trial);
                }
                Err(_) if stop.load(Ordering::Relaxed) => break,
                Err(Hindrance::Missing(needs)) if asked.all => {
                    not_run.push(NotRun { name: failure.name.to_owned(), title: failure.title.to_owned(), needs });
                }
                // One that cannot be run does not keep the others from it, and is no success.
                Err(Hindrance::Failed(error)) if asked.all => {
                    anstream::eprintln!("error: {}: {error}", failure.name);
                    trials.push(cannot_be_run(failure, &error));
                }
                Err(Hindrance::Missing(needs)) => {
                    return Ok(results::refused(&format!("could not run {}: it needs {needs}", failure.name)));
                }
                Err(Hindrance::Failed(error)) => return Ok(results::refused(&error)),
            }
        }
    }
    let results = results::Results { trials, not_run, ..results::Results::default() };
    results::write(&results, asked.format, asked.output.as_deref(), asked.html.as_deref(), out)?;
    if stop.load(Ordering::Relaxed) {
        anstream::eprintln!("interrupted: what ran was ended, and nothing is left of it");
        return Ok(Exit::Findings);
    }
    Ok(match results.trials.is_empty() {
        true => Exit::Input,
        false if results.trials.iter().all(Trial::holds) => Exit::Clean,
        false => Exit::Findings,
    })
}

/// Why one was not gone through.
enum Hindrance {
    /// Something is not here that it needs: an end to the sentence "it needs".
    Missing(String),
    /// Everything is here, and it went wrong.
    Failed(String),
}

impl From<String> for Hindrance {
    fn from(error: String) -> Hindrance {
        Hindrance::Failed(error)
    }
}

fn cannot_be_run(failure: &Failure, error: &str) -> Trial {
    Trial {
        scenario: failure.name.to_owned(),
        title: failure.title.to_owned(),
        runs: Vec::new(),
        statements: vec![Statement { says: "it can be run".to_owned(), held: false, measured: error.to_owned() }],
        notes: Vec::new(),
    }
}

/// Where failures happen.
struct Ground<'g> {
    /// This machine.
    root: &'g Root,
    /// Where run directories go.
    base: &'g Path,
    /// The distribution.
    home: &'g Path,
    /// What is asked for.
    asked: &'g Asked<'g>,
    /// Set when all is to end.
    stop: &'g Arc<AtomicBool>,
}

impl Ground<'_> {
    /// Goes through one: fails, is explained, is cured.
    fn go(&self, failure: &'static Failure, cure: Cure) -> Result<Trial, Hindrance> {
        let failed = |error: &dyn std::fmt::Display| format!("could not {error}");
        // Before anything is made.
        let with_python = failure.python.map(|_| self.with_python()).transpose()?;
        let directory = RunDirectory::create(self.root, Some(self.base), failure.name);
        let directory = directory.map_err(|error| failed(&error))?;
        let trial = on_flink::staged(self.home, self.base, &results::workers(), directory.path(), self.stop, |stage| {
            let distribution = with_python.as_ref().map_or(stage.distribution, |(distribution, _)| distribution);
            let python = with_python.as_ref().map(|(_, python)| python);
            self.on_stage(&Stage { distribution, ..*stage }, failure, &directory, cure, python)
        });
        Ok(trial?)
    }

    /// The distribution with what runs Python functions, and the interpreter.
    fn with_python(&self) -> Result<(Distribution, Python), Hindrance> {
        let failed = |error: &dyn std::fmt::Display| format!("could not {error}");
        let distribution = Distribution::at(self.home).map_err(|error| failed(&error))?;
        let python = Python::find(self.asked.python, &distribution).map_err(|error| match error {
            PythonError::None { needed } => Hindrance::Missing(needed),
            PythonError::Start { .. } => failed(&error).into(),
        })?;
        let distribution = distribution.with_python().map_err(|error| failed(&error))?;
        Ok((distribution, python))
    }

    fn on_stage(
        &self,
        stage: &Stage<'_>,
        failure: &'static Failure,
        directory: &RunDirectory,
        cure: Cure,
        python: Option<&Python>,
    ) -> Result<Trial, String> {
        let failed = |error: FlinkError| format!("could not {error}");
        failing::room(stage, failure).map_err(failed)?;
        let version = failing::version(stage).map_err(failed)?;
        let tmpfs = failing::tmpfs(failure, directory).map_err(failed)?;
        let shown = |path: &Path| path.display().to_string();
        let memory = tmpfs.as_ref().map(|tmpfs| shown(tmpfs.path()));
        let at = |label: &str| shown(&failing::place(directory, label));
        let (fails_at, cured_at) = (at("fails"), at("cured"));
        let module = failing::module(failure, directory).map_err(failed)?;
        let python = python.zip(module).map(|(python, module)| [python.program.as_path(), &module].map(shown));
        let python = python.as_ref().map(|[program, module]| Worker { program, module });
        let site = Site { version, directory: &fails_at, tmpfs: memory.as_deref(), python };
        let own = self.asked.conf.map(|conf| prepare::settings_of_file(conf, version)).transpose()?;
        let configured = |site: &Site<'_>| match &own {
            Some(own) => failure.settings_over(own.clone()),
            None => failure.settings_at(site),
        };
        let threads = match failure.fence {
            Fence::Threads(more) => Some(Threads::More(more)),
            _ => None,
        };
        let lasts = Duration::from_secs(failure.seconds);
        let oomph = std::env::current_exe().map_err(|error| format!("could not find oomph itself: {error}"))?;
        let recorder = failure.restarts.then_some(oomph.as_path());
        let attempt = Attempt { label: "fails", fails: true, settings: configured(&site), threads, lasts, recorder };
        let first = failing::run(stage, failure, directory, &site, &attempt).map_err(failed)?;
        self.kept(failure, &stage.distribution.version, &first)?;
        let explained =
            diagnose::explain(std::slice::from_ref(&first.artefacts), &first.configuration, version, failure.role);
        let explained = explained.map_err(|error| format!("{error:#}"))?;
        let verdict = Verdict::from(&explained.verdict);
        let mut statements = vec![failure.failed(&first.seen), failure.explained(Some(&verdict))];
        let mut notes = first.notes.clone();
        let mut runs = vec![told(&first, failure, Some(verdict))];
        // Directories of a run are its own; everything else is as it was, but for the cure.
        let site = Site { directory: &cured_at, ..site };
        let same = configured(&site);
        let cured = match cure {
            _ if failure.is_negative() => {
                statements.push(spared(&explained));
                None
            }
            Cure::Known => {
                let mut settings = same;
                settings.extend((failure.cure)(&site));
                Some((settings, None))
            }
            Cure::Diagnosed if failure.is_of_the_platform() => {
                let (statement, most) = more_threads(&explained);
                statements.push(statement);
                most.map(|most| (same, Some(Threads::AtMost(most))))
            }
            Cure::Diagnosed => {
                let (statement, changes) = proposed(&explained, failure.role);
                statements.push(statement);
                changes.map(|changes| (changed(same, &changes), None))
            }
        };
        if let Some((settings, threads)) = cured {
            let lasts = Duration::from_secs(failure.cured_seconds(first.seen.half.millis));
            let attempt = Attempt { label: "cured", fails: false, settings, threads, lasts, recorder: None };
            let second = failing::run(stage, failure, directory, &site, &attempt).map_err(failed)?;
            statements.push(failure.cured(&first.seen, &second.seen));
            notes.extend(second.notes.iter().filter(|note| !first.notes.contains(note)).cloned());
            runs.push(told(&second, failure, None));
        }
        let title = format!("{} (Flink {})", failure.title, stage.distribution.version);
        Ok(Trial { scenario: failure.name.to_owned(), title, runs, statements, notes })
    }

    /// Copies what a failing run left to where the user wants it; nothing that is there is written over.
    fn kept(&self, failure: &Failure, version: &str, left: &Left) -> Result<(), String> {
        let Some(keep) = self.asked.keep else { return Ok(()) };
        let into = kept_at(keep, version, failure);
        let wrong = |error: std::io::Error| format!("could not write {}: {error}", into.display());
        std::fs::create_dir_all(keep).map_err(wrong)?;
        std::fs::create_dir(&into).map_err(wrong)?;
        for entry in std::fs::read_dir(&left.artefacts).map_err(wrong)?.flatten() {
            std::fs::copy(entry.path(), into.join(entry.file_name())).map_err(wrong)?;
        }
        let name = left.configuration.file_name().unwrap_or_default();
        std::fs::copy(&left.configuration, into.join(name)).map(|_| ()).map_err(wrong)
    }
}

/// The directory of one failure on one Flink.
fn kept_at(keep: &Path, version: &str, failure: &Failure) -> PathBuf {
    keep.join(format!("{}-{version}", failure.name))
}

/// A run as all reports tell of runs.
fn told(left: &Left, failure: &Failure, verdict: Option<Verdict>) -> Run {
    let Seen { half, .. } = left.seen.clone();
    let mut run = half.into_run(failure.name, "");
    run.experiment.limit = left.limit;
    run.verdict = verdict;
    run
}
