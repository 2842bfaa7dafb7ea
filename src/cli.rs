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

const EXIT_CODES: &str = "\
Exit codes:
  0  all well
  1  Flink refuses a configuration, what is asked does not fit, or check finds
     something at or above --fail-on
  2  the command line is wrong
  3  an input could not be read, or an output could not be written
  4  a process to look at is gone or refuses";

/// Tells people who run Apache Flink where every byte of a TaskManager or JobManager goes.
#[derive(Debug, Parser)]
#[command(name = "oomph", version, max_term_width = 80, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Plan(Box<plan::PlanArgs>),
    Attach(Box<attach::AttachArgs>),
    Diagnose(diagnose::DiagnoseArgs),
    Record(record::RecordArgs),
    Repro(repro::ReproArgs),
    Serve(Box<serve::ServeArgs>),
    Check(Box<check::CheckArgs>),
    Capture(capture::CaptureArgs),
    Size(size::SizeArgs),
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

/// The arguments of the process, with the memory flags of YARN's client in a form that clap knows: `-tm 4096` and
/// `-ytm 4096` are `--tm 4096` here.
pub fn arguments() -> Vec<std::ffi::OsString> {
    std::env::args_os()
        .map(|argument| match argument.to_str() {
            Some("-tm" | "-ytm") => "--tm".into(),
            Some("-jm" | "-yjm") => "--jm".into(),
            _ => argument,
        })
        .collect()
}
