//! The compressed class space: one reservation whose size is known, committed from its start on.

use super::board::{Basis, Board, Kind};

/// The class space begins at a multiple of this with every JDK (`Metaspace::reserve_alignment`).
const ALIGNED_TO: u64 = 1 << 20;

/// Places the first reservation that has one of the sizes, and that something is committed in.
pub(super) fn place(board: &mut Board, sizes: &[u64]) {
    for size in sizes {
        for first in board.open() {
            let start = board.mapping(first).start;
            if !start.is_multiple_of(ALIGNED_TO) || board.mapping(first).is_reserved() {
                continue;
            }
            let Some(end) = start.checked_add(*size) else { continue };
            let run = board.run(first, |index| {
                let mapping = board.mapping(index);
                // glibc's heaps are opened with MAP_NORESERVE, what the JVM commits is not.
                let is_glibcs = mapping.access.write && mapping.flags.is_some_and(|flags| flags.no_reserve);
                board.is_open(index) && mapping.is_anonymous() && !is_glibcs && mapping.start < end
            });
            if run.clone().last().is_some_and(|last| board.mapping(last).end == end && last > first) {
                board.place_range(start, end, Kind::ClassSpace, Basis::Shape);
                return;
            }
        }
    }
}
