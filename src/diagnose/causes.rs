//! Every cause, a file each: page, code and tests. A newcomer adds one by copying a neighbour and adding its name here.

use super::cause::{Outlook, catalogue};
use crate::model::Finding;

catalogue! {
    oom901_allocator_retention,
    oom902_rocksdb_over_managed,
    oom903_limit_below_plan,
}

/// What all causes see coming, the worst first.
pub fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    let mut found: Vec<Finding> = CAUSES.iter().flat_map(|cause| (cause.early)(outlook)).collect();
    found.sort_by_key(|finding| {
        (std::cmp::Reverse(finding.severity), std::cmp::Reverse(finding.confidence), finding.code)
    });
    found
}

/// A size in a sentence.
fn mib(bytes: crate::model::Bytes) -> String {
    let tenths = (u128::from(bytes.get()) * 10 + (1 << 19)) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
