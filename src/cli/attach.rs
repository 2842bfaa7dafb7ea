//! `oomph attach`: look at live processes or captures, lay use over budget, report.

mod budget;
pub(super) mod look;
mod over_time;
mod rest;
mod targets;
mod watch;

use std::io::{self, BufWriter, Write};

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::Exit;
use super::plan::width;
use crate::diagnose::examination::Examination;
use crate::model::Unseen;
use crate::report::attach;

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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Everything, for programs (docs/schema/attach-v1.json).
    Json,
}

/// Runs the verb.
pub fn run(args: &AttachArgs) -> anyhow::Result<Exit> {
    if let Some(path) = &args.over_time.recording {
        return over_time::recording(path, args.format);
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
        return watch::run(root, targets, &args.look, args.over_time.interval, args.format);
    }
    let mut exit = Exit::Clean;
    let mut examinations: Vec<Examination> = Vec::new();
    for target in targets {
        match look::examine(root, target, &args.look) {
            Ok(examination) => examinations.push(examination),
            Err(unseen) => exit = exit.max(gone(target.pid, &unseen)),
        }
    }
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    print(args.format, &examinations, &mut out).context("could not print the account")?;
    out.flush().context("could not print the account")?;
    Ok(exit)
}

/// Says that a process could not be looked at.
fn gone(pid: u32, unseen: &Unseen) -> Exit {
    anstream::eprintln!("error: could not look at process {pid}: {unseen}");
    Exit::Target
}

fn print(format: Format, examinations: &[Examination], out: &mut impl Write) -> anyhow::Result<()> {
    match format {
        Format::Json => match examinations {
            [one] => serde_json::to_writer_pretty(&mut *out, &attach::json::document(one))?,
            all => {
                let all: Vec<_> = all.iter().map(attach::json::document).collect();
                serde_json::to_writer_pretty(&mut *out, &all)?;
            }
        },
        Format::Text => {
            for (index, examination) in examinations.iter().enumerate() {
                if index > 0 {
                    writeln!(out, "\n{}\n", "-".repeat(width()))?;
                }
                write!(out, "{}", attach::text::page(examination, width()))?;
            }
            return Ok(());
        }
    }
    writeln!(out)?;
    Ok(())
}
