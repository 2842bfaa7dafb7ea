//! The writing half.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::appender::Appender;
use super::reader::{ReadError, Recording};
use super::rotation::{Rotation, move_up, older_parts};
use crate::artefact::recording::{Encoder, Entry, Event, FIRST_BYTES, Header, Refused, begins_like_one};
use crate::model::{Identity, Observations};

/// So long may samples be in the kernel's memory only: what a power loss takes. The death of the recorder or of the
/// target takes nothing of it.
const SYNC_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Why no recording could be begun or gone on with. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum RecordError {
    /// The operating system refused.
    #[error("write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// There is a recording already.
    #[error("write {}: a recording is there; --resume goes on with it, else name another file", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is something else.
    #[error("write {}: the file is there and is no recording; name another", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read, so that it cannot be gone on with.
    #[error("go on with {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// It is about another process.
    #[error("go on with {}: it is about {}, and this is {}", path.display(), described(there), described(here))]
    OtherTarget {
        /// The file.
        path: PathBuf,
        /// The process that it was last about.
        there: Box<Identity>,
        /// The process that would be recorded.
        here: Box<Identity>,
    },
    /// The process was recorded before the machine was started again.
    #[error("go on with {}: the machine was started again since, so that the process is another one", path.display())]
    OtherBoot {
        /// The file.
        path: PathBuf,
    },
    /// Another recorder writes it.
    #[error("write {}: another recorder is writing to it", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

/// What became of a sample or an event.
#[derive(Debug)]
pub enum Outcome {
    /// It is written.
    Written,
    /// It is lost, and so is what follows until writing works again: to be told once.
    Trouble(io::Error),
    /// It is lost for a reason that was told.
    StillInTrouble,
}

/// A black box: puts what it is given behind what is there and keeps nothing of it.
#[derive(Debug)]
pub struct Recorder {
    path: PathBuf,
    on: Appender<File>,
    encoder: Encoder,
    /// That of the newest part.
    header: Header,
    /// Whether that is written.
    headed: bool,
    rotation: Option<Rotation>,
    synced: Option<Timestamp>,
    lost: u64,
    why: Option<String>,
}

impl Recorder {
    /// Begins a recording in a file that is not there yet, or is empty.
    ///
    /// # Errors
    /// Where a file of that name, or of one that rotation would use, is there; or where the system refuses.
    pub fn create(path: &Path, header: &Header, rotation: Option<Rotation>) -> Result<Recorder, RecordError> {
        if let Some(taken) = rotation.and_then(|_| older_parts(path).into_iter().next()) {
            return Err(in_the_way(&taken));
        }
        if path.metadata().is_ok_and(|there| !there.is_file() || there.len() > 0) {
            return Err(in_the_way(path));
        }
        let file = append_to(path)?;
        let mut recorder = Recorder {
            path: path.to_owned(),
            on: Appender::behind(file, 0, false),
            encoder: Encoder::new(),
            header: header.clone(),
            headed: false,
            rotation,
            synced: None,
            lost: 0,
            why: None,
        };
        recorder.first_lines(header.since, &Event::Started)?;
        Ok(recorder)
    }

    /// Goes on with a recording of the same process: `header` says which that is.
    ///
    /// # Errors
    /// Where there is none, it is about another process, another recorder writes it, or the system refuses.
    pub fn resume(
        path: &Path,
        header: &Header,
        at: Timestamp,
        rotation: Option<Rotation>,
    ) -> Result<Recorder, RecordError> {
        let unreadable = |source: ReadError| match source {
            ReadError::Refused(Refused::Foreign) => RecordError::Foreign { path: path.to_owned() },
            source => RecordError::Unreadable { path: path.to_owned(), source },
        };
        if path.exists() && !looks_like_one(path).map_err(|source| refused(path, source))? {
            return Err(RecordError::Foreign { path: path.to_owned() });
        }
        let Last { header: last, target, headed } = last_of(path).map_err(unreadable)?;
        if let (Some(there), Some(here)) = (&last.machine.boot, &header.machine.boot)
            && there != here
        {
            return Err(RecordError::OtherBoot { path: path.to_owned() });
        }
        if !same(&target, &header.target) {
            let (there, here) = (Box::new(target), Box::new(header.target.clone()));
            return Err(RecordError::OtherTarget { path: path.to_owned(), there, here });
        }
        let mut file = append_to(path)?;
        let length = file.metadata().map_err(|source| refused(path, source))?.len();
        let torn = length > 0 && !ends_with_newline(&mut file).map_err(|source| refused(path, source))?;
        let part = if headed { last.part } else { last.part + 1 };
        let mut recorder = Recorder {
            path: path.to_owned(),
            on: Appender::behind(file, length, torn),
            encoder: Encoder::new(),
            header: Header { since: last.since, part, ..header.clone() },
            headed,
            rotation,
            synced: None,
            lost: 0,
            why: None,
        };
        recorder.first_lines(at, &Event::Resumed)?;
        Ok(recorder)
    }

    /// Writes a sample.
    pub fn append(&mut self, observations: &Observations) -> Outcome {
        let at = observations.at;
        let changed = observations.target != self.header.target;
        if changed {
            self.header.target = observations.target.clone();
        }
        let written = self.put(at, |encoder| {
            let event = changed.then(|| encoder.event(at, &Event::NewProcess(observations.target.clone())));
            event.into_iter().chain(encoder.sample(observations)).collect()
        });
        let since = self.synced.map(|synced| at.duration_since(synced));
        let due = changed || since.is_none_or(|since| since >= SYNC_EVERY || since.is_negative());
        let written = written.and_then(|()| if due { self.sync(at) } else { Ok(()) });
        self.outcome(written, true)
    }

    /// Writes an event, and has it and what is before it reach the disk.
    pub fn event(&mut self, at: Timestamp, event: &Event) -> Outcome {
        match event {
            Event::Budget(parts) => self.header.budget.clone_from(parts),
            Event::Limit(limit) => self.header.limit = Ok(*limit),
            Event::NewProcess(target) => self.header.target = target.clone(),
            _ => {}
        }
        let written = self.put(at, |encoder| vec![encoder.event(at, event)]).and_then(|()| self.sync(at));
        self.outcome(written, false)
    }

    fn outcome(&mut self, written: io::Result<()>, is_sample: bool) -> Outcome {
        let Err(error) = written else { return Outcome::Written };
        // What got out is not known: everything is explained anew.
        self.encoder = Encoder::new();
        self.lost += u64::from(is_sample);
        match self.why.is_some() {
            true => Outcome::StillInTrouble,
            false => {
                self.why = Some(error.to_string());
                Outcome::Trouble(error)
            }
        }
    }

    /// Writes lines, into a new part where they do not fit into this one; ahead of them, where writing failed before,
    /// an event that says so.
    fn put(&mut self, at: Timestamp, make: impl Fn(&mut Encoder) -> Vec<String>) -> io::Result<()> {
        let lost = self.why.clone().map(|why| Event::Lost { samples: self.lost, why });
        let all = |encoder: &mut Encoder| -> Vec<String> {
            let lost = lost.as_ref().map(|lost| encoder.event(at, lost));
            lost.into_iter().chain(make(encoder)).collect()
        };
        let mut lines = all(&mut self.encoder);
        if self.turn_the_page(lines.iter().map(String::len).sum())? {
            lines = all(&mut self.encoder);
        }
        self.lines(&lines)?;
        (self.lost, self.why) = (0, None);
        Ok(())
    }

    fn lines(&mut self, lines: &[String]) -> io::Result<()> {
        if !self.headed {
            self.on.line(&self.encoder.header(&self.header))?;
            self.headed = true;
        }
        lines.iter().try_for_each(|line| self.on.line(line))
    }

    fn sync(&mut self, at: Timestamp) -> io::Result<()> {
        self.synced = Some(at);
        self.on.sync()
    }

    /// Begins a new part where `more` bytes do not fit into this one; says whether it did. Where that fails, the old
    /// part stays open and nothing that does not fit is put into it.
    fn turn_the_page(&mut self, more: usize) -> io::Result<bool> {
        let fits = |rotation: &Rotation| self.on.length().saturating_add(more as u64) <= rotation.max_bytes;
        let Some(rotation) = self.rotation.filter(|rotation| !fits(rotation)) else { return Ok(false) };
        self.on.sync()?;
        // Not there: moved up by an attempt before this one, which could not begin the new part.
        if self.path.exists() {
            move_up(&self.path, rotation.keep)?;
        }
        let file = OpenOptions::new().append(true).create_new(true).open(&self.path)?;
        // As in `append_to`; nobody else knows of the new file yet.
        let _ = file.try_lock();
        self.on = Appender::behind(file, 0, false);
        self.headed = false;
        self.header.part += 1;
        self.encoder = Encoder::new();
        Ok(true)
    }

    fn first_lines(&mut self, at: Timestamp, event: &Event) -> Result<(), RecordError> {
        let line = self.encoder.event(at, event);
        let written = self.lines(&[line]).and_then(|()| self.sync(at));
        written.map_err(|source| refused(&self.path, source))
    }
}

/// Why a file that is there cannot be begun.
fn in_the_way(path: &Path) -> RecordError {
    let path = path.to_owned();
    match path.is_file() && Recording::open(&path).is_ok() {
        true => RecordError::Exists { path },
        false => RecordError::Foreign { path },
    }
}

fn refused(path: &Path, source: io::Error) -> RecordError {
    RecordError::Io { path: path.to_owned(), source }
}

/// Opens a file for appending, which no other recorder has opened so.
fn append_to(path: &Path) -> Result<File, RecordError> {
    let opened = OpenOptions::new().read(true).append(true).create(true).open(path);
    let file = opened.map_err(|source| refused(path, source))?;
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => Err(RecordError::Busy { path: path.to_owned() }),
        // There are file systems without locks.
        _ => Ok(file),
    }
}

fn ends_with_newline(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn looks_like_one(path: &Path) -> io::Result<bool> {
    let mut first = Vec::new();
    File::open(path)?.take(FIRST_BYTES as u64).read_to_end(&mut first)?;
    Ok(begins_like_one(&first))
}

/// What a recording was about in the end.
struct Last {
    header: Header,
    target: Identity,
    /// Whether the header is that of the newest file: where a rotation ended in the middle it is that of the one before.
    headed: bool,
}

fn last_of(path: &Path) -> Result<Last, ReadError> {
    let mut recording = Recording::open_newest(path)?;
    let headed = path.is_file() && !recording.summary().strangers.iter().any(|stranger| stranger == path);
    let mut last: Option<Last> = None;
    while let Some(entry) = recording.read()? {
        match (entry, &mut last) {
            (Entry::Header(header), _) => last = Some(Last { target: header.target.clone(), header, headed }),
            (Entry::Sample(observations), Some(last)) => last.target = observations.target,
            (Entry::Event { what: Event::NewProcess(new), .. }, Some(last)) => last.target = new,
            _ => {}
        }
    }
    last.ok_or(ReadError::Refused(Refused::Foreign))
}

/// Whether two looks were at one process.
fn same(one: &Identity, other: &Identity) -> bool {
    one.pid == other.pid
        && match (one.started, other.started) {
            (Some(one), Some(other)) => one == other,
            _ => one.name == other.name,
        }
}

fn described(identity: &Identity) -> String {
    let Identity { pid, started, name, .. } = identity;
    let started = started.map(|ticks| format!(", started {ticks} ticks after boot")).unwrap_or_default();
    format!("process {pid} ({name}{started})")
}
