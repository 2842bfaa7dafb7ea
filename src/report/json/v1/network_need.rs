//! The network buffers of a job in JSON.

use serde::Serialize;

use super::rejection::RejectionV1;
use crate::plan::network_need::{EdgeNeed, NetworkNeed, Pool};
use crate::plan::rejection::Outcome;
use crate::recommend::network::{Cure, NetworkAnswer};

/// What a job needs in network buffers on one TaskManager.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum NetworkNeedV1 {
    /// It could be computed.
    Known(Box<KnownV1>),
    /// It could not.
    Refused {
        /// Why.
        refused: Box<RejectionV1>,
    },
}

/// What a job needs in network buffers on one TaskManager; `at_most` is null where there is no bound.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KnownV1 {
    job: Option<String>,
    /// Without these the job does not start.
    required: u64,
    /// More than these it never takes.
    at_most: Option<u64>,
    /// What it may take beyond, for records larger than a buffer.
    overdraft: u64,
    /// What the TaskManager has.
    had: u64,
    /// Buffers that are missing before the job starts.
    missing: u64,
    missing_bytes: Option<u64>,
    /// The size of a buffer.
    segment: u64,
    slots: u32,
    /// Groups of vertices that blocking exchanges keep apart; the neediest is counted.
    regions: usize,
    buffer_debloating: bool,
    /// Whether there are hybrid exchanges, which are not in these numbers.
    hybrid: bool,
    /// How Flink's exception about too few buffers ends.
    exception: String,
    edges: Vec<EdgeV1>,
    /// What lets the job start, planned.
    to_start: Option<CureV1>,
    /// What gives it all that it may take, planned.
    to_have_all: Option<CureV1>,
    netty: NettyV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EdgeV1 {
    from: String,
    to: String,
    strategy: String,
    exchange: &'static str,
    partition: Option<PoolV1>,
    gate: Option<PoolV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PoolV1 {
    /// Subpartitions, or channels.
    width: u64,
    /// How many of them a TaskManager has.
    count: u64,
    /// What one must have.
    required: u64,
    /// What one may have.
    at_most: Option<u64>,
    overdraft: u64,
    /// What each remote channel has for itself; null for a result partition.
    exclusive_per_channel: Option<u64>,
    /// Whether a result partition is sorted into one file; null for a gate.
    sorted: Option<bool>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct CureV1 {
    set: Vec<SetV1>,
    /// The buffers that there are then.
    buffers: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SetV1 {
    key: String,
    value: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct NettyV1 {
    arenas: u32,
    chunk: u64,
    /// One chunk for each arena.
    one_each: u64,
    server_threads: u32,
    client_threads: u32,
    /// What pays for it.
    framework_off_heap: Option<u64>,
    /// What batch shuffle reads with, out of the same memory.
    batch_read: Option<u64>,
    /// What framework off-heap is short of.
    missing: u64,
}

impl NetworkNeedV1 {
    /// The answer in JSON.
    pub fn of(answer: &Outcome<NetworkAnswer>) -> NetworkNeedV1 {
        match answer {
            Ok(answer) => NetworkNeedV1::Known(Box::new(known(answer))),
            Err(rejection) => NetworkNeedV1::Refused { refused: Box::new(RejectionV1::of(rejection)) },
        }
    }
}

fn known(answer: &NetworkAnswer) -> KnownV1 {
    let NetworkNeed { netty, .. } = &answer.need;
    let need = &answer.need;
    KnownV1 {
        job: need.job.clone(),
        required: need.required,
        at_most: need.wanted,
        overdraft: need.overdraft,
        had: need.had,
        missing: need.missing(),
        missing_bytes: need.segment.checked_mul(need.missing()).map(|bytes| bytes.get()),
        segment: need.segment.get(),
        slots: need.slots,
        regions: need.regions,
        buffer_debloating: need.debloated,
        hybrid: need.hybrid,
        exception: need.exception.clone(),
        edges: need.edges.iter().map(edge).collect(),
        to_start: answer.to_start.as_ref().map(cure),
        to_have_all: answer.to_have_all.as_ref().map(cure),
        netty: NettyV1 {
            arenas: netty.arenas,
            chunk: netty.chunk.get(),
            one_each: netty.one_each.get(),
            server_threads: netty.server_threads,
            client_threads: netty.client_threads,
            framework_off_heap: netty.framework_off_heap.map(|bytes| bytes.get()),
            batch_read: netty.batch_read.map(|bytes| bytes.get()),
            missing: netty.missing().get(),
        },
    }
}

fn edge(edge: &EdgeNeed) -> EdgeV1 {
    let pool = |width, count, pool: Pool, overdraft, exclusive_per_channel, sorted| PoolV1 {
        width,
        count,
        required: pool.required,
        at_most: pool.most,
        overdraft,
        exclusive_per_channel,
        sorted,
    };
    EdgeV1 {
        from: edge.from.clone(),
        to: edge.to.clone(),
        strategy: edge.strategy.clone(),
        exchange: edge.exchange.label(),
        partition: edge
            .partition
            .map(|p| pool(p.subpartitions, edge.partitions, p.pool, p.overdraft, None, Some(p.sorted))),
        gate: edge.gate.map(|g| pool(g.channels, edge.gates, g.pool(), 0, Some(g.exclusive), None)),
    }
}

fn cure(cure: &Cure) -> CureV1 {
    let set = cure.changes.iter().map(|change| SetV1 {
        key: change.key().to_owned(),
        value: match change {
            crate::recommend::Change::Set { value, .. } => Some(value.clone()),
            crate::recommend::Change::Remove { .. } => None,
        },
    });
    CureV1 { set: set.collect(), buffers: cure.buffers }
}
