//! What to change in a configuration, and the proof: nothing is proposed that was not planned. Functions over values: no
//! file, clock or environment is touched.

pub mod change;
pub mod network;

pub use change::Change;
