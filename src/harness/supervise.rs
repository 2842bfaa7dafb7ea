//! Follows a command until it ends: looks at it with the probes of `attach`, hears what it says, and tells how it ended.

mod ending;
mod hear;
mod peak;
mod tape;

use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::child::Running;
use super::disk::{self, Space};
use super::group::Group;
use super::kernel_log;
use super::look::{self, Depth};
use crate::artefact::cgroup;
use crate::artefact::host::meminfo;
use crate::artefact::malloc_chunks::Allocator;
use crate::artefact::process_status::ProcessStatus;
use crate::diagnose::examination::Examination;
use crate::model::{Bytes, Ended, Limit, Progress, Said, Unseen};
use crate::probe::root::Root;
use crate::probe::target::{self, Target};
use crate::repro::outcome::{Ending, Moment};

use ending::{Cut, Left, ending, is_about, words};
use hear::{Ear, Wrote};
use peak::Peak;
use tape::Tape;

/// How a command is followed.
#[derive(Debug)]
pub struct Watch<'w> {
    /// The time between two looks at the files that cost little.
    pub interval: Duration,
    /// The time between two whole looks; there are more of them near the limit. Nothing for none.
    pub whole_every: Option<Duration>,
    /// It is ended when it takes longer.
    pub deadline: Duration,
    /// It is ended when its own anonymous memory is above this, or when the machine runs out: what holds it where it has no
    /// group, or a group without a limit.
    pub guard: Option<Bytes>,
    /// It is ended when it takes more of a disk.
    pub disk: Option<DiskShare>,
    /// Who serves its malloc, where that is known.
    pub allocator: Option<Allocator>,
    /// Where its looks are written down.
    pub recording: Option<Recording>,
    /// It is ended when this becomes true.
    pub stop: &'w AtomicBool,
}

impl<'w> Watch<'w> {
    /// A look each tenth of a second and a whole one each five seconds.
    pub fn until(deadline: Duration, stop: &'w AtomicBool) -> Watch<'w> {
        Watch {
            interval: Duration::from_millis(100),
            whole_every: Some(Duration::from_secs(5)),
            deadline,
            guard: None,
            disk: None,
            allocator: None,
            recording: None,
            stop,
        }
    }
}

/// A part of a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskShare {
    /// What is below it counts.
    pub directory: PathBuf,
    /// How much it may be.
    pub most: Bytes,
}

/// A recording in the format of `oomph record`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The file, which may not be there yet.
    pub path: PathBuf,
    /// The time between two samples.
    pub every: Duration,
}

/// What happens while a command is followed.
#[derive(Clone, Copy, Debug)]
pub enum Heard<'h> {
    /// It was looked at.
    Look(&'h Moment),
    /// It said something in a worker's words.
    Said(&'h Said),
    /// It wrote another line to its standard output.
    Line(&'h str),
}

/// What is known of a command that has ended.
#[derive(Debug)]
pub struct Followed {
    /// How it ended.
    pub ending: Ending,
    /// Its status; nothing where the system did not give it.
    pub status: Option<ExitStatus>,
    /// The looks, in order.
    pub moments: Vec<Moment>,
    /// Milliseconds that it took.
    pub millis: u64,
    /// Its anonymous memory at most.
    pub peak_anonymous: Bytes,
    /// Its anonymous memory most of the time: the median over the second half.
    pub steady_anonymous: Bytes,
    /// RocksDB's release, where it is a worker and came so far.
    pub release: Option<String>,
    /// What it could not set up as Flink does.
    pub deviations: Vec<String>,
    /// How far it came.
    pub progress: Option<Progress>,
    /// The last look at everything.
    pub examination: Option<Box<Examination>>,
    /// The group in the end, its counters among it.
    pub group: Option<cgroup::Group>,
    /// How many processes of the group the kernel killed meanwhile; nothing where it does not count them.
    pub oom_kills: Option<u64>,
    /// The kernel's reports of kills in the group, its own first; not seen where the log may not be read.
    pub reports: Result<Vec<String>, Unseen>,
    /// The last lines of its standard output that are no worker's words.
    pub lines: Vec<String>,
    /// The last lines of its standard error.
    pub stderr: String,
    /// What went wrong beside it: a recording that could not be written, processes that did not end.
    pub troubles: Vec<String>,
}

/// The longest time that an end goes unnoticed.
const SLICE: Duration = Duration::from_millis(10);

/// The time between two looks at the memory of what no group holds.
const GUARD_EVERY: Duration = Duration::from_millis(20);

/// The time between two looks at what is taken of a disk.
const DISK_EVERY: Duration = Duration::from_secs(2);

/// What the machine has to have left while something runs that no group holds.
const LEAST_AVAILABLE: Bytes = Bytes::mib(128);

/// The part of a limit, in percent, from which on it is near.
const NEAR: u64 = 80;

/// What takes long is not done again before so many times as long: looking may not slow down what is looked at.
const SPARED: u32 = 10;

/// The shortest time between two whole looks near the limit.
const NEAR_EVERY: Duration = Duration::from_secs(1);

/// Follows a command to its end. Whatever ends it, its process and those that it started are gone when this comes back.
pub fn follow(
    root: &Root,
    running: Running,
    group: Option<&Group>,
    watch: &Watch<'_>,
    hear: &mut dyn FnMut(Heard<'_>),
) -> Followed {
    let mut following = Following::begin(root, running, group, watch);
    let cut = following.watch_over(hear);
    following.end(cut, hear)
}

struct Following<'f> {
    root: &'f Root,
    running: Running,
    group: Option<&'f Group>,
    watch: &'f Watch<'f>,
    target: Option<Target>,
    ear: Ear,
    moments: Vec<Moment>,
    peak: Peak,
    tape: Option<Tape>,
    release: Option<String>,
    deviations: Vec<String>,
    progress: Option<Progress>,
    ended: Option<Ended>,
    examination: Option<Box<Examination>>,
    killed_before: Option<u64>,
    next: Next,
}

/// When what is due.
struct Next {
    look: Instant,
    guard: Instant,
    disk: Instant,
    tape: Instant,
    whole: Instant,
    /// A whole look near the limit, at the earliest.
    soonest: Instant,
}

impl<'f> Following<'f> {
    fn begin(root: &'f Root, mut running: Running, group: Option<&'f Group>, watch: &'f Watch<'f>) -> Following<'f> {
        let now = running.since;
        let ear = Ear::to(running.outputs());
        // It needs a moment before there is anything to look into.
        let first = now + NEAR_EVERY;
        Following {
            root,
            ear,
            running,
            group,
            watch,
            target: None,
            moments: Vec::new(),
            peak: Peak::default(),
            tape: watch.recording.clone().map(Tape::into),
            release: None,
            deviations: Vec::new(),
            progress: None,
            ended: None,
            examination: None,
            killed_before: group.and_then(|group| group.read().oom_kills),
            next: Next { look: now, guard: now, disk: now + DISK_EVERY, tape: now, whole: first, soonest: first },
        }
    }

    /// Until it ends, or there is a reason to end it.
    fn watch_over(&mut self, hear: &mut dyn FnMut(Heard<'_>)) -> Option<Cut> {
        loop {
            self.listen(SLICE, hear);
            if self.running.has_ended() {
                return None;
            }
            let now = Instant::now();
            if self.watch.stop.load(Ordering::Relaxed) {
                return Some(Cut::Stopped);
            }
            if now.duration_since(self.running.since) >= self.watch.deadline {
                return Some(Cut::OutOfTime);
            }
            if let Some(cut) = self.bound(now) {
                return Some(cut);
            }
            if now < self.next.look || !self.running.is_command(self.root) {
                continue;
            }
            self.next.look = now + self.watch.interval;
            self.look(hear);
            self.look_closer(now);
        }
    }

    /// Waits for what the command says, and takes in all of it.
    fn listen(&mut self, at_most: Duration, hear: &mut dyn FnMut(Heard<'_>)) {
        let mut wait = at_most;
        while let Some(wrote) = self.ear.next(wait) {
            wait = Duration::ZERO;
            let Wrote::Out(line) = wrote else { continue };
            match serde_json::from_str::<Said>(&line) {
                Ok(said) => {
                    hear(Heard::Said(&said));
                    self.take_in(said);
                }
                Err(_) => {
                    hear(Heard::Line(&line));
                    self.ear.keep(line);
                }
            }
        }
    }

    fn take_in(&mut self, said: Said) {
        match said {
            Said::Began { release, deviations } => (self.release, self.deviations) = (Some(release), deviations),
            Said::Progress(progress) => self.progress = Some(*progress),
            Said::Status(status) => {
                if let Ok(status) = ProcessStatus::parse(status.as_bytes()) {
                    self.saw(&status);
                }
            }
            Said::Ended(ended) => self.ended = Some(ended),
        }
    }

    fn status(&self) -> Option<ProcessStatus> {
        let bytes = self.root.read_of(self.running.pid, "status").ok()?;
        ProcessStatus::parse(&bytes).ok()
    }

    /// Whether it goes beyond what it may take, where no kernel keeps it from that.
    fn bound(&mut self, now: Instant) -> Option<Cut> {
        if let Some(guard) = self.watch.guard.filter(|_| now >= self.next.guard) {
            self.next.guard = now + GUARD_EVERY;
            let anonymous = self.status().and_then(|status| status.rss_anon).unwrap_or_default();
            if anonymous > guard || self.available().is_some_and(|left| left < LEAST_AVAILABLE) {
                self.peak.saw(anonymous);
                return Some(Cut::Guard(anonymous));
            }
        }
        let share = self.watch.disk.as_ref().filter(|_| now >= self.next.disk)?;
        let taken = disk::taken(&share.directory);
        self.next.disk = now + DISK_EVERY.max(now.elapsed() * SPARED);
        if taken > share.most {
            return Some(Cut::Disk(format!("it wrote {taken}, and may take {} of the disk", share.most)));
        }
        let space = Space::of(&share.directory).ok()?;
        let is_full = space.free < space.reserve();
        is_full.then(|| Cut::Disk(format!("the disk of {} is full: {} free", share.directory.display(), space.free)))
    }

    fn available(&self) -> Option<Bytes> {
        let text = self.root.read("/proc/meminfo").ok()?;
        meminfo(&String::from_utf8_lossy(&text), "MemAvailable")
    }

    /// One look at what costs little.
    fn look(&mut self, hear: &mut dyn FnMut(Heard<'_>)) {
        let Some(status) = self.status().filter(|status| !status.is_zombie) else { return };
        if let Some(moment) = self.saw(&status) {
            hear(Heard::Look(&moment));
        }
    }

    /// Takes in a status of the command's, with its group as it is now.
    fn saw(&mut self, status: &ProcessStatus) -> Option<Moment> {
        let anonymous = status.rss_anon?;
        self.peak.look(status);
        let group = self.group.map(Group::read);
        let stat = group.as_ref().map(|group| &group.stat);
        let sum = |one: Option<Bytes>, other: Option<Bytes>| match (one, other) {
            (Some(one), Some(other)) => one.checked_add(other),
            (one, other) => one.or(other),
        };
        let moment = Moment {
            millis: millis(self.running.since.elapsed()),
            anonymous,
            resident: status.rss.unwrap_or_default(),
            usage: group.as_ref().and_then(|group| group.usage),
            file: stat.and_then(|stat| stat.file?.checked_sub(stat.shmem.unwrap_or_default())),
            shmem: stat.and_then(|stat| stat.shmem),
            dirty: stat.and_then(|stat| sum(stat.dirty, stat.writeback)),
            group_anonymous: stat.and_then(|stat| stat.anon),
            said: self.progress.clone(),
        };
        self.moments.push(moment.clone());
        Some(moment)
    }

    /// A look at more, where one is due.
    fn look_closer(&mut self, now: Instant) {
        let is_whole = self.is_whole_due(now);
        let is_taped = self.tape.is_some() && now >= self.next.tape;
        if !is_whole && !is_taped {
            return;
        }
        if self.target.is_none() {
            self.target = target::of_pid(self.root, self.running.pid).ok();
        }
        let Some(target) = &self.target else { return };
        let depth = if is_whole { Depth::Whole } else { Depth::Brief };
        let Ok(examination) = look::examine(self.root, target, self.watch.allocator, depth) else { return };
        let looked = Instant::now();
        if let (Some(tape), Some(recording)) = (&mut self.tape, &self.watch.recording) {
            tape.append(self.root, &examination, self.progress.as_ref());
            self.next.tape = now + recording.every;
        }
        if let (true, Some(every)) = (is_whole, self.watch.whole_every) {
            let spared = (looked - now) * SPARED;
            self.next.whole = looked + every.max(spared);
            self.next.soonest = looked + NEAR_EVERY.max(spared);
            // One that the end of the command cut off is not kept over a whole one.
            if examination.sample.heap.is_ok() || self.examination.is_none() {
                self.examination = Some(Box::new(examination));
            }
        }
    }

    /// Whether a whole look is due: in its time, and where the command is about to meet the limit of its group. Where only
    /// oomph holds it, there is none then: it would not be watched meanwhile.
    fn is_whole_due(&self, now: Instant) -> bool {
        if self.watch.whole_every.is_none() {
            return false;
        }
        let last = self.moments.last();
        let limit = match self.group.map(Group::limit) {
            Some(Limit::AtMost(limit)) => Some(limit),
            _ => None,
        };
        let is_near =
            |held: Bytes, limit: Bytes| u128::from(held.get()) * 100 >= u128::from(limit.get()) * u128::from(NEAR);
        let is_guarded = last.zip(self.watch.guard).is_some_and(|(last, guard)| is_near(last.anonymous, guard));
        let meets = last.zip(limit).is_some_and(|(last, limit)| {
            let held = last.group_anonymous.unwrap_or(last.anonymous).get();
            is_near(Bytes::new(held.saturating_add(last.shmem.unwrap_or_default().get())), limit)
        });
        let soon = meets && now >= self.next.soonest;
        !is_guarded && (soon || now >= self.next.whole)
    }

    /// Ends whatever is left of it, and puts together what is known.
    fn end(mut self, cut: Option<Cut>, hear: &mut dyn FnMut(Heard<'_>)) -> Followed {
        let status = self.running.kill();
        let took = millis(self.running.since.elapsed());
        let mut troubles = Vec::new();
        if let Some(Err(error)) = self.group.map(Group::end_processes) {
            troubles.push(format!("could not {error}"));
        }
        let until = Instant::now() + hear::PATIENCE;
        while !self.ear.is_deaf() && Instant::now() < until {
            self.listen(SLICE, hear);
        }
        let group = self.group.map(Group::read);
        let killed = group.as_ref().and_then(|group| group.oom_kills);
        let oom_kills = killed.map(|killed| killed.saturating_sub(self.killed_before.unwrap_or(0)));
        let reports = self.reports();
        if let Ok(reports) = &reports {
            self.peak.killed(reports, self.running.pid);
        }
        let (lines, stderr) = self.ear.last_words();
        let ending = ending(&Left {
            cut: cut.clone(),
            status,
            ended: self.ended.clone(),
            pid: self.running.pid,
            oom_kills,
            reports: reports.as_deref().unwrap_or_default(),
            stderr: &stderr,
        });
        if let Some(tape) = self.tape {
            troubles.extend(tape.end(&words(&ending)));
        }
        Followed {
            ending,
            status,
            millis: took,
            peak_anonymous: self.peak.most(),
            steady_anonymous: peak::steady(&self.moments),
            moments: self.moments,
            release: self.release,
            deviations: self.deviations,
            progress: self.progress,
            examination: self.examination,
            group,
            oom_kills,
            reports,
            lines,
            stderr,
            troubles,
        }
    }

    /// What the kernel said of kills in the group; the report of the command's own first.
    fn reports(&mut self) -> Result<Vec<String>, Unseen> {
        let log = self.running.log.as_mut().map_err(|unseen| unseen.clone())?;
        let records = log.read()?;
        let Some(group) = self.group else { return Ok(Vec::new()) };
        let mut reports = kernel_log::reports(&records, group.name());
        reports.sort_by_key(|report| !is_about(report, self.running.pid));
        Ok(reports)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
