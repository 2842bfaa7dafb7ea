//! The tables that a collector keeps beside the heap: their sizes follow from the heap's.

use super::Hints;
use super::board::{Basis, Board, Kind};
use crate::plan::jvm::Collector;

/// One byte a card of 512 bytes (cardTable.hpp); tables of offsets and of counts have the same size.
const BYTES_PER_CARD: u64 = 512;

/// One bit a word of 8 bytes (g1ConcurrentMarkBitMap.hpp, parMarkBitMap.hpp).
const BYTES_PER_MARK: u64 = 64;

/// The reservation of G1's mark stack: 4 million entries of 8 bytes (g1ConcurrentMark.cpp, `MarkStackSize`).
const MARK_STACK: u64 = 32 << 20;

/// The page that a table ends with, or what rounds it up.
const GUARD: u64 = 64 << 10;

/// What lies beside small tables and is merged with them: the maps of the code heaps, and what else the JVM takes when it
/// starts.
const NEIGHBOURS: u64 = 2560 << 10;

/// The map of a code heap is reserved behind what is committed of it: one byte for each segment of 128 bytes of a third to
/// a half of ReservedCodeCacheSize, 48 to 240 MiB (heap.cpp, `CodeHeap::reserve`).
const MAP_TAIL: std::ops::RangeInclusive<u64> = (128 << 10)..=(2 << 20);

/// From this size on a mapping is taken for tables although an eighth of it is something else.
const LARGE: u64 = 16 << 20;

/// A page, the unit of every mapping.
const PAGE: u64 = 4 << 10;

const MEBIBYTE: u64 = 1 << 20;

/// A table: its size, and how many there may be of it.
#[derive(Clone, Copy)]
struct Table {
    size: u64,
    times: usize,
}

pub(super) fn place(board: &mut Board, hints: &Hints) {
    let heap: u64 = (0..board.len())
        .filter(|index| board.kind(*index) == Some(Kind::JavaHeap))
        .map(|index| board.mapping(index).size())
        .fold(0, u64::saturating_add);
    if heap == 0 {
        return;
    }
    let collector = hints.collector.unwrap_or_else(|| told_by_tables(board, heap));
    let mut missing = tables(collector, heap);
    // The highest first: the JVM makes its tables when it starts, and the kernel hands addresses out downwards.
    let candidates: Vec<usize> =
        board.open().into_iter().rev().filter(|index| may_be_table(board, hints, *index)).collect();
    for beside_code in [true, false] {
        for index in &candidates {
            let size = board.mapping(*index).size();
            let slack = match beside_code {
                true if is_before_map_tail(board, *index) => NEIGHBOURS,
                true => continue,
                // A round number and a page is what malloc maps; G1 rounds its tables to whole pages without a guard.
                false if collector == Collector::G1 && size.saturating_sub(PAGE).is_multiple_of(MEBIBYTE) => continue,
                // What is merged with large tables is small beside them.
                false if size >= LARGE => size / 8,
                false => GUARD.max(size / 48),
            };
            if board.is_open(*index)
                && let Some(taken) = several(&missing, size, slack)
            {
                board.place(*index, Kind::CollectorTable, Basis::Shape);
                for (table, times) in missing.iter_mut().zip(taken) {
                    table.times -= times;
                }
            }
        }
    }
}

/// Only G1 has a bitmap of a 64th of the heap and a mark stack; only Parallel one of a 32nd and no mark stack.
fn told_by_tables(board: &Board, heap: u64) -> Collector {
    let sizes = || board.open().into_iter().map(|index| board.mapping(index).size());
    let has = |size: u64, slack: u64| sizes().any(|known| known >= size && known - size <= slack);
    let bitmap = heap / BYTES_PER_MARK;
    match (has(bitmap, GUARD) || has(2 * bitmap, GUARD), has(MARK_STACK, NEIGHBOURS)) {
        (_, true) => Collector::G1,
        (true, false) => Collector::Parallel,
        _ => Collector::Serial,
    }
}

/// What a collector keeps.
fn tables(collector: Collector, heap: u64) -> Vec<Table> {
    let (bitmap, cards) = (heap / BYTES_PER_MARK, heap / BYTES_PER_CARD);
    // Of the old generation, which is two thirds of the heap by default (NewRatio).
    let offsets = cards / 3 * 2;
    let table = |size: u64, times: usize| Table { size, times };
    match collector {
        // Two bitmaps to JDK 19, one from JDK 20 on; tables of cards, of offsets and of counts.
        Collector::G1 => vec![table(bitmap, 2), table(MARK_STACK, 1), table(cards, 3)],
        // Two bitmaps in one reservation to JDK 21; cards and two bytes a block of a KiB; offsets of the old generation.
        Collector::Parallel => vec![table(2 * bitmap, 1), table(cards, 2), table(offsets, 1)],
        // Concurrent Mark Sweep has the same tables and a bitmap.
        Collector::Serial | Collector::ConcMarkSweep => vec![table(cards, 1), table(offsets, 1)],
        // Two bits a word (shenandoahMarkBitMap.hpp), beside them a spare for verification that is not touched.
        Collector::Shenandoah => vec![table(2 * bitmap, 1)],
        // Its tables have no size that could be told.
        Collector::Z => Vec::new(),
    }
}

/// How many of each table make up a size, since the kernel merges neighbours: the choice that leaves the least over.
fn several(missing: &[Table], size: u64, slack: u64) -> Option<Vec<usize>> {
    let mut best: Option<(u64, Vec<usize>)> = None;
    let mut choice = vec![0; missing.len()];
    loop {
        // Counts up through all choices: each table none to as many times as it is missing.
        let place = choice.iter().zip(missing).position(|(chosen, table)| *chosen < table.times)?;
        choice.iter_mut().take(place).for_each(|chosen| *chosen = 0);
        choice[place] += 1;
        let sum = choice.iter().zip(missing).map(|(times, table)| table.size.saturating_mul(*times as u64));
        let sum = sum.fold(0, u64::saturating_add);
        if sum > 0 && sum <= size && size - sum <= slack && best.as_ref().is_none_or(|(over, _)| size - sum < *over) {
            best = Some((size - sum, choice.clone()));
        }
        if choice.iter().zip(missing).all(|(chosen, table)| *chosen == table.times) {
            return best.map(|(_, choice)| choice);
        }
    }
}

fn may_be_table(board: &Board, hints: &Hints, index: usize) -> bool {
    let mapping = board.mapping(index);
    mapping.is_anonymous()
        && mapping.access.write
        && !mapping.access.execute
        && mapping.flags.is_none_or(|flags| !flags.no_reserve)
        && !hints.malloc_chunks.contains(&mapping.start)
}

/// Whether what follows it without a gap ends in the reserved part of a code heap's map.
fn is_before_map_tail(board: &Board, index: usize) -> bool {
    let run = board.run(index, |at| !board.mapping(at).is_reserved() && board.mapping(at).is_anonymous());
    let (last, behind) = (run.end - 1, run.end);
    behind < board.len()
        && board.mapping(last).end == board.mapping(behind).start
        && board.mapping(behind).is_reserved()
        && MAP_TAIL.contains(&board.mapping(behind).size())
}
