//! OOM2xx: sums that cannot hold, or hold something else than is meant.

use crate::check::rule::catalogue;

catalogue! {
    oom200_rejected_by_flink,
    oom201_overhead_clamped,
    oom202_both_totals,
    oom203_fractions_leave_nothing,
    oom204_heap_too_small,
    oom205_network_buffers_short,
    oom206_managed_idle,
    oom207_managed_nothing_for_store,
    oom208_slot_share_small,
    oom210_segment_size,
    oom211_consumer_weights,
    oom212_consumer_without_weight,
    oom213_batch_read_memory,
    oom214_slots,
    oom216_network_unbounded,
    oom217_off_heap_rest,
    oom220_budget_shrinks,
}

mod keys_of;
mod share;
mod total;

pub(in crate::check) use oom200_rejected_by_flink::{RULE as REJECTED, refused_file};
pub(in crate::check) use oom220_budget_shrinks::{RULE as SHRINKS, tell as shrinks};
