//! `oomph repro`: runs what kills, and what cures.

mod catalogue;
mod closed_loop;
mod comparing;
mod conduct;
mod embedded_loop;
mod engines;
mod on_flink;
mod predicting;
pub(super) mod prepare;
mod progress;
mod proposal;
mod results;
mod session;

use std::io;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Exit;
use crate::check::nearest;
use crate::model::Bytes;
use crate::repro::{failures, scenarios};

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph repro list
      what can be run
  oomph repro show unmanaged-rocksdb
      what one states and with which configurations, before anything is run
  oomph repro run unmanaged-rocksdb
      the failure and its cure, with the kernel's own words
  oomph repro run --all --html repro.html
      all of them, as one page
  oomph repro run soft-cache --flink-home flink-1.20.5 --flink-home flink-2.3.0
      the same on the RocksDB of two distributions
  oomph repro loop metaspace --flink-home flink-2.3.0
      a real Flink fails, diagnose says why, and its change cures
  oomph repro predict --workload my.yaml conf/config.yaml
      what a workload will take under a configuration
  oomph repro run --workload my.yaml --conf conf/config.yaml
      what it does take

Exit codes:
  0  everything stated did happen
  1  a scenario did not do what it states
  2  the command line is wrong
  3  a workload or configuration could not be read, or nothing could be run";

const LIST: &str = "\
Example:
  oomph repro list
      each scenario with the time it takes and what it shows

Exit codes:
  0  listed
  2  the command line is wrong";

const SHOW: &str = "\
Example:
  oomph repro show unmanaged-rocksdb
      what must happen, the workload, the configuration that fails with its
      limit, what is otherwise in the one that lives, and what is predicted

Exit codes:
  0  shown
  2  there is no such scenario";

const RUN: &str = "\
Examples, each with what it answers:
  oomph repro run unmanaged-rocksdb
      the failure and its cure
  oomph repro run --all --html repro.html
      everything that can run here, as one page
  oomph repro run soft-cache --flink-home flink-1.20.5 --flink-home flink-2.3.0
      the same on the RocksDB of two distributions
  oomph repro run --workload my.yaml --conf conf/config.yaml
      whether a job like yours lives with your configuration, and on how much
  oomph repro run --workload my.yaml --limit 512m --malloc jemalloc
      the same in 512 MiB, under jemalloc
  oomph repro run metaspace --on flink --flink-home flink-2.3.0
      a failure of the JVM or of Flink, on a cluster of its own on loopback

Everything it starts, it stops; nothing is left behind (docs/repro.md). It needs
oomph-worker beside it, and for a limit that the kernel keeps the right to make
a cgroup; without that right it watches over the limit itself, and says so.

Exit codes:
  0  everything stated did happen; a workload of your own lived
  1  a scenario did not do what it states, a workload did not live, or it was
     interrupted
  2  the command line is wrong, or an output is there already
  3  a workload or configuration could not be read, or nothing could be run";

const PREDICT: &str = "\
Examples, each with what it answers:
  oomph repro predict --workload my.yaml conf/config.yaml
      what RocksDB will take, part by part, and what the job needs
  oomph repro predict --workload my.yaml conf --flink 1.20 --malloc jemalloc
      with the RocksDB of Flink 1.20, under jemalloc
  oomph repro predict --workload unmanaged-rocksdb
      of a scenario, with its own configurations

Exit codes:
  0  predicted
  2  the command line is wrong
  3  the workload or the configuration could not be read";

const COMPARE: &str = "\
Examples, each with what it answers:
  oomph repro compare before.json after.json
      two results of oomph repro run --output
  oomph repro compare my-workload.json tm.rec
      a result, and a recording of a real TaskManager

Exit codes:
  0  compared
  2  the command line is wrong
  3  one of them could not be read";

/// Run RocksDB workloads in a memory-limited group of the kernel, with a configuration that fails and one that cures.
///
/// Each runs in a process of its own, is measured with the probes of attach, and what is left of it is explained by
/// diagnose. Nothing is left behind.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReproArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what can be run.
    #[command(after_help = LIST)]
    List,
    /// Show one scenario in full: what it states, its workload, both configurations.
    #[command(after_help = SHOW)]
    Show {
        /// The scenario.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Run scenarios, or a workload of your own.
    #[command(after_help = RUN)]
    Run(Box<RunArgs>),
    /// Fail, be explained by diagnose, be changed as diagnose proposes, and run again.
    Loop(closed_loop::LoopArgs),
    /// Predict what a workload will take under a configuration.
    #[command(after_help = PREDICT)]
    Predict(PredictArgs),
    /// Put two results beside each other.
    #[command(after_help = COMPARE)]
    Compare {
        /// A result of `run --output`, or a recording.
        #[arg(value_name = "A")]
        a: PathBuf,
        /// Another.
        #[arg(value_name = "B")]
        b: PathBuf,
    },
}

/// Which RocksDB.
#[derive(Clone, Debug, Args)]
pub struct EngineArgs {
    /// A distribution of Flink whose RocksDB is used; several for one after another.
    #[arg(long, value_name = "DIR")]
    flink_home: Vec<PathBuf>,

    /// The same by the jar that carries it, flink-dist*.jar.
    #[arg(long, value_name = "JAR")]
    flink_dist: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Which scenarios.
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// All that can run here; those that cannot are named.
    #[arg(long, conflicts_with_all = ["names", "workload"])]
    all: bool,

    /// Run failures on a real Flink, with the cure that each knows itself (`loop` takes what diagnose proposes).
    #[arg(long, value_enum, value_name = "WHERE", requires = "flink_home", conflicts_with_all = ["workload", "record", "flink_dist", "factor", "disk"])]
    on: Option<closed_loop::On>,

    /// With --on flink, the Python with PyFlink for jobs with Python functions; several for several versions [default: that
    /// of the package --flink-home lies in, else python3].
    #[arg(long, value_name = "FILE", requires = "on")]
    python: Vec<PathBuf>,

    /// A workload of your own, in place of a scenario.
    #[arg(long, value_name = "FILE", conflicts_with = "names")]
    workload: Option<PathBuf>,

    /// Flink's configuration for --workload; with --on flink in place of the failure's own.
    #[arg(long, value_name = "CONF", conflicts_with = "all")]
    conf: Option<PathBuf>,

    /// The allocator for --workload.
    #[arg(long, value_enum, value_name = "MALLOC", default_value_t = prepare::MallocArg::Glibc, requires = "workload")]
    malloc: prepare::MallocArg,

    /// MALLOC_ARENA_MAX for --workload.
    #[arg(long, value_name = "N", requires = "workload")]
    arenas: Option<u32>,

    /// The limit for --workload: a size, or none [default: what the container leaves to native memory].
    #[arg(long, value_name = "SIZE", requires = "workload")]
    limit: Option<String>,

    #[command(flatten)]
    engine: EngineArgs,

    /// Take so many times the records, and the time for them.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    factor: u32,

    /// Where run directories go: on a disk, not in memory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The most that a run may take of the disk [default: what is free, less a reserve].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    disk: Option<Bytes>,

    /// How to print it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = results::Format::Text)]
    format: results::Format,

    /// Write the results as JSON too, for `compare`.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write one page with charts too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Record the first run in the format of `oomph record`; further runs get their label before the ending.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct PredictArgs {
    /// The workload (see docs/workloads.md), or the name of a scenario.
    #[arg(long, value_name = "FILE|NAME")]
    workload: String,

    /// Flink's configuration [default: for a scenario its own, both].
    #[arg(value_name = "CONF")]
    conf: Option<PathBuf>,

    /// The allocator.
    #[arg(long, value_enum, value_name = "MALLOC", default_value_t = prepare::MallocArg::Glibc)]
    malloc: prepare::MallocArg,

    /// MALLOC_ARENA_MAX.
    #[arg(long, value_name = "N")]
    arenas: Option<u32>,

    /// The Flink version, whose RocksDB it is [default: the newest].
    #[arg(long, value_name = "VERSION")]
    flink: Option<crate::flink::Version>,

    /// How to print it.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = results::Format::Text)]
    format: results::Format,
}

/// A size such as `2g`.
fn size(text: &str) -> Result<Bytes, String> {
    Bytes::parse_flink(text).map_err(|_| "give a size such as 2g".to_owned())
}

/// A static program loads no library, and no worker lies beside it: it runs nothing.
const RUNS: bool = !cfg!(target_feature = "crt-static");

/// What a static program says in place of a run.
fn runs_nothing() -> Exit {
    results::refused(
        &"this oomph is static: it loads no RocksDB and has no workers, so it runs no experiments; take the full build of \
          the same release, which needs glibc (docs/release.md); list, show, predict and compare work here",
    )
}

/// Runs the verb.
pub fn run(args: &ReproArgs) -> anyhow::Result<Exit> {
    let mut out = io::stdout().lock();
    match &args.verb {
        Verb::List => catalogue::list(&mut out),
        Verb::Show { name } => Ok(catalogue::show(name, &mut out)?.unwrap_or_else(|| unknown(name))),
        Verb::Run(_) | Verb::Loop(_) if !RUNS => Ok(runs_nothing()),
        Verb::Run(args) => session::run(args, &mut out),
        Verb::Loop(args) => closed_loop::run(args, &mut out),
        Verb::Predict(args) => predicting::predict(args, &mut out),
        Verb::Compare { a, b } => comparing::compare(a, b, &mut out),
    }
}

/// There is no such scenario: what there is.
fn unknown(name: &str) -> Exit {
    if failures::named(name).is_some() {
        anstream::eprintln!(
            "error: {name} runs on a real Flink: oomph repro run {name} --on flink --flink-home DIR, or oomph repro loop \
             {name} --flink-home DIR"
        );
        return Exit::Usage;
    }
    let on_flink = scenarios::ON_FLINK.iter().map(|scenario| scenario.name);
    let failing = failures::ALL.iter().map(|failure| failure.name);
    refused_names(name, scenarios::ALL.iter().map(|scenario| scenario.name).chain(on_flink).chain(failing))
}

fn refused_names<'n>(name: &str, all: impl Iterator<Item = &'n str>) -> Exit {
    let names: Vec<&str> = all.collect();
    match nearest(name, &names) {
        Some(near) => anstream::eprintln!("error: there is no scenario `{name}`; did you mean {near}?"),
        None => anstream::eprintln!("error: there is no scenario `{name}`; there are: {}", names.join(", ")),
    }
    Exit::Usage
}
