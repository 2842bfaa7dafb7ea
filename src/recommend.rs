//! What to change in a configuration, and the proof: nothing is proposed that was not planned. Functions over values: no
//! file, clock or environment is touched.

pub mod change;
pub mod network;
pub mod size;

pub use change::Change;
