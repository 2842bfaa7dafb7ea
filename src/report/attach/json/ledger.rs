//! What is used laid over what was planned.

use serde::Serialize;

use crate::diagnose::layout::Basis;
use crate::diagnose::ledger::{HeadRoom, Outside, Row};

/// Components that pay for the same pools.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct RowV1 {
    /// The components, as in `budget`: those of the heap cannot be told apart from outside.
    components: Vec<&'static str>,
    /// What Flink planned for them.
    budget: u64,
    /// What their pools hold; null where one of them could not be told from others.
    used: Option<u64>,
    /// Why `used` is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// What they hold at most, where that is all that can be said.
    at_most: Option<u64>,
    /// What is left of the budget; negative where it is passed.
    head_room: Option<i64>,
    /// Resident bytes by pool.
    pools: std::collections::BTreeMap<&'static str, u64>,
    /// The least sure way in which a pool was told.
    basis: Option<&'static str>,
    /// Where the numbers were read.
    origin: Option<&'static str>,
}

impl RowV1 {
    pub(super) fn of(row: &Row) -> RowV1 {
        RowV1 {
            components: row.components.iter().map(|component| component.key()).collect(),
            budget: row.budget.get(),
            used: row.used.as_ref().ok().map(|used| used.get()),
            why: row.used.as_ref().err().map(ToString::to_string),
            at_most: row.at_most.map(|most| most.get()),
            head_room: row.head_room().map(HeadRoom::signed),
            pools: row.pools.iter().map(|(pool, bytes)| (pool.key(), bytes.get())).collect(),
            basis: row.basis.map(Basis::label),
            origin: row.origin.map(|origin| origin.label()),
        }
    }
}

/// What is resident and no component pays for.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct OutsideV1 {
    pool: &'static str,
    bytes: u64,
    /// How it was told.
    basis: &'static str,
    /// What it is.
    why: &'static str,
}

impl OutsideV1 {
    pub(super) fn of(outside: &Outside) -> OutsideV1 {
        OutsideV1 {
            pool: outside.pool.key(),
            bytes: outside.bytes.get(),
            basis: outside.basis.label(),
            why: outside.why,
        }
    }
}
