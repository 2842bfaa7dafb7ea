//! OOM4xx: RocksDB, ForSt and the allocator below them.

use crate::check::rule::catalogue;

catalogue! {
    oom401_store_unmanaged,
    oom402_arena_over_write_buffers,
    oom403_fixed_over_budget,
    oom405_index_filter_outside_cache,
}

mod stores;
