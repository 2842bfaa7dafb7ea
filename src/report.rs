//! Results as text for people and programs. One module an output; none decides anything.

mod amount;
pub mod arguments;
pub mod attach;
pub mod bars;
pub mod causes;
pub mod check;
pub mod comparison;
pub mod diagnose;
pub mod explain;
pub mod flink_log;
pub mod json;
pub mod markdown;
pub mod migration;
pub mod opinion;
mod page;
mod proposal;
pub mod repro;
pub mod rules;
mod sentence;
mod sheet;
pub mod sizing;
pub mod sparkline;
pub mod summary;
pub mod sweep;
mod table;
pub mod text;

pub use proposal::Proposal;
pub use sheet::Sheet;
