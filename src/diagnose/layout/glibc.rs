//! The heaps of glibc's arenas: 64 MiB each, at multiples of 64 MiB, opened from the start on (`new_heap`, arena.c).

use super::board::{Basis, Board, Kind};

/// `HEAP_MAX_SIZE` on 64-bit machines: twice `DEFAULT_MMAP_THRESHOLD_MAX`, which is 32 MiB (malloc.c).
pub(super) const HEAP: u64 = 64 << 20;

pub(super) fn place(board: &mut Board) {
    for first in 0..board.len() {
        let start = board.mapping(first).start;
        if board.is_open(first) && start.is_multiple_of(HEAP) && is_opened(board, first) {
            place_from(board, first);
        }
    }
}

/// Heaps that follow one another from a mapping on. Full ones are one mapping, since the kernel merges neighbours.
fn place_from(board: &mut Board, first: usize) {
    let mut at = first;
    let mut start = board.mapping(first).start;
    while let Some(last) = heap_at(board, at, start) {
        for index in at..=last {
            board.place(index, Kind::Arena, Basis::Shape);
        }
        start += HEAP;
        let end = board.mapping(last).end;
        // The next heap begins within the last mapping, or with the next one, which has its own turn.
        if end <= start || !is_writable(board, last) {
            return;
        }
        // Those that are full lie in it; a mapping may have room for millions.
        start += (end - start) / HEAP * HEAP;
        if end == start {
            return;
        }
        at = last;
    }
}

/// The last mapping of the heap of an address: writable ones, then ones that are only reserved, up to its end.
fn heap_at(board: &Board, first: usize, start: u64) -> Option<usize> {
    let end = start.checked_add(HEAP)?;
    let mut reserved = false;
    for index in first..board.len() {
        let mapping = board.mapping(index);
        let follows = index == first || board.mapping(index - 1).end == mapping.start;
        let fits = is_opened(board, index) && !reserved || mapping.is_reserved() && mapping.is_anonymous();
        if !follows || !fits {
            return None;
        }
        reserved |= mapping.is_reserved();
        if mapping.end >= end {
            return Some(index);
        }
    }
    None
}

fn is_writable(board: &Board, index: usize) -> bool {
    board.mapping(index).access.write
}

/// glibc maps with MAP_NORESERVE and opens by `mprotect`, which keeps that; the JVM maps anew without it.
fn is_opened(board: &Board, index: usize) -> bool {
    let mapping = board.mapping(index);
    let access = mapping.access;
    access.read
        && access.write
        && !access.execute
        && !access.shared
        && mapping.is_anonymous()
        && mapping.flags.is_none_or(|flags| flags.no_reserve)
        && board.kind(index).is_none_or(|kind| kind == Kind::Arena)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::smaps;
    use crate::diagnose::layout::{self, Hints};

    #[test]
    fn a_mapping_with_room_for_all_heaps_that_could_be_is_placed_at_once() {
        let text = "7f0000000000-fff0000000000000 rw-p 00000000 00:00 0 \nSize: 4 kB\nfff0000000000000-fff0000004000000 rw-p 00000000 \
                    00:00 0 \nSize: 4 kB\n";
        let smaps = smaps::parse(text.as_bytes()).unwrap();
        let start = std::time::Instant::now();
        let placed = layout::place(&smaps, &Hints::default());
        assert!(placed.len() == 2 && placed.iter().all(|placed| placed.kind == Kind::Arena), "{placed:?}");
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
