//! `oomph plan`: gather configurations, plan them, report.

mod job;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::{Exit, batch};
use crate::config::layers::Layers;
use crate::config::load::{self, Input, LoadError};
use crate::config::{Assignment, environment};
use crate::flink::Version;
use crate::model::{Role, UseCase};
use crate::plan::jvm::{Collector, Machine};
use crate::plan::store::Store;
use crate::plan::{self, Backend, Deployment, Question};
use crate::report::{self, Sheet, json};

const EXAMPLES: &str = "\
Examples:
  oomph plan conf/config.yaml                        the TaskManager of a configuration
  oomph plan conf --role jobmanager                  the JobManager of a configuration directory
  oomph plan conf --flink 1.18 --deployment yarn     as Flink 1.18 plans it for a YARN container
  oomph plan conf --set taskmanager.memory.process.size=8g
                                                     what if
  oomph plan conf --explain                          every step in words
  oomph plan conf --format flink-log | diff - block  against the block in a TaskManager's log
  oomph plan --tm 4096 --flink 1.9 --deployment yarn what -tm 4096 gave a YARN container of Flink 1.9

  oomph plan conf --job-plan job.json                network buffers that a job needs against those had

Exit codes: 0 planned, 1 refused by Flink or too few network buffers, 2 wrong usage, 3 unreadable input.";

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

    /// Whose memory.
    #[arg(long, value_enum, default_value_t = RoleArg::Taskmanager)]
    role: RoleArg,

    /// Who starts the processes: decides how the heap keys of Flink 1.9 are read, and what bounds the whole.
    #[arg(long, value_enum, default_value_t = DeploymentArg::Standalone)]
    deployment: DeploymentArg,

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

    /// Answer questions: JSON lines on standard input, JSON lines on standard output.
    #[arg(long, conflicts_with_all = ["inputs", "flink", "dynamic", "set", "env", "tm", "jm", "consumers", "explain", "job_plan", "parallelism"])]
    batch: bool,

    // Last, since its heading holds for what follows.
    #[command(flatten)]
    job: job::JobArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleArg {
    Taskmanager,
    Jobmanager,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DeploymentArg {
    Standalone,
    Yarn,
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
    let job = match args.job.read() {
        Ok(job) => job,
        Err((exit, message)) => {
            anstream::eprintln!("error: {message}");
            return Ok(exit);
        }
    };
    let mut exit = Exit::Clean;
    let mut sheets = Vec::new();
    for input in &request.inputs {
        match request.sheet(args, input) {
            Ok(mut sheet) => {
                exit = exit.max(job.as_ref().map_or(Exit::Clean, |job| job.ask(&mut sheet)));
                if sheet.outcome.is_err() {
                    exit = exit.max(Exit::Findings);
                }
                sheets.push(sheet);
            }
            // One input that cannot be read never hides another.
            Err(error) => {
                anstream::eprintln!("error: could not {error}");
                exit = exit.max(match error {
                    LoadError::Version { .. } if args.flink.is_some() => Exit::Usage,
                    _ => Exit::Input,
                });
            }
        }
    }
    print(args, &sheets, &mut out).context("could not print the plan")?;
    out.flush().context("could not print the plan")?;
    Ok(exit)
}

/// What the arguments come to.
struct Request {
    inputs: Vec<Input>,
    layers: Layers,
    consumers: Vec<UseCase>,
}

impl Request {
    fn of(args: &PlanArgs) -> Result<Request, String> {
        let environment = args.env.iter().map(|text| variable(text)).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<Input> = args
            .inputs
            .iter()
            .map(|path| if path.as_os_str() == "-" { Input::Stdin } else { Input::Path(path.clone()) })
            .collect();
        if inputs.iter().filter(|input| **input == Input::Stdin).count() > 1 {
            return Err("standard input can be read once: give - once".to_owned());
        }
        let told = !(args.dynamic.is_empty() && args.set.is_empty() && environment.is_empty())
            || args.tm.is_some()
            || args.jm.is_some();
        let inputs = match (inputs.is_empty(), told) {
            (false, _) => inputs,
            (true, true) => vec![Input::Nothing],
            (true, false) => {
                return Err("no configuration: name a file or a directory, - for standard input, or set keys with -D \
                            (see oomph plan --help)"
                    .to_owned());
            }
        };
        let consumers = args.consumers.iter().map(|consumer| match consumer {
            ConsumerArg::StateBackend => UseCase::StateBackend,
            ConsumerArg::Operator => UseCase::Operator,
            ConsumerArg::Python => UseCase::Python,
        });
        Ok(Request {
            inputs,
            layers: Layers {
                file: None,
                environment,
                dynamic: assignments("-D", &args.dynamic)?,
                yarn_tm: args.tm.clone(),
                yarn_jm: args.jm.clone(),
                supposed: assignments("--set", &args.set)?,
            },
            consumers: consumers.collect(),
        })
    }

    fn sheet(&self, args: &PlanArgs, input: &Input) -> Result<Sheet, LoadError> {
        let loaded = load::load(input, args.flink)?;
        let source = match input {
            Input::Nothing => None,
            Input::Stdin => Some("<stdin>".to_owned()),
            Input::Path(path) => Some(path.display().to_string()),
        };
        let profile = loaded.choice.profile;
        let assembled = load::assemble(&loaded, &self.layers)?;
        let backend = Backend::of(&plan::settings::Settings::new(&assembled.config, profile));
        let consumers_supposed = self.consumers.is_empty();
        let question = Question {
            role: match args.role {
                RoleArg::Taskmanager => Role::TaskManager,
                RoleArg::Jobmanager => Role::JobManager,
            },
            deployment: match args.deployment {
                DeploymentArg::Standalone => Deployment::Standalone,
                DeploymentArg::Yarn => Deployment::Yarn,
                DeploymentArg::Kubernetes => Deployment::Kubernetes,
                DeploymentArg::None => Deployment::None,
            },
            consumers: if consumers_supposed { vec![UseCase::StateBackend] } else { self.consumers.clone() },
            managed_backend: backend.takes_managed_memory(),
            stores: vec![Store::RocksDb, Store::ForSt],
        };
        let machine = Machine { jdk: args.jdk, cores: args.cores, collector: args.collector.map(collector) };
        let outcome = plan::survey(&assembled.config, profile, &question, machine);
        let remarks = loaded.remarks.into_iter().chain(assembled.remarks).collect();
        Ok(Sheet {
            source,
            choice: loaded.choice,
            question,
            consumers_supposed,
            config: assembled.config,
            remarks,
            outcome,
            network_need: None,
        })
    }
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

/// `KEY=VALUE`s. Not read by clap, which would show a secret in its error.
fn assignments(flag: &str, texts: &[String]) -> Result<Vec<Assignment>, String> {
    texts.iter().map(|text| text.parse().map_err(|error| format!("{flag}: {error}"))).collect()
}

/// `NAME=VALUE`, or `NAME` to take the value from this process's environment.
fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let known = environment::VARIABLES;
    let Some(name) = known.iter().find(|variable| **variable == name) else {
        // What was given may hold a secret.
        return Err(format!("--env: only these variables have a bearing on memory: {}", known.join(", ")));
    };
    let value = value
        .or_else(|| std::env::var(name).ok())
        .ok_or_else(|| format!("--env {name}: the variable is not set here; write --env {name}=VALUE"))?;
    Ok(((*name).to_owned(), value))
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
        Format::JvmArgs | Format::Properties | Format::FlinkLog => {
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
fn width() -> usize {
    if !io::stdout().is_terminal() {
        return 80;
    }
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).clamp(40, 100))
}
