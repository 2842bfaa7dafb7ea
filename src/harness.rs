//! Runs experiments: the engines, the workers, the groups of the kernel that bound them, and what is left of them.

pub mod child;
pub mod conduct;
pub mod disk;
pub mod engine;
pub mod enter;
pub mod flink;
pub mod group;
pub mod kernel_log;
pub mod leftovers;
pub mod limit;
pub mod look;
pub mod supervise;
pub mod thread_limit;
pub mod tmpfs;
pub mod verdict;
pub mod worker;
