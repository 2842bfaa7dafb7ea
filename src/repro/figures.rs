//! Figures that follow from what was seen of a run: whether a prediction held, how often data was written, which part of
//! memory is whose at a moment.

use std::fmt;

use super::outcome::{Ending, Moment, Run};
use super::prediction::{Band, Part, Predicted};
use crate::model::{Bytes, Limit, Progress};

/// Where a measured size lies beside what was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Below the band.
    Below,
    /// Within it, its ends included.
    Within,
    /// Above it.
    Above,
}

impl Band {
    /// Where a measured size lies.
    pub fn place(&self, measured: Bytes) -> Place {
        if measured < self.low {
            Place::Below
        } else if measured > self.high {
            Place::Above
        } else {
            Place::Within
        }
    }
}

/// A ratio in hundredths: 123 is 1.23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hundredths(pub u64);

impl Hundredths {
    /// The ratio of two sizes, rounded to the nearer hundredth; nothing where the second is zero.
    pub fn of(size: Bytes, to: Bytes) -> Option<Hundredths> {
        let (size, to) = (u128::from(size.get()), u128::from(to.get()));
        let ratio = (size * 200 + to).checked_div(to * 2)?;
        u64::try_from(ratio).ok().map(Hundredths)
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

/// What one moment's anonymous memory is made of. The layers add up to it: what RocksDB counts but no page backs, since it
/// was never touched, is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layers {
    /// Blocks in the caches, memtables that are charged to them left out.
    pub blocks: Bytes,
    /// Memtables.
    pub memtables: Bytes,
    /// Index and filter blocks outside of the caches.
    pub readers: Bytes,
    /// What the allocator keeps free.
    pub kept: Bytes,
    /// Everything else.
    pub rest: Bytes,
}

impl Layers {
    /// All of them.
    pub fn sum(&self) -> Bytes {
        let all = [self.blocks, self.memtables, self.readers, self.kept, self.rest];
        Bytes::new(all.iter().fold(0, |sum, layer| sum.saturating_add(layer.get())))
    }
}

impl Moment {
    /// What the anonymous memory of the worker is made of; nothing where the worker had not said anything yet. Memtables
    /// are `charged` to the caches where instances share a pool, whose write-buffer manager does that
    /// (RocksDB `memory/write_buffer_manager.cc`, `ReserveMemWithCache`).
    pub fn layers(&self, charged: bool) -> Option<Layers> {
        let said = self.said.as_ref()?;
        let usage = said.cache_usage.iter().fold(0_u64, |sum, usage| sum.saturating_add(*usage));
        let blocks = if charged { usage.saturating_sub(said.memtables) } else { usage };
        let mut left = self.anonymous.get();
        let mut take = |wanted: u64| {
            let taken = wanted.min(left);
            left -= taken;
            Bytes::new(taken)
        };
        let (blocks, memtables, readers, kept) =
            (take(blocks), take(said.memtables), take(said.table_readers), take(said.kept));
        Some(Layers { blocks, memtables, readers, kept, rest: Bytes::new(left) })
    }

    /// Anonymous memory that counts against the limit: that of the whole group, where there is one.
    pub fn counted_anonymous(&self) -> Bytes {
        self.group_anonymous.unwrap_or(self.anonymous).max(self.anonymous)
    }
}

impl Run {
    /// Bytes that flushes and compactions wrote for each byte of the workload; nothing where RocksDB's LOG was not read or
    /// nothing was written.
    pub fn write_amplification(&self) -> Option<Hundredths> {
        self.written_to_files.and_then(|written| Hundredths::of(written, self.written_by_workload))
    }

    /// What its memory may be at most.
    pub fn limit(&self) -> Option<Bytes> {
        match self.experiment.limit {
            Limit::AtMost(limit) => Some(limit),
            Limit::Unlimited => None,
        }
    }

    /// What the worker said last.
    pub fn last_said(&self) -> Option<&Progress> {
        self.moments.iter().rev().find_map(|moment| moment.said.as_ref())
    }

    /// Records that were taken in a second, by what the worker said last; nothing where the workload has no records.
    pub fn records_per_second(&self) -> Option<u64> {
        if self.experiment.workload.operators.is_empty() {
            return None;
        }
        let said = self.last_said()?;
        u64::try_from((u128::from(said.records) * 1000).checked_div(u128::from(said.millis))?).ok()
    }

    /// The most that the kernel counted against the limit at a look.
    pub fn peak_usage(&self) -> Option<Bytes> {
        self.moments.iter().filter_map(|moment| moment.usage).max()
    }

    /// Whether everything was done.
    pub fn is_finished(&self) -> bool {
        self.ending == Ending::Finished
    }

    /// What was seen of a part.
    pub fn measured_of(&self, part: Part) -> Option<&super::outcome::Measured> {
        self.measured.iter().find(|(known, _)| *known == part).map(|(_, measured)| measured)
    }

    /// What was predicted of a part.
    pub fn predicted_of(&self, part: Part) -> Option<&Predicted> {
        self.prediction.as_ref()?.parts.iter().find(|predicted| predicted.part == part)
    }
}

/// At most so many of the moments: the first, the last, and of each stretch between them those in which the most anonymous
/// memory was taken and the most was counted, so that no peak is lost.
pub fn thinned(moments: &[Moment], most: usize) -> Vec<&Moment> {
    if moments.len() <= most {
        return moments.iter().collect();
    }
    let stretches = most.saturating_sub(2) / 2;
    let (Some(end), true) = (moments.len().checked_sub(1), stretches > 0) else { return Vec::new() };
    let bound = |stretch: usize| 1 + stretch * (end - 1) / stretches;
    let mut kept = vec![0, end];
    for stretch in 0..stretches {
        let within = bound(stretch)..bound(stretch + 1);
        kept.extend(within.clone().max_by_key(|at| moments[*at].counted_anonymous()));
        kept.extend(within.max_by_key(|at| moments[*at].usage));
    }
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|at| &moments[at]).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, 1, Some("0.00"))]
    #[case(10, 3, Some("3.33"))]
    #[case(1, 200, Some("0.01"))]
    #[case(1, 201, Some("0.00"))]
    #[case(7, 0, None)]
    #[case(u64::MAX, u64::MAX, Some("1.00"))]
    fn a_ratio_has_two_decimals(#[case] size: u64, #[case] to: u64, #[case] shown: Option<&str>) {
        let ratio = Hundredths::of(Bytes::new(size), Bytes::new(to));
        assert_eq!(ratio.map(|ratio| ratio.to_string()).as_deref(), shown);
    }

    #[rstest]
    #[case(9, Place::Below)]
    #[case(10, Place::Within)]
    #[case(30, Place::Within)]
    #[case(31, Place::Above)]
    fn the_ends_of_a_band_lie_in_it(#[case] measured: u64, #[case] place: Place) {
        let band = Band { low: Bytes::new(10), expected: Bytes::new(20), high: Bytes::new(30) };
        assert_eq!(band.place(Bytes::new(measured)), place);
    }

    #[test]
    fn memtables_that_are_charged_to_a_cache_are_counted_once() {
        let said =
            Progress { cache_usage: vec![60, 40], memtables: 30, table_readers: 5, kept: 7, ..Progress::default() };
        let moment = Moment { anonymous: Bytes::new(150), said: Some(said), ..Moment::default() };
        let charged = moment.layers(true).unwrap();
        assert_eq!((charged.blocks.get(), charged.memtables.get(), charged.rest.get()), (70, 30, 38));
        assert_eq!(moment.layers(false).unwrap().blocks.get(), 100);
    }

    proptest! {
        #[test]
        fn layers_add_up_to_the_anonymous_memory(
            anonymous in any::<u64>(), cache in any::<u64>(), memtables in any::<u64>(), kept in any::<u64>(),
        ) {
            let said = Progress { cache_usage: vec![cache, cache], memtables, kept, ..Progress::default() };
            let moment = Moment { anonymous: Bytes::new(anonymous), said: Some(said), ..Moment::default() };
            prop_assert_eq!(moment.layers(true).map(|layers| layers.sum()), Some(Bytes::new(anonymous)));
        }

        #[test]
        fn thinning_keeps_both_ends_and_the_peak(sizes in proptest::collection::vec(any::<(u64, u64)>(), 0..300), most in 4usize..50) {
            let moment = |((anonymous, usage), millis): (&(u64, u64), u64)| Moment {
                millis,
                anonymous: Bytes::new(*anonymous),
                usage: Some(Bytes::new(*usage)),
                ..Moment::default()
            };
            let moments: Vec<Moment> = sizes.iter().zip(0..).map(moment).collect();
            let kept = thinned(&moments, most);
            prop_assert!(kept.len() <= most);
            prop_assert_eq!(kept.first().copied(), moments.first());
            prop_assert_eq!(kept.last().copied(), moments.last());
            let peak = |moment: &Moment| moment.anonymous;
            prop_assert_eq!(kept.iter().copied().map(peak).max(), moments.iter().map(peak).max());
            prop_assert_eq!(kept.iter().map(|moment| moment.usage).max(), moments.iter().map(|moment| moment.usage).max());
            prop_assert!(kept.windows(2).all(|two| two[0].millis < two[1].millis));
        }
    }
}
