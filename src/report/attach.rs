//! What is known of running processes, in each format.

pub mod html;
pub mod json;
pub mod markdown;
pub mod openmetrics;
pub mod summary;
pub mod text;
