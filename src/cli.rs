//! The command line.

/// Entry points of the verbs.
pub mod batch;
