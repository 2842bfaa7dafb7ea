//! When a run will meet its limit, as the trend of `attach --watch` tells it.

use jiff::{SignedDuration, Timestamp};

use super::outcome::Moment;
use crate::diagnose::trend::{Forecast, Point, Series};
use crate::model::{Bytes, Measure};

/// Looks that are handed to the trend: one a second, as a watch has them.
const EVERY: u64 = 1_000;

/// The time of death in milliseconds since the start, by the anonymous memory at these looks: the middle of what the trend
/// says, its earliest where it says no latest. Nothing where it names no time.
pub fn of_moments(moments: &[Moment], limit: Bytes) -> Option<u64> {
    let mut points: Vec<Point> = Vec::new();
    let mut next = 0;
    // What is taken at first (caches that fill) is no trend: a watch is begun on a process that runs.
    for moment in moments {
        if moment.millis < next {
            continue;
        }
        next = moment.millis + EVERY;
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_millis(i64::try_from(moment.millis).ok()?);
        points.push(Point { at, value: moment.group_anonymous.unwrap_or(moment.anonymous).get(), life: 0 });
    }
    let last = moments.last()?.millis;
    let trend = Series::of_points(Measure::CgroupAnon, points, 0).trend()?;
    let millis = |time: SignedDuration| u64::try_from(time.as_millis()).ok();
    match trend.time_to(limit.get()) {
        Forecast::Reached => Some(last),
        Forecast::Between { earliest, latest } => {
            let earliest = millis(earliest)?;
            let ahead = latest.and_then(millis).map_or(earliest, |latest| u64::midpoint(earliest, latest));
            Some(last + ahead)
        }
        Forecast::Beyond { .. } | Forecast::Never { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seconds: u64, start: u64, a_second: u64) -> Vec<Moment> {
        let at = |second: u64| Moment {
            millis: second * 1000,
            anonymous: Bytes::new(start + second * a_second + (second * 7919 % 4096)),
            ..Moment::default()
        };
        (0..seconds).map(at).collect()
    }

    #[test]
    fn a_straight_growth_names_its_end() {
        let named = of_moments(&line(72, 60 << 20, 300_000), Bytes::mib(163));
        let truth = (103 << 20) * 1000 / 300_000;
        assert!(named.is_some_and(|named| named.abs_diff(truth) * 100 < truth * 5), "{named:?}");
    }

    #[test]
    fn what_does_not_grow_has_no_end() {
        assert_eq!(of_moments(&line(90, 60 << 20, 0), Bytes::mib(163)), None);
    }
}
