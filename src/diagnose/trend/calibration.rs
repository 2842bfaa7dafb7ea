//! How often the verdicts are wrong: over seeded series whose truth is known.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::model::Measure;

/// Steele, Lea and Flood's generator, which needs no more than a number.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// Between 0 and 1.
    fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Twelve uniform numbers less their mean are normal enough, and no function of the platform's is in them.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

const LEVEL: f64 = 1e9;

/// A first-order process around zero with a standard deviation of 1, begun anywhere.
fn noise(seed: u64, length: usize, memory: f64) -> Vec<f64> {
    let mut random = SplitMix(seed);
    let mut now = random.normal();
    let step = (1.0 - memory * memory).sqrt();
    (0..length)
        .map(|_| {
            now = memory * now + step * random.normal();
            now
        })
        .collect()
}

/// One look in ten seconds.
fn series(values: impl IntoIterator<Item = f64>) -> Series {
    let start = Timestamp::from_second(1_763_754_000).unwrap();
    let point = |(index, value): (usize, f64)| Point {
        at: start.checked_add(SignedDuration::from_secs(10 * i64::try_from(index).unwrap())).unwrap(),
        value: value.round() as u64,
        life: 0,
    };
    Series::of_points(Measure::Rss, values.into_iter().enumerate().map(point).collect(), 0)
}

/// What is called growing of series of so many looks, which scatter by 2 % of the level and rise by so many times that:
/// in percent of seeds.
fn growing(seeds: u64, length: usize, memory: f64, rise: f64) -> f64 {
    let value = |(index, noise): (usize, f64)| LEVEL * (1.0 + 0.02 * (noise + rise * index as f64 / length as f64));
    let values = |seed: u64| noise(seed * 7919 + length as u64, length, memory).into_iter().enumerate().map(value);
    let count = (0..seeds).filter(|seed| series(values(*seed)).trend().unwrap().is_growing()).count();
    count as f64 * 100.0 / seeds as f64
}

#[test]
fn at_most_one_flat_series_in_twenty_is_called_growing() {
    for length in [12, 23, 30, 120] {
        let row = [0.0, 0.5, 0.8, 0.9, 0.95].map(|memory| (memory, growing(200, length, memory, 0.0)));
        assert!(row.iter().all(|(_, share)| *share <= 5.0), "{length} looks: {row:?}");
    }
}

#[test]
fn what_grows_by_eight_times_its_scatter_is_found() {
    for (length, least) in [(30, 80.0), (120, 95.0)] {
        for memory in [0.0, 0.5] {
            let found = growing(60, length, memory, 8.0);
            assert!(found >= least, "{found} % of {length} looks with a memory of {memory}");
        }
    }
}

#[test]
fn the_interval_holds_the_true_slope() {
    // 2 % of the level in the time of 100 looks, over noise of the same size.
    let expected = LEVEL * 0.02 / 1000.0;
    for memory in [0.0, 0.5, 0.8] {
        let holds = |seed: &u64| {
            let values = noise(*seed, 100, memory).into_iter().enumerate();
            let slope = series(values.map(|(index, noise)| LEVEL * (1.0 + 0.02 * (noise + index as f64 / 100.0))));
            slope.trend().unwrap().slope.is_some_and(|slope| slope.low <= expected && expected <= slope.high)
        };
        let held = (0..200).filter(holds).count();
        assert!(held >= 186, "{held} of 200 with a memory of {memory}");
    }
}
