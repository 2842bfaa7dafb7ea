//! What malloc holds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::artefact::malloc_chunks::{Arena, ArenaKind, HeapWalk};
use crate::diagnose::examination::Examination;
use crate::model::{Measure, Pool};

/// Resident bytes by pool with the walk's own sums, where it could be walked.
pub(super) fn pools(examination: &Examination) -> Option<BTreeMap<&'static str, u64>> {
    let walk = examination.sample.heap.as_ref().ok()?;
    let account = examination.account.as_ref().ok()?;
    let in_malloc = Pool::ALL.into_iter().filter(|pool| pool.is_malloc());
    let pools = in_malloc.map(|pool| (pool.key(), account.bytes(pool).get()));
    let in_use = examination.observations.value(Measure::MallocInUse).map(|bytes| ("in_use", bytes));
    let sums = [("free_resident", walk.free_resident()), ("trimmable", walk.trimmable())];
    Some(pools.chain(in_use).chain(sums).collect())
}

/// One of glibc's arenas. Bytes are resident.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ArenaV1 {
    /// `main` or `thread`.
    kind: &'static str,
    /// Heaps of a thread's arena, separate ranges of the main one.
    heaps: u32,
    /// In chunks that are in use.
    in_use: u64,
    /// In free chunks and in `top`, whole pages.
    free_resident: u64,
    /// In `top`, whole pages.
    top: u64,
    /// What could not be walked.
    unwalked: u64,
}

pub(super) fn arenas(walk: &HeapWalk) -> Vec<ArenaV1> {
    walk.arenas.iter().map(arena).collect()
}

fn arena(arena: &Arena) -> ArenaV1 {
    let chunks = &arena.chunks;
    ArenaV1 {
        kind: match arena.kind {
            ArenaKind::Main => "main",
            ArenaKind::Thread => "thread",
        },
        heaps: arena.heaps,
        in_use: chunks.in_use.resident,
        free_resident: chunks.free.resident.saturating_add(chunks.top.resident),
        top: chunks.top.resident,
        unwalked: chunks.unwalked_resident,
    }
}
