//! Where a setting is written, so that every number can point at it.

use std::fmt;
use std::sync::Arc;

/// The text or argument that a setting stands in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A file, by the path under which it was given.
    File(Arc<str>),
    /// Standard input.
    Stdin,
    /// An environment variable of the container, such as `FLINK_PROPERTIES`.
    Environment(Arc<str>),
    /// A dynamic property, `-D key=value`.
    DynamicProperty,
    /// A memory flag of YARN's command line, `-tm` or `-jm`.
    YarnFlag(&'static str),
    /// What the caller asks to suppose, `--set key=value`.
    Supposed,
    /// The configuration file that the distribution, and so the official image, comes with.
    Shipped,
    /// What oomph proposes.
    Proposed,
    /// A flat configuration that another program handed over.
    Caller,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::File(path) => f.write_str(path),
            Source::Stdin => f.write_str("<stdin>"),
            Source::Environment(name) => write!(f, "${name}"),
            Source::DynamicProperty => f.write_str("-D"),
            Source::YarnFlag(flag) => f.write_str(flag),
            Source::Supposed => f.write_str("--set"),
            Source::Shipped => f.write_str("the image's own file"),
            Source::Proposed => f.write_str("the proposal"),
            Source::Caller => f.write_str("the given configuration"),
        }
    }
}

/// Where in a text: line and column count from 1 (columns in characters), the span is in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// First byte.
    pub start: usize,
    /// Byte behind the last.
    pub end: usize,
}

/// A source and, where it is a text, the position in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The text or argument.
    pub source: Source,
    /// The position in a text; arguments have none.
    pub position: Option<Position>,
}

impl Place {
    /// A place without a position.
    pub fn of(source: Source) -> Place {
        Place { source, position: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, column, .. }) => write!(f, "{}:{line}:{column}", self.source),
            None => self.source.fmt(f),
        }
    }
}
