//! Where a measure goes: robust slopes, the shape of a series, the time to a limit.
//!
//! [`Series::trend`] says what one measure does, and [`Trend::time_to`] when it reaches a limit, if that can be told at all.
//! [`restarts`] tells memory that the allocator keeps after job restarts from a leak. [`Timeline`] holds what is needed
//! for that of any number of looks in memory that does not grow. [`delta`] is for two looks, which show no trend.

pub mod delta;
mod forecast;
pub mod restarts;
mod series;
mod shape;
mod slope;
mod timeline;

#[cfg(test)]
mod calibration;
#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};

pub use forecast::Forecast;
pub use series::{Point, Rate, Series};
pub use slope::Slope;
pub use timeline::Timeline;

/// No verdict is given on fewer points of one life.
pub const FEWEST: usize = 12;

/// What a measure did.
#[derive(Clone, Debug, PartialEq)]
pub struct Trend {
    /// In a word.
    pub verdict: Verdict,
    /// How fast, with its 95 % interval: that of the troughs of a sawtooth, of the last part where that goes another way
    /// than the whole. Nothing with fewer than [`FEWEST`] points.
    pub slope: Option<Slope>,
    /// Where it stands in the end, in the measure's unit: the middle of the last points; the last peak of a sawtooth.
    pub level: u64,
    /// The first point that was looked at.
    pub from: Timestamp,
    /// The last one.
    pub to: Timestamp,
    /// How many points that are; those of other lives of the target are not among them.
    pub points: usize,
}

/// The shape of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It rises, to the end.
    Growing,
    /// It falls, to the end.
    Falling,
    /// It is flat now.
    Plateau {
        /// Since when it is: the beginning, where it never was otherwise.
        since: Timestamp,
        /// How much it changed before, in the measure's unit.
        change: i64,
    },
    /// It rises and falls again and again, as a collected heap or filling buffers do: its troughs count.
    Sawtooth {
        /// How often it rose and fell.
        cycles: usize,
        /// From trough to peak, in the measure's unit: the usual one.
        height: u64,
        /// What the troughs do.
        troughs: Troughs,
    },
    /// It cannot be told.
    Unclear {
        /// Why, as an end to the sentence "not clear: ".
        why: String,
    },
}

/// What the troughs of a sawtooth do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Troughs {
    /// They rise: what is left after each collection becomes more.
    Rising,
    /// They stay.
    Level,
    /// They fall.
    Falling,
    /// They are too few, or too unlike one another, to tell.
    Unclear,
}

impl Trend {
    /// From the first point that was looked at to the last.
    pub fn span(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }

    /// Whether it will reach any limit above it, if nothing changes.
    pub fn is_growing(&self) -> bool {
        matches!(self.verdict, Verdict::Growing | Verdict::Sawtooth { troughs: Troughs::Rising, .. })
    }
}

impl Series {
    /// What the measure did in the last life of the target that has [`FEWEST`] points; a counter is judged by its rates.
    /// Nothing of an empty series.
    pub fn trend(&self) -> Option<Trend> {
        let points: Vec<(Timestamp, f64, u32)> = match self.measure.is_counter() {
            true => self.rates().iter().map(|rate| (rate.at, rate.per_second, rate.life)).collect(),
            false => self.points().iter().map(|point| (point.at, point.value as f64, point.life)).collect(),
        };
        let lives: Vec<&[(Timestamp, f64, u32)]> = points.chunk_by(|one, next| one.2 == next.2).collect();
        let long_enough = lives.iter().rfind(|life| life.len() >= FEWEST);
        shape::trend(long_enough.or(lives.last())?)
    }
}
