//! Failures on a real Flink, each in a file of its own: copy a neighbour, and name it here.

mod allocator_retention;
mod batch_direct;
mod checkpoint_expiry;
mod external_kill;
mod framework_off_heap;
mod heap_state;
mod jobs;
mod latency_metrics;
mod metaspace;
mod network_buffers;
mod page_cache;
mod python_worker;
mod thread_limit;
mod tmpfs_state;
mod unmanaged_rocksdb;

use super::failure::Failure;

/// All of them, in the order in which they are listed and run.
pub const ALL: &[Failure] = &[
    unmanaged_rocksdb::FAILURE,
    heap_state::FAILURE,
    checkpoint_expiry::FAILURE,
    metaspace::FAILURE,
    network_buffers::FAILURE,
    batch_direct::FAILURE,
    framework_off_heap::FAILURE,
    tmpfs_state::FAILURE,
    thread_limit::FAILURE,
    allocator_retention::FAILURE,
    latency_metrics::FAILURE,
    external_kill::FAILURE,
    page_cache::FAILURE,
    python_worker::FAILURE,
];

/// That of a name.
pub fn named(name: &str) -> Option<&'static Failure> {
    ALL.iter().find(|failure| failure.name == name)
}
