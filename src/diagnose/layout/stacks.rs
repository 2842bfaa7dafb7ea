//! Stacks: where the stack pointers stand, else what lies right behind a guard.

use super::board::{Basis, Board, Kind};
use crate::artefact::smaps::Mapping;

/// A guard is a page of pthread's, or the JVM's yellow, red and reserved zones: 12 to 80 KiB (`StackOverflow::initialize_stack_zone_sizes`).
const WIDEST_GUARD: u64 = 128 << 10;

/// No stack is larger: `-Xss1g` is refused by the JVM.
const LARGEST: u64 = 1 << 30;

pub(super) fn place_by_pointer(board: &mut Board, pointers: &[u64]) {
    for pointer in pointers {
        if let Some(index) = board.at(*pointer).filter(|index| may_be_stack(board, *index)) {
            board.place(index, Kind::Stack, Basis::Named);
        }
    }
}

pub(super) fn place_by_shape(board: &mut Board) {
    for index in 1..board.len() {
        let (guard, mapping) = (board.mapping(index - 1), board.mapping(index));
        let guarded = guard.end == mapping.start
            && guard.is_anonymous()
            && guard.is_reserved()
            && guard.size() <= WIDEST_GUARD
            && !is_granule(guard)
            && matches!(board.kind(index - 1), None | Some(Kind::Stack));
        if guarded && may_be_stack(board, index) {
            board.place(index - 1, Kind::Stack, Basis::Shape);
            board.place(index, Kind::Stack, Basis::Shape);
        }
    }
}

/// Whether it may be a hole in metaspace, which is committed in granules of 64 KiB (metaspaceSettings.hpp, JDK 16 on): a
/// guard is smaller, or lies otherwise.
fn is_granule(guard: &Mapping) -> bool {
    const GRANULE: u64 = 64 << 10;
    guard.start.is_multiple_of(GRANULE) && guard.end.is_multiple_of(GRANULE)
}

fn may_be_stack(board: &Board, index: usize) -> bool {
    let mapping = board.mapping(index);
    board.is_open(index)
        && mapping.access.write
        && !mapping.access.execute
        && mapping.is_anonymous()
        && mapping.size() <= LARGEST
        // glibc's heaps and what the JVM reserves are mapped with MAP_NORESERVE, stacks are not.
        && mapping.flags.is_none_or(|flags| !flags.no_reserve)
}
