//! What is known of running processes, in each format.

pub mod json;
mod over_time;
pub mod recording;
pub mod text;
pub mod watch;
