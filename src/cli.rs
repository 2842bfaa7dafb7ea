//! The command line: what can be asked, and how a run ends.

mod attach;
pub mod batch;
mod capture;
mod check;
mod diagnose;
mod explain;
mod generate;
mod plan;
mod record;
mod repro;
mod rules;
mod serve;
mod size;
pub mod used;

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

/// How a run ends. The same for every verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: all well.
    Clean = 0,
    /// 1: something in the user's system is wrong: a configuration that Flink refuses, a job that lacks network buffers, a
    /// container that is too small for what is asked.
    Findings = 1,
    /// 2: the command line is wrong.
    Usage = 2,
    /// 3: an input could not be read.
    Input = 3,
    /// 4: a process to look at is gone or refuses.
    Target = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

const START: &str = "\
Start with what you have:
  oomph plan conf/config.yaml
      a configuration: where every byte will go, why, and who keeps it there
  oomph check
      a repository: what in it will kill a Flink process, line by line
  oomph attach --all
      processes that run here: where every byte of them is
  oomph diagnose ./collected
      logs of a death: who killed it, what had filled up, what to change
  oomph size --container 8g --slots 4 --state-size 200g
      a job without a configuration: one that fits
  oomph repro run unmanaged-rocksdb
      doubts about a cause: the death and its cure, on this machine

oomph VERB --help has the examples of each verb. None of them changes anything
of yours, but for check --fix, which edits the files that it is given.

Exit codes:
  0  all well
  1  Flink refuses a configuration, what is asked does not fit, check or attach
     finds something at or above --fail-on, or an experiment does not hold
  2  the command line is wrong
  3  an input could not be read, or an output could not be written
  4  a process to look at is gone or refuses";

/// Where does every byte of a Flink TaskManager or JobManager go, and who kills it when it takes one too many?
#[derive(Debug, Parser)]
#[command(name = "oomph", version, max_term_width = 80, arg_required_else_help = true, after_help = START)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Plan(Box<plan::PlanArgs>),
    Size(size::SizeArgs),
    Check(Box<check::CheckArgs>),
    Attach(Box<attach::AttachArgs>),
    Record(record::RecordArgs),
    Capture(capture::CaptureArgs),
    Serve(Box<serve::ServeArgs>),
    Diagnose(diagnose::DiagnoseArgs),
    Repro(repro::ReproArgs),
    Explain(explain::ExplainArgs),
    Rules(rules::RulesArgs),
    #[command(hide = true)]
    Generate(generate::GenerateArgs),
}

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.verb {
        Verb::Plan(args) => plan::run(&args),
        Verb::Attach(args) => attach::run(&args),
        Verb::Diagnose(args) => diagnose::run(&args),
        Verb::Record(args) => record::run(&args),
        Verb::Repro(args) => repro::run(&args),
        Verb::Serve(args) => serve::run(*args),
        Verb::Check(args) => check::run(&args),
        Verb::Capture(args) => capture::run(&args),
        Verb::Generate(args) => generate::run(&args),
        Verb::Explain(args) => explain::run(&args),
        Verb::Rules(args) => rules::run(&args),
        Verb::Size(args) => size::run(&args),
    }
}

/// What the process was called with; an error of clap's, or help that was asked for, ends it here.
pub fn parse() -> Result<Cli, Exit> {
    Cli::try_parse_from(arguments()).map_err(|error| {
        match input_without_verb(&error) {
            Some(input) => anstream::eprintln!(
                "error: {input} is no verb: say what is to be done with it, as in oomph plan {input}, oomph check {input} or \
                 oomph diagnose {input}"
            ),
            None => error.exit(),
        }
        Exit::Usage
    })
}

/// The file or directory that stands where a verb should.
fn input_without_verb(error: &clap::Error) -> Option<String> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(name)) => std::path::Path::new(name).exists().then(|| name.clone()),
        _ => None,
    }
}

/// The arguments of the process, with the memory flags of YARN's client in a form that clap knows: `-tm 4096` and
/// `-ytm 4096` are `--tm 4096` here.
fn arguments() -> Vec<std::ffi::OsString> {
    std::env::args_os()
        .map(|argument| match argument.to_str() {
            Some("-tm" | "-ytm") => "--tm".into(),
            Some("-jm" | "-yjm") => "--jm".into(),
            _ => argument,
        })
        .collect()
}
