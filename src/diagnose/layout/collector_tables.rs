//! The tables that a collector keeps beside the heap: their sizes follow from the heap's.

use super::Hints;
use super::board::{Basis, Board, Kind};
use crate::plan::jvm::Collector;

/// A table to look for.
struct Table {
    /// How large it is.
    size: u64,
    /// By how much a mapping may be larger: the page of a guard, or neighbours that the kernel merged with it.
    slack: u64,
    /// How many mappings of this size there may be.
    times: usize,
}

/// One byte a card of 512 bytes (cardTable.hpp); tables of offsets and of counts have the same size.
const BYTES_PER_CARD: u64 = 512;

/// One bit a word of 8 bytes (g1ConcurrentMarkBitMap.hpp, parMarkBitMap.hpp).
const BYTES_PER_MARK: u64 = 64;

/// The reservation of G1's mark stack: 4 million entries of 8 bytes (g1ConcurrentMark.cpp, `MarkStackSize`).
const MARK_STACK: u64 = 32 << 20;

/// What lies beside small tables and is merged with them: the maps of the code heaps, about a MiB with 240 MiB of code.
const NEIGHBOURS: u64 = 2560 << 10;

/// The page that a table ends with, or what rounds it up.
const GUARD: u64 = 64 << 10;

pub(super) fn place(board: &mut Board, hints: &Hints) {
    let heap: u64 = (0..board.len())
        .filter(|index| board.kind(*index) == Some(Kind::JavaHeap))
        .map(|index| board.mapping(index).size())
        .fold(0, u64::saturating_add);
    if heap == 0 {
        return;
    }
    let collector = hints.collector.unwrap_or_else(|| told_by_tables(board, heap));
    for ways in tables(collector, heap) {
        let _found = ways.iter().any(|table| place_table(board, hints, table));
    }
}

/// Only G1 has a bitmap of a 64th of the heap and a mark stack; only Parallel one of a 32nd and no mark stack.
fn told_by_tables(board: &Board, heap: u64) -> Collector {
    let has = |size: u64, slack: u64| {
        board.open().into_iter().any(|index| is_table(board, index, &Table { size, slack, times: 1 }))
    };
    let bitmap = has(heap / BYTES_PER_MARK, GUARD) || has(2 * (heap / BYTES_PER_MARK), GUARD);
    match (bitmap, has(MARK_STACK, NEIGHBOURS)) {
        (true, true) => Collector::G1,
        (true, false) => Collector::Parallel,
        _ => Collector::Serial,
    }
}

/// What a collector keeps, each as the ways in which it may lie in memory: the first that is found counts.
fn tables(collector: Collector, heap: u64) -> Vec<Vec<Table>> {
    let (bitmap, cards) = (heap / BYTES_PER_MARK, heap / BYTES_PER_CARD);
    let exact = |size: u64, times: usize| Table { size, slack: GUARD, times };
    let merged = |size: u64| Table { size, slack: NEIGHBOURS, times: 1 };
    // Of the old generation, which is two thirds of the heap by default (NewRatio).
    let offsets = cards / 3 * 2;
    match collector {
        // Two bitmaps to JDK 19, one from JDK 20 on; card, offset and count tables, merged where nothing lies between.
        Collector::G1 => vec![
            vec![exact(2 * bitmap, 1), exact(bitmap, 2)],
            vec![merged(MARK_STACK)],
            vec![merged(3 * cards), exact(2 * cards, 1), exact(cards, 3)],
        ],
        // Two bitmaps in one reservation to JDK 21; cards and two bytes a block of a KiB; offsets of the old generation.
        Collector::Parallel => {
            vec![vec![exact(2 * bitmap, 1), exact(bitmap, 1)], vec![exact(cards, 2)], vec![exact(offsets, 1)]]
        }
        // Concurrent Mark Sweep has the same tables and a bitmap.
        Collector::Serial | Collector::ConcMarkSweep => vec![vec![exact(cards, 1)], vec![exact(offsets, 1)]],
        // Their tables have no size that could be told.
        Collector::Z | Collector::Shenandoah => Vec::new(),
    }
}

/// Places what fits, and says whether anything did. The highest mapping first: the JVM makes its tables when it starts, and the kernel hands addresses out downwards.
fn place_table(board: &mut Board, hints: &Hints, table: &Table) -> bool {
    let fitting =
        |index: &usize| is_table(board, *index, table) && !hints.malloc_chunks.contains(&board.mapping(*index).start);
    let found: Vec<usize> = board.open().into_iter().rev().filter(fitting).take(table.times).collect();
    for index in &found {
        board.place(*index, Kind::CollectorTable, Basis::Shape);
    }
    !found.is_empty()
}

fn is_table(board: &Board, index: usize, table: &Table) -> bool {
    let mapping = board.mapping(index);
    let over = mapping.size().checked_sub(table.size);
    mapping.is_anonymous()
        && mapping.access.write
        && !mapping.access.execute
        && mapping.flags.is_none_or(|flags| !flags.no_reserve)
        && table.size > 0
        && over.is_some_and(|over| over <= table.slack)
}
