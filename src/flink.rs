//! What Flink knows, as data: its versions, their options with types and defaults, how each version behaves, and
//! the arithmetic and number texts of Java that its results depend on.

pub mod duration;
pub mod fraction;
pub mod hash_order;
pub mod java;
pub mod key;
pub mod keys;
pub mod leaks;
pub mod memory_size;
pub mod options;
pub mod profile;
pub mod reads;
pub mod sensitive;
pub mod structured;
mod version;

pub use version::{Version, VersionError};
