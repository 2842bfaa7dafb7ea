//! The lines of a recording: what `oomph record` keeps of a process over time. `docs/recording-format.md` is the format's page.
//!
//! A line is a JSON object whose last field is a checksum of what stands before it, so that a line that was torn or
//! changed is told from a whole one. [`Encoder`] makes lines, [`Decoder`] reads one, [`Entries`] takes any bytes apart.

mod decode;
mod encode;
mod entries;
mod seal;
mod wire;

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use thiserror::Error;

use crate::model::{Bytes, Component, Identity, Limit, Observations, Seen};

pub use decode::Decoder;
pub use encode::Encoder;
pub use entries::Entries;

/// The version of the format that is written. A reader reads all minor versions of its major one.
pub const FORMAT: Format = Format { major: 1, minor: 0 };

/// No line that is written is longer, in bytes; a longer one is skipped and counted. The longest possible sample, all
/// measures with the largest values, has 1.5 KB; the rest is room for texts.
pub const LONGEST_LINE: usize = 64 << 10;

/// So many reasons, layouts and targets are known at a time, each; a further one takes the place of the oldest.
const KNOWN: usize = 256;

/// No text in a line (a name, a reason, a note) is longer, in bytes.
const LONGEST_TEXT: usize = 1024;

/// A version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Format {
    /// Raised when older readers would misread.
    pub major: u32,
    /// Raised when older readers would only miss something.
    pub minor: u32,
}

/// The first line of every part of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of the format.
    pub format: Format,
    /// The version of oomph that wrote it.
    pub oomph: String,
    /// When the recording began: the same in all its parts.
    pub since: Timestamp,
    /// Which part it is, from 0: rotation and nothing else begins a new one.
    pub part: u64,
    /// The process that is looked at when the part begins.
    pub target: Identity,
    /// Where it runs.
    pub machine: Machine,
    /// What bounds its container.
    pub limit: Seen<Limit>,
    /// Flink's budget for it, as far as it is known.
    pub budget: Vec<(Component, Bytes)>,
}

/// Where a process runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// The kernel's name for this boot (`/proc/sys/kernel/random/boot_id`): start times of processes count from it.
    pub boot: Option<String>,
    /// Its memory.
    pub memory: Option<Bytes>,
}

/// Something that happened, beside the samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The recorder began.
    Started,
    /// The recorder went on with a recording that was there; between this and the line before nobody looked.
    Resumed,
    /// The recorder ended as it was told to.
    Stopped,
    /// The target has ended, or cannot be looked at any more.
    Gone {
        /// How that was seen.
        why: String,
    },
    /// From here on another process is looked at: the target was started again, or its process id is another's now.
    NewProcess(Identity),
    /// A job was submitted, restarted or cancelled on the target.
    Job {
        /// What happened to which job.
        what: String,
    },
    /// The budget is another one, or is known from here on.
    Budget(Vec<(Component, Bytes)>),
    /// The container's limit is another one.
    Limit(Limit),
    /// Samples that could not be written, after which writing worked again.
    Lost {
        /// How many.
        samples: u64,
        /// Why.
        why: String,
    },
    /// Anything else worth knowing.
    Note(String),
}

/// How the text about a job begins that was submitted: such events part one job from the next.
const SUBMITTED: &str = "submitted ";

/// How a target is said to be gone that the kernel killed: whoever recorded it has the kernel's word for that.
pub const KILLED: &str = "the kernel killed it at the limit of its cgroup";

/// How one is said to be gone that had nothing left to do.
pub const DONE: &str = "it has done everything";

impl Event {
    /// A job that was submitted, by its name or id.
    pub fn submitted(job: &str) -> Event {
        Event::Job { what: format!("{SUBMITTED}{job}") }
    }

    /// Whether it is about a job that was submitted.
    pub fn is_submission(&self) -> bool {
        matches!(self, Event::Job { what } if what.starts_with(SUBMITTED))
    }
}

/// What a recording gives, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A part begins.
    Header(Header),
    /// A look at the target.
    Sample(Observations),
    /// Something that happened.
    Event {
        /// When.
        at: Timestamp,
        /// What.
        what: Event,
    },
}

/// A line with a right checksum in the place of its last 17 bytes or behind it, for tools that change recordings and for
/// tests with lines that no recorder writes.
pub fn sealed_again(line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(line);
    let object = text.trim_end_matches('\n');
    let bare = match seal::is_sealed(object.as_bytes()) {
        true => format!("{}}}", &object[..object.len() - seal::LENGTH]),
        false => object.to_owned(),
    };
    seal::sealed(bare).into_bytes()
}

/// So many bytes of a file's start tell whether it is a recording.
pub const FIRST_BYTES: usize = seal::HEAD.len();

/// Whether a file with these first bytes is a recording that has begun.
pub fn is_begun(bytes: &[u8]) -> bool {
    bytes.starts_with(seal::HEAD.as_bytes())
}

/// Whether a file with these first bytes can be a recording, one that was torn within its first line or none yet included.
pub fn begins_like_one(bytes: &[u8]) -> bool {
    let common = bytes.len().min(seal::HEAD.len());
    bytes[..common] == seal::HEAD.as_bytes()[..common]
}

/// Why a text is not read as a recording at all. The texts go on after the name of the input and a colon.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Its first line is none of ours.
    #[error("it is no recording of oomph: its first line does not begin with {}", seal::HEAD)]
    Foreign,
    /// It holds no line at all.
    #[error("it holds nothing")]
    Empty,
    /// A later oomph wrote it.
    #[error("it is a recording of format {major}, and this oomph reads format {}: use the oomph that wrote it", FORMAT.major)]
    Newer {
        /// Its major version.
        major: u32,
    },
}

/// What was read, and what could not be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Samples that were read.
    pub samples: u64,
    /// Events that were read.
    pub events: u64,
    /// Whether the last line is torn: the recorder or the machine ended while it was written, or it is being written now.
    pub torn_end: bool,
    /// Other lines whose checksum is missing or wrong, or which say what cannot be.
    pub damaged: u64,
    /// Samples that are left out because the line that explains them was damaged.
    pub unexplained: u64,
    /// Whole lines of a kind that this oomph does not know.
    pub unknown_lines: u64,
    /// Values of measures that this oomph does not know; the rest of their samples was read.
    pub unknown_values: u64,
}

impl Tally {
    /// Whether everything that was there was read.
    pub fn is_complete(&self) -> bool {
        !self.torn_end && self.damaged + self.unexplained + self.unknown_lines + self.unknown_values == 0
    }

    /// Both together, where `later` was read after this.
    pub fn and(self, later: Tally) -> Tally {
        Tally {
            samples: self.samples + later.samples,
            events: self.events + later.events,
            torn_end: later.torn_end,
            // A torn line that something follows is no longer at the end.
            damaged: self.damaged + later.damaged + u64::from(self.torn_end),
            unexplained: self.unexplained + later.unexplained,
            unknown_lines: self.unknown_lines + later.unknown_lines,
            unknown_values: self.unknown_values + later.unknown_values,
        }
    }
}
