//! Any number of looks in memory that does not grow.

use jiff::Timestamp;

use super::series::{Lives, Point, Series, value};
use crate::model::{Measure, Observations};

/// What was seen over time, thinned out evenly as it becomes more: when it is full every other look is dropped, and from
/// then on only every other one is kept. The latest look is always there.
///
/// A look of 62 measures takes 1 KB: one of 360 looks (an hour at one in 10 s before it is thinned out) has 0.4 MB.
#[derive(Clone, Debug)]
pub struct Timeline {
    capacity: usize,
    /// One of so many looks is kept.
    every: u64,
    met: u64,
    lives: Lives,
    measures: Vec<Measure>,
    kept: Vec<Row>,
    latest: Option<(Row, Observations)>,
}

/// A look: a value for each of the measures known when it was made.
#[derive(Clone, Debug)]
struct Row {
    at: Timestamp,
    life: u32,
    values: Vec<Option<u64>>,
}

impl Timeline {
    /// An empty one that keeps at most so many looks, and at least 16.
    pub fn of_capacity(looks: usize) -> Timeline {
        Timeline {
            capacity: looks.max(16),
            every: 1,
            met: 0,
            lives: Lives::default(),
            measures: Vec::new(),
            kept: Vec::new(),
            latest: None,
        }
    }

    /// Takes a look in.
    pub fn push(&mut self, look: Observations) {
        for observation in &look.all {
            if !self.measures.contains(&observation.measure) {
                self.measures.push(observation.measure);
            }
        }
        let values = self.measures.iter().map(|measure| value(&look, *measure)).collect();
        let row = Row { at: look.at, life: self.lives.of(&look.target), values };
        if self.met.is_multiple_of(self.every) {
            if self.kept.len() == self.capacity {
                let mut number = 0;
                self.kept.retain(|_| {
                    number += 1;
                    number % 2 == 1
                });
                self.every *= 2;
            }
            // The number of a kept look is a multiple of the new step as well, or the look is the latest only.
            if self.met.is_multiple_of(self.every) {
                self.kept.push(row.clone());
            }
        }
        self.met += 1;
        self.latest = Some((row, look));
    }

    /// How many looks it was given.
    pub fn looks(&self) -> u64 {
        self.met
    }

    /// How many of them it holds.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether it was given none.
    pub fn is_empty(&self) -> bool {
        self.latest.is_none()
    }

    /// The latest look, whole.
    pub fn latest(&self) -> Option<&Observations> {
        self.latest.as_ref().map(|(_, look)| look)
    }

    /// The measures that any look had, in the order in which they were met.
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// What a measure was.
    pub fn series(&self, measure: Measure) -> Series {
        let index = self.measures.iter().position(|known| *known == measure);
        let newest =
            self.latest.iter().map(|(row, _)| row).filter(|row| self.kept.last().is_none_or(|last| last.at != row.at));
        let (mut points, mut unseen) = (Vec::new(), 0);
        for row in self.kept.iter().chain(newest) {
            match index.and_then(|index| row.values.get(index).copied().flatten()) {
                Some(value) => points.push(Point { at: row.at, value, life: row.life }),
                None => unseen += 1,
            }
        }
        Series::of_points(measure, points, unseen)
    }
}
