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

/// The scenario of a name.
pub fn named(name: &str) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name == name)
}
