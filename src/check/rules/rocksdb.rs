//! OOM4xx: RocksDB, ForSt and the allocator below them.

use crate::check::rule::catalogue;

catalogue! {
    oom401_store_unmanaged,
    oom414_known_leak,
    oom419_allocator_unset,
    oom420_arenas_from_host_cpus,
    oom421_allocator_setting_without_effect,
}

mod allocator;
