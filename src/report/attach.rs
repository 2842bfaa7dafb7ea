//! What is known of running processes, in each format.

pub mod advice;
pub mod html;
pub mod json;
pub mod markdown;
pub mod openmetrics;
mod over_time;
pub mod recording;
pub mod summary;
pub mod text;
pub mod watch;
