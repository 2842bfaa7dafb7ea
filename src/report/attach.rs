//! What is known of running processes, in each format.

pub mod json;
pub mod openmetrics;
pub mod text;
