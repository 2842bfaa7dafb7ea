//! `oomph rules`: every rule, and every threshold.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::Exit;
use crate::report::rules as report;

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph rules
      every rule of check: code, severity, name, what it finds
  oomph rules --thresholds
      the numbers that rules judge by, and where each is from
  oomph explain OOM401
      all about one rule

Exit codes:
  0  printed
  2  the command line is wrong";

/// List every rule, or every threshold that a team can set.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RulesArgs {
    /// The thresholds of oomph.yaml with their values, reasons and sources instead.
    #[arg(long)]
    thresholds: bool,

    /// How to print them.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Everything, for programs (docs/schema/rules-v1.json).
    Json,
}

/// Runs the verb.
pub fn run(args: &RulesArgs) -> anyhow::Result<Exit> {
    let mut out = std::io::stdout().lock();
    let width = super::plan::width();
    match (args.format, args.thresholds) {
        (Format::Json, _) => {
            serde_json::to_writer_pretty(&mut out, &report::json::document())?;
            writeln!(out)?;
        }
        (Format::Text, false) => write!(out, "{}", report::list(width))?,
        (Format::Text, true) => write!(out, "{}", report::thresholds(width))?,
    }
    Ok(Exit::Clean)
}
