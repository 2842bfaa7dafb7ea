//! Conducts one experiment: its directory, its group, its worker, and what is left of all that.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use thiserror::Error;

use super::child::{Door, Running, StartError, Task};
use super::disk::{self, DiskError, Space};
use super::leftovers::{LeftoverError, RunDirectory};
use super::limit::{self, LimitError};
use super::supervise::{self, DiskShare, Followed, Heard, Recording, Watch};
use super::tmpfs::{Tmpfs, TmpfsError};
use crate::artefact::malloc_chunks::Allocator;
use crate::artefact::rocksdb_events::Events;
use crate::model::{Bytes, Experiment, Limit, Malloc};
use crate::probe::root::Root;
use crate::repro::outcome::{Background, Ending, Measured, Run};
use crate::repro::scenario::{Home, Prepared};

/// The worker with glibc's malloc.
pub const WORKER: &str = "oomph-worker";
/// The worker with jemalloc.
pub const WORKER_JEMALLOC: &str = "oomph-worker-jemalloc";

/// What conducts experiments.
#[derive(Debug)]
pub struct Conductor<'a> {
    /// This machine.
    pub root: &'a Root,
    /// Where the workers' programs lie.
    pub workers: PathBuf,
    /// Where run directories go.
    pub base: PathBuf,
    /// The part of the disk that a run may take; nothing for what is free less a reserve.
    pub disk: Option<Bytes>,
    /// The time between two looks.
    pub interval: Duration,
    /// Set when all is to end.
    pub stop: &'a AtomicBool,
}

/// Why an experiment was not conducted. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum ConductError {
    /// The worker is not there.
    #[error("find {}: this build has no such worker; {get}", path.display())]
    NoWorker {
        /// Where it would be.
        path: PathBuf,
        /// How to get it.
        get: &'static str,
    },
    /// The limit is impossible or dangerous.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The disk is too small.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// There is no directory for it.
    #[error(transparent)]
    Directory(#[from] LeftoverError),
    /// There is no tmpfs for it.
    #[error(transparent)]
    Tmpfs(#[from] TmpfsError),
    /// The worker was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A file of the run could not be written.
    #[error("write {}: {source}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// What is left of an experiment. Its directory goes when this goes.
#[derive(Debug)]
pub struct Conducted {
    /// What was seen of it.
    pub followed: Followed,
    /// The experiment as it was handed to the worker.
    pub experiment: Experiment,
    /// Events of all databases.
    pub events: Events,
    /// Files in all snapshots that are there.
    pub snapshot_files: u64,
    /// RocksDB's LOGs.
    pub logs: Vec<PathBuf>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// Where everything lies.
    pub directory: RunDirectory,
}

impl Conductor<'_> {
    /// Conducts one run.
    ///
    /// # Errors
    /// Where it cannot be begun. What ends it after that is in what comes back.
    pub fn conduct(
        &self,
        prepared: &Prepared,
        name: &str,
        recording: Option<Recording>,
        hear: &mut dyn FnMut(Heard<'_>),
    ) -> Result<Conducted, ConductError> {
        let worker = self.worker(prepared.experiment.malloc)?;
        let mut notes = Vec::new();
        let room = limit::room(self.root).ok();
        if let Some(room) = &room {
            limit::check(prepared.experiment.limit, room)?;
        }
        fs::create_dir_all(&self.base).map_err(|source| ConductError::Write { path: self.base.clone(), source })?;
        let space = Space::of(&self.base)?;
        if prepared.home == Home::Disk {
            space.check(&self.base, crate::repro::extent::on_disk(&prepared.experiment), self.disk)?;
        }
        let directory = RunDirectory::create(self.root, Some(&self.base), name)?;
        let tmpfs = match prepared.home {
            Home::Disk => None,
            Home::Tmpfs(size) => {
                let tmpfs = Tmpfs::create(&directory, size)?;
                notes.extend(tmpfs.note().map(str::to_owned));
                Some(tmpfs)
            }
        };
        let data = tmpfs.as_ref().map_or_else(|| directory.path().join("data"), |tmpfs| tmpfs.path().join("data"));
        let write = |path: &Path, source| ConductError::Write { path: path.to_owned(), source };
        fs::create_dir_all(&data).map_err(|source| write(&data, source))?;
        let experiment = Experiment { directory: data.display().to_string(), ..prepared.experiment.clone() };
        let file = directory.path().join("experiment.json");
        let text = serde_json::to_vec_pretty(&experiment).map_err(io::Error::other);
        text.and_then(|text| fs::write(&file, text)).map_err(|source| write(&file, source))?;

        let group = match directory.group(self.root, experiment.limit) {
            Ok(group) => {
                notes.extend(group.notes().iter().cloned());
                Some(group)
            }
            Err(error) => {
                notes.push(format!(
                    "No group of the kernel bounds the process: oomph could not {error}. A watchdog ends it at the limit."
                ));
                None
            }
        };
        let door = Door::of(&worker);
        let mut task = Task::of(&worker).with([&file]);
        if let Malloc::Glibc { arenas: Some(arenas) } = experiment.malloc {
            task = task.variable("MALLOC_ARENA_MAX", arenas.to_string());
        }
        let running = Running::start(self.root, &door, &task, group.as_ref())?;
        let watch = Watch {
            interval: self.interval,
            guard: match (&group, experiment.limit) {
                (None, Limit::AtMost(limit)) => Some(limit),
                // What nothing bounds must not take the machine.
                (_, Limit::Unlimited) => room.as_ref().map(|room| room.most),
                _ => None,
            },
            disk: Some(DiskShare {
                directory: directory.path().to_owned(),
                most: self.disk.unwrap_or(Bytes::new(space.free.get().saturating_sub(space.reserve().get()))),
            }),
            allocator: match experiment.malloc {
                Malloc::Jemalloc => Some(Allocator::Jemalloc),
                Malloc::Glibc { .. } => None,
            },
            recording,
            ..Watch::until(Duration::from_secs(prepared.seconds), self.stop)
        };
        let mut followed = supervise::follow(self.root, running, group.as_ref(), &watch, hear);
        notes.append(&mut followed.troubles);
        let (events, snapshot_files, logs) = left(&data);
        // LOGs outlive a tmpfs: they are read by whoever explains the end.
        let logs = match &tmpfs {
            Some(_) => kept(&logs, directory.path()),
            None => logs,
        };
        drop(tmpfs);
        if let Some(group) = group
            && let Err(error) = group.remove()
        {
            notes.push(format!("could not {error}"));
        }
        Ok(Conducted { followed, experiment, events, snapshot_files, logs, notes, directory })
    }

    fn worker(&self, malloc: Malloc) -> Result<PathBuf, ConductError> {
        let (name, get) = match malloc {
            Malloc::Glibc { .. } => (WORKER, "build it with `cargo build --release --bins`, beside oomph itself"),
            Malloc::Jemalloc => (
                WORKER_JEMALLOC,
                "build it with `cargo build --release --features rocksdb`: that needs a C++ compiler and libclang",
            ),
        };
        let path = self.workers.join(name);
        match path.is_file() {
            true => Ok(path),
            false => Err(ConductError::NoWorker { path, get }),
        }
    }
}

/// Events in all LOGs, files in all snapshots.
fn left(data: &Path) -> (Events, u64, Vec<PathBuf>) {
    let mut events = Events::default();
    let (mut snapshot_files, mut logs) = (0, Vec::new());
    let mut open = vec![data.to_owned()];
    while let Some(directory) = open.pop() {
        let is_snapshot = directory
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("chk-") || name == "restored-from");
        // What cannot be listed any more is gone.
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            snapshot_files += u64::from(is_snapshot);
            let is_log = entry.file_name().to_str().is_some_and(|name| name == "LOG" || name.starts_with("LOG.old"));
            if is_log && let Ok(text) = fs::read(&path) {
                events = events.and(Events::count(&text));
                logs.push(path);
            }
        }
    }
    (events, snapshot_files, logs)
}

/// Copies of the last part of each LOG, in a directory that stays.
fn kept(logs: &[PathBuf], directory: &Path) -> Vec<PathBuf> {
    let copied = logs.iter().enumerate().filter_map(|(number, log)| {
        let target = directory.join(format!("LOG.{number}"));
        fs::copy(log, &target).ok().map(|_| target)
    });
    copied.collect()
}

impl Conducted {
    /// What the kernel said of the end, where it said anything.
    pub fn kernel(&self) -> Option<&str> {
        match &self.followed.ending {
            Ending::KilledByKernel { report, .. } => Some(report),
            _ => self.followed.reports.as_ref().ok()?.first().map(String::as_str),
        }
    }

    /// The run, without what others say of it.
    pub fn run(&self, prepared: &Prepared, measured: Vec<(crate::repro::prediction::Part, Measured)>) -> Run {
        let followed = &self.followed;
        let written = followed.progress.as_ref().map_or(0, |progress| progress.written);
        let has_log = !self.logs.is_empty();
        let mut moments = followed.moments.clone();
        // What it said last was said after the last look.
        if let (Some(last), Some(said)) = (moments.last_mut(), &followed.progress) {
            last.said = Some(said.clone());
        }
        Run {
            label: prepared.label.clone(),
            experiment: self.experiment.clone(),
            configuration: Some(prepared.configuration.clone()).filter(|text| !text.is_empty()),
            release: followed.release.clone().filter(|release| !release.is_empty()),
            deviations: followed.deviations.clone(),
            moments,
            ending: followed.ending.clone(),
            millis: followed.millis,
            // No process lives without any: nothing was seen of it then.
            peak_anonymous: Some(followed.peak_anonymous).filter(|peak| *peak > Bytes::ZERO),
            steady_anonymous: Some(followed.steady_anonymous).filter(|steady| *steady > Bytes::ZERO),
            measured,
            written_to_files: has_log.then_some(self.events.bytes_written),
            background: has_log.then_some(Background {
                flushes: self.events.flushes,
                compactions: self.events.compactions,
                tables_written: self.events.tables_written,
                bytes_written: self.events.bytes_written,
                tables_deleted: self.events.tables_deleted,
            }),
            tmpfs: match prepared.home {
                Home::Disk => None,
                Home::Tmpfs(size) => Some(size),
            },
            snapshot_files: Some(self.snapshot_files).filter(|files| *files > 0),
            written_by_workload: Bytes::new(written),
            prediction: None,
            verdict: None,
            shown: Vec::new(),
            recording: None,
        }
    }

    /// What of the disk it took in the end.
    pub fn taken(&self) -> Bytes {
        disk::taken(self.directory.path())
    }
}
