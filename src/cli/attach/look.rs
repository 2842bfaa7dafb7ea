//! One look at one process: every probe asked, everything handed to the functions that judge.

use clap::Args;
use jiff::Timestamp;

use super::budget;
use crate::artefact::malloc_chunks::Allocator;
use crate::diagnose::examination::Examination;
use crate::diagnose::reckoning;
use crate::diagnose::sample::Sample;
use crate::model::{Seen, Unseen};
use crate::plan::jvm::Machine;
use crate::probe::root::Root;
use crate::probe::target::Target;
use crate::probe::{cgroup, heap, host, hsperf, process};

/// How far to look.
#[derive(Debug, Args)]
pub struct LookArgs {
    /// Do not walk malloc's chunks: what it holds stays one sum.
    #[arg(long)]
    no_heap_walk: bool,
}

/// Looks at a process and examines what was seen.
pub fn examine(root: &Root, target: &Target, args: &LookArgs) -> Seen<Examination> {
    let sample = sample(root, target, args)?;
    let planned = budget::of_command(target, sample.command(), Machine::default());
    Ok(Examination::of(sample, planned, None))
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
        nmt: Err(Unseen::because("not asked for")),
    };
    if !args.no_heap_walk {
        sample.heap = walk(root, &sample);
    }
    Ok(sample)
}

fn walk(root: &Root, sample: &Sample) -> Seen<crate::artefact::malloc_chunks::HeapWalk> {
    let smaps = sample.files.smaps.as_ref().map_err(Clone::clone)?;
    match sample.allocator.unseen() {
        Some(unseen) => Err(unseen),
        None => heap::walk_heap(root, sample.pid, &reckoning::malloc_mappings(smaps, &reckoning::hints(sample))),
    }
}
