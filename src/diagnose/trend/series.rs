//! What a measure was, time by time.

use jiff::{SignedDuration, Timestamp};

use crate::model::{Identity, Measure, Observations, Unit};

/// One look at one measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// How much, in the measure's unit.
    pub value: u64,
    /// Which life of the target, from 0: a new process begins another.
    pub life: u32,
}

/// The values of one measure over time: at any intervals, with gaps where nobody looked or nothing was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What was measured.
    pub measure: Measure,
    points: Vec<Point>,
    unseen: usize,
}

/// How fast a counter went between two looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// The later look.
    pub at: Timestamp,
    /// In the counter's unit in a second.
    pub per_second: f64,
    /// As of the points.
    pub life: u32,
}

/// Tells the lives of a target apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Lives {
    last: Option<Identity>,
    life: u32,
}

impl Lives {
    /// The life that a look belongs to.
    pub fn of(&mut self, target: &Identity) -> u32 {
        if self.last.as_ref().is_some_and(|last| (last.pid, last.started) != (target.pid, target.started)) {
            self.life += 1;
        }
        if self.last.as_ref() != Some(target) {
            self.last = Some(target.clone());
        }
        self.life
    }
}

/// What a look gave of a measure; the sum where there are several (RocksDB's caches); nothing where one of them was not seen.
pub(super) fn value(observations: &Observations, measure: Measure) -> Option<u64> {
    let mut of = observations.all.iter().filter(|observation| observation.measure == measure).peekable();
    of.peek()?;
    of.try_fold(0u64, |sum, observation| sum.checked_add(*observation.value.as_ref().ok()?))
}

impl Series {
    /// That of a measure in looks. A clock that was set back only changes their order.
    pub fn of<'a>(measure: Measure, looks: impl IntoIterator<Item = &'a Observations>) -> Series {
        let mut lives = Lives::default();
        let (mut points, mut unseen) = (Vec::new(), 0);
        for look in looks {
            let life = lives.of(&look.target);
            match value(look, measure) {
                Some(value) => points.push(Point { at: look.at, value, life }),
                None => unseen += 1,
            }
        }
        Series::of_points(measure, points, unseen)
    }

    /// That of points; `unseen` looks gave none.
    pub fn of_points(measure: Measure, mut points: Vec<Point>, unseen: usize) -> Series {
        points.sort_by_key(|point| (point.life, point.at));
        if measure.is_counter() {
            // A counter that falls is that of another process, even where its identity was not known.
            let (mut last, mut added) = (None, 0);
            for point in &mut points {
                added += u32::from(last.is_some_and(|(life, value)| life == point.life && value > point.value));
                last = Some((point.life, point.value));
                point.life += added;
            }
        }
        Series { measure, points, unseen }
    }

    /// The points, by life and time.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// How many looks gave nothing.
    pub fn unseen(&self) -> usize {
        self.unseen
    }

    /// What it counts.
    pub fn unit(&self) -> Unit {
        self.measure.unit()
    }

    /// From the first point to the last.
    pub fn span(&self) -> SignedDuration {
        let times = self.points.iter().map(|point| point.at);
        times.clone().min().zip(times.max()).map_or(SignedDuration::ZERO, |(first, last)| last.duration_since(first))
    }

    /// A counter's rates, one between two points of one life each.
    pub fn rates(&self) -> Vec<Rate> {
        let pairs = self.points.windows(2).filter(|pair| pair[0].life == pair[1].life);
        let rate = |pair: &[Point]| {
            let seconds = pair[1].at.duration_since(pair[0].at).as_secs_f64();
            let per_second = pair[1].value.checked_sub(pair[0].value)? as f64 / seconds;
            (seconds > 0.0).then_some(Rate { at: pair[1].at, per_second, life: pair[1].life })
        };
        pairs.filter_map(rate).collect()
    }

    /// The series in `columns` equal times, the last value of each; nothing where nobody saw one for longer than is usual
    /// between two points. For [`crate::report`]'s sparklines.
    pub fn columns(&self, columns: usize) -> Vec<Option<u64>> {
        let mut points: Vec<&Point> = self.points.iter().collect();
        points.sort_by_key(|point| point.at);
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return vec![None; columns] };
        let millis = |point: &Point| i128::from(point.at.as_millisecond()) - i128::from(first.at.as_millisecond());
        let span = millis(last).max(1);
        let mut steps: Vec<i128> = points.windows(2).map(|pair| millis(pair[1]) - millis(pair[0])).collect();
        steps.sort_unstable();
        // Twice the usual step and a half: one look may be late.
        let usual = steps.get(steps.len() / 2).copied().unwrap_or(span) * 5 / 2;
        let mut shown = vec![None; columns];
        let mut next = points.iter().peekable();
        let mut held: Option<&Point> = None;
        for (column, cell) in shown.iter_mut().enumerate() {
            let end = span * (column as i128 + 1) / columns.max(1) as i128;
            let begin = span * column as i128 / columns.max(1) as i128;
            while let Some(point) = next.next_if(|point| millis(point) <= end) {
                held = Some(point);
            }
            *cell = held.filter(|point| begin - millis(point) <= usual).map(|point| point.value);
        }
        shown
    }
}
