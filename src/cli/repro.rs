//! `oomph repro`: runs what kills, and what cures.

mod closed_loop;
mod conduct;
mod engines;
mod on_flink;
pub(super) mod prepare;
mod progress;
mod results;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Exit;
use super::plan::width;
use crate::model::Bytes;
use crate::repro::failures;
use crate::repro::scenarios;

const EXAMPLES: &str = "\
Examples, each with what it answers:
  oomph repro list
      what can be run
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

/// Runs RocksDB workloads in a memory-limited group of the kernel, with a configuration that fails and one that cures.
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
    /// What can be run.
    List,
    /// One scenario in full: what it states, its workload, both configurations.
    Show {
        /// The scenario.
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Runs scenarios, or a workload of your own.
    Run(Box<RunArgs>),
    /// Fails, is explained by diagnose, is changed as diagnose proposes, and runs again.
    Loop(closed_loop::LoopArgs),
    /// What a workload will take under a configuration.
    Predict(PredictArgs),
    /// Two results beside each other.
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
    #[arg(value_name = "NAME", required_unless_present_any = ["all", "workload"])]
    names: Vec<String>,

    /// All that can run here; those that cannot are named.
    #[arg(long, conflicts_with_all = ["names", "workload"])]
    all: bool,

    /// Runs failures on a real Flink, with the cure that each knows itself (`loop` takes what diagnose proposes).
    #[arg(long, value_enum, value_name = "WHERE", requires = "flink_home", conflicts_with_all = ["workload", "record"])]
    on: Option<closed_loop::On>,

    /// A workload of your own, in place of a scenario.
    #[arg(long, value_name = "FILE", conflicts_with = "names")]
    workload: Option<PathBuf>,

    /// Flink's configuration for --workload.
    #[arg(long, value_name = "CONF", requires = "workload")]
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

    /// Takes so many times the records, and the time for them.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    factor: u32,

    /// Where run directories go: on a disk, not in memory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// The most that a run may take of the disk [default: what is free, less a reserve].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    disk: Option<Bytes>,

    /// How it is printed.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = results::Format::Text)]
    format: results::Format,

    /// Writes the results as JSON too, for `compare`.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Writes one page with charts too.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,

    /// Records the first run in the format of `oomph record`; further runs get their label before the ending.
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

    /// How it is printed.
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
        Verb::List => {
            let entries: Vec<_> = scenarios::ALL
                .iter()
                .map(results::entry)
                .chain(scenarios::ON_FLINK.iter().map(results::entry_on_flink))
                .collect();
            let failures: Vec<_> = failures::ALL.iter().map(results::entry_of_failure).collect();
            out.write_all(crate::report::repro::list::list(&entries, &failures, width()).as_bytes())?;
            Ok(Exit::Clean)
        }
        Verb::Show { name } => match scenarios::named(name) {
            Some(scenario) => results::show(scenario, &mut out),
            None => match scenarios::ON_FLINK.iter().find(|scenario| scenario.name == name) {
                Some(scenario) => results::show_on_flink(scenario, &mut out),
                None => match failures::named(name) {
                    Some(failure) => results::show_failure(failure, &mut out),
                    None => Ok(unknown(name)),
                },
            },
        },
        Verb::Run(_) | Verb::Loop(_) if !RUNS => Ok(runs_nothing()),
        Verb::Run(args) => results::run(args, &mut out),
        Verb::Loop(args) => closed_loop::run(args, &mut out),
        Verb::Predict(args) => results::predict(args, &mut out),
        Verb::Compare { a, b } => results::compare(a, b, &mut out),
    }
}

/// There is no such scenario: what there is.
fn unknown(name: &str) -> Exit {
    let on_flink = scenarios::ON_FLINK.iter().map(|scenario| scenario.name);
    refused_names(name, scenarios::ALL.iter().map(|scenario| scenario.name).chain(on_flink))
}

fn refused_names<'n>(name: &str, all: impl Iterator<Item = &'n str>) -> Exit {
    let names: Vec<&str> = all.collect();
    anstream::eprintln!("error: there is no scenario `{name}`; there are: {}", names.join(", "));
    Exit::Usage
}
