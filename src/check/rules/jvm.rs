//! OOM3xx: what the configuration tells the JVM.

use crate::check::rule::catalogue;

catalogue! {
    oom301_heap_flag,
    oom302_direct_flag,
    oom303_metaspace_flag,
}

mod java_options;
mod jdk;
