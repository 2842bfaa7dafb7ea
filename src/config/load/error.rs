//! Why an input could not be read.

use std::io;

use thiserror::Error;

use super::MAX_FILE;
use crate::flink::profile::UnknownVersion;
use crate::model::Place;

/// Why an input could not be read. The texts go on after "could not".
#[derive(Debug, Error)]
pub enum LoadError {
    /// The operating system refused.
    #[error("read {path}: {source}")]
    Io {
        /// The input.
        path: String,
        /// Its reason.
        source: io::Error,
    },
    /// A file too large to be a configuration.
    #[error("read {path}: {size}, and a configuration file has at most {MAX_FILE}; is it one?")]
    TooLarge {
        /// The input.
        path: String,
        /// Its size, as far as it is known.
        size: String,
    },
    /// A program, an archive, a core dump.
    #[error("read {path}: it has zero bytes, as programs and archives have; a configuration is UTF-8 text")]
    NotText {
        /// The input.
        path: String,
    },
    /// Not a text in UTF-8.
    #[error("read {path}:{line}:{column}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// The input.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// The offending byte.
        byte: u8,
    },
    /// Standard YAML that Flink refuses.
    #[error("read {place}: {reason}; {}", verdict(*.refused))]
    Yaml {
        /// Where.
        place: Place,
        /// What is wrong.
        reason: String,
        /// Whether it is Flink that refuses the file; otherwise oomph does not follow further.
        refused: bool,
    },
    /// A configuration directory without the file that this version reads.
    #[error("read {directory}: {message} {remedy}")]
    NoConfiguration {
        /// The directory.
        directory: String,
        /// Flink's own message.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// A manifest or log that tells too little.
    #[error("read {place}: {reason}")]
    Untold {
        /// Where.
        place: Place,
        /// What is missing.
        reason: String,
    },
    /// A template that makes no sense before it is rendered.
    #[error("read {place}: {reason}; the text is a template: render it first, as with `helm template`")]
    Template {
        /// Where.
        place: Place,
        /// What is wrong with it as it is.
        reason: String,
    },
    /// A version that oomph does not know.
    #[error("plan {path}: {source}")]
    Version {
        /// The input.
        path: String,
        /// Why not.
        source: UnknownVersion,
    },
}

impl LoadError {
    /// The error of a template's masked text: what does not fit together there may do so once it is rendered.
    pub(super) fn of_template(self) -> LoadError {
        match self {
            LoadError::Yaml { place, reason, .. } => LoadError::Template { place, reason },
            LoadError::Untold { place, reason } if place.position.is_some() => LoadError::Template { place, reason },
            other => other,
        }
    }
}

fn verdict(refused: bool) -> &'static str {
    match refused {
        true => "Flink refuses the whole file: Error parsing YAML configuration.",
        false => "oomph does not follow further",
    }
}
