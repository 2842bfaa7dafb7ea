//! A slope that outliers do not move, with an interval that noise which remembers does not make too narrow.
//!
//! - The slope is the median of the slopes between all pairs of points (H. Theil 1950; P. K. Sen, "Estimates of the
//!   regression coefficient based on Kendall's tau", JASA 63, 1968).
//! - Its 95 % interval is Sen's: the pairs' slopes at the ranks `(N ± 1.96 σ) / 2`, where σ² is the variance of Kendall's S
//!   with ties (R. O. Gilbert, "Statistical Methods for Environmental Pollution Monitoring", 1987, 16.4 and 17.3).
//! - More than 64 points are put into 64 blocks of equal time, each with its medians, which bounds the work to 2016 pairs.
//! - What is left of autocorrelation widens σ² by `(1 + r) / (1 - r)`, the reciprocal of the share of points that count
//!   (S. Yue and C. Y. Wang, "The Mann-Kendall test modified by effective sample size", 2004, for a first-order process). r is the
//!   first autocorrelation of what is left beside a parabola, with its bias in short series taken off.
//! - Where that interval holds zero, the steps from block to block decide, by the interval that belongs to Wilcoxon's signed
//!   ranks, the means of all pairs of steps at the ranks `N/2 ± 2.58 σ` (J. L. Hodges and E. L. Lehmann, "Estimates of location
//!   based on rank tests", 1963), which is one of 99 %.

/// So many blocks at most.
pub(super) const BLOCKS: usize = 64;

/// The 97.5 % point of the normal distribution.
const QUANTILE: f64 = 1.959_964;

/// The 99.5 % point: the second question must not add another twentieth of errors to the first.
const STEPS_QUANTILE: f64 = 2.575_829;

/// What is got on by, of all steps together, where they go one way.
const ON_ITS_WAY: f64 = 0.6;

/// Autocorrelation is taken for no more: beyond, no interval is finite anyhow.
const MOST_CORRELATED: f64 = 0.99;

/// Fewer points than this do not show their autocorrelation: at least so much is taken for it.
const MEASURABLE: usize = 24;
const LEAST_OF_FEW: f64 = 0.6;

/// A robust slope, in the measure's unit in a second (for rates: in a second, in a second).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// The best single number.
    pub per_second: f64,
    /// The lower end of the 95 % interval; minus infinity where the points are too few or too alike to bound it.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Slope {
    /// Whether the whole interval is above zero.
    pub fn rises(&self) -> bool {
        self.low > 0.0
    }

    /// Whether the whole interval is below zero.
    pub fn falls(&self) -> bool {
        self.high < 0.0
    }
}

/// Seconds and values.
pub(super) type Points = [(f64, f64)];

/// The value below which a share of all lie; nothing of nothing.
pub(super) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = share * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted.get(at.floor() as usize)?, sorted.get(at.ceil() as usize)?);
    Some(below + (above - below) * at.fract())
}

/// The middle value; nothing of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Points in order of time, thinned out to blocks of equal time.
pub(super) fn blocks(points: &Points) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= BLOCKS || last.0 <= first.0 {
        return points.to_vec();
    }
    let block = |time: f64| (((time - first.0) / (last.0 - first.0) * BLOCKS as f64) as usize).min(BLOCKS - 1);
    let medians = |all: &[(f64, f64)]| {
        let (times, values): (Vec<f64>, Vec<f64>) = all.iter().copied().unzip();
        median(&times).zip(median(&values))
    };
    points.chunk_by(|one, next| block(one.0) == block(next.0)).filter_map(medians).collect()
}

/// The slope of points in order of time; nothing where no two differ in time.
pub(super) fn slope(points: &Points) -> Option<Slope> {
    let points = blocks(points);
    let slope = sen(&points, |per_second| correlation(&points, per_second))?;
    Some(if slope.rises() || slope.falls() { slope } else { drift(&points, slope).unwrap_or(slope) })
}

/// The interval from the steps alone, where they go one way for sure; nothing otherwise. What is left of a smooth curve
/// beside a parabola remembers so much that [`sen`]'s interval has no end; but a process that only remembers, up to a random
/// walk, takes as many steps down as up.
fn drift(points: &Points, slope: Slope) -> Option<Slope> {
    let steps = points.windows(2).filter(|pair| pair[1].0 > pair[0].0);
    let rates: Vec<f64> = steps.map(|pair| (pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0)).collect();
    // Creeping up and falling back at once has most of its steps upwards and gets nowhere.
    let changes = points.windows(2).map(|pair| pair[1].1 - pair[0].1);
    let (net, way) = changes.fold((0.0, 0.0), |(net, way): (f64, f64), step| (net + step, way + step.abs()));
    if net.abs() < ON_ITS_WAY * way {
        return None;
    }
    let n = rates.len() as f64;
    let mut means = Vec::with_capacity(rates.len() * (rates.len() + 1) / 2);
    for (index, one) in rates.iter().enumerate() {
        means.extend(rates[index..].iter().map(|other| f64::midpoint(*one, *other)));
    }
    means.sort_unstable_by(f64::total_cmp);
    let rank = n * (n + 1.0) / 4.0 - STEPS_QUANTILE * (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0).sqrt();
    let beyond = (rank.floor() as usize).checked_sub(1).filter(|_| rank >= 1.0)?;
    let (low, high) = (*means.get(beyond)?, *means.get(means.len().checked_sub(1 + beyond)?)?);
    let sure = if low > 0.0 { slope.per_second > 0.0 } else { high < 0.0 && slope.per_second < 0.0 };
    sure.then(|| Slope { low: low.min(slope.per_second), high: high.max(slope.per_second), ..slope })
}

/// That of a few points that nothing ties to one another.
pub(super) fn slope_of_independent(points: &Points) -> Option<Slope> {
    sen(&blocks(points), |_| 0.0)
}

fn sen(points: &Points, correlation: impl Fn(f64) -> f64) -> Option<Slope> {
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (index, one) in points.iter().enumerate() {
        let later = points[index + 1..].iter().filter(|later| later.0 > one.0);
        slopes.extend(later.map(|later| (later.1 - one.1) / (later.0 - one.0)));
    }
    slopes.sort_unstable_by(f64::total_cmp);
    let per_second = median(&slopes)?;
    let mut values: Vec<f64> = points.iter().map(|point| point.1).collect();
    values.sort_unstable_by(f64::total_cmp);
    let ties: f64 = values
        .chunk_by(|one, other| one == other)
        .map(|equal| equal.len() as f64)
        .map(|t| t * (t - 1.0) * (2.0 * t + 5.0))
        .sum();
    let n = points.len() as f64;
    let r = correlation(per_second);
    let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0 * (1.0 + r) / (1.0 - r);
    let rank = (slopes.len() as f64 - QUANTILE * variance.max(0.0).sqrt()) / 2.0;
    // Ranks count from 1; one below that is beyond all slopes.
    let (low, high) = match (rank.floor() as usize).checked_sub(1).filter(|_| rank >= 1.0) {
        Some(beyond) => (slopes[beyond], slopes[slopes.len() - 1 - beyond]),
        None => (f64::NEG_INFINITY, f64::INFINITY),
    };
    Some(Slope { per_second, low, high })
}

/// What is left of points beside a line of a slope through their middle.
pub(super) fn residuals(points: &Points, per_second: f64) -> Vec<f64> {
    let left: Vec<f64> = points.iter().map(|(time, value)| value - per_second * time).collect();
    let middle = median(&left).unwrap_or(0.0);
    left.into_iter().map(|left| left - middle).collect()
}

/// The first autocorrelation of what is left beside a parabola, outliers pulled in to three times the usual distance.
fn correlation(points: &Points, per_second: f64) -> f64 {
    let n = points.len();
    let mut left = residuals(points, per_second);
    let distances: Vec<f64> = left.iter().map(|left| left.abs()).collect();
    let most = 3.0 * 1.4826 * median(&distances).unwrap_or(0.0);
    if most > 0.0 {
        left.iter_mut().for_each(|left| *left = left.clamp(-most, most));
    }
    // Legendre's first three on the numbers of the points are orthogonal enough to be taken off one after the other twice.
    let x = |index: usize| 2.0 * index as f64 / (n.max(2) - 1) as f64 - 1.0;
    for _ in 0..2 {
        for of in [|_| 1.0, |x: f64| x, |x: f64| 1.5 * x * x - 0.5] {
            let (mut product, mut square) = (0.0, 0.0);
            for (index, left) in left.iter().enumerate() {
                product += of(x(index)) * left;
                square += of(x(index)) * of(x(index));
            }
            left.iter_mut().enumerate().for_each(|(index, left)| *left -= product / square * of(x(index)));
        }
    }
    let square: f64 = left.iter().map(|left| left * left).sum();
    let product: f64 = left.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let scale: f64 = points.iter().map(|point| point.1 * point.1).sum();
    // Nothing is left but the rounding of floats.
    if square <= scale * 1e-24 || n < 4 {
        return 0.0;
    }
    let r = product / square;
    // Taking off three parameters bends r towards zero by about (3 + 4 r) / n in a first-order process; as much again as
    // 3 / n is taken for what is not known about it.
    let least = if n < MEASURABLE { LEAST_OF_FEW } else { 0.0 };
    (r + (6.0 + 4.0 * r) / n as f64).clamp(least, MOST_CORRELATED)
}
