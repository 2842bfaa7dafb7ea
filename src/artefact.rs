//! Text that a process leaves behind, as typed facts: one file a format. Facts are stated, never interpreted, and each
//! knows its line. Functions over text: no file is touched.

pub mod banner;
pub mod command_line;
pub mod container_limit;
pub mod loaded_property;
pub mod startup_block;

/// A fact and the line it stands in, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated<T> {
    /// What is stated.
    pub what: T,
    /// Where.
    pub line: u32,
}

impl<T> Stated<T> {
    /// A fact in a line that is counted from 0.
    fn at(index: usize, what: T) -> Stated<T> {
        Stated { what, line: u32::try_from(index + 1).unwrap_or(u32::MAX) }
    }
}
