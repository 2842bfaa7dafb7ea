//! What to change in a configuration, and the proof: nothing is proposed that was not planned. Functions over values: no
//! file, clock or environment is touched.

pub mod change;
pub mod cure;
pub mod from_use;
pub mod mend;
pub mod migrate;
pub mod network;
mod option;
pub mod patch;
pub mod proposal;
pub mod size;
pub mod want;

pub use change::Change;

use crate::model::Bytes;

/// A size in a sentence: mebibytes, rounded up.
fn mib(bytes: Bytes) -> String {
    format!("{} MiB", bytes.get().div_ceil(1 << 20))
}
