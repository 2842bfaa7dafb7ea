//! The scenarios, each in a file of its own: copy a neighbour, and name it here.

mod allocator;
mod arena_thrash;
pub mod heap_state_surge;
mod index_filter_outside_cache;
mod iterator_pin;
pub mod latency_metrics;
mod many_states;
mod page_cache_burst;
mod python_worker;
mod restore_burst;
mod slow_leak;
mod small_files;
mod soft_cache;
mod tmpfs_state;
mod unmanaged_rocksdb;

use super::scenario::Scenario;
use crate::model::Bytes;

/// All that run in a worker of ours, in the order in which they are listed and run.
pub const ALL: &[Scenario] = &[
    unmanaged_rocksdb::SCENARIO,
    iterator_pin::SCENARIO,
    index_filter_outside_cache::SCENARIO,
    soft_cache::SCENARIO,
    allocator::SCENARIO,
    page_cache_burst::SCENARIO,
    tmpfs_state::SCENARIO,
    slow_leak::SCENARIO,
    arena_thrash::SCENARIO,
    many_states::SCENARIO,
    small_files::SCENARIO,
    restore_burst::SCENARIO,
    python_worker::SCENARIO,
];

/// A scenario that runs on a real Flink, `--flink-home`, as it is listed and shown; `harness::flink` runs it.
#[derive(Clone, Copy, Debug)]
pub struct OnFlink {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line.
    pub title: &'static str,
    /// What happens and why, for people.
    pub story: &'static str,
    /// What must happen, in one sentence each.
    pub states: &'static [&'static str],
    /// Seconds that it takes on two cores.
    pub seconds: u64,
    /// Memory that all of its processes take at most, the client that submits jobs included.
    pub memory: Bytes,
    /// What it writes at most.
    pub disk: Bytes,
}

/// All that run on a real Flink.
pub const ON_FLINK: &[OnFlink] = &[latency_metrics::SCENARIO, heap_state_surge::SCENARIO];

/// The scenario of a name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}
