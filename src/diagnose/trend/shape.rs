//! Growing, flat, a sawtooth, or not to be told.

use jiff::{SignedDuration, Timestamp};

use super::slope::{Points, Slope, blocks, median, quantile, residuals, slope, slope_of_independent};
use super::{FEWEST, Trend, Troughs, Verdict};

/// The last part, which decides whether a rise goes on: this share of the time.
const LAST_PART: f64 = 0.4;

/// A last part is flat where it rises at less than this share of the whole's slope ...
const SLOWER: f64 = 0.2;

/// ... and by less than this share of the level.
const FLAT: f64 = 0.01;

/// A series that neither rises nor falls for sure is flat where it cannot have changed by more than this share of its
/// level, or by more than it scatters; or where it lies within that share from 5 % to 95 %.
const SURELY_FLAT: f64 = 0.02;

/// A tooth is at least this share of what the series, its slope taken off, moves within (5 % to 95 %).
const TOOTH: f64 = 0.6;

/// A tooth goes one way: this share of its steps, those that stay aside.
const ONE_WAY: f64 = 0.9;

/// A sawtooth has so many teeth, each of so many points: fewer are noise.
const TEETH: usize = 3;
const POINTS_IN_A_TOOTH: usize = 5;

/// The trend of points of one life; nothing of none.
pub(super) fn trend(points: &[(Timestamp, f64, u32)]) -> Option<Trend> {
    let ((from, base, _), (to, _, _)) = (points.first()?, points.last()?);
    // Relative to the first, so that floats hold differences of any sizes.
    let relative: Vec<(f64, f64)> =
        points.iter().map(|(at, value, _)| (at.duration_since(*from).as_secs_f64(), value - base)).collect();
    let seen = Seen { points: &relative, base: *base, from: *from };
    let (verdict, slope, level) = seen.judged();
    Some(Trend { verdict, slope, level: size(base + level), from: *from, to: *to, points: points.len() })
}

fn size(value: f64) -> u64 {
    // What a cast does with what is below zero or too large is what is meant: the nearest that there is.
    value.round() as u64
}

/// The middle of the last points of a series.
pub(super) fn last_level(points: &Points) -> f64 {
    let few = (points.len() / 10).clamp(1, 9).min(points.len());
    let last: Vec<f64> = points[points.len() - few..].iter().map(|point| point.1).collect();
    median(&last).unwrap_or(0.0)
}

/// Troughs of which a slope is told; with fewer, Sen's interval has no end.
const FEWEST_TROUGHS: usize = 6;

/// The points of one life.
struct Seen<'a> {
    points: &'a Points,
    base: f64,
    from: Timestamp,
}

impl Seen<'_> {
    fn judged(&self) -> (Verdict, Option<Slope>, f64) {
        let level = last_level(self.points);
        let span = self.points.last().map_or(0.0, |last| last.0);
        let whole = (self.points.len() >= FEWEST && span > 0.0).then(|| slope(self.points)).flatten();
        let Some(whole) = whole else {
            let many = self.points.len();
            let why = match many < FEWEST {
                true => format!("{many} of the {FEWEST} looks that it takes"),
                false => "all looks were at one time".to_owned(),
            };
            return (Verdict::Unclear { why }, None, level);
        };
        if let Some((verdict, slope, peak)) = self.sawtooth(&whole) {
            return (verdict, slope, peak);
        }
        let (verdict, slope) = self.shape(whole, span);
        (verdict, Some(slope), level)
    }

    fn at(&self, seconds: f64) -> Timestamp {
        let since = SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::ZERO);
        self.from.checked_add(since).unwrap_or(self.from)
    }

    /// What a series without teeth does.
    fn shape(&self, whole: Slope, span: f64) -> (Verdict, Slope) {
        let border = span * (1.0 - LAST_PART);
        let split = self.points.partition_point(|point| point.0 < border);
        let (early, late) = self.points.split_at(split);
        let enough = late.len() >= 3 && early.len() >= 3;
        let Some(last) = (if enough { slope(late) } else { None }) else {
            let why = "almost all looks were in one part of the time".to_owned();
            return (Verdict::Unclear { why }, whole);
        };
        let values: Vec<f64> = self.points.iter().map(|point| point.1 + self.base).collect();
        let level = median(&values).unwrap_or(0.0).abs();
        let change = last.per_second * (span - border);
        let stays = last.per_second.abs() <= SLOWER * whole.per_second.abs() && change.abs() <= FLAT * level;
        let plateau = |before: &Points| Verdict::Plateau {
            since: self.at(if before.is_empty() { 0.0 } else { border }),
            change: match before.is_empty() {
                true => 0,
                false => (last_level(self.points) - before[0].1).round() as i64,
            },
        };
        if whole.rises() || whole.falls() {
            let up = whole.rises();
            let turned = if up { last.per_second <= 0.0 } else { last.per_second >= 0.0 };
            let turned_for_sure = if up { last.falls() } else { last.rises() };
            if stays {
                return (plateau(early), last);
            }
            if turned_for_sure {
                let (before, after) = if up { ("rose", "falls") } else { ("fell", "rises") };
                return (Verdict::Unclear { why: format!("it {before} and now {after}") }, last);
            }
            if turned {
                let went = if up { "rose" } else { "fell" };
                return (Verdict::Unclear { why: format!("it {went}, and it does not for now") }, last);
            }
            // A wave that is longer than what was looked at goes one way in one of its parts only.
            let first = slope(early).map_or(0.0, |early| early.per_second);
            if (first > 0.0) != up || last.per_second.abs() < SLOWER * whole.per_second.abs() {
                let went = if up { "rose" } else { "fell" };
                return (Verdict::Unclear { why: format!("it {went} in one part of the time only") }, whole);
            }
            // Where the last part goes at a speed of its own, that speed counts.
            let slope = if last.low > whole.high || last.high < whole.low { last } else { whole };
            return (if up { Verdict::Growing } else { Verdict::Falling }, slope);
        }
        let scatter = self.scatter(whole.per_second);
        let possible = whole.low.abs().max(whole.high.abs()) * span;
        if last.rises() && change > 2.0 * scatter.max(FLAT * level) && change > 2.0 * self.spread(early) {
            return (Verdict::Growing, last);
        }
        if possible <= scatter.max(SURELY_FLAT * level) || self.spread(self.points) <= SURELY_FLAT * level {
            return (plateau(&[]), whole);
        }
        if self.spread(late) <= FLAT * level && change.abs() <= FLAT * level {
            return (plateau(early), last);
        }
        let why = "its ups and downs are larger or slower than any trend within this time".to_owned();
        (Verdict::Unclear { why }, whole)
    }

    /// What the values move within beside a slope, the lowest and the highest tenth aside.
    fn scatter(&self, per_second: f64) -> f64 {
        let left = residuals(&blocks(self.points), per_second);
        range(&left, 0.1)
    }

    fn spread(&self, points: &Points) -> f64 {
        range(&points.iter().map(|point| point.1).collect::<Vec<f64>>(), 0.05)
    }

    /// A sawtooth, the slope of its troughs, and its last peak; nothing where it is none.
    fn sawtooth(&self, whole: &Slope) -> Option<(Verdict, Option<Slope>, f64)> {
        let least = TOOTH * range(&residuals(self.points, whole.per_second), 0.05);
        let turns = turns(self.points, least);
        let peaks: Vec<usize> = turns.iter().filter(|turn| turn.is_peak).map(|turn| turn.at).collect();
        let troughs: Vec<usize> = turns.iter().filter(|turn| !turn.is_peak).map(|turn| turn.at).collect();
        let cycles = peaks.len().min(troughs.len());
        let (first, last) = (turns.first()?.at, turns.last()?.at);
        if cycles < TEETH || last - first < cycles.saturating_sub(1) * POINTS_IN_A_TOOTH || !self.goes_one_way(&turns) {
            return None;
        }
        let heights: Vec<f64> =
            turns.windows(2).map(|pair| (self.points[pair[1].at].1 - self.points[pair[0].at].1).abs()).collect();
        let lows: Vec<(f64, f64)> = troughs.iter().map(|at| self.points[*at]).collect();
        let of_troughs = (lows.len() >= FEWEST_TROUGHS).then(|| slope_of_independent(&lows)).flatten();
        let troughs = match &of_troughs {
            Some(slope) if slope.rises() && self.goes_on(&lows, slope) => Troughs::Rising,
            Some(slope) if slope.falls() => Troughs::Falling,
            Some(_) => Troughs::Level,
            None => Troughs::Unclear,
        };
        let height = size(median(&heights)?);
        let peak = self.points[*peaks.last()?].1;
        Some((Verdict::Sawtooth { cycles, height, troughs }, of_troughs, peak))
    }

    /// Whether the later half of rising troughs still rises at a share of the slope.
    fn goes_on(&self, lows: &Points, whole: &Slope) -> bool {
        slope_of_independent(&lows[lows.len() / 2..]).is_some_and(|later| later.per_second > SLOWER * whole.per_second)
    }

    fn goes_one_way(&self, turns: &[Turn]) -> bool {
        let (mut with, mut against) = (0usize, 0usize);
        for leg in turns.windows(2) {
            for step in self.points[leg[0].at..=leg[1].at].windows(2) {
                let up = step[1].1 - step[0].1;
                let along = if leg[1].is_peak { up } else { -up };
                with += usize::from(along > 0.0);
                against += usize::from(along < 0.0);
            }
        }
        with as f64 >= ONE_WAY * (with + against) as f64
    }
}

fn range(values: &[f64], aside: f64) -> f64 {
    quantile(values, 1.0 - aside).zip(quantile(values, aside)).map_or(0.0, |(high, low)| high - low)
}

/// A point from which a series went the other way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Its number.
    pub at: usize,
    /// Whether it fell from there.
    pub is_peak: bool,
}

/// The points from which a series went the other way by at least `least`, peaks and troughs in turn.
pub(super) fn turns(points: &Points, least: f64) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    if least <= 0.0 {
        return turns;
    }
    let (mut low, mut high, mut rising) = (0, 0, None);
    for (at, (_, value)) in points.iter().enumerate() {
        if *value < points[low].1 {
            low = at;
        }
        if *value > points[high].1 {
            high = at;
        }
        if rising != Some(true) && value - points[low].1 >= least {
            turns.push(Turn { at: low, is_peak: false });
            (rising, high) = (Some(true), at);
        } else if rising != Some(false) && points[high].1 - value >= least {
            turns.push(Turn { at: high, is_peak: true });
            (rising, low) = (Some(false), at);
        }
    }
    turns
}
