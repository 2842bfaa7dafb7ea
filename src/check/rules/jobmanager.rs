//! OOM6xx: what fills a JobManager.

use crate::check::rule::catalogue;

catalogue! {
    oom601_latency_metrics,
    oom602_history_kept,
    oom603_job_store,
    oom604_off_heap_no_limit,
    oom605_small_splits,
    oom609_latency_history,
}

pub(super) mod heap_share;
mod latency;
