//! Other limits that end a process.

use serde::Serialize;

use crate::diagnose::limits::{Bound, Limits, Switch};
use crate::model::Unit;

/// All that could be seen.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct LimitsV1 {
    /// With numbers.
    bounds: Vec<BoundV1>,
    /// Settings of the kernel.
    switches: Vec<SwitchV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct BoundV1 {
    /// `memory_high`, `pids_max`, `cgroup_swap`, `processes`, `address_space`, `open_files`, `max_map_count`, `swap`.
    name: &'static str,
    /// What is used of it; null where that cannot be told.
    used: Option<u64>,
    /// How much there may be; null where nothing limits it.
    at_most: Option<u64>,
    /// `bytes` or `count`.
    unit: &'static str,
    /// What happens there.
    then: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SwitchV1 {
    /// `oom_group`, `oom_kill_disable`, `huge_pages`.
    name: &'static str,
    /// How it stands.
    is: &'static str,
    /// What that does.
    then: &'static str,
}

impl LimitsV1 {
    pub(super) fn of(limits: &Limits) -> LimitsV1 {
        LimitsV1 {
            bounds: limits.bounds.iter().map(bound).collect(),
            switches: limits
                .switches
                .iter()
                .map(|Switch { key, is, then, .. }| SwitchV1 { name: key, is, then })
                .collect(),
        }
    }
}

fn bound(bound: &Bound) -> BoundV1 {
    BoundV1 {
        name: bound.key,
        used: bound.used,
        at_most: bound.at_most,
        unit: match bound.unit {
            Unit::Bytes => "bytes",
            Unit::Count => "count",
            Unit::Nanoseconds => "nanoseconds",
        },
        then: bound.then,
    }
}
