//! OOM3xx: what the configuration tells the JVM.

use crate::check::rule::catalogue;

catalogue! {
    oom301_heap_flag,
    oom302_direct_flag,
    oom303_metaspace_flag,
    oom304_no_exit_on_oom,
    oom305_jdk8_jemalloc_deadlock,
    oom306_collector_dropped,
    oom307_serial_collector,
    oom308_compressed_oops_lost,
    oom309_active_processor_count,
    oom310_code_cache,
    oom311_heap_dump_path,
    oom312_nmt_left_on,
    oom313_conflicting_collectors,
    oom314_thread_stack,
    oom315_explicit_gc_disabled,
    oom316_flag_without_effect,
    oom317_joined_options,
}

mod java_options;
mod jdk;
