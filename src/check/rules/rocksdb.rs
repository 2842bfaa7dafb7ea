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
}

mod stores;
