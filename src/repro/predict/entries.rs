//! Entries that lie sorted together, and what becomes of two such runs when they are merged.

use crate::model::Kind;

use super::fixed;
use super::shape::{Blocks, Shape};

/// Entries that lie sorted together: a memtable, a file of level 0, or a whole level below.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    /// How many keys of each class.
    pub found: Vec<u64>,
    /// How many of them are deletions.
    pub deletions: u64,
    /// What lists hold beyond one element a key.
    pub more: u64,
    /// How many of a sequence's entries were written before: they hide what lies deeper.
    pub repeated: u64,
}

impl Entries {
    pub fn none(shape: &Shape) -> Entries {
        Entries { found: vec![0; shape.classes.len()], ..Entries::default() }
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.found.iter().sum()
    }

    pub fn blocks(&self, shape: &Shape) -> Blocks {
        let count = self.count();
        let deletions = self.deletions.min(count);
        shape.blocks(count - deletions, deletions, self.more)
    }
}

/// Draws that fall into each class meet more of its entries.
pub(super) fn meet(found: &mut [u64], shape: &Shape, draws: u64) {
    if shape.window.is_some() {
        if let Some(found) = found.first_mut() {
            *found += draws;
        }
        return;
    }
    for (found, class) in found.iter_mut().zip(&shape.classes) {
        *found = fixed::met(*found, class.entries, fixed::of(draws, class.chance));
    }
}

/// One run out of a newer and an older one.
pub(super) fn merged(shape: &Shape, newer: &Entries, older: &Entries) -> Entries {
    if shape.window.is_some() {
        // A deletion meets the value that it deletes, and stays for what lies deeper.
        let values = older.count().saturating_sub(older.deletions);
        let gone = (newer.deletions + newer.repeated).min(values);
        let count = newer.count() + older.count() - gone;
        let deletions = (newer.deletions + older.deletions).min(count);
        let repeated = (newer.repeated + older.repeated).saturating_sub(gone);
        return Entries { found: vec![count], deletions, more: newer.more + older.more, repeated };
    }
    let mut found = Vec::with_capacity(newer.found.len());
    let mut common = 0;
    for ((new, old), class) in newer.found.iter().zip(&older.found).zip(&shape.classes) {
        let both = fixed::of(*old, fixed::share(*new, class.entries));
        common += both;
        found.push(new + old - both);
    }
    let older_count = older.count();
    let stays = |value: u64| value - fixed::scaled(value, common.min(older_count), older_count);
    let more = match shape.kind {
        // What both have of a list is one list; what was the older one's first element is one more.
        Kind::List => {
            let deleted = fixed::share(newer.deletions, newer.count().max(1));
            let joined = common * (shape.value() + 1);
            newer.more + older.more + joined
                - fixed::of(joined, deleted)
                - fixed::of(fixed::scaled(older.more, common.min(older_count), older_count), deleted)
        }
        _ => 0,
    };
    let count = found.iter().sum();
    Entries { found, deletions: (newer.deletions + stays(older.deletions)).min(count), more, repeated: 0 }
}

/// What stays and what moves a level down.
pub(super) fn split(entries: &Entries, moves: u64) -> (Entries, Entries) {
    let part = |value: u64| fixed::of(value, moves);
    let moved = Entries {
        found: entries.found.iter().map(|found| part(*found)).collect(),
        deletions: part(entries.deletions),
        more: part(entries.more),
        repeated: part(entries.repeated),
    };
    let stays = Entries {
        found: entries.found.iter().zip(&moved.found).map(|(all, moved)| all - moved).collect(),
        deletions: entries.deletions - moved.deletions,
        more: entries.more - moved.more,
        repeated: entries.repeated - moved.repeated,
    };
    (stays, moved)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::repro::predict::Release;
    use crate::repro::predict::tests::{settings, workload};

    fn shape(fields: &str) -> Shape {
        let workload = workload(&format!(
            "operators: [{{name: o, states: [{{name: s, value-size: 100, {fields}}}]}}]\nphases: [{{records: 1, do: {{s: \
             {{write: 1}}}}}}]"
        ));
        Shape::new(&workload.operators[0].states[0], &settings(None), Release::R8)
    }

    fn entries(count: u64, deletions: u64) -> Entries {
        Entries { found: vec![count], deletions, ..Entries::default() }
    }

    #[test]
    fn two_halves_of_all_keys_have_a_quarter_in_common() {
        let both = merged(&shape("keys: 1000"), &entries(500, 0), &entries(500, 0));
        assert_eq!(both.count(), 750);
    }

    #[test]
    fn in_a_sequence_a_deletion_takes_what_it_deletes() {
        let shape = shape("keys: 1m, order: sequence 100");
        let both = merged(&shape, &entries(1_000, 500), &entries(800, 0));
        assert_eq!((both.count(), both.deletions), (1_300, 500));
    }

    #[test]
    fn what_stays_and_what_moves_is_all() {
        let (stays, moves) = split(&entries(1_001, 77), fixed::ONE / 3);
        assert_eq!(stays.count() + moves.count(), 1_001);
        assert_eq!(stays.deletions + moves.deletions, 77);
    }
}
