//! Metaspace outside the class space: reservations that are committed piece by piece.

use std::ops::Range;

use super::Hints;
use super::board::{Basis, Board, Kind};

/// A root chunk, of which a node of metaspace has a whole number from JDK 16 on (chunklevel.hpp, JEP 387).
const ROOT_CHUNK: u64 = 4 << 20;

/// A commit granule from JDK 16 on (metaspaceSettings.hpp).
const GRANULE: u64 = 64 << 10;

/// More reservations than these are not tried out against the committed size: there are two to the power of them.
const MOST_TRIED: usize = 12;

/// How far what is committed may be off what the JVM last said.
const TOLERANCE: u64 = 2 << 20;

pub(super) fn place(board: &mut Board, hints: &Hints) {
    let mut nodes = candidates(board);
    nodes.sort_by_key(|node| (!node.is_elastic, std::cmp::Reverse(node.committed)));
    let chosen = match hints.metaspace_committed {
        None => nodes.into_iter().filter(|node| node.is_elastic && node.has_room).collect(),
        Some(committed) => {
            nodes.truncate(MOST_TRIED);
            closest(nodes, committed)
        }
    };
    for node in chosen {
        for index in node.mappings {
            board.place(index, Kind::Metaspace, Basis::Shape);
        }
    }
}

/// A reservation that may be one of metaspace's.
#[derive(Clone)]
struct Node {
    mappings: Range<usize>,
    committed: u64,
    /// Whether it begins and is divided as one of JDK 16 and later.
    is_elastic: bool,
    /// Whether a part of it is only reserved, as the newest one always has.
    has_room: bool,
}

fn candidates(board: &Board) -> Vec<Node> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < board.len() {
        let run = board.run(index, |index| is_part(board, index));
        index = run.end.max(index + 1);
        // What the kernel lists in one go may begin with something else: a node begins at its alignment.
        let first = run.clone().find(|at| {
            let mapping = board.mapping(*at);
            mapping.access.write && mapping.start.is_multiple_of(ROOT_CHUNK)
        });
        let Some(first) = first.or(run.clone().find(|at| board.mapping(*at).access.write)) else { continue };
        let mappings = first..run.end;
        let parts = || mappings.clone().map(|at| board.mapping(at));
        let committed = parts().filter(|part| part.access.write).map(|part| part.size()).sum();
        let is_elastic = board.mapping(first).start.is_multiple_of(ROOT_CHUNK)
            && parts().filter(|part| part.access.write).all(|part| part.end % GRANULE == 0);
        let has_room = parts().any(|part| part.is_reserved());
        if is_elastic || has_room {
            found.push(Node { mappings, committed, is_elastic, has_room });
        }
    }
    found
}

fn is_part(board: &Board, index: usize) -> bool {
    let mapping = board.mapping(index);
    let committed = mapping.access.read && mapping.access.write && mapping.flags.is_none_or(|flags| !flags.no_reserve);
    board.is_open(index) && mapping.is_anonymous() && !mapping.access.execute && (committed || mapping.is_reserved())
}

/// The reservations that together have committed what the JVM says; none where no choice of them does.
fn closest(nodes: Vec<Node>, committed: u64) -> Vec<Node> {
    let sum = |choice: u32| -> u64 {
        let picked = nodes.iter().enumerate().filter(|(index, _)| choice & (1 << index) != 0);
        picked.map(|(_, node)| node.committed).fold(0, u64::saturating_add)
    };
    let choices = 1..(1_u32 << nodes.len());
    // Among equals the one of the fewest nodes, and of those that look most like it, which stand first.
    let best = choices.min_by_key(|choice| (sum(*choice).abs_diff(committed), choice.count_ones(), *choice));
    match best {
        Some(choice) if sum(choice).abs_diff(committed) <= TOLERANCE.max(committed / 50) => nodes
            .into_iter()
            .enumerate()
            .filter(|(index, _)| choice & (1 << index) != 0)
            .map(|(_, node)| node)
            .collect(),
        _ => Vec::new(),
    }
}
