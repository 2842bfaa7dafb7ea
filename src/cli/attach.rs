//! `oomph attach`: look at live processes or captures, lay use over budget, report.

mod advice;
mod budget;
pub(super) mod look;
pub(super) mod over_time;
mod print;
mod rest;
mod scrape;
mod summary;
pub(super) mod targets;
mod watch;

use std::io::{self, BufWriter, Write};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::Exit;
use crate::diagnose::examination::Examination;
use crate::model::{Finding, Severity, Unseen};
use crate::recommend::from_use::Advice;
use print::Format;

pub(super) use over_time::interval;
pub(super) use watch::sleep_until;

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph attach 4711
      where every byte of a TaskManager or JobManager is
  oomph attach --all
      every Flink process of this machine
  oomph attach 4711 --conf conf
      and where it differs from its configuration file
  oomph attach --root capture 31883
      the same of a captured directory
  oomph attach 4711 --watch
      where each part goes, looked at every 5 s
  oomph attach --recording tm.rec
      what oomph record saw: trends, job restarts, the time to the limit
  oomph attach --rest http://localhost:8081 --summary
      a row for each TaskManager of a cluster, the tightest first

Nothing is stopped, changed or written in the process. A JVM is only sent a
signal with --jvm-attach always, or where it keeps books of its native memory.

Exit codes:
  0  looked at
  1  a finding at or above --fail-on
  2  the command line is wrong
  3  an input could not be read
  4  a process is gone or refuses to be looked at";

/// Say where every byte of a running TaskManager or JobManager is, and which part of its budget pays for it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct AttachArgs {
    #[command(flatten)]
    targets: targets::TargetArgs,

    #[command(flatten)]
    look: look::LookArgs,

    #[command(flatten)]
    over_time: over_time::OverTimeArgs,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The same as --format openmetrics.
    #[arg(long, conflicts_with = "format")]
    openmetrics: bool,

    /// End with 1 where a finding is at least this bad [default: never].
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,

    #[command(flatten)]
    summary: summary::SummaryArgs,
}

/// Runs the verb.
pub fn run(args: &AttachArgs) -> anyhow::Result<Exit> {
    let format = if args.openmetrics { Format::Openmetrics } else { args.format };
    if let Some(path) = &args.over_time.recording {
        return over_time::recording(path, format);
    }
    if args.summary.summary && args.targets.names_none() {
        return summary::of_cluster(args.look.rest(), format);
    }
    if args.summary.summary
        && let Some(several) = args.targets.root().and_then(summary::captures_in)
    {
        return summary::of_captures(&several, &args.look, format);
    }
    if args.targets.names_none() {
        anstream::eprintln!(
            "error: no process: give its id, or --all for every Flink process of this machine (see oomph attach --help)"
        );
        return Ok(Exit::Usage);
    }
    let found = match args.targets.find() {
        Ok(found) => found,
        Err(targets::NoTarget { exit, message }) => {
            anstream::eprintln!("error: {message}");
            return Ok(exit);
        }
    };
    let (root, targets) = (&found.root, &found.targets);
    if args.over_time.watch {
        return watch::run(root, targets, &args.look, args.over_time.interval, format);
    }
    let mut exit = Exit::Clean;
    let mut missed: Vec<u32> = Vec::new();
    let mut examinations: Vec<Examination> = Vec::new();
    let mut advice: Vec<Option<Advice>> = Vec::new();
    for target in targets {
        match look::examine(root, target, &args.look) {
            Ok(examination) => {
                advice.push(advice::of(target, &examination, None, &args.look).ok());
                examinations.push(examination);
            }
            Err(unseen) => {
                missed.push(target.pid);
                exit = exit.max(gone(target.pid, &unseen));
            }
        }
    }
    if args.summary.summary {
        return summary::of_processes(&examinations, format).map(|printed| exit.max(printed));
    }
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    print::print(format, &examinations, &advice, &missed, &mut out).context("could not print the account")?;
    out.flush().context("could not print the account")?;
    let fails = |finding: &Finding| args.fail_on.is_some_and(|least| finding.severity >= least.severity());
    if examinations.iter().flat_map(|examination| &examination.findings).any(fails) {
        exit = exit.max(Exit::Findings);
    }
    Ok(exit)
}

/// From which severity on a finding makes the run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Any finding.
    Note,
    /// What costs memory or time, or will kill the process under load.
    Warning,
    /// What kills it.
    Error,
}

impl FailOn {
    fn severity(self) -> Severity {
        match self {
            FailOn::Note => Severity::Note,
            FailOn::Warning => Severity::Warning,
            FailOn::Error => Severity::Error,
        }
    }
}

/// Says that a process could not be looked at.
pub(super) fn gone(pid: u32, unseen: &Unseen) -> Exit {
    anstream::eprintln!("error: could not look at process {pid}: {unseen}");
    Exit::Target
}
