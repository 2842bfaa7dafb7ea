//! Runs experiments: the engines, the workers, the groups of the kernel that bound them, and what is left of them.

pub mod flink;
pub mod verdict;
