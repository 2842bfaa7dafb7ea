//! Job after job on one process: whether each leaves memory behind, and who keeps it.
//!
//! A RocksDB job that is cancelled gives its memory back to the C library, and glibc keeps much of it resident. What is in
//! use between two jobs then stays the same while what is kept grows with every job: no leak of RocksDB's or Flink's, and
//! no figure of theirs shows it.

use jiff::Timestamp;

use super::slope::{Slope, median, quantile, slope_of_independent};
use super::{Series, Timeline, shape};
use crate::model::{Measure, Pool};

/// No verdict is given on fewer floors: with five, no order of them is rare enough (1 in 120 both ways, but Sen's interval
/// has no end yet).
pub const FEWEST: usize = 6;

/// Growth that goes on is at least this share of the whole's in the later half.
const GOES_ON: f64 = 0.2;

/// What is less than this share of the resident set in a restart is none.
const NOTHING: f64 = 0.01;

/// Jobs are told from pauses where what is in use moves by this share of what it moves within.
const DIP: f64 = 0.5;

/// ... and by this share of itself.
const LEAST_DIP: f64 = 0.2;

/// What a process has between two jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// When it was looked at.
    pub at: Timestamp,
    /// The resident set.
    pub rss: Option<u64>,
    /// The part of it that is Java heap, which grows by use and for reasons of its own.
    pub heap: Option<u64>,
    /// Kept by the allocator.
    pub retained: Option<u64>,
    /// In use within malloc.
    pub in_use: Option<u64>,
}

/// What restarts of jobs leave behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Restarts {
    /// In a word.
    pub verdict: Verdict,
    /// How much a restart adds, in bytes, with the 95 % interval: to what is kept, or else to the resident set without the heap.
    pub per_restart: Option<Slope>,
    /// Floors that were judged.
    pub floors: usize,
    /// The resident set at the last one.
    pub rss: Option<u64>,
}

/// What restarts of jobs do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Each leaves more behind.
    StepPerRestart(Keeper),
    /// They leave nothing more behind.
    Plateau,
    /// It cannot be told.
    Unclear {
        /// Why, as an end to the sentence "not clear: ".
        why: String,
    },
}

/// Who keeps what a job leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// The allocator: what is in use stays the same. `malloc_trim`, `MALLOC_ARENA_MAX` or jemalloc help.
    Allocator,
    /// The program: what is in use grows as well, which no allocator cures.
    Program,
    /// Not seen: malloc could not be looked into.
    Unseen,
}

/// The series that floors are taken from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The resident set.
    pub rss: Series,
    /// The Java heap's part of it.
    pub heap: Series,
    /// Kept by the allocator.
    pub retained: Series,
    /// In use within malloc.
    pub in_use: Series,
}

impl Sources {
    /// Those of a timeline.
    pub fn of(timeline: &Timeline) -> Sources {
        let retained = timeline.series(Measure::Pool(Pool::AllocatorRetained));
        Sources {
            rss: timeline.series(Measure::Rss),
            heap: timeline.series(Measure::Pool(Pool::JavaHeap)),
            retained: match retained.points().is_empty() {
                true => timeline.series(Measure::MallocFreeResident),
                false => retained,
            },
            in_use: timeline.series(Measure::MallocInUse),
        }
    }

    /// The floors of the last life: with `jobs`, the times at which jobs were submitted, one before each of them (the
    /// look with the least in use since the one before); without, one in each dip of what is in use.
    pub fn floors(&self, jobs: &[Timestamp]) -> Vec<Floor> {
        let life = self.rss.points().last().map_or(0, |point| point.life);
        let in_use: Vec<(Timestamp, u64)> = self
            .in_use
            .points()
            .iter()
            .filter(|point| point.life == life)
            .map(|point| (point.at, point.value))
            .collect();
        let times = if jobs.is_empty() { dips(&in_use) } else { before(jobs, &in_use, self.rss.points()) };
        let at = |series: &Series, time: Timestamp| {
            let points = series.points().iter().filter(|point| point.life == life && point.at <= time);
            points.max_by_key(|point| point.at).map(|point| point.value)
        };
        let floor = |time: Timestamp| Floor {
            at: time,
            rss: at(&self.rss, time),
            heap: at(&self.heap, time),
            retained: at(&self.retained, time),
            in_use: at(&self.in_use, time),
        };
        times.into_iter().map(floor).collect()
    }
}

/// The lowest point of every dip.
fn dips(in_use: &[(Timestamp, u64)]) -> Vec<Timestamp> {
    let points: Vec<(f64, f64)> = in_use.iter().map(|(_, value)| (0.0, *value as f64)).collect();
    let values: Vec<f64> = points.iter().map(|point| point.1).collect();
    let (Some(low), Some(high)) = (quantile(&values, 0.02), quantile(&values, 0.98)) else { return Vec::new() };
    let least = (DIP * (high - low)).max(LEAST_DIP * low);
    let turns = shape::turns(&points, least);
    let mut dips: Vec<Timestamp> = turns.iter().filter(|turn| !turn.is_peak).map(|turn| in_use[turn.at].0).collect();
    // Behind the last peak the last job may have ended; its floor is the lowest since.
    if let Some(last) = turns.last().filter(|turn| turn.is_peak) {
        dips.extend(in_use[last.at..].iter().min_by_key(|(_, value)| *value).map(|(at, _)| *at));
    }
    dips
}

/// The look with the least in use between two submissions, or the last one before each.
fn before(jobs: &[Timestamp], in_use: &[(Timestamp, u64)], rss: &[super::Point]) -> Vec<Timestamp> {
    let mut jobs = jobs.to_vec();
    jobs.sort_unstable();
    jobs.push(Timestamp::MAX);
    let floor = |pair: &[Timestamp]| {
        let within = |at: &Timestamp| *at > pair[0] && *at < pair[1];
        // Of equals the latest, which is the one nearest to the next submission.
        let least = in_use.iter().filter(|(at, _)| within(at)).rev().min_by_key(|(_, value)| *value).map(|(at, _)| *at);
        least.or_else(|| rss.iter().rev().map(|point| point.at).find(within))
    };
    jobs.windows(2).filter_map(floor).collect()
}

/// What restarts leave behind, from the floors between them in order.
pub fn judge(floors: &[Floor]) -> Restarts {
    let all = |of: fn(&Floor) -> Option<u64>| floors.iter().map(of).collect::<Option<Vec<u64>>>();
    let rss = floors.last().and_then(|floor| floor.rss);
    let judged = |verdict, per_restart| Restarts { verdict, per_restart, floors: floors.len(), rss };
    let unclear = |why: String| judged(Verdict::Unclear { why }, None);
    if floors.len() < FEWEST {
        return unclear(format!("{} of the {FEWEST} restarts that it takes", floors.len()));
    }
    let retained = all(|floor| floor.retained);
    let beside_heap = all(|floor| floor.rss?.checked_sub(floor.heap?)).or_else(|| all(|floor| floor.rss));
    let Some(kept) = retained.clone().or(beside_heap) else {
        return unclear("the resident set was not always seen".to_owned());
    };
    let Some(whole) = slope(&kept) else { return unclear("there is no slope".to_owned()) };
    let later = slope(&kept[kept.len() / 2..]).map_or(0.0, |later| later.per_second);
    let nothing = NOTHING * rss.or(kept.iter().max().copied()).unwrap_or(0) as f64;
    if whole.rises() && later > GOES_ON * whole.per_second {
        let keeper = match (retained, all(|floor| floor.in_use).map(|in_use| (slope(&in_use), in_use))) {
            (Some(_), Some((Some(in_use), values))) => {
                let level = median(&values.iter().map(|value| *value as f64).collect::<Vec<f64>>()).unwrap_or(0.0);
                // A share of its own level and a tenth of what is kept on top of it: less is no leak worth a name.
                match in_use.rises() && in_use.per_second > (NOTHING * level).max(0.1 * whole.per_second) {
                    true => Keeper::Program,
                    false => Keeper::Allocator,
                }
            }
            _ => Keeper::Unseen,
        };
        return judged(Verdict::StepPerRestart(keeper), Some(whole));
    }
    let ended = later <= GOES_ON * whole.per_second && later <= nothing;
    if ended || whole.per_second <= nothing {
        return judged(Verdict::Plateau, Some(whole));
    }
    let why = "the differences between restarts are larger than what one might add".to_owned();
    Restarts { per_restart: Some(whole), ..unclear(why) }
}

/// The slope in a restart.
fn slope(values: &[u64]) -> Option<Slope> {
    let points: Vec<(f64, f64)> =
        values.iter().enumerate().map(|(index, value)| (index as f64, *value as f64)).collect();
    slope_of_independent(&points)
}

impl Restarts {
    /// After how many more restarts the resident set reaches a limit: the fewest and, where that can be told, the most.
    /// Nothing where restarts leave nothing behind, or more than three times as many as were seen are left.
    pub fn until(&self, limit: u64) -> Option<(u64, Option<u64>)> {
        let (Verdict::StepPerRestart(_), Some(slope), Some(rss)) = (&self.verdict, &self.per_restart, self.rss) else {
            return None;
        };
        let left = limit.saturating_sub(rss) as f64;
        let most = self.floors as f64 * 3.0;
        let after =
            |per_restart: f64| Some((left / per_restart).ceil()).filter(|after| per_restart > 0.0 && *after <= most);
        Some((after(slope.high)? as u64, after(slope.low).map(|after| after as u64)))
    }
}
