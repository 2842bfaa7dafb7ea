//! `oomph check`: find files, check them on all cores, report in the order of their paths.

mod before;
mod given;
mod output;
mod walk;
mod work;
mod write;

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use given::Given;

use super::Exit;
use super::plan::{DeploymentArg, RoleArg};
use crate::flink::Version;
use crate::model::Severity;
use crate::report::check as report;

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph check
      every Flink configuration below this directory
  oomph check conf/flink-conf.yaml --flink 1.18
      one file, as Flink 1.18 reads it
  helm template . | oomph check -
      what a chart renders to
  oomph check --fix --diff
      what --fix would change
  oomph check --since origin/main --format markdown
      a comment for a pull request, with what moves in the budget
  oomph check --output sarif=oomph.sarif --format github
      annotations, and a file for code scanning
  oomph explain OOM401
      why, bad, good, sources

Exit codes:
  0  nothing at or above --fail-on
  1  findings at or above --fail-on; with --diff: --fix would change a file
  2  the command line or oomph.yaml is wrong
  3  an input could not be read";

/// Look for what will kill a Flink process, on the line where it is written.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// Files, directories or globs; - is standard input [default: this directory].
    #[arg(value_name = "PATH")]
    inputs: Vec<String>,

    /// The Flink version, whatever the files say [default: the file's own, else oomph.yaml's, else the newest that
    /// reads it].
    #[arg(long, value_name = "VERSION")]
    flink: Option<Version>,

    /// Each file is the whole configuration of this role [default: a role is judged where its memory is set].
    #[arg(long, value_enum)]
    role: Option<RoleArg>,

    /// Who starts the processes [default: as the file tells].
    #[arg(long, value_enum)]
    deployment: Option<DeploymentArg>,

    /// Only these rules: codes, beginnings of codes such as OOM4, or names.
    #[arg(long, value_delimiter = ',', value_name = "RULE,...")]
    select: Vec<String>,

    /// Not these rules.
    #[arg(long, value_delimiter = ',', value_name = "RULE,...")]
    ignore: Vec<String>,

    /// The least severity that makes the run fail [default: error].
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_on: Option<FailOn>,

    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Write a format to a file as well; may be given several times.
    #[arg(long, value_name = "FORMAT=FILE")]
    output: Vec<String>,

    /// Report only what this file does not know.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,

    /// Take down what is found now, in this file or in that of --baseline.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        conflicts_with_all = ["fix", "unsafe_fixes", "diff"],
    )]
    write_baseline: Option<Option<PathBuf>>,

    /// Make the edits after which Flink does the same, or that the text plainly means.
    #[arg(long)]
    fix: bool,

    /// Make the other edits as well.
    #[arg(long)]
    unsafe_fixes: bool,

    /// Print the edits as a diff and change nothing.
    #[arg(long)]
    diff: bool,

    /// Tell what moves in the budget of each file that changed since this revision of git's.
    #[arg(long, value_name = "REV")]
    since: Option<String>,

    /// Tell what moves in the budget against the files of the same names in this directory.
    #[arg(long, value_name = "DIR", conflicts_with = "since")]
    against: Option<PathBuf>,

    /// The team's file [default: oomph.yaml in this directory or the next above that has one].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Pass over what is not Flink's among named files too, for hooks that name every file that changed.
    #[arg(long)]
    only_flink: bool,

    /// What standard input is called in reports.
    #[arg(long, value_name = "NAME", default_value = "<stdin>")]
    stdin_name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Note,
    Warning,
    Error,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The lines with what is wrong, for people.
    Text,
    /// A line a finding.
    Concise,
    /// Everything, for programs (docs/schema/check-v1.json).
    Json,
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// Annotations in GitHub's workflows.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// For test reports.
    Junit,
    /// For a comment on a pull request.
    Markdown,
}

impl Format {
    fn format(self) -> report::Format {
        match self {
            Format::Text => report::Format::Text,
            Format::Concise => report::Format::Concise,
            Format::Json => report::Format::Json,
            Format::Sarif => report::Format::Sarif,
            Format::Github => report::Format::Github,
            Format::Gitlab => report::Format::Gitlab,
            Format::Junit => report::Format::Junit,
            Format::Markdown => report::Format::Markdown,
        }
    }
}

impl FailOn {
    /// Whether a finding of this severity fails the run.
    fn fails(self, severity: Severity) -> bool {
        match self {
            FailOn::Note => true,
            FailOn::Warning => severity >= Severity::Warning,
            FailOn::Error => severity >= Severity::Error,
            FailOn::Never => false,
        }
    }
}

/// Runs the verb.
pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
    let given = match Given::of(args) {
        Ok(given) => given,
        Err(message) => {
            anstream::eprintln!("error: {message}");
            return Ok(Exit::Usage);
        }
    };
    let (files, mut exit) = walk::files(&given);
    let mut outputs = match output::Outputs::open(args, &given) {
        Ok(outputs) => outputs,
        Err(message) => {
            anstream::eprintln!("error: {message}");
            return Ok(Exit::Usage);
        }
    };
    let mut recorder = given.recorder();
    let mut flinks = 0_u64;
    let result: io::Result<()> = work::each(&given, &files, |done| {
        exit = exit.max(done.exit);
        flinks += u64::from(done.entry.is_some());
        if let Some(recorder) = &mut recorder {
            done.record(recorder);
        }
        outputs.entry(&done)
    });
    outputs.done(result)?;
    if flinks == 0 && exit == Exit::Clean && !args.only_flink && args.since.is_none() {
        anstream::eprintln!(
            "note: no Flink configuration was recognised; a file that you name is looked at whatever it is called"
        );
    }
    if let Some(recorder) = recorder {
        exit = given.write_baseline(&recorder)?;
    }
    Ok(exit)
}
