//! Everything that one look at a process gave: what the probes hand to the functions of this room.

use jiff::Timestamp;

use crate::artefact::cgroup::Cgroup;
use crate::artefact::flink_process::FlinkProcess;
use crate::artefact::flink_rest::{JobSummary, MemoryConfiguration, ProcessMetrics, RocksDbReading};
use crate::artefact::host::Host;
use crate::artefact::hsperfdata::HsPerf;
use crate::artefact::malloc_chunks::{Allocator, HeapWalk};
use crate::artefact::nmt::Nmt;
use crate::artefact::process_status::ProcessFiles;
use crate::artefact::rocksdb_directory::Databases;
use crate::model::{Identity, Seen};

/// One look at one process.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Its process id, as seen from where it was looked at.
    pub pid: u32,
    /// What Flink runs in it; nothing where it is not Flink's.
    pub flink: Option<FlinkProcess>,
    /// What it runs, for messages.
    pub program: String,
    /// The kernel's files about it.
    pub files: ProcessFiles,
    /// Where it is accounted.
    pub cgroup: Seen<Cgroup>,
    /// The machine.
    pub host: Host,
    /// The JVM's performance data.
    pub jvm: Seen<HsPerf>,
    /// Who serves malloc.
    pub allocator: Allocator,
    /// malloc's chunks.
    pub heap: Seen<HeapWalk>,
    /// The JVM's native memory tracking.
    pub nmt: Seen<Nmt>,
    /// What Flink's REST says of it.
    pub rest: Seen<RestLook>,
    /// The databases it has open.
    pub rocksdb: Seen<Databases>,
}

/// What Flink's REST says of one process.
#[derive(Clone, Debug)]
pub struct RestLook {
    /// The address, without secrets.
    pub url: String,
    /// Flink's version.
    pub version: Seen<String>,
    /// The budget, as REST gives it; a JobManager has none there.
    pub memory: Option<MemoryConfiguration>,
    /// What the process measures of itself.
    pub metrics: ProcessMetrics,
    /// Slots that a job has.
    pub slots_in_use: Option<u64>,
    /// RocksDB's native metrics, as Flink reports them.
    pub readings: Seen<Vec<RocksDbReading>>,
    /// The cluster's configuration.
    pub configuration: Seen<Vec<(String, String)>>,
    /// The jobs that are not over.
    pub jobs: Seen<Vec<JobSummary>>,
}

impl Sample {
    /// Which process it is about.
    pub fn identity(&self) -> Identity {
        Identity {
            pid: self.pid,
            started: self.files.started.as_ref().ok().copied(),
            role: self.flink.as_ref().map(|flink| flink.role),
            name: self.name(),
        }
    }

    /// Flink's name for it, else its main class or program.
    pub fn name(&self) -> String {
        match &self.flink {
            Some(flink) => flink.resource_id.clone().unwrap_or_else(|| flink.main_class.to_owned()),
            None => self.program.clone(),
        }
    }

    /// The words it was started with; none where they could not be read.
    pub fn command(&self) -> &[String] {
        self.files.command.as_deref().unwrap_or_default()
    }

    /// Whether the JVM keeps books of its native memory, which makes each of its chunks 16 bytes larger.
    pub fn tracks_native_memory(&self) -> bool {
        let asked = self.command().iter().rev().find_map(|word| word.strip_prefix("-XX:NativeMemoryTracking="));
        asked.is_some_and(|level| level != "off")
    }
}
