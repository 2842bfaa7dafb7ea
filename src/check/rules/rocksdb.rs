//! OOM4xx: RocksDB, ForSt and the allocator below them.

use crate::check::rule::catalogue;

catalogue! {
    oom401_store_unmanaged,
    oom402_arena_over_write_buffers,
    oom403_fixed_over_budget,
    oom404_overridden_by_memory_control,
    oom405_index_filter_outside_cache,
    oom406_ratios_refused,
    oom407_ratio_out_of_range,
    oom408_predefined_options,
    oom409_thread_number,
    oom410_target_file_size,
    oom411_metrics_cost,
    oom412_store_log_unbounded,
    oom413_ignored_store_option,
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
mod stores;
