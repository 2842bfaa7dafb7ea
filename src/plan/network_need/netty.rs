//! The direct memory that netty takes for itself, which nobody plans but framework off-heap pays for (`NettyBufferPool`,
//! `NettyConfig`).

use crate::flink::keys;
use crate::flink::profile::NettyChunk;
use crate::model::{Bytes, Component};
use crate::plan::rejection::Outcome;
use crate::plan::settings::Settings;
use crate::plan::{Plan, Slots};

/// What netty takes on a TaskManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netty {
    /// Arenas, each of which takes a chunk when it is first used.
    pub arenas: u32,
    /// A chunk.
    pub chunk: Bytes,
    /// One chunk for each arena.
    pub one_each: Bytes,
    /// Threads that send.
    pub server_threads: u32,
    /// Threads that receive.
    pub client_threads: u32,
    /// Framework off-heap, which pays for it; nothing in versions without that part.
    pub framework_off_heap: Option<Bytes>,
    /// What batch shuffle reads with, out of the same memory, where the job is a batch job and that version has it.
    pub batch_read: Option<Bytes>,
}

impl Netty {
    /// What framework off-heap is short of, a chunk in each arena and batch shuffle's reading memory counted.
    pub fn missing(&self) -> Bytes {
        let taken = self.one_each.checked_add(self.batch_read.unwrap_or_default()).unwrap_or(Bytes::FLINK_MAX);
        self.framework_off_heap.and_then(|paid| taken.checked_sub(paid)).unwrap_or_default()
    }
}

/// Netty's memory on a planned TaskManager.
pub fn netty(settings: &Settings<'_>, plan: &Plan, slots: &Slots, batch: bool) -> Outcome<Netty> {
    let number = |key| -> Outcome<u32> {
        let set = match settings.row(key) {
            Some(_) => settings.int(key)?.0,
            None => -1,
        };
        // -1 stands for the slots.
        Ok(if set == -1 { slots.count } else { u32::try_from(set).unwrap_or(0) })
    };
    let arenas = number(keys::NETTY_ARENAS)?;
    let chunk = match settings.profile().behaviour.netty_chunk {
        NettyChunk::SixteenMebibytes => Bytes::mib(16),
        NettyChunk::FourMebibytes => Bytes::mib(4),
    };
    let batch_read = match settings.row(keys::BATCH_SHUFFLE_READ) {
        Some(_) if batch => settings.size(keys::BATCH_SHUFFLE_READ)?.map(|figure| figure.bytes),
        _ => None,
    };
    Ok(Netty {
        arenas,
        chunk,
        one_each: chunk.checked_mul(arenas.into()).unwrap_or(Bytes::FLINK_MAX),
        server_threads: number(keys::NETTY_SERVER_THREADS)?,
        client_threads: number(keys::NETTY_CLIENT_THREADS)?,
        framework_off_heap: plan.budget.part(Component::FrameworkOffHeap).map(|figure| figure.bytes),
        batch_read,
    })
}
