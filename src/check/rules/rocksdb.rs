//! OOM4xx: RocksDB, ForSt and the allocator below them.

use crate::check::rule::catalogue;

catalogue! {
    oom401_store_unmanaged,
    oom414_known_leak,
    oom415_store_dir_in_memory,
    oom416_store_and_checkpoints_on_one_disk,
    oom417_heap_timers,
    oom418_ttl_compaction,
    oom419_allocator_unset,
    oom420_arenas_from_host_cpus,
    oom421_allocator_setting_without_effect,
    oom422_remote_store_cache,
    oom423_local_dir_refused,
}

mod allocator;
mod local_directories;
