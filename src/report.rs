//! Results as text for people and programs. One module an output; none decides anything.

mod amount;
pub mod arguments;
pub mod explain;
pub mod flink_log;
pub mod json;
pub mod markdown;
mod sheet;
pub mod sizing;
mod table;
pub mod text;

pub use sheet::Sheet;
