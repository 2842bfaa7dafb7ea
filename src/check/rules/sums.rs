//! OOM2xx: sums that cannot hold, or hold something else than is meant.

use crate::check::rule::catalogue;

catalogue! {
    oom200_rejected_by_flink,
    oom220_budget_shrinks,
}

mod keys_of;

pub(in crate::check) use oom200_rejected_by_flink::{RULE as REJECTED, refused_file};
pub(in crate::check) use oom220_budget_shrinks::{RULE as SHRINKS, tell as shrinks};
