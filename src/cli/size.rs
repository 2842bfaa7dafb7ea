//! `oomph size`: a whole configuration for a workload, from nothing.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::Exit;
use super::plan::width;
use crate::config::Fleet;
use crate::config::load::{self, MAX_FILE};
use crate::config::workload::{self, Access, Allocator, Starter, StateHome, Workload};
use crate::flink::Version;
use crate::model::Bytes;
use crate::recommend::size::{self, SizeError, Sizing};
use crate::report::{Sheet, sizing};

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph size --container 8g --slots 4 --states 6 --state-size 200g
      the parts of an 8 GiB TaskManager with four slots, each with its reason
  oomph size --profile profiles/workload/feature-join-rocksdb.yaml
      the same for a workload that is written down
  oomph size --container 4g --backend hashmap --state-size 500m --format conf
      state on the heap; only the configuration, to be redirected into a file

Exit codes:
  0  sized
  1  it does not fit
  2  the command line is wrong
  3  an input could not be read";

/// Size a TaskManager for a workload: a whole configuration with a reason for each option, proved by planning it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SizeArgs {
    /// A workload file (see profiles/workload); what is told here wins over it.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,

    /// What a TaskManager's process may take.
    #[arg(long, value_name = "SIZE", value_parser = size_of)]
    container: Option<Bytes>,

    /// Slots of a TaskManager [default: 1].
    #[arg(long, value_name = "N")]
    slots: Option<u32>,

    /// Where keyed state lives [default: rocksdb].
    #[arg(long, value_enum)]
    backend: Option<BackendArg>,

    /// States of a slot, with those of all operators in it; timers count as one [default: 4].
    #[arg(long, value_name = "N")]
    states: Option<u32>,

    /// All state of the job, as large as a full checkpoint.
    #[arg(long, value_name = "SIZE", value_parser = size_of)]
    state_size: Option<Bytes>,

    /// The job's parallelism [default: the slots of one TaskManager].
    #[arg(long, value_name = "P")]
    parallelism: Option<u32>,

    /// Exchanges between the job's vertices, one after the other, such as hash,2xforward [default: 2xhash].
    #[arg(long, value_name = "EDGE,...", value_delimiter = ',')]
    edges: Vec<String>,

    /// Exchanges are blocking: a batch job.
    #[arg(long)]
    batch_shuffle: bool,

    /// There are Python functions.
    #[arg(long)]
    python: bool,

    /// State is written more than read.
    #[arg(long, conflicts_with = "read_heavy")]
    write_heavy: bool,

    /// State is read more than written.
    #[arg(long)]
    read_heavy: bool,

    /// Heap that user code needs on a TaskManager [default: 128m for each slot].
    #[arg(long, value_name = "SIZE", value_parser = size_of)]
    user_heap: Option<Bytes>,

    /// Who hands out native memory [default: jemalloc on Kubernetes from 1.12 on, else glibc].
    #[arg(long, value_enum)]
    allocator: Option<AllocatorArg>,

    /// How many cores the JVM sees [default: 2].
    #[arg(long, value_name = "N")]
    cores: Option<u32>,

    /// Who starts the processes [default: kubernetes].
    #[arg(long, value_enum)]
    deployment: Option<DeploymentArg>,

    /// The Flink version [default: the newest].
    #[arg(long, value_name = "VERSION")]
    flink: Option<Version>,

    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum BackendArg {
    Rocksdb,
    Forst,
    Hashmap,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AllocatorArg {
    Glibc,
    Jemalloc,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DeploymentArg {
    Standalone,
    Yarn,
    #[value(alias = "k8s")]
    Kubernetes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// Everything, for programs (docs/schema/size-v1.json).
    Json,
    /// Only the configuration.
    Conf,
}

/// Below this, bare digits are another unit's that was left out: nothing that is sized is that small.
const BARE_DIGITS_ARE_MEANT: Bytes = Bytes::mib(1);

fn size_of(text: &str) -> Result<Bytes, String> {
    match Bytes::parse_flink(text) {
        Ok(bytes) if bytes < BARE_DIGITS_ARE_MEANT && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(format!("bare digits are bytes, as in Flink; write {text}g or {text}m"))
        }
        Ok(bytes) if bytes > Bytes::ZERO => Ok(bytes),
        Ok(_) => Err("it must be more than nothing".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Runs the verb.
pub fn run(args: &SizeArgs) -> anyhow::Result<Exit> {
    let file = match file(args) {
        Ok(file) => file,
        Err(message) => {
            anstream::eprintln!("error: could not read {message}");
            return Ok(Exit::Input);
        }
    };
    let workload = told(args).or(file);
    let choice = match load::version(workload.flink) {
        Ok(choice) => choice,
        Err(error) => {
            anstream::eprintln!("error: could not {error}");
            return Ok(Exit::Usage);
        }
    };
    let width = width();
    match size::size(&workload, choice.profile) {
        Ok(sizing) => {
            let sheet = Sheet {
                source: None,
                name: None,
                pod: None,
                fleet: Fleet::default(),
                inferred: Vec::new(),
                cures: None,
                choice,
                question: sizing.question.clone(),
                consumers_supposed: false,
                config: sizing.config.clone(),
                remarks: Vec::new(),
                outcome: Ok(sizing.survey.clone()),
                network_need: None,
                workload_need: None,
            };
            print(args, &sizing, &sheet, width).context("could not print the sizing")?;
            Ok(Exit::Clean)
        }
        Err(error) => {
            let text = sizing::refusal(&error, width);
            Ok(match error {
                SizeError::NotSized(_) => {
                    anstream::eprint!("error: {text}");
                    Exit::Usage
                }
                _ => {
                    anstream::print!("{text}");
                    Exit::Findings
                }
            })
        }
    }
}

/// The workload of the file, where one is named.
fn file(args: &SizeArgs) -> Result<Workload, String> {
    let Some(path) = &args.profile else { return Ok(Workload::default()) };
    let name = path.display();
    let size = fs::metadata(path).map_err(|error| format!("{name}: {error}"))?.len();
    if size > MAX_FILE.get() {
        return Err(format!("{name}: it has more than {MAX_FILE}; is it a workload?"));
    }
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    workload::parse(&text).map_err(|error| format!("{name}: {error}"))
}

fn told(args: &SizeArgs) -> Workload {
    Workload {
        flink: args.flink,
        deployment: args.deployment.map(|deployment| match deployment {
            DeploymentArg::Standalone => Starter::Standalone,
            DeploymentArg::Yarn => Starter::Yarn,
            DeploymentArg::Kubernetes => Starter::Kubernetes,
        }),
        container: args.container,
        slots: args.slots,
        parallelism: args.parallelism,
        edges: (!args.edges.is_empty()).then(|| args.edges.clone()),
        batch_shuffle: args.batch_shuffle.then_some(true),
        backend: args.backend.map(|backend| match backend {
            BackendArg::Rocksdb => StateHome::RocksDb,
            BackendArg::Forst => StateHome::ForSt,
            BackendArg::Hashmap => StateHome::Heap,
        }),
        states: args.states,
        state_size: args.state_size,
        access: match (args.write_heavy, args.read_heavy) {
            (true, _) => Some(Access::WriteHeavy),
            (_, true) => Some(Access::ReadHeavy),
            _ => None,
        },
        user_heap: args.user_heap,
        python: args.python.then_some(true),
        cores: args.cores,
        allocator: args.allocator.map(|allocator| match allocator {
            AllocatorArg::Glibc => Allocator::Glibc,
            AllocatorArg::Jemalloc => Allocator::Jemalloc,
        }),
    }
}

fn print(args: &SizeArgs, sized: &Sizing, sheet: &Sheet, width: usize) -> anyhow::Result<()> {
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let version = sheet.planned_version().to_string();
    match args.format {
        Format::Text => write!(out, "{}", sizing::text(sized, sheet, width))?,
        Format::Conf => write!(out, "{}", sizing::configuration(sized, &version, width))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, &sizing::document(sized, version))?;
            writeln!(out)?;
        }
    }
    Ok(out.flush()?)
}
