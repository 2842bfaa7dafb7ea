//! One look at one process: every probe asked, everything handed to the functions that judge.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{budget, rest, scrape};
use crate::artefact::malloc_chunks::Allocator;
use crate::artefact::nmt::{self, Nmt};
use crate::diagnose::examination::Examination;
use crate::diagnose::reckoning;
use crate::diagnose::sample::Sample;
use crate::model::{Seen, Unseen};
use crate::plan::Survey;
use crate::plan::jvm::Machine;
use crate::probe::jvm_attach::{Attached, Command, Handshake, PATIENCE};
use crate::probe::rocksdb_files::{self, Effort};
use crate::probe::root::Root;
use crate::probe::target::Target;
use crate::probe::{cgroup, heap, host, hsperf, process};

/// How far to look.
#[derive(Clone, Debug, Args)]
pub struct LookArgs {
    /// The configuration file or directory that it should have been started with: says where it differs.
    #[arg(long, value_name = "CONF")]
    conf: Option<PathBuf>,

    /// Flink's REST address, such as http://localhost:8081: metrics of the JVM, of the network and of RocksDB.
    #[arg(long, value_name = "URL")]
    rest: Option<String>,

    /// The same metrics as Flink's Prometheus reporter writes them, from an address or a file.
    #[arg(long, value_name = "URL|FILE", conflicts_with = "rest")]
    prometheus: Option<String>,

    /// A directory in which the process keeps RocksDB databases, where its open files cannot be listed.
    #[arg(long, value_name = "DIR")]
    rocksdb_dir: Vec<PathBuf>,

    /// When to talk to the JVM itself, by its attach socket.
    #[arg(long, value_enum, default_value_t = JvmAttach::Auto)]
    jvm_attach: JvmAttach,

    /// Do not walk malloc's chunks: what it holds stays one sum.
    #[arg(long)]
    no_heap_walk: bool,

    /// Do not read the directories of RocksDB.
    #[arg(long)]
    no_rocksdb_files: bool,

    /// Leaves out what costs most, since this is one look of many.
    #[arg(skip)]
    is_brief: bool,
}

impl LookArgs {
    /// The configuration that the process should have been started with.
    pub fn conf(&self) -> Option<&Path> {
        self.conf.as_deref()
    }

    /// Flink's REST address, where one was given.
    pub fn rest(&self) -> Option<&str> {
        self.rest.as_deref()
    }

    /// The same for a look between two whole ones: without malloc's chunks and RocksDB's files.
    pub fn brief(&self) -> LookArgs {
        LookArgs { is_brief: true, ..self.clone() }
    }
}

/// When the attach socket is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum JvmAttach {
    /// Where it is open already; opened where the JVM was started with -XX:NativeMemoryTracking.
    Auto,
    /// Opened where it is not: a file in the JVM's /tmp for some hundredths of a second, and a SIGQUIT, on which a JVM
    /// starts one thread. Only a proven HotSpot JVM gets it.
    Always,
    /// Not at all.
    Never,
}

/// Looks at a process and examines what was seen.
pub fn examine(root: &Root, target: &Target, args: &LookArgs) -> Seen<Examination> {
    examine_again(root, target, args, &mut None)
}

/// The same of one process again and again: its plan is worked out at the first look and kept.
pub fn examine_again(
    root: &Root,
    target: &Target,
    args: &LookArgs,
    planned: &mut Option<Seen<Box<Survey>>>,
) -> Seen<Examination> {
    let sample = sample(root, target, args)?;
    let planned =
        planned.get_or_insert_with(|| budget::of_command(target, sample.command(), Machine::default())).clone();
    let configured = args.conf.as_deref().map(|conf| {
        let planned = planned.as_ref().map_err(Clone::clone)?;
        budget::of_configuration(conf, target, planned)
    });
    Ok(Examination { configured, ..Examination::of(sample, planned) })
}

fn sample(root: &Root, target: &Target, args: &LookArgs) -> Seen<Sample> {
    let pid = target.pid;
    let files = process::read(root, pid)?;
    if let (Some(before), Ok(now)) = (target.started, &files.started)
        && before != *now
    {
        return Err(Unseen::because("it ended, and another process got its id"));
    }
    let names = files.smaps.as_ref().map(|smaps| smaps.mappings.as_slice()).unwrap_or_default();
    let allocator = Allocator::of_mapped(names.iter().map(|mapping| mapping.name.as_str()));
    let mut sample = Sample {
        at: Timestamp::now(),
        pid,
        flink: target.flink.clone(),
        program: target.program.clone(),
        files,
        cgroup: cgroup::read(root, pid),
        host: host::read(root),
        jvm: hsperf::read_of(root, pid),
        allocator,
        heap: Err(Unseen::because("not asked for").granted_by("leave out --no-heap-walk")),
        nmt: Err(Unseen::because("the JVM was not asked").granted_by("leave out --jvm-attach never")),
        rest: Err(Unseen::because("no address was given").granted_by("give --rest http://JOBMANAGER:8081")),
        rocksdb: Err(Unseen::because("not asked for").granted_by("leave out --no-rocksdb-files")),
    };
    sample.nmt = native_memory(root, &sample, args.jvm_attach);
    if args.is_brief {
        let unseen = || Unseen::because("looked into at fewer looks than the rest").granted_by("see --heap-walk-every");
        sample.heap = Err(unseen());
        sample.rocksdb = Err(unseen());
    }
    if !args.no_rocksdb_files && !args.is_brief {
        sample.rocksdb = rocksdb_files::of_process(root, pid, &args.rocksdb_dir, &Effort::default());
    }
    if let Some(url) = &args.rest {
        sample.rest = rest::look(url, root, &sample);
    } else if let Some(target) = &args.prometheus {
        sample.rest = scrape::look(target, &sample);
    }
    if !args.no_heap_walk && !args.is_brief {
        sample.heap = reckoning::walkable(&sample).and_then(|heaps| heap::walk_heap(root, sample.pid, &heaps));
    }
    Ok(sample)
}

/// The JVM's own books, where it keeps them and may be asked.
fn native_memory(root: &Root, sample: &Sample, when: JvmAttach) -> Seen<Nmt> {
    let handshake = match when {
        JvmAttach::Never => return sample.nmt.clone(),
        JvmAttach::Always => Handshake::Allowed,
        JvmAttach::Auto if sample.tracks_native_memory() => Handshake::Allowed,
        JvmAttach::Auto => Handshake::Never,
    };
    if !sample.tracks_native_memory() && sample.files.command.is_ok() {
        return Err(Unseen::because("the JVM does not keep books of its native memory").granted_by(nmt::GRANT));
    }
    let attached = Attached::open(root, sample.pid, handshake, PATIENCE)?;
    attached.ask(Command::NativeMemorySummary).and_then(|text| Nmt::parse(&text))
}
