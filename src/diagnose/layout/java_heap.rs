//! The Java heap: one reservation of the size of `-Xmx`, rounded up by the JVM.

use super::Hints;
use super::board::{Basis, Board, Kind};
use crate::artefact::smaps::Mapping;

/// What `-Xmx` is rounded up to: G1's region (1 to 32 MiB, heapRegionBounds.hpp), or the reach of a page of cards,
/// 2 MiB (`GenArguments`); the page itself with a heap that is one already.
const ROUNDED_TO: [u64; 7] = [4 << 10, 1 << 20, 2 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20];

/// Heaps begin at a multiple of this, with every collector.
const ALIGNED_TO: u64 = 1 << 20;

pub(super) fn place(board: &mut Board, hints: &Hints) {
    let Some(asked) = hints.max_heap.filter(|asked| *asked > 0) else { return };
    // ZGC's has a name.
    if (0..board.len()).any(|index| is_memory_file(board.mapping(index))) {
        return;
    }
    let mut best: Option<(bool, u64, u64, u64)> = None;
    for unit in ROUNDED_TO {
        let Some(size) = asked.checked_next_multiple_of(unit) else { continue };
        for first in 0..board.len() {
            let start = board.mapping(first).start;
            if start % ALIGNED_TO != 0 || !may_be_heap(board, first) || !board.mapping(first).is_anonymous() {
                continue;
            }
            let Some(end) = start.checked_add(size) else { continue };
            let run = board.run(first, |index| may_be_heap(board, index) && board.mapping(index).start < end);
            let Some(last) = run.clone().last() else { continue };
            if board.mapping(last).end < end {
                continue;
            }
            let rss = run.map(|index| board.mapping(index).rss).fold(0, u64::saturating_add);
            // The end of the heap is the end of a mapping, unless the kernel merged it with its neighbour.
            let found = (board.mapping(last).end == end, rss, start, end);
            if best.is_none_or(|best| (found.0, found.1) > (best.0, best.1)) {
                best = Some(found);
            }
        }
    }
    if let Some((_, _, start, end)) = best {
        board.place_range(start, end, Kind::JavaHeap, Basis::Shape);
    }
}

/// Anonymous, or the archived objects that the JVM maps into the top of the heap.
fn may_be_heap(board: &Board, index: usize) -> bool {
    let mapping = board.mapping(index);
    board.is_open(index)
        && !mapping.access.execute
        && !mapping.access.shared
        && (mapping.is_anonymous() || mapping.file_name().ends_with(".jsa"))
}

/// Whether it is ZGC's heap, a memory file (`ZPhysicalMemoryBacking`, gc/z in HotSpot's os/linux).
pub(super) fn is_memory_file(mapping: &Mapping) -> bool {
    let file = mapping.file_name();
    file == "memfd:java_heap" || file == "java_heap"
}
