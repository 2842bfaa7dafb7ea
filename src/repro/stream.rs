//! The accesses of a workload, record by record: which key, which bytes. The same seed gives the same stream everywhere.

use crate::model::{Bytes, Kind, Order, State};

/// Key groups of a job: Flink's default upper bound of parallelism below which a key group takes two bytes
/// (`KeyGroupRangeAssignment`, `CompositeKeySerializationUtils.computeRequiredBytesInKeyGroupPrefix`).
const KEY_GROUPS: u64 = 256;

/// What a key has beside the user's key: the key group before it and the void namespace behind it.
pub const AROUND_A_KEY: Bytes = Bytes::new(3);

/// A map's own key, behind the namespace.
pub const MAP_KEY: Bytes = Bytes::new(8);

/// A timer's time, before its key.
pub const TIMER_TIME: Bytes = Bytes::new(8);

/// What a value has before it in a state with a time to live: the last access.
pub const TTL_STAMP: Bytes = Bytes::new(8);

/// SplitMix64: small, quick, and the same on every machine (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Begins where a seed says.
    pub fn new(seed: u64) -> Chance {
        Chance(mixed(seed ^ 0x6f6f_6d70_6821_2121))
    }

    /// The next 64 bits.
    pub fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// A number below `bound`; 0 where the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_bits()) * u128::from(bound)) >> 64) as u64
    }

    /// How many times something happens now that happens so many millionths of a time.
    pub fn times(&mut self, millionths: u64) -> u64 {
        let (whole, part) = (millionths / 1_000_000, millionths % 1_000_000);
        match part {
            0 => whole,
            _ => whole + u64::from(self.below(1_000_000) < part),
        }
    }

    /// A number in [0, 1).
    fn unit(&mut self) -> f64 {
        (self.next_bits() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The finaliser of SplitMix64: neighbours become strangers, and no two become the same.
fn mixed(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Ranks by Zipf's law, by rejection and inversion (Hörmann and Derflinger 1996): no table, whatever the number of keys.
#[derive(Clone, Debug)]
struct Zipf {
    count: f64,
    /// 1 less the exponent.
    rest: f64,
    high: f64,
    low: f64,
    shift: f64,
}

impl Zipf {
    fn new(count: u64, hundredths: u8) -> Zipf {
        let exponent = f64::from(hundredths) / 100.0;
        let rest = 1.0 - exponent;
        let integral = |x: f64| x.powf(rest) / rest;
        let count = count.max(1) as f64;
        let inverse = |y: f64| (y * rest).powf(1.0 / rest);
        let shift = 2.0 - inverse(integral(2.5) - 2.0_f64.powf(-exponent));
        Zipf { count, rest, high: integral(count + 0.5), low: integral(1.5) - 1.0, shift }
    }

    /// A rank from 0.
    fn rank(&self, chance: &mut Chance) -> u64 {
        let exponent = 1.0 - self.rest;
        loop {
            let y = self.high + chance.unit() * (self.low - self.high);
            let x = (y * self.rest).powf(1.0 / self.rest);
            let k = x.round().clamp(1.0, self.count);
            let integral = |x: f64| x.powf(self.rest) / self.rest;
            if k - x <= self.shift || y >= integral(k + 0.5) - k.powf(-exponent) {
                return k as u64 - 1;
            }
        }
    }
}

/// Which keys a state's accesses meet.
#[derive(Clone, Debug)]
pub struct Chooser {
    order: Order,
    keys: u64,
    zipf: Option<Zipf>,
}

impl Chooser {
    /// For a state.
    pub fn new(state: &State) -> Chooser {
        let zipf = match state.order {
            Order::Zipf { exponent } => Some(Zipf::new(state.keys, exponent)),
            _ => None,
        };
        Chooser { order: state.order, keys: state.keys.max(1), zipf }
    }

    /// The key that record `n` writes.
    pub fn written(&self, n: u64, chance: &mut Chance) -> u64 {
        match self.order {
            Order::Sequence { .. } => n % self.keys,
            _ => self.any(chance),
        }
    }

    /// The key that record `n` reads or walks over; in a sequence, one that waits.
    pub fn met(&self, n: u64, chance: &mut Chance) -> u64 {
        match self.order {
            Order::Sequence { window } => (n - chance.below(window.min(n + 1))) % self.keys,
            _ => self.any(chance),
        }
    }

    /// The key that record `n` deletes; in a sequence, that whose wait is over, and none before there is one.
    pub fn deleted(&self, n: u64, chance: &mut Chance) -> Option<u64> {
        match self.order {
            Order::Sequence { window } => n.checked_sub(window).map(|n| n % self.keys),
            _ => Some(self.any(chance)),
        }
    }

    fn any(&self, chance: &mut Chance) -> u64 {
        match &self.zipf {
            // The rank is spread over the keys, so that the hottest do not lie in one block.
            Some(zipf) => (u128::from(zipf.rank(chance)) * 2_654_435_761 % u128::from(self.keys)) as u64,
            None => chance.below(self.keys),
        }
    }
}

/// Writes the bytes of a key into `buffer`, which is emptied first: the key group, the user's key, the void namespace.
pub fn key(buffer: &mut Vec<u8>, key_size: Bytes, id: u64) {
    buffer.clear();
    let spread = mixed(id);
    buffer.extend_from_slice(&((spread % KEY_GROUPS) as u16).to_be_bytes());
    user_key(buffer, key_size, spread);
    buffer.push(0);
}

/// The same for an entry of a map.
pub fn map_key(buffer: &mut Vec<u8>, key_size: Bytes, id: u64, entry: u32) {
    key(buffer, key_size, id);
    buffer.extend_from_slice(&u64::from(entry).to_be_bytes());
}

/// The same for a timer: the key group, the time, the key.
pub fn timer_key(buffer: &mut Vec<u8>, key_size: Bytes, id: u64, due: u64) {
    buffer.clear();
    let spread = mixed(id);
    buffer.extend_from_slice(&((spread % KEY_GROUPS) as u16).to_be_bytes());
    buffer.extend_from_slice(&due.to_be_bytes());
    user_key(buffer, key_size, spread);
    buffer.push(0);
}

/// What all keys of a state begin with: identifiers of one kind share a prefix, and tell themselves apart at their end.
/// Within a block RocksDB keeps it once; in an index block each entry has it.
const SHARED: &[u8] = b"urn:example:orders:customer:";

/// Keys are spread over the whole range behind what they share, as hashed identifiers are, and no two are the same: their
/// last 8 bytes differ.
fn user_key(buffer: &mut Vec<u8>, key_size: Bytes, spread: u64) {
    let mut shared = (key_size.get() as usize).saturating_sub(8);
    // Piece by piece, and not byte by byte: that would take a twentieth of what RocksDB takes to write it.
    while shared > 0 {
        let piece = SHARED.get(..shared).unwrap_or(SHARED);
        buffer.extend_from_slice(piece);
        shared -= piece.len();
    }
    buffer.extend_from_slice(&spread.to_be_bytes());
}

/// Where values are cut from: random bytes once, in place of a generator for each byte.
#[derive(Debug)]
pub struct Material(Vec<u8>);

impl Material {
    /// A MiB of random bytes.
    pub fn new(seed: u64) -> Material {
        let mut chance = Chance::new(seed);
        let mut bytes = Vec::with_capacity(1 << 20);
        while bytes.len() < 1 << 20 {
            bytes.extend_from_slice(&chance.next_bits().to_le_bytes());
        }
        Material(bytes)
    }

    /// So many random bytes.
    pub fn piece(&self, bytes: usize) -> Vec<u8> {
        self.0.iter().copied().cycle().take(bytes).collect()
    }

    /// Writes a value of this state behind what is in `buffer`: random bytes, then as many zeros as compression is to take
    /// away.
    pub fn value(&self, buffer: &mut Vec<u8>, state: &State, chance: &mut Chance) {
        let (least, most) = (state.value_least.get(), state.value_most.get());
        let size = least + chance.below(most - least + 1);
        let random = size - size * u64::from(state.compressible) / 100;
        let mut left = random as usize;
        while left > 0 {
            let piece = left.min(self.0.len() / 2);
            let from = chance.below((self.0.len() - piece) as u64) as usize;
            buffer.extend_from_slice(self.0.get(from..from + piece).unwrap_or_default());
            left -= piece;
        }
        buffer.resize(buffer.len() + (size - random) as usize, 0);
    }
}

/// Bytes of one entry's key as it lies in RocksDB.
pub fn stored_key(state: &State) -> Bytes {
    let beside = match state.kind {
        Kind::Value | Kind::List => 0,
        Kind::Map { .. } => MAP_KEY.get(),
        Kind::Timers => TIMER_TIME.get(),
    };
    Bytes::new(AROUND_A_KEY.get() + state.key_size.get() + beside)
}

/// Bytes of one entry's value as it lies in RocksDB, on average.
pub fn stored_value(state: &State) -> Bytes {
    let stamp = if state.ttl.is_some() { TTL_STAMP.get() } else { 0 };
    Bytes::new((state.value_least.get() + state.value_most.get()).div_ceil(2) + stamp)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use std::collections::BTreeSet;

    use super::*;
    use crate::repro::workload;

    fn state(order: &str, keys: &str) -> State {
        let text = format!(
            "operators: [{{name: o, states: [{{name: s, keys: {keys}, value-size: 100, order: {order}}}]}}]\nphases: \
             [{{records: 1, do: {{s: {{write: 1}}}}}}]"
        );
        workload::parse("w", &text).unwrap().operators.remove(0).states.remove(0)
    }

    #[test]
    fn the_same_seed_gives_the_same_stream() {
        let draw =
            |seed| (0..100).map(|_| 0).scan(Chance::new(seed), |c, _: i32| Some(c.next_bits())).collect::<Vec<_>>();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn keys_have_their_size_and_no_two_are_the_same() {
        let mut buffer = Vec::new();
        let mut seen = BTreeSet::new();
        for id in 0..50_000 {
            key(&mut buffer, Bytes::new(20), id);
            assert_eq!(buffer.len(), 23);
            assert!(seen.insert(buffer.clone()));
        }
    }

    #[test]
    fn keys_share_what_they_begin_with_over_and_over() {
        let of_size = |size: u64| {
            let mut buffer = Vec::new();
            key(&mut buffer, Bytes::new(size), 1);
            buffer.split_off(2)
        };
        let end = &of_size(8)[..8];
        for size in [8, 9, 36, 37, 64, 100] {
            let shared = SHARED.iter().copied().cycle().take(size - 8);
            let wanted: Vec<u8> = shared.chain(end.iter().copied()).chain([0]).collect();
            assert_eq!(of_size(size as u64), wanted, "{size}");
        }
    }

    #[test]
    fn zipf_meets_few_keys_most_of_the_time_and_uniform_meets_all_alike() {
        let share_of_top_hundredth = |order: &str| {
            let chooser = Chooser::new(&state(order, "10k"));
            let mut chance = Chance::new(5);
            let mut times = vec![0_u64; 10_000];
            (0..200_000).for_each(|n| times[chooser.met(n, &mut chance) as usize] += 1);
            times.sort_unstable_by(|a, b| b.cmp(a));
            times[..100].iter().sum::<u64>() * 100 / 200_000
        };
        // The hundred most frequent of 10,000 with exponent 0.99: H(100) over H(10,000) is 0.53.
        assert!((50..=56).contains(&share_of_top_hundredth("zipf 0.99")));
        assert!(share_of_top_hundredth("uniform") < 3);
    }

    #[test]
    fn a_sequence_writes_each_key_once_reads_those_that_wait_and_deletes_them_at_the_end() {
        let chooser = Chooser::new(&state("sequence 100", "1m"));
        let mut chance = Chance::new(1);
        for n in 0..1_000 {
            assert_eq!(chooser.written(n, &mut chance), n);
            let met = chooser.met(n, &mut chance);
            assert!(met <= n && met + 100 > n);
            assert_eq!(chooser.deleted(n, &mut chance), n.checked_sub(100));
        }
    }

    #[test]
    fn a_value_has_its_size_and_as_many_zeros_as_asked() {
        let material = Material::new(3);
        let mut chance = Chance::new(3);
        let mut buffer = Vec::new();
        material.value(&mut buffer, &state("uniform", "1"), &mut chance);
        assert_eq!(buffer.len(), 100);
        assert!(buffer[50..].iter().all(|byte| *byte == 0) && buffer[..50].iter().any(|byte| *byte != 0));
    }

    #[test]
    fn chances_come_as_often_as_they_say() {
        let mut chance = Chance::new(9);
        let times: u64 = (0..100_000).map(|_| chance.times(1_250_000)).sum();
        assert!((124_000..126_000).contains(&times), "{times}");
    }
}
