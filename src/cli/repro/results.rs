//! What all runs share on the command line: where they write, how they are ended, and how what came of them is told.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use clap::ValueEnum;

use crate::cli::Exit;
use crate::cli::attach::over_time;
use crate::cli::plan::width;
use crate::harness::conduct::{WORKER, WORKER_JEMALLOC};
use crate::harness::leftovers;
use crate::probe::root::Root;
use crate::report::repro::{self as report, NotRun};
use crate::repro::outcome::{Run, Trial};

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
    // Processes of a Flink are started elsewhere: a relative path would lead nowhere there.
    let base = fs::canonicalize(&base).map_err(|error| format!("could not read {}: {error}", base.display()))?;
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

/// What came of a session.
#[derive(Debug, Default)]
pub struct Results {
    /// Scenarios and failures.
    pub trials: Vec<Trial>,
    /// Runs of workloads of the user's own.
    pub runs: Vec<Run>,
    /// What cannot run here.
    pub not_run: Vec<NotRun>,
}

/// What comes at the end of a session: runs, the table of several trials, or the document; and the files asked for.
pub fn write(
    results: &Results,
    format: Format,
    output: Option<&Path>,
    html: Option<&Path>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let Results { trials, runs, not_run } = results;
    let document = || serde_json::to_string_pretty(&report::json::document(trials, runs, not_run));
    match format {
        Format::Json => writeln!(out, "{}", document()?)?,
        Format::Text => {
            for run in runs {
                writeln!(out, "{}", report::text::run(run, width(), over_time::signs()))?;
            }
            if trials.len() + not_run.len() > 1 || !not_run.is_empty() {
                write!(out, "{}", report::all::page(trials, not_run, width()))?;
            }
        }
    }
    if let Some(path) = output {
        write_new(path, &document()?)?;
    }
    if let Some(path) = html {
        let page = match runs.is_empty() {
            true => report::html::page(trials, not_run)?,
            false => report::html::page_of_runs(runs)?,
        };
        write_new(path, &page)?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = opened.with_context(|| format!("could not write {}", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("could not write {}", path.display()))
}
