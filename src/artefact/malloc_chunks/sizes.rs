//! How many chunks there are of each size.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::header::HEADER;

/// Up to here every size has its place: glibc's first threshold for mappings (`DEFAULT_MMAP_THRESHOLD_MIN`, 128 KiB).
const PLACES: u64 = 128 << 10;
/// Larger sizes that are told apart.
const LARGE: usize = 8192;

/// Chunks of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub chunks: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Of those, the resident ones.
    pub resident: u64,
}

impl Tally {
    /// Some of a number of chunks of one size: `chunks` of them, with their share of the resident bytes.
    pub fn part(self, chunks: u64) -> Tally {
        if chunks >= self.chunks {
            return self;
        }
        let share = |bytes: u64| {
            let part = u128::from(bytes) * u128::from(chunks) / u128::from(self.chunks.max(1));
            u64::try_from(part).unwrap_or(bytes)
        };
        Tally { chunks, bytes: share(self.bytes), resident: share(self.resident) }
    }

    /// The sum of two.
    pub fn add(&mut self, other: Tally) {
        self.chunks = self.chunks.saturating_add(other.chunks);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.resident = self.resident.saturating_add(other.resident);
    }

    /// This less another, which is part of it.
    pub fn less(self, other: Tally) -> Tally {
        Tally {
            chunks: self.chunks.saturating_sub(other.chunks),
            bytes: self.bytes.saturating_sub(other.bytes),
            resident: self.resident.saturating_sub(other.resident),
        }
    }
}

/// Chunks by their size. Sizes are exact, but for those above 128 KiB beyond the first 8192 different ones: they are kept in
/// bands that double, under the lower end of their band.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// By size in units of 16 bytes: a number and resident bytes. Empty before the first chunk.
    small: Vec<(u64, u64)>,
    large: BTreeMap<u64, Tally>,
    bands: BTreeMap<u64, Tally>,
}

impl Sizes {
    pub(super) fn count(&mut self, size: u64, resident: u64) {
        if size > PLACES || !size.is_multiple_of(HEADER) {
            self.add(size, Tally { chunks: 1, bytes: size, resident });
            return;
        }
        if self.small.is_empty() {
            self.small.resize(PLACES as usize / HEADER as usize + 1, (0, 0));
        }
        if let Some((chunks, bytes)) = self.small.get_mut((size / HEADER) as usize) {
            *chunks += 1;
            *bytes += resident;
        }
    }

    fn add(&mut self, size: u64, tally: Tally) {
        let full = self.large.len() >= LARGE && !self.large.contains_key(&size);
        let place = if full { self.bands.entry(1 << size.max(1).ilog2()) } else { self.large.entry(size) };
        place.or_default().add(tally);
    }

    pub(super) fn add_all(&mut self, other: &Sizes) {
        if self.small.is_empty() {
            self.small.clone_from(&other.small);
        } else {
            for (ours, theirs) in self.small.iter_mut().zip(&other.small) {
                ours.0 += theirs.0;
                ours.1 += theirs.1;
            }
        }
        for (size, tally) in &other.large {
            self.add(*size, *tally);
        }
        for (band, tally) in &other.bands {
            self.bands.entry(*band).or_default().add(*tally);
        }
    }

    /// Chunks of exactly this size, headers included.
    pub fn of(&self, size: u64) -> Tally {
        self.between(size..=size)
    }

    /// Chunks of these sizes, headers included.
    pub fn between(&self, sizes: RangeInclusive<u64>) -> Tally {
        self.iter().filter(|(size, _)| sizes.contains(size)).fold(Tally::default(), |mut sum, (_, tally)| {
            sum.add(tally);
            sum
        })
    }

    /// All chunks.
    pub fn total(&self) -> Tally {
        self.between(0..=u64::MAX)
    }

    /// Every size that there is, with its chunks: exact sizes upwards, then the bands under their lower ends.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Tally)> {
        let small = (0_u64..).step_by(HEADER as usize).zip(&self.small).filter(|(_, (chunks, _))| *chunks > 0);
        let small = small.map(|(size, (chunks, resident))| {
            (size, Tally { chunks: *chunks, bytes: chunks.saturating_mul(size), resident: *resident })
        });
        small.chain(self.large.iter().chain(&self.bands).map(|(size, tally)| (*size, *tally)))
    }

    /// Whether every size is exact.
    pub fn is_exact(&self) -> bool {
        self.bands.is_empty()
    }
}
