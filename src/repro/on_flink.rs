//! What a run on a real cluster shows of itself, beside what every run shows: its heap, its collections, its
//! checkpoints, and what its logs say. The scenarios on Flink judge by these values.

use crate::model::{Bytes, EngineChoice, Experiment, Limit, Malloc, StoreSettings, Workload};

use super::launch::Settings;
use super::outcome::{Ending, Moment, Run, Shown, Verdict};

/// One look at the heap of a JVM, by its performance data (`hsperfdata`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapLook {
    /// Milliseconds since the job was submitted.
    pub millis: u64,
    /// In use; with G1 as of the last collection (`G1MonitoringSupport`).
    pub used: Bytes,
    /// Milliseconds that the program stood still for collections, since the JVM's start.
    pub collecting: u64,
    /// Collections of the whole heap, since the JVM's start.
    pub full: u64,
}

/// What Flink says of a job's checkpoints, `/jobs/:jobid/checkpoints`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoints {
    /// Completed.
    pub completed: u64,
    /// Failed: expired, or declined.
    pub failed: u64,
}

/// What the logs of both processes say of the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The first line that tells of an `OutOfMemoryError`.
    pub out_of_memory: Option<String>,
    /// Checkpoints that expired (`CheckpointCoordinator`: "expired before completing").
    pub expired: u64,
    /// Whether the JobManager gave up a TaskManager that did not answer (`HeartbeatManagerImpl`: "Heartbeat of
    /// TaskManager with id … timed out"), or whose connection was lost ("is no longer reachable").
    pub lost: bool,
}

/// The longest text of a line that is kept.
const LONGEST: usize = 200;

impl Marks {
    /// Adds what a log says.
    pub fn read(&mut self, log: &str) {
        for line in log.lines() {
            if self.out_of_memory.is_none() && line.contains("OutOfMemoryError") {
                self.out_of_memory = Some(line.trim().chars().take(LONGEST).collect());
            }
            // Twice a checkpoint: the coordinator's line has the number, the exception behind it has not.
            if line.contains("expired before completing") && line.contains("CheckpointCoordinator") {
                self.expired += 1;
            }
            let heartbeat = line.contains("eartbeat of TaskManager") && line.contains("timed out");
            self.lost |= heartbeat || line.contains("TaskManager") && line.contains("is no longer reachable");
        }
    }
}

/// One half of a scenario on Flink: what was run, and what was seen of the process that the scenario is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    /// `fails`, `cured`, or the name of a variant.
    pub label: String,
    /// The settings of the cluster.
    pub settings: Settings,
    /// Flink's version, as its jar is named.
    pub flink: String,
    /// The heap that the process may have.
    pub heap: Bytes,
    /// Memory of the process, as every run has it.
    pub moments: Vec<Moment>,
    /// Its heap.
    pub looks: Vec<HeapLook>,
    /// How it ended.
    pub ending: Ending,
    /// Milliseconds from the submission of the job to the end.
    pub millis: u64,
    /// What is live in the heap after a full collection (`GC.class_histogram`), where the process could still be asked.
    pub live: Option<Bytes>,
    /// Histograms of latency that Flink has, where they were counted.
    pub series: Option<u64>,
    /// Records that the operator with state took.
    pub records: u64,
    /// Its checkpoints.
    pub checkpoints: Checkpoints,
    /// What the logs say.
    pub marks: Marks,
    /// What diagnose says of the logs.
    pub verdict: Option<Verdict>,
}

/// How long the last part of a run is that tells how it goes, in milliseconds.
const END: u64 = 10_000;

impl Half {
    /// Whether the process itself ended.
    pub fn died(&self) -> bool {
        matches!(self.ending, Ending::Died { .. }) || self.ending.is_death_of_memory()
    }

    /// The looks of the last ten seconds, and the one before them.
    fn end(&self) -> &[HeapLook] {
        let last = self.looks.last().map_or(0, |look| look.millis);
        let from = self.looks.iter().rposition(|look| look.millis + END <= last).unwrap_or_default();
        self.looks.get(from..).unwrap_or_default()
    }

    /// How much of the last ten seconds the program stood still for collections, in percent.
    pub fn collecting_percent(&self) -> u64 {
        match self.end() {
            [first, .., last] if last.millis > first.millis => {
                (last.collecting.saturating_sub(first.collecting) * 100 / (last.millis - first.millis)).min(100)
            }
            _ => 0,
        }
    }

    /// The most of the heap that was in use in the last ten seconds.
    pub fn used_at_end(&self) -> Bytes {
        self.end().iter().map(|look| look.used).max().unwrap_or_default()
    }

    /// How much of its heap that was, in percent.
    pub fn used_percent(&self) -> u64 {
        percent(self.used_at_end(), self.heap)
    }

    /// Collections of the whole heap while it was looked at.
    pub fn full_collections(&self) -> u64 {
        match self.looks.as_slice() {
            [first, .., last] => last.full.saturating_sub(first.full),
            _ => 0,
        }
    }

    /// Whether its heap is what ended it or keeps it from working: nine tenths in use, and either an `OutOfMemoryError`
    /// or half of the time in collections.
    pub fn heap_is_exhausted(&self) -> bool {
        let collects = self.collecting_percent() >= 50;
        self.used_percent() >= 90 && (collects || self.marks.out_of_memory.is_some())
    }

    /// How its heap was at the end, in words.
    pub fn heap_in_words(&self) -> String {
        let words = [
            Some(format!("{} % of a heap of {} in use", self.used_percent(), mib(self.heap))),
            Some(format!("{} % of the last 10 s in collections", self.collecting_percent())),
            Some(format!("{} full collections", self.full_collections())),
            self.live.map(|live| format!("{} live after one more", mib(live))),
            self.marks.out_of_memory.as_ref().map(|_| "OutOfMemoryError in the logs".to_owned()),
        ];
        let words: Vec<String> = words.into_iter().flatten().collect();
        words.join(", ")
    }

    /// How it ended, in words.
    pub fn end_in_words(&self) -> String {
        let seconds = self.millis / 1000;
        match &self.ending {
            Ending::Died { status, .. } => format!("{status} after {seconds} s"),
            Ending::KilledByKernel { .. } => format!("killed by the kernel after {seconds} s"),
            Ending::KilledByWatchdog { .. } => format!("ended at its limit after {seconds} s"),
            Ending::Finished | Ending::OutOfTime => format!("still running after {seconds} s"),
            Ending::Failed(reason) => reason.clone(),
            Ending::Interrupted => format!("interrupted after {seconds} s"),
        }
    }

    /// The same as every run is told of.
    pub fn into_run(self, scenario: &str, directory: &str) -> Run {
        let shown = |name: &str, value: String| Shown { name: name.to_owned(), value };
        // What ended before the first look has a heap of which nothing is known.
        let is_seen = !self.looks.is_empty();
        let rows = [
            is_seen.then(|| shown("Heap at the end", format!("{} of {}", mib(self.used_at_end()), mib(self.heap)))),
            self.live.map(|live| shown("Live after a full collection", mib(live))),
            is_seen.then(|| shown("Time in collections at the end", format!("{} %", self.collecting_percent()))),
            is_seen.then(|| shown("Full collections", self.full_collections().to_string())),
            self.series.map(|series| shown("Latency histograms", series.to_string())),
            (self.records > 0).then(|| shown("Records", self.records.to_string())),
            (self.checkpoints != Checkpoints::default()).then(|| {
                let Checkpoints { completed, failed } = self.checkpoints;
                shown("Checkpoints", format!("{completed} completed, {failed} failed"))
            }),
            self.marks.out_of_memory.clone().map(|line| shown("The log says", line)),
        ];
        let peak = self.moments.iter().map(|moment| moment.anonymous).max();
        Run {
            experiment: stand_in(scenario, directory),
            configuration: Some(self.settings.iter().map(|(key, value)| format!("{key}: {value}\n")).collect()),
            release: Some(format!("Flink {}", self.flink)),
            deviations: Vec::new(),
            steady_anonymous: median_of_second_half(&self.moments),
            peak_anonymous: peak,
            measured: Vec::new(),
            written_to_files: None,
            background: None,
            snapshot_files: None,
            tmpfs: None,
            written_by_workload: Bytes::ZERO,
            prediction: None,
            verdict: self.verdict,
            shown: rows.into_iter().flatten().collect(),
            recording: None,
            label: self.label,
            moments: self.moments,
            ending: self.ending,
            millis: self.millis,
        }
    }
}

/// A part in percent of the whole.
pub fn percent(part: Bytes, whole: Bytes) -> u64 {
    (part.get() * 100).checked_div(whole.get()).unwrap_or_default()
}

/// In whole MiB.
pub fn mib(bytes: Bytes) -> String {
    format!("{} MiB", bytes.whole_mib())
}

fn median_of_second_half(moments: &[Moment]) -> Option<Bytes> {
    let mut sizes: Vec<Bytes> = moments[moments.len() / 2..].iter().map(|moment| moment.anonymous).collect();
    sizes.sort_unstable();
    sizes.get(sizes.len() / 2).copied()
}

/// A run on Flink has no workload of ours: its stream is SQL, and its settings are Flink's.
fn stand_in(scenario: &str, directory: &str) -> Experiment {
    let workload = Workload {
        name: scenario.to_owned(),
        about: "a job of Flink's".to_owned(),
        slots: 0,
        operators: Vec::new(),
        phases: Vec::new(),
        snapshot_every: None,
        shuffle: None,
        python: None,
        leak: None,
        seed: 0,
    };
    let store = StoreSettings {
        pool: None,
        one_pool_for_all: false,
        block_cache: Bytes::ZERO,
        write_buffer: Bytes::ZERO,
        write_buffers: 0,
        merged_write_buffers: 0,
        arena_block: None,
        block_size: Bytes::ZERO,
        metadata_block_size: Bytes::ZERO,
        target_file: Bytes::ZERO,
        level_base: Bytes::ZERO,
        dynamic_levels: false,
        index_and_filter_in_cache: false,
        partitioned: false,
        bloom_bits: None,
        threads: 0,
        open_files: None,
        snappy: false,
        write_batch: Bytes::ZERO,
    };
    Experiment {
        name: scenario.to_owned(),
        workload,
        store,
        malloc: Malloc::Glibc { arenas: None },
        engine: EngineChoice::Embedded,
        limit: Limit::Unlimited,
        directory: directory.to_owned(),
    }
}

#[cfg(test)]
pub mod made {
    //! Halves for tests, out of the figures of real ones.

    use super::*;

    /// A look at a second.
    pub fn look(seconds: u64, used: u32, collecting: u64) -> HeapLook {
        HeapLook { millis: seconds * 1000, used: Bytes::mib(used), collecting, full: seconds }
    }

    /// A half with these looks that was still running.
    pub fn half(heap: u32, looks: Vec<HeapLook>) -> Half {
        Half {
            label: "fails".to_owned(),
            settings: Settings::new(),
            flink: "2.3.0".to_owned(),
            heap: Bytes::mib(heap),
            moments: Vec::new(),
            millis: looks.last().map_or(0, |look| look.millis),
            looks,
            ending: Ending::OutOfTime,
            live: None,
            series: None,
            records: 0,
            checkpoints: Checkpoints::default(),
            marks: Marks::default(),
            verdict: None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::made::{half, look};
    use super::*;

    #[test]
    fn what_is_said_of_the_end_is_of_its_last_ten_seconds() {
        let half = half(200, vec![look(0, 199, 0), look(10, 100, 9_000), look(15, 190, 13_000), look(20, 180, 17_000)]);
        assert_eq!((half.used_percent(), half.collecting_percent(), half.full_collections()), (95, 80, 20));
        assert!(half.heap_is_exhausted());
    }

    #[test]
    fn a_full_heap_that_is_seldom_collected_is_not_exhausted() {
        let half = half(200, vec![look(0, 190, 0), look(10, 199, 400)]);
        assert_eq!(half.collecting_percent(), 4);
        assert!(!half.heap_is_exhausted());
    }

    #[test]
    fn a_run_that_was_never_looked_at_says_nothing() {
        let half = half(200, Vec::new());
        assert_eq!((half.used_percent(), half.collecting_percent(), half.full_collections()), (0, 0, 0));
        assert!(!half.heap_is_exhausted());
    }

    #[test]
    fn logs_of_flink_tell_of_expired_checkpoints_lost_taskmanagers_and_the_heap() {
        let mut marks = Marks::default();
        marks.read(
            "2026-11-22 02:19:01,667 INFO  org.apache.flink.runtime.checkpoint.CheckpointCoordinator    [] - Checkpoint 2 of \
             job 359d267c9d768f74f7a36d37aa5aabb3 expired before completing.\n\
             org.apache.flink.runtime.checkpoint.CheckpointException: Checkpoint expired before completing.\n\
             2026-11-22 02:19:09,883 INFO  org.apache.flink.runtime.jobmaster.JobMaster                 [] - Heartbeat of \
             TaskManager with id 127.0.0.1:41405-cc0517 timed out.\n",
        );
        assert_eq!((marks.expired, marks.lost, marks.out_of_memory.is_none()), (1, true, true));
        marks.read("java.lang.OutOfMemoryError: Java heap space\njava.lang.OutOfMemoryError: again\n");
        assert_eq!(marks.out_of_memory.unwrap(), "java.lang.OutOfMemoryError: Java heap space");
    }
}
