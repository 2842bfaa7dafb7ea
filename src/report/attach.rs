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

use crate::model::Role;

/// What a process is, as the beginning of a heading.
fn what(role: Option<Role>) -> String {
    role.map_or_else(|| "Process".to_owned(), |role| role.to_string())
}
