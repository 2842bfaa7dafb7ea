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
    let (elastic, older): (Vec<Node>, Vec<Node>) = candidates(board).into_iter().partition(|node| node.is_elastic);
    let chosen = match hints.metaspace_committed {
        None => elastic,
        // What lies before a node may be merged with its beginning, which is missing then.
        Some(committed) if !elastic.is_empty() => closest(elastic, committed, committed),
        Some(committed) => closest(older, committed, TOLERANCE.max(committed / 50)),
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
    /// Whether it is divided and ends as one of JDK 16 and later.
    is_elastic: bool,
}

fn candidates(board: &Board) -> Vec<Node> {
    let mut found = Vec::new();
    let mut index = 0;
    while index < board.len() {
        let run = board.run(index, |index| is_part(board, index));
        index = run.end.max(index + 1);
        // What lies before a node may be merged with its first part: it begins with what begins at its alignment.
        let is_aligned =
            |at: &usize| board.mapping(*at).access.write && board.mapping(*at).start.is_multiple_of(ROOT_CHUNK);
        let written = |at: &usize| board.mapping(*at).access.write;
        let Some(first) = run.clone().find(is_aligned).or(run.clone().find(written)) else { continue };
        let mappings = first..run.end;
        let parts = || mappings.clone().map(|at| board.mapping(at));
        let committed = parts().filter(|part| part.access.write).map(|part| part.size()).sum();
        // The newest node always has room.
        if !parts().any(|part| part.is_reserved()) {
            continue;
        }
        let ends = parts().next_back().is_some_and(|last| last.end.is_multiple_of(ROOT_CHUNK));
        let divided = parts().all(|part| part.start.is_multiple_of(GRANULE) && part.end.is_multiple_of(GRANULE));
        found.push(Node { mappings, committed, is_elastic: ends && divided });
    }
    found.sort_by_key(|node| std::cmp::Reverse(node.committed));
    found
}

fn is_part(board: &Board, index: usize) -> bool {
    let mapping = board.mapping(index);
    let committed = mapping.access.read && mapping.access.write && mapping.flags.is_none_or(|flags| !flags.no_reserve);
    board.is_open(index) && mapping.is_anonymous() && !mapping.access.execute && (committed || mapping.is_reserved())
}

/// The reservations that together have committed about what the JVM says; none where no choice of them does.
fn closest(mut nodes: Vec<Node>, committed: u64, tolerance: u64) -> Vec<Node> {
    nodes.truncate(MOST_TRIED);
    let sum = |choice: u32| -> u64 {
        let picked = nodes.iter().enumerate().filter(|(index, _)| choice & (1 << index) != 0);
        picked.map(|(_, node)| node.committed).fold(0, u64::saturating_add)
    };
    let choices = 1..(1_u32 << nodes.len());
    // Among equals the one of the fewest nodes, and of those that look most like it, which stand first.
    let best = choices.min_by_key(|choice| (sum(*choice).abs_diff(committed), choice.count_ones(), *choice));
    match best {
        Some(choice) if sum(choice).abs_diff(committed) <= tolerance => nodes
            .into_iter()
            .enumerate()
            .filter(|(index, _)| choice & (1 << index) != 0)
            .map(|(_, node)| node)
            .collect(),
        _ => Vec::new(),
    }
}
