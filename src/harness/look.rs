//! One look at a process of an experiment, with the probes of `attach`: everything that is found of it there is found here.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::artefact::malloc_chunks::Allocator;
use crate::diagnose::examination::Examination;
use crate::diagnose::reckoning;
use crate::diagnose::sample::Sample;
use crate::model::{Measure, Observation, Observations, Origin, Progress, Seen, Unseen};
use crate::probe::rocksdb_files::{self, Effort};
use crate::probe::root::Root;
use crate::probe::target::Target;
use crate::probe::{cgroup, heap, host, hsperf, process};

/// How far a look goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Without malloc's chunks and RocksDB's files, which cost most.
    Brief,
    /// Everything.
    Whole,
}

/// Looks at a process. Who serves malloc is told where it cannot be seen: an allocator that is linked into the program has
/// no file of its own.
///
/// # Errors
/// [`Unseen`] where the process has ended.
pub fn examine(root: &Root, target: &Target, allocator: Option<Allocator>, depth: Depth) -> Seen<Examination> {
    let pid = target.pid;
    let files = process::read(root, pid)?;
    let names = files.smaps.as_ref().map(|smaps| smaps.mappings.as_slice()).unwrap_or_default();
    let mapped = Allocator::of_mapped(names.iter().map(|mapping| mapping.name.as_str()));
    let unseen = || Unseen::because("looked into at fewer looks than the rest");
    let mut sample = Sample {
        at: Timestamp::now(),
        pid,
        flink: target.flink.clone(),
        program: target.program.clone(),
        files,
        cgroup: cgroup::read(root, pid),
        host: host::read(root),
        jvm: hsperf::read_of(root, pid),
        allocator: allocator.unwrap_or(mapped),
        heap: Err(unseen()),
        nmt: Err(Unseen::because("the JVM was not asked")),
        rest: Err(Unseen::because("an experiment's process is not asked by REST")),
        rocksdb: Err(unseen()),
    };
    if depth == Depth::Whole {
        sample.rocksdb = rocksdb_files::of_process(root, pid, &[] as &[PathBuf], &Effort::default());
        sample.heap = reckoning::walkable(&sample).and_then(|heaps| heap::walk_heap(root, pid, &heaps));
    }
    let planned = Err(Unseen::because("an experiment's process has no plan of Flink's on its command line"));
    Ok(Examination::of(sample, planned))
}

/// Puts what a worker says of its RocksDB in the place of what was not seen of it. All its caches together are one value.
pub fn with_own_figures(observations: &mut Observations, said: &Progress) {
    let all = |caches: &[u64]| caches.iter().sum::<u64>();
    let figures = [
        (Measure::RocksDbCacheUsage, all(&said.cache_usage)),
        (Measure::RocksDbCacheCapacity, all(&said.cache_capacity)),
        (Measure::RocksDbCachePinned, all(&said.cache_pinned)),
        (Measure::RocksDbMemtables, said.memtables),
        (Measure::RocksDbFiles, said.files),
    ];
    for (measure, value) in figures {
        let own = Observation { measure, value: Ok(value), origin: Origin::Worker };
        match observations.all.iter_mut().find(|seen| seen.measure == measure) {
            Some(seen) => *seen = own,
            None => observations.all.push(own),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::model::Identity;
    use crate::probe::target;

    #[test]
    fn a_worker_says_what_cannot_be_seen_of_its_rocksdb() {
        let target = Identity { pid: 7, started: None, role: None, name: "worker".to_owned() };
        let unseen = Observation {
            measure: Measure::RocksDbMemtables,
            value: Err(Unseen::because("no address was given")),
            origin: Origin::Rest,
        };
        let mut observations = Observations { at: Timestamp::UNIX_EPOCH, target, all: vec![unseen] };
        let said = Progress { memtables: 5, cache_usage: vec![1, 2], ..Progress::default() };
        with_own_figures(&mut observations, &said);
        assert_eq!(observations.value(Measure::RocksDbMemtables), Some(5));
        assert_eq!(observations.value(Measure::RocksDbCacheUsage), Some(3));
        assert_eq!(observations.all.len(), 5);
        assert!(observations.all.iter().all(|seen| seen.origin == Origin::Worker));
    }

    #[test]
    fn a_look_at_this_process_divides_its_memory() {
        let root = Root::live();
        let target = target::of_pid(&root, std::process::id()).unwrap();
        let brief = examine(&root, &target, None, Depth::Brief).unwrap();
        assert!(brief.account.is_ok() && brief.sample.heap.is_err());
        assert!(brief.observations.value(Measure::RssAnon).is_some_and(|bytes| bytes > 0));
    }
}
