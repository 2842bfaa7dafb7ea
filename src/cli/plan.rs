//! `oomph plan`: gather configurations, plan them, report.

mod against;
pub(super) mod gather;
mod job;
mod migrate;
mod summary;
mod vary;
mod want;
mod workload;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use gather::Request;

use super::{Exit, batch};
use crate::config::load::LoadError;
use crate::flink::Version;
use crate::model::Role;
use crate::plan::Deployment;
use crate::plan::jvm::{Collector, Machine};
use crate::report::{self, Sheet, json};

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph plan conf/config.yaml
      the TaskManager of a configuration
  oomph plan conf --role jobmanager
      the JobManager of a configuration directory
  oomph plan conf --flink 1.18 --deployment yarn
      as Flink 1.18 plans it for a YARN container
  oomph plan conf --set taskmanager.memory.process.size=8g
      what if
  oomph plan conf --want task.heap=2g
      what to change for that
  oomph plan conf --explain
      every step in words
  oomph plan conf --format flink-log | diff - block
      against the block in a TaskManager's log
  oomph plan taskmanager.log
      what that process was configured with
  oomph plan conf --job-plan job.json
      the network buffers that a job needs against those had
  oomph plan conf --workload my.yaml
      what RocksDB will take for that state, beside what it has
  oomph plan --tm 4096 --flink 1.9 --deployment yarn
      what -tm 4096 gave a YARN container of Flink 1.9

Exit codes:
  0  planned
  1  Flink refuses a configuration, or what is asked does not fit
  2  the command line is wrong
  3  an input could not be read";

/// Say what every part of a TaskManager or JobManager will be, in bytes, why, and who enforces it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct PlanArgs {
    /// Configuration files or directories; - is standard input.
    #[arg(value_name = "CONF")]
    inputs: Vec<PathBuf>,

    /// The Flink version, such as 1.20 or 1.20.5 [default: the input's own, else the newest that reads it].
    #[arg(long, value_name = "VERSION")]
    flink: Option<Version>,

    /// Whose memory [default: the input's own, else taskmanager].
    #[arg(long, value_enum)]
    role: Option<RoleArg>,

    /// Who starts the processes: decides how the heap keys of Flink 1.9 are read, and what bounds the whole [default: as
    /// the input tells, else standalone].
    #[arg(long, value_enum)]
    deployment: Option<DeploymentArg>,

    /// A dynamic property, as Flink's command line takes it; wins over files and environment.
    #[arg(short = 'D', value_name = "KEY=VALUE")]
    dynamic: Vec<String>,

    /// Suppose this value; wins over everything else.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// A variable of the container's environment; without a value it is taken from here. Read are FLINK_PROPERTIES,
    /// TASK_MANAGER_NUMBER_OF_TASK_SLOTS, FLINK_TM_HEAP and FLINK_JM_HEAP.
    #[arg(long, value_name = "NAME[=VALUE]")]
    env: Vec<String>,

    /// The TaskManager's memory as YARN's client takes it (-tm, -ytm); bare digits are MiB.
    #[arg(long, value_name = "SIZE")]
    tm: Option<String>,

    /// The JobManager's memory as YARN's client takes it (-jm, -yjm); bare digits are MiB.
    #[arg(long, value_name = "SIZE")]
    jm: Option<String>,

    /// Who takes managed memory in a slot [default: STATE_BACKEND].
    #[arg(long, value_enum, value_delimiter = ',', ignore_case = true, value_name = "CONSUMER,...")]
    consumers: Vec<ConsumerArg>,

    /// The JDK's feature release [default: the official image's].
    #[arg(long, value_name = "N")]
    jdk: Option<u16>,

    /// How many cores the JVM sees [default: as configured, else 2].
    #[arg(long, value_name = "N")]
    cores: Option<u32>,

    /// The JVM's collector [default: as configured, else the JVM's own choice].
    #[arg(long, value_enum)]
    collector: Option<CollectorArg>,

    /// Tell every step in words: the rule, the numbers put in, the result, and the option that moves it.
    #[arg(long)]
    explain: bool,

    /// How to print the plan.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    #[command(flatten)]
    summary: summary::SummaryArgs,

    #[command(flatten)]
    wanted: want::WantArgs,

    #[command(flatten)]
    against: against::AgainstArgs,

    #[command(flatten)]
    vary: vary::VaryArgs,

    #[command(flatten)]
    migrate: migrate::MigrateArgs,

    /// Answer questions: JSON lines on standard input, JSON lines on standard output.
    #[arg(long, conflicts_with_all = ["inputs", "flink", "dynamic", "set", "env", "tm", "jm", "consumers", "explain", "want", "job_plan", "parallelism", "workload"])]
    batch: bool,

    // Last, since its heading holds for what follows.
    #[command(flatten)]
    job: job::JobArgs,

    #[command(flatten)]
    workload: workload::WorkloadArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RoleArg {
    Taskmanager,
    Jobmanager,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum DeploymentArg {
    Standalone,
    Yarn,
    #[value(alias = "k8s")]
    Kubernetes,
    None,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ConsumerArg {
    #[value(name = "STATE_BACKEND")]
    StateBackend,
    #[value(name = "OPERATOR")]
    Operator,
    #[value(name = "PYTHON")]
    Python,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CollectorArg {
    G1,
    Parallel,
    Serial,
    Cms,
    Z,
    Shenandoah,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Everything, for programs (docs/schema/plan-v1.json).
    Json,
    /// The same as YAML.
    Yaml,
    /// For a ticket.
    Markdown,
    /// What the JVM is started with.
    JvmArgs,
    /// What Flink is started with: its dynamic properties.
    Properties,
    /// Flink's own start-up block, to be diffed with a log.
    FlinkLog,
    /// For a spreadsheet: the rows of --summary.
    Csv,
}

/// Runs the verb.
pub fn run(args: &PlanArgs) -> anyhow::Result<Exit> {
    if args.batch {
        // JSON has no colours to take out.
        let mut out = BufWriter::with_capacity(batch::BUFFER, io::stdout().lock());
        batch::run(io::stdin().lock(), &mut out).context("could not answer the batch")?;
        return Ok(Exit::Clean);
    }
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let request = match Request::of(args) {
        Ok(request) => request,
        Err(message) => {
            anstream::eprintln!("error: {message}");
            return Ok(Exit::Usage);
        }
    };
    request.note_slips(args.flink);
    if args.summary.summary {
        let exit = summary::run(args, &request, &mut out, width())?;
        out.flush().context("could not print the summary")?;
        return Ok(exit);
    }
    if let Format::Csv = args.format {
        anstream::eprintln!("error: --format csv prints the rows of --summary");
        return Ok(Exit::Usage);
    }
    if !args.wanted.want.is_empty() {
        return want::run(args, &request, &mut out);
    }
    if args.against.is_asked() {
        return against::run(args, &request, &mut out);
    }
    if args.vary.is_asked() {
        return vary::run(args, &request, &mut out);
    }
    if args.migrate.is_asked() {
        return migrate::run(args, &request, &mut out);
    }
    let job = match args.job.read() {
        Ok(job) => job,
        Err((exit, message)) => {
            anstream::eprintln!("error: {message}");
            return Ok(exit);
        }
    };
    let workload = match args.workload.read() {
        Ok(workload) => workload,
        Err((exit, message)) => {
            anstream::eprintln!("error: {message}");
            return Ok(exit);
        }
    };
    let (mut sheets, mut exit) = request.gather(args);
    for sheet in &mut sheets {
        exit = exit.max(workload.as_ref().map_or(Exit::Clean, |workload| workload.ask(sheet)));
        exit = exit.max(job.as_ref().map_or(Exit::Clean, |job| job.ask(sheet)));
    }
    if sheets.iter().any(|sheet| sheet.outcome.is_err()) {
        exit = exit.max(Exit::Findings);
    }
    print(args, &sheets, &mut out).context("could not print the plan")?;
    out.flush().context("could not print the plan")?;
    Ok(exit)
}

/// Says that an input could not be read, and how the run ends for it. A version that nobody knows is a fault of the
/// command line where it names one.
fn unreadable(error: &LoadError, version_asked: bool) -> Exit {
    anstream::eprintln!("error: could not {error}");
    match error {
        LoadError::Version { .. } if version_asked => Exit::Usage,
        _ => Exit::Input,
    }
}

impl RoleArg {
    pub(super) fn role(self) -> Role {
        match self {
            RoleArg::Taskmanager => Role::TaskManager,
            RoleArg::Jobmanager => Role::JobManager,
        }
    }
}

impl DeploymentArg {
    pub(super) fn deployment(self) -> Deployment {
        match self {
            DeploymentArg::Standalone => Deployment::Standalone,
            DeploymentArg::Yarn => Deployment::Yarn,
            DeploymentArg::Kubernetes => Deployment::Kubernetes,
            DeploymentArg::None => Deployment::None,
        }
    }
}

fn machine(args: &PlanArgs) -> Machine {
    Machine { jdk: args.jdk, cores: args.cores, collector: args.collector.map(collector) }
}

fn collector(asked: CollectorArg) -> Collector {
    match asked {
        CollectorArg::G1 => Collector::G1,
        CollectorArg::Parallel => Collector::Parallel,
        CollectorArg::Serial => Collector::Serial,
        CollectorArg::Cms => Collector::ConcMarkSweep,
        CollectorArg::Z => Collector::Z,
        CollectorArg::Shenandoah => Collector::Shenandoah,
    }
}

fn print(args: &PlanArgs, sheets: &[Sheet], out: &mut impl Write) -> anyhow::Result<()> {
    let width = width();
    match args.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &json::v1::document(sheets))?;
            writeln!(out)?;
        }
        Format::Yaml => write!(out, "{}", serde_yaml::to_string(&json::v1::document(sheets))?)?,
        Format::Text => {
            for (index, sheet) in sheets.iter().enumerate() {
                if index > 0 {
                    writeln!(out, "\n{}\n", "-".repeat(width))?;
                }
                match &sheet.outcome {
                    Ok(survey) if args.explain => {
                        write!(out, "{}", report::text::header(sheet, width))?;
                        write!(out, "{}", report::explain::story(sheet, survey, width))?;
                        write!(out, "{}", report::text::network_need(sheet, width))?;
                        write!(out, "{}", report::text::workload_need(sheet, width))?;
                    }
                    _ => write!(out, "{}", report::text::sheet(sheet, width))?,
                }
            }
        }
        Format::Markdown => {
            for sheet in sheets {
                writeln!(out, "{}", report::markdown::sheet(sheet))?;
            }
        }
        Format::JvmArgs | Format::Properties | Format::FlinkLog | Format::Csv => {
            for sheet in sheets {
                print_lines(args.format, sheet, width, out)?;
            }
        }
    }
    Ok(())
}

/// The formats that are Flink's own text: what else there is to say goes to standard error.
fn print_lines(format: Format, sheet: &Sheet, width: usize, out: &mut impl Write) -> anyhow::Result<()> {
    let survey = match &sheet.outcome {
        Ok(survey) => survey,
        Err(_) => {
            anstream::eprint!("{}", report::text::sheet(sheet, width));
            return Ok(());
        }
    };
    let version = sheet.planned_version();
    match format {
        Format::JvmArgs => write!(out, "{}", report::arguments::jvm(&survey.plan))?,
        Format::Properties => match report::arguments::properties(&survey.plan) {
            Some(text) => write!(out, "{text}")?,
            None => anstream::eprintln!(
                "note: a {} of Flink {version} is started without dynamic properties",
                sheet.question.role
            ),
        },
        _ if survey.plan.profile.behaviour.memory_block_logged => {
            write!(out, "{}", report::flink_log::block(&survey.plan.budget))?;
        }
        _ => anstream::eprintln!("note: Flink {version} logs no block about its memory; that came with 1.11"),
    }
    for remark in &sheet.remarks {
        anstream::eprintln!("note: {}: {}", remark.place, remark.text);
    }
    Ok(())
}

/// As wide as the terminal, at most 100 columns; 80 where the output is not a terminal.
pub(super) fn width() -> usize {
    if !io::stdout().is_terminal() {
        return 80;
    }
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).clamp(40, 100))
}
