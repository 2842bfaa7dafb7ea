//! How large an entry of a state is: in a memtable, in a block, in a file.

use crate::model::{Kind, Order, State, StoreSettings};
use crate::repro::stream;

use super::fixed::{self, ONE};
use super::release::Release;

/// Entries that are met alike often: so many of them, with so much of all accesses (in 2^-32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class {
    /// How many.
    pub entries: u64,
    /// How much of the accesses they take together.
    pub chance: u64,
}

/// A state as RocksDB sees it: one column family of one instance.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Bytes of a key.
    key: u64,
    /// Bytes of a value, on average.
    value: u64,
    /// What compression leaves of it.
    kept: u64,
    /// Bytes by which neighbours in a file differ less what depends on their number: see `unshared`.
    tail: u64,
    /// Entries of a key.
    pub entries: u64,
    /// What kind it is.
    pub kind: Kind,
    /// A sequence's window, in records.
    pub window: Option<u64>,
    /// Its entries by how often they are met; one class without end where it is a sequence.
    pub classes: Vec<Class>,
    /// Records of its own until an entry expires.
    pub ttl: Option<u64>,
    /// States alike: the records take them one after another, so that each has its own count of records.
    pub copies: u64,
    /// Entries that an iteration steps over.
    pub walked: u64,
    /// Iterators that stay open.
    pub held: u64,
    block: u64,
    snappy: bool,
    bloom_bits: u64,
    release: Release,
}

/// Key groups: keys of one begin with the same two bytes (`crate::repro::stream`).
const KEY_GROUPS: u64 = 256;
/// Zero bytes in a value cost Snappy 3 bytes for every 64 (`snappy.cc`, `EmitCopy`).
const ZEROS_COST: (u64, u64) = (3, 64);
/// Entries between two full keys in a block (`BlockBasedTableOptions::block_restart_interval`).
const RESTART_INTERVAL: u64 = 16;
/// A block of which compression takes less than an eighth is kept as it is (`table/block_based/block_based_table_builder.cc`,
/// `GoodCompressionRatio`).
const GOOD_COMPRESSION: (u64, u64) = (7, 8);

/// How entries lie in the blocks of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Blocks {
    /// How many.
    pub count: u64,
    /// What each takes in memory when it is charged to the cache.
    pub charge: u64,
    /// What it takes with what is not charged.
    pub memory: u64,
    /// The bytes of all as they lie in the file.
    pub stored: u64,
    /// The index in memory.
    pub index: u64,
    /// The filter.
    pub filter: u64,
    /// Before compression.
    pub raw: u64,
}

impl Shape {
    /// Of a state.
    pub fn new(state: &State, store: &StoreSettings, release: Release) -> Shape {
        let value = stream::stored_value(state).get();
        let taken = value * u64::from(state.compressible) / 100;
        let kept = if store.snappy { value - taken + taken * ZEROS_COST.0 / ZEROS_COST.1 } else { value };
        let entries = match state.kind {
            Kind::Map { entries } => u64::from(entries.max(1)),
            _ => 1,
        };
        let window = match state.order {
            Order::Sequence { window } => Some(window),
            _ => None,
        };
        let tail = match state.kind {
            // The last 8 bytes of a user key, the namespace.
            Kind::Value | Kind::List => 9,
            // Neighbours of one key differ in the last byte or two of the map's own key.
            Kind::Map { .. } => 17,
            // The low bytes of the time, then the whole key.
            Kind::Timers => state.key_size.get() + 9,
        };
        Shape {
            key: stream::stored_key(state).get(),
            value,
            kept,
            tail,
            entries,
            kind: state.kind,
            window,
            classes: classes(state, entries),
            ttl: state.ttl.map(|ttl| (ttl / u64::from(state.copies.max(1))).max(1)),
            copies: u64::from(state.copies.max(1)),
            walked: state.walked.unwrap_or(entries).min(entries).max(1),
            held: u64::from(state.held),
            block: store.block_size.get().max(1),
            snappy: store.snappy,
            bloom_bits: u64::from(store.bloom_bits.unwrap_or(0)),
            release,
        }
    }

    /// Entries that there are at most.
    pub fn population(&self) -> u64 {
        self.classes.iter().fold(0, |sum: u64, class| sum.saturating_add(class.entries))
    }

    /// Bytes of a value.
    pub fn value(&self) -> u64 {
        self.value
    }

    /// Bytes of a key and a value as they are written.
    pub fn written(&self) -> u64 {
        self.key + self.value
    }

    /// Bytes of an entry in a memtable, thousandfold: lengths as varints, the sequence number, the key, the value; and a
    /// node of the skip list, whose height is 4/3 on average (`db/memtable.cc`, `MemTable::Add`; `memtable/inlineskiplist.h`,
    /// `AllocateNode`; `ConcurrentArena::AllocateAligned` rounds to 8).
    pub fn in_memtable(&self, value: bool) -> u64 {
        let value = if value { self.value } else { 0 };
        let encoded = varint(self.key + 8) + self.key + 8 + varint(value) + value;
        (encoded + 8).next_multiple_of(8) * 1000 + 8 * 1000 / 3
    }

    /// Bytes of a key that its neighbour in a sorted run of so many does not share.
    fn unshared(&self, count: u64) -> u64 {
        if self.entries > 1 && count / self.entries.max(1) > 0 && self.population() / count.max(1) < self.entries / 2 {
            // More than two entries of each key lie side by side.
            return 2 + 15 * 2 / self.entries;
        }
        let each = (count / KEY_GROUPS).max(1);
        self.tail.saturating_sub(u64::from(each.ilog2()) / 8).max(1)
    }

    /// How a run of entries lies in blocks: so many with values, so many deletions, and what lists hold beyond one element.
    pub fn blocks(&self, values: u64, deletions: u64, more: u64) -> Blocks {
        let count = values + deletions;
        if count == 0 {
            return Blocks::default();
        }
        let unshared = self.unshared(count);
        let value = fixed::scaled(self.value, values, count) + more / count;
        let entry = 2 + varint(value) + unshared + 8 + value;
        let restarts =
            |entries: u64| (entries.div_ceil(RESTART_INTERVAL)) * (4 + self.key.saturating_sub(unshared)) + 4;
        // A block is closed where it is full, or nine tenths full and the next entry would not fit
        // (`table/block_based/flush_block_policy.cc`, `block_size_deviation`).
        let mut each = (self.block * 9 / 10 / entry).max(1);
        while each * entry + restarts(each) < self.block
            && !((each + 1) * entry + restarts(each + 1) > self.block
                && each * entry + restarts(each) > (self.block * 9).div_ceil(10))
        {
            each += 1;
        }
        let size = each * entry + restarts(each);
        let blocks = count.div_ceil(each);
        let kept = fixed::scaled(self.kept, values, count) + fixed::scaled(more, self.kept, self.value) / count;
        let compressed = each * (4 + unshared + 4 + kept) + restarts(each) / 2;
        let well = self.snappy && compressed * GOOD_COMPRESSION.1 < size * GOOD_COMPRESSION.0;
        let (stored, loaded) = if well { (compressed, size) } else { (size, size + 5) };
        let raw = fixed::scaled(size, count, each);
        let used = loaded.next_multiple_of(16) + 8;
        let charge = used + self.release.charged_beside_block();
        let separator = self.key.saturating_sub(self.tail) + self.tail.saturating_sub(unshared) + 1;
        Blocks {
            count: blocks,
            charge,
            memory: charge + self.release.uncharged_beside_block(),
            stored: fixed::scaled(stored + 5, count, each),
            index: blocks * (separator.min(self.key) + self.release.index_entry()),
            filter: count * self.bloom_bits / 8,
            raw,
        }
    }

    /// Whether files have Bloom filters.
    pub fn has_bloom(&self) -> bool {
        self.bloom_bits > 0
    }
}

fn varint(value: u64) -> u64 {
    u64::from(value.max(1).ilog2()) / 7 + 1
}

/// Divides keys by how often they are met: by Zipf's law into the first, the two after it, the four after those, and so on.
fn classes(state: &State, entries: u64) -> Vec<Class> {
    match state.order {
        Order::Uniform => vec![Class { entries: state.keys.max(1).saturating_mul(entries), chance: ONE }],
        Order::Sequence { .. } => vec![Class { entries: u64::MAX, chance: ONE }],
        Order::Zipf { exponent } => {
            let keys = state.keys.max(1);
            let mut classes: Vec<Class> = Vec::new();
            let (mut first, mut of_first) = (1_u64, ONE << 8);
            while first <= keys {
                let there = first.min(keys - first + 1);
                let part = fixed::scaled(doubling(first, of_first, exponent), there, first);
                classes.push(Class { entries: there.saturating_mul(entries), chance: part });
                (first, of_first) = (first * 2, halved(of_first, u32::from(exponent)));
            }
            let sum: u64 = classes.iter().map(|class| class.chance).sum();
            classes.iter_mut().for_each(|class| class.chance = fixed::share(class.chance, sum));
            classes
        }
    }
}

/// So much divided by two to the power of so many hundredths.
fn halved(value: u64, hundredths: u32) -> u64 {
    let rest = u8::try_from(hundredths % 100).unwrap_or(0);
    fixed::scaled(value >> (hundredths / 100), ONE, fixed::two_to(rest))
}

/// What the ranks from `first` to twice that weigh together, where the first weighs `of_first`: eight pieces, each as its
/// middle, and half of the step down.
fn doubling(first: u64, of_first: u64, exponent: u8) -> u64 {
    /// Binary logarithms of 17/16, 19/16, … 31/16, times 10,000.
    const MIDDLES: [u32; 8] = [875, 2_479, 3_923, 5_236, 6_439, 7_549, 8_580, 9_542];
    if first == 1 {
        return of_first;
    }
    let exponent = u32::from(exponent);
    let middles: u64 = MIDDLES.iter().map(|middle| halved(of_first, (exponent * middle + 5_000) / 10_000)).sum();
    let step = of_first - halved(of_first, exponent);
    fixed::scaled(middles, first, 8) + step / 2
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::repro::predict::tests::{settings, workload};

    fn shape(fields: &str, release: Release) -> Shape {
        let workload = workload(&format!(
            "operators: [{{name: o, states: [{{name: s, {fields}}}]}}]\nphases: [{{records: 1, do: {{s: {{write: 1}}}}}}]"
        ));
        Shape::new(&workload.operators[0].states[0], &settings(None), release)
    }

    #[test]
    fn an_entry_of_a_memtable_has_a_node_and_lengths_around_it() {
        let shape = shape("keys: 1k, value-size: 200", Release::R8);
        // Key 19 and 8 and a byte of length, value 200 and 2: 230, with the node 238, rounded to 240, and 8/3 of pointers.
        assert_eq!(shape.in_memtable(true), 242_666);
    }

    #[test]
    fn a_block_of_small_entries_is_nearly_its_size() {
        let shape = shape("keys: 1m, value-size: 200", Release::R8);
        let blocks = shape.blocks(300_000, 0, 0);
        assert!((16_000..18_500).contains(&blocks.count), "{blocks:?}");
        assert!((3_700..4_700).contains(&blocks.charge), "{blocks:?}");
    }

    #[test]
    fn a_large_value_has_a_block_of_its_own() {
        let shape = shape("keys: 1k, value-size: 20 kb", Release::R8);
        assert_eq!(shape.blocks(1_000, 0, 0).count, 1_000);
    }

    #[test]
    fn classes_take_all_accesses_and_the_first_of_them_most() {
        let classes = shape("keys: 10k, value-size: 9, order: zipf 0.99", Release::R8).classes;
        assert_eq!(classes.iter().map(|class| class.entries).sum::<u64>(), 10_000);
        let sum: u64 = classes.iter().map(|class| class.chance).sum();
        assert!(sum.abs_diff(ONE) < 100, "{sum}");
        // The first 127 ranks of 10,000 with exponent 0.99: H(127) over H(10,000) is 0.543.
        let top: u64 = classes.iter().take(7).map(|class| class.chance).sum();
        assert!((ONE / 100 * 53..ONE / 100 * 56).contains(&top), "{}", top * 100 / ONE);
    }
}
