//! What each slot gets, and what RocksDB makes of it.

use serde::Serialize;

use super::figure::{FigureV1, ProvenanceV1, provenance};
use super::rejection::RejectionV1;
use crate::model::{Component, Figure};
use crate::plan::rejection::Outcome;
use crate::plan::store::{Pool, StoreMemory};
use crate::plan::{Slots, Survey};
use crate::report::Sheet;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SlotsV1 {
    count: Option<u32>,
    shares: Vec<ShareV1>,
    network_buffers: Option<Buffers>,
    consumers: Vec<Consumer>,
    stores: Vec<StoreV1>,
    /// Why Flink refuses the slots, the buffers, the weights or the backend once it has started.
    errors: Vec<RejectionV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ShareV1 {
    component: &'static str,
    #[serde(flatten)]
    figure: FigureV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Buffers {
    count: u64,
    segment: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Consumer {
    name: &'static str,
    fraction: f64,
    /// Left out where Flink refuses the share.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    figure: Option<FigureV1>,
}

/// A part of the memory that a store's column families share.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PoolPart {
    name: &'static str,
    #[serde(flatten)]
    figure: FigureV1,
}

/// RocksDB's or ForSt's memory.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StoreV1 {
    store: &'static str,
    /// `SLOT_SHARED_MANAGED`, `SLOT_SHARED_UNMANAGED`, `TM_SHARED_UNMANAGED` or `NONE`.
    scope: &'static str,
    /// The option that decided on the scope.
    scope_by: ProvenanceV1,
    /// An option of another scope that is set to no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_effect: Option<&'static str>,
    /// What a memtable holds before it is flushed.
    write_buffer: FigureV1,
    /// The parts of the pool; none where there is no pool.
    pool: Vec<PoolPart>,
    /// What cache and memtables together take at most, blocks that iterators pin apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<u64>,
    /// Whether Flink warns of constant flushing.
    flink_warns_of_flushing: Option<bool>,
    /// Whether RocksDB really flushes with every write.
    flushes_constantly: Option<bool>,
    /// How many column families can hold an arena block each before they flush each other.
    column_families_without_thrashing: Option<u64>,
    /// What one column family may take where there is no pool.
    column_family_bound: Option<u64>,
}

pub fn slots(sheet: &Sheet, survey: &Survey, slots: &Outcome<Slots>) -> SlotsV1 {
    let mut all = SlotsV1 {
        count: None,
        shares: Vec::new(),
        network_buffers: None,
        consumers: Vec::new(),
        stores: Vec::new(),
        errors: Vec::new(),
    };
    match &survey.plan.network_buffers {
        Some(Ok(buffers)) => {
            all.network_buffers = Some(Buffers { count: buffers.count, segment: buffers.segment.bytes.get() });
        }
        Some(Err(rejection)) => all.errors.push(RejectionV1::of(rejection)),
        None => {}
    }
    let slots = match slots {
        Ok(slots) => slots,
        Err(rejection) => {
            all.errors.push(RejectionV1::of(rejection));
            return all;
        }
    };
    all.count = Some(slots.count);
    let share = |(component, figure): &(Component, Figure)| ShareV1 {
        component: component.key(),
        figure: FigureV1::of(sheet, figure),
    };
    all.shares = slots.shares.iter().map(share).collect();
    match &slots.consumers {
        Some(Ok(shares)) => {
            for share in shares {
                let figure = share.share.as_ref().ok().map(|figure| FigureV1::of(sheet, figure));
                all.consumers.push(Consumer { name: share.use_case.name(), fraction: share.fraction, figure });
                all.errors.extend(share.share.as_ref().err().map(|rejection| RejectionV1::of(rejection)));
            }
        }
        Some(Err(rejection)) => all.errors.push(RejectionV1::of(rejection)),
        None => {}
    }
    for (_, outcome) in &slots.stores {
        match outcome {
            Ok(memory) => {
                all.errors.extend(memory.refused.as_ref().map(|rejection| RejectionV1::of(rejection)));
                all.stores.push(store(sheet, memory, survey));
            }
            Err(rejection) => all.errors.push(RejectionV1::of(rejection)),
        }
    }
    all
}

fn store(sheet: &Sheet, memory: &StoreMemory, survey: &Survey) -> StoreV1 {
    let pool = memory.pool.as_ref();
    let profile = survey.plan.profile;
    let checked = profile.behaviour.arena_check;
    StoreV1 {
        store: memory.store.label(),
        scope: memory.scope.name(),
        scope_by: provenance(sheet, &memory.scope_provenance),
        without_effect: memory.without_effect,
        write_buffer: FigureV1::of(sheet, &memory.write_buffer),
        pool: pool
            .into_iter()
            .flat_map(|pool| pool.figures(&memory.write_buffer, &profile.rocksdb))
            .map(|(quantity, figure)| PoolPart { name: quantity.label(), figure: FigureV1::of(sheet, &figure) })
            .collect(),
        bound: pool.map(|pool| pool.bound().get()),
        flink_warns_of_flushing: pool.map(|pool| checked && !pool.sizes.arena_ok),
        flushes_constantly: pool.map(|pool| pool.flushes_constantly),
        column_families_without_thrashing: pool.map(Pool::column_families_without_thrashing),
        column_family_bound: memory.column_family.as_ref().map(|family| family.bound.get()),
    }
}
