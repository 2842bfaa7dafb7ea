//! Finds the heaps of the threads' arenas: at multiples of 64 MiB, each with its arena and the heap before it.

use std::collections::BTreeMap;

use super::chain::{self, Stretch};
use super::header::{HEAP_INFO, HEAP_SPAN, HeapInfo};
use super::{Arena, ArenaKind, ChunkUse, Found, Lost, Memory, PieceKind, Run};

pub(super) fn walk_heaps<M: Memory>(memory: &mut M, runs: &[Run], found: &mut Found) -> Result<(), Lost> {
    let candidates = candidates(memory, runs)?;
    // A heap belongs to an arena if the heaps before it lead to the arena's first.
    let mut arenas: BTreeMap<u64, Vec<(u64, HeapInfo)>> = BTreeMap::new();
    for (at, info) in &candidates {
        if let Some(first) = first_of(*at, *info, &candidates) {
            arenas.entry(first).or_default().push((*at, *info));
        }
    }
    for (first, heaps) in arenas {
        let Some((_, own)) = heaps.iter().find(|(at, _)| *at == first).copied() else { continue };
        let fresh = Arena { kind: ArenaKind::Thread, start: first, heaps: 0, chunks: ChunkUse::default() };
        found.threads.push(fresh);
        for (at, info) in heaps {
            let info = HeapInfo { arena: own.arena, ..info };
            match chain::walk(memory, Stretch::heap(at, info, first)) {
                Ok((pass, end)) => found.take(ArenaKind::Thread, PieceKind::Heap, at, end, &pass),
                Err(Lost::Unmapped) => {}
                Err(lost) => return Err(lost),
            }
        }
        if found.threads.last().is_some_and(|arena| arena.heaps == 0) {
            found.threads.pop();
        }
    }
    Ok(())
}

fn candidates<M: Memory>(memory: &mut M, runs: &[Run]) -> Result<BTreeMap<u64, HeapInfo>, Lost> {
    let mut candidates = BTreeMap::new();
    let page = memory.page_size();
    for run in runs {
        let mut at = run.start.next_multiple_of(HEAP_SPAN);
        while at < run.end {
            if let Some(info) = heap_at(memory, at, page)? {
                candidates.insert(at, info);
            }
            at += HEAP_SPAN;
        }
    }
    Ok(candidates)
}

fn heap_at<M: Memory>(memory: &mut M, at: u64, page: u64) -> Result<Option<HeapInfo>, Lost> {
    let mut entry = [0];
    let mut bytes = [0; HEAP_INFO];
    let read = memory.pages(at, &mut entry).and_then(|()| match entry {
        [entry] if entry >> 63 == 1 => memory.read(at, &mut bytes),
        _ => Ok(()),
    });
    match read {
        Ok(()) => Ok(HeapInfo::of(at, &bytes, page)),
        Err(Lost::Unmapped) => Ok(None),
        Err(lost) => Err(lost),
    }
}

/// The first heap of the arena of a heap, where all heaps before it are there and say the same.
fn first_of(at: u64, info: HeapInfo, candidates: &BTreeMap<u64, HeapInfo>) -> Option<u64> {
    let (mut at, mut now) = (at, info);
    for _ in 0..=candidates.len() {
        if now.previous == 0 {
            return Some(at);
        }
        at = now.previous;
        now = *candidates.get(&at).filter(|before| before.arena == info.arena)?;
    }
    None
}
