//! Writes and reads recordings: what `oomph record` keeps of a process over time. The lines are those of
//! [`crate::artefact::recording`].
//!
//! A recording is one file, or a set of parts: rotation makes `FILE` into `FILE.1`, that into `FILE.2`, and so on.

mod appender;
mod reader;
mod recorder;
mod rotation;

#[cfg(test)]
mod tests;

pub use reader::{ReadError, Recording, Summary};
pub use recorder::{Outcome, RecordError, Recorder};
pub(super) use rotation::whole;
pub use rotation::{Rotation, bytes};
