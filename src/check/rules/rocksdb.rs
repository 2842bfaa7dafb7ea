//! OOM4xx: RocksDB, ForSt and the allocator below them.

use crate::check::rule::catalogue;

catalogue! {
    oom401_store_unmanaged,
    oom414_known_leak,
}
