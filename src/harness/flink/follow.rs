//! Follows one process of a cluster while its job runs: memory and heap from outside, which cost the process nothing,
//! and what REST says of the job, asked beside that, since a JobManager without heap does not answer.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::process::Words;
use super::{FlinkError, Stage};
use crate::artefact::process_status::ProcessStatus;
use crate::model::{Bytes, Role};
use crate::probe::cgroup;
use crate::probe::hsperf::Located;
use crate::probe::jvm_attach::{Attached, Disturbing, Handshake};
use crate::probe::root::Root;
use crate::repro::on_flink::{Checkpoints, HeapLook};
use crate::repro::outcome::{Ending, Moment};

/// Between two looks at the process.
const LOOK: Duration = Duration::from_millis(500);

/// Between two questions about the job. The JobManager fetches metrics at most each `metrics.fetcher.update-interval`.
const ASK: Duration = Duration::from_secs(1);

/// How long a full collection and a walk through the heap may take on a busy machine.
const WEIGHING: Duration = Duration::from_secs(60);

/// How often a heap is weighed: the smallest counts, since an answer of a TaskManager that is being taken in is garbage
/// soon.
const WEIGHINGS: usize = 3;

/// What was seen of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its memory.
    pub moments: Vec<Moment>,
    /// Its heap.
    pub looks: Vec<HeapLook>,
    /// The most records that a vertex of the job took.
    pub records: u64,
    /// The job's checkpoints, as they were last told.
    pub checkpoints: Checkpoints,
    /// What the job was when that was last told: `RUNNING`, `FAILED`.
    pub state: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// Milliseconds since the job was submitted.
    pub millis: u64,
}

impl Followed {
    /// A process that ended before there was anything to follow.
    pub fn ended(ending: Ending, after: Duration) -> Followed {
        Followed {
            moments: Vec::new(),
            looks: Vec::new(),
            records: 0,
            checkpoints: Checkpoints::default(),
            state: None,
            ending,
            millis: millis(after),
        }
    }
}

/// What REST said last.
#[derive(Clone, Debug, Default)]
struct Told {
    records: u64,
    checkpoints: Checkpoints,
    state: Option<String>,
}

/// Follows a process until it ends, the time is over, or enough was seen.
pub fn follow(
    stage: &Stage<'_>,
    cluster: &mut Cluster,
    role: Role,
    job: &str,
    submitted: Instant,
    lasts: Duration,
    enough: &dyn Fn(&Followed) -> bool,
) -> Followed {
    let told = Mutex::new(Told::default());
    let over = AtomicBool::new(false);
    let ask = cluster.ask.clone();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let answered = (ask.job(job), ask.checkpoints(job));
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                if let Ok(job) = answered.0 {
                    // It begins again at 0 when the job starts again.
                    told.records = told.records.max(job.records);
                    told.state = Some(job.state);
                }
                if let Ok(checkpoints) = answered.1 {
                    told.checkpoints = checkpoints;
                }
                drop(told);
                thread::sleep(ASK);
            }
        });
        let followed = look_until_over(stage, cluster, role, submitted, lasts, enough, &told);
        over.store(true, Ordering::Relaxed);
        followed
    })
}

fn look_until_over(
    stage: &Stage<'_>,
    cluster: &mut Cluster,
    role: Role,
    submitted: Instant,
    lasts: Duration,
    enough: &dyn Fn(&Followed) -> bool,
    told: &Mutex<Told>,
) -> Followed {
    let root = Root::live();
    let jvm = cluster.process(role);
    let mut heap: Option<Located> = None;
    let mut followed = Followed {
        moments: Vec::new(),
        looks: Vec::new(),
        records: 0,
        checkpoints: Checkpoints::default(),
        state: None,
        ending: Ending::OutOfTime,
        millis: 0,
    };
    loop {
        followed.millis = millis(submitted.elapsed());
        {
            let told = told.lock().unwrap_or_else(PoisonError::into_inner);
            followed.records = told.records;
            followed.checkpoints = told.checkpoints;
            followed.state.clone_from(&told.state);
        }
        if let Some(status) = jvm.ended() {
            followed.ending = Ending::Died { status: Words(status).to_string(), stderr: jvm.last_words() };
            return followed;
        }
        followed.moments.extend(moment(&root, jvm.pid, followed.millis));
        if heap.is_none() {
            heap = Located::of(&root, jvm.pid).ok();
        }
        followed.looks.extend(heap.as_ref().and_then(|heap| heap_look(heap, followed.millis)));
        if stage.is_interrupted() {
            followed.ending = Ending::Interrupted;
            return followed;
        }
        // By the look itself: a later one may never come, and the run would seem shorter than it was to be.
        if followed.millis >= millis(lasts) || enough(&followed) {
            return followed;
        }
        thread::sleep(LOOK);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn moment(root: &Root, pid: u32, millis: u64) -> Option<Moment> {
    let bytes = root.read_of(pid, "status").ok()?;
    let status = ProcessStatus::parse(&bytes).ok()?;
    // A group of ours is named so; another one's figures are not the run's.
    let group = cgroup::read(root, pid).ok().map(|found| found.own);
    let group = group.filter(|group| group.path.rsplit('/').next().is_some_and(|name| name.starts_with("oomph-")));
    let stat = group.as_ref().map(|group| &group.stat);
    let shmem = stat.and_then(|stat| stat.shmem);
    Some(Moment {
        millis,
        anonymous: status.rss_anon?,
        resident: status.rss?,
        usage: group.as_ref().and_then(|group| group.usage),
        file: stat.and_then(|stat| stat.file?.checked_sub(shmem.unwrap_or_default())),
        shmem,
        dirty: stat.and_then(|stat| stat.dirty?.checked_add(stat.writeback.unwrap_or_default())),
        group_anonymous: stat.and_then(|stat| stat.anon),
        said: None,
    })
}

fn heap_look(heap: &Located, millis: u64) -> Option<HeapLook> {
    let found = heap.read().ok()?;
    let nanoseconds: u64 = found.collectors.iter().filter_map(|collector| collector.nanoseconds).sum();
    Some(HeapLook {
        millis,
        used: Bytes::new(found.heap_used()?),
        collecting: nanoseconds / 1_000_000,
        full: found.full_collections().and_then(|collector| collector.invocations).unwrap_or_default(),
    })
}

/// What is live in a JVM's heap: the sum of `GC.class_histogram`, which collects the whole heap first. The JVM is ours.
///
/// # Errors
///
/// Where the JVM does not answer.
pub fn live(role: Role, pid: u32) -> Result<Bytes, FlinkError> {
    let failed = |reason: String| FlinkError::Heap { of: role, reason };
    let attached = Attached::open(&Root::live(), pid, Handshake::Allowed, WEIGHING);
    let attached = attached.map_err(|unseen| failed(unseen.to_string()))?;
    let mut smallest: Option<Bytes> = None;
    for _ in 0..WEIGHINGS {
        let text = attached.disturb(Disturbing::ClassHistogram).map_err(|unseen| failed(unseen.to_string()))?;
        let total = total(&text).ok_or_else(|| failed("its histogram has no total".to_owned()))?;
        smallest = Some(smallest.map_or(total, |smallest| smallest.min(total)));
    }
    smallest.ok_or_else(|| failed("it was not asked".to_owned()))
}

/// `Total        576710       37922936`: instances and bytes.
fn total(histogram: &str) -> Option<Bytes> {
    let line = histogram.lines().rev().find(|line| line.starts_with("Total"))?;
    line.split_whitespace().nth(2)?.parse().ok().map(Bytes::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_histogram_is_its_last_line() {
        let text = " num     #instances         #bytes  class name (module)\n\
                    -------------------------------------------------------\n   \
                    1:        153754       19323904  [B (java.base@17.0.15)\n\
                    Total        576710       37922936\n";
        assert_eq!(total(text), Some(Bytes::new(37_922_936)));
        assert_eq!(total("1:"), None);
    }
}
