//! The reading half.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use thiserror::Error;

use super::rotation::older_parts;
use crate::artefact::recording::{Entries, Entry, Refused, Tally};

/// Why a recording could not be read. The texts go on after the name of the file and a colon.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no recording, or none for this oomph.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// What was read of a recording, and what could not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The lines.
    pub lines: Tally,
    /// The parts.
    pub parts: u64,
    /// Parts that are missing between others, or before the first: rotation gave them up.
    pub missing_parts: u64,
    /// Files that have the name of a part and are none of this recording.
    pub strangers: Vec<PathBuf>,
}

type Stream = Entries<Box<dyn BufRead>>;

/// A recording that is being read, its oldest part first. Holds one line at a time.
pub struct Recording {
    parts: VecDeque<Stream>,
    /// What was read of the first of `parts` ahead of its turn.
    heads: VecDeque<Option<Entry>>,
    read: Tally,
    next_part: u64,
    summary: Summary,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("summary", &self.summary).finish_non_exhaustive()
    }
}

impl Recording {
    /// That of a file, with the older parts beside it: `FILE.2`, `FILE.1`, `FILE`.
    ///
    /// # Errors
    /// Where neither it nor an older part is there, it cannot be read, or is no recording.
    pub fn open(path: &Path) -> Result<Recording, ReadError> {
        Recording::of(path, true)
    }

    /// That of the newest part alone.
    pub(super) fn open_newest(path: &Path) -> Result<Recording, ReadError> {
        Recording::of(path, false)
    }

    /// That of a stream: a part, or parts one after the other.
    ///
    /// # Errors
    /// Where it cannot be read, or is no recording.
    pub fn stream(from: impl BufRead + 'static) -> Result<Recording, ReadError> {
        let mut recording = Recording::empty();
        let (entries, head) = begun(Box::new(from))?;
        recording.parts.push_front(entries);
        recording.heads.push_front(head);
        Ok(recording)
    }

    fn empty() -> Recording {
        Recording {
            parts: VecDeque::new(),
            heads: VecDeque::new(),
            read: Tally::default(),
            next_part: 0,
            summary: Summary::default(),
        }
    }

    /// The newest is opened first, so that one that is moved up meanwhile is met twice rather than never.
    fn of(path: &Path, all: bool) -> Result<Recording, ReadError> {
        let mut recording = Recording::empty();
        let mut since: Option<Timestamp> = None;
        let mut oldest = u64::MAX;
        let behind = older_parts(path);
        match File::open(path).map_err(ReadError::from).and_then(|file| begun(Box::new(BufReader::new(file)))) {
            Ok((entries, head)) => {
                if let Some(Entry::Header(header)) = &head {
                    (since, oldest) = (Some(header.since), header.part);
                }
                recording.parts.push_front(entries);
                recording.heads.push_front(head);
            }
            // What a rotation that ended in the middle leaves: no newest part, or one without a whole first line.
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound && !behind.is_empty() => {}
            Err(ReadError::Refused(Refused::Empty | Refused::Foreign)) if !behind.is_empty() => {
                recording.summary.strangers.push(path.to_owned());
            }
            Err(error) => return Err(error),
        }
        for older in behind {
            if !all && !recording.parts.is_empty() {
                break;
            }
            let part =
                File::open(&older).map_err(ReadError::from).and_then(|file| begun(Box::new(BufReader::new(file))));
            match part {
                Ok((entries, Some(Entry::Header(header)))) if since.is_none_or(|since| since == header.since) => {
                    if header.part < oldest {
                        (since, oldest) = (Some(header.since), header.part);
                        recording.parts.push_front(entries);
                        recording.heads.push_front(Some(Entry::Header(header)));
                    }
                }
                _ => recording.summary.strangers.push(older),
            }
        }
        match recording.parts.is_empty() {
            true => Err(ReadError::Refused(Refused::Foreign)),
            false => Ok(recording),
        }
    }

    /// Reads on to the next entry; nothing at the end.
    ///
    /// # Errors
    /// Where a file cannot be read on, or goes on in a way that this oomph does not read.
    pub fn read(&mut self) -> Result<Option<Entry>, ReadError> {
        while let Some(part) = self.parts.front_mut() {
            let entry = match self.heads.front_mut().and_then(Option::take) {
                Some(head) => Some(head),
                None => part.read()??,
            };
            if let Some(entry) = entry {
                if let Entry::Header(header) = &entry {
                    self.summary.parts += 1;
                    self.summary.missing_parts += header.part.saturating_sub(self.next_part);
                    self.next_part = header.part.saturating_add(1);
                }
                return Ok(Some(entry));
            }
            self.read = self.read.and(part.tally());
            self.parts.pop_front();
            self.heads.pop_front();
        }
        Ok(None)
    }

    /// What was read so far, and what could not be: whole once [`Recording::read`] gave nothing.
    pub fn summary(&self) -> Summary {
        let now = self.parts.front().map(Entries::tally);
        let lines = now.map_or(self.read, |now| self.read.and(now));
        Summary { lines, ..self.summary.clone() }
    }
}

impl Iterator for Recording {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Result<Entry, ReadError>> {
        let read = self.read();
        if read.is_err() {
            self.parts.clear();
        }
        read.transpose()
    }
}

/// The stream's entries and the first of them.
fn begun(from: Box<dyn BufRead>) -> Result<(Stream, Option<Entry>), ReadError> {
    let mut entries = Entries::of(from);
    let head = entries.read()??;
    Ok((entries, head))
}
