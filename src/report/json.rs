//! Results as JSON and YAML, with a version of their own.

pub mod v1;
pub mod want;
