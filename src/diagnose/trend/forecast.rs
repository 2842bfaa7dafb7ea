//! The time to a limit.

use jiff::SignedDuration;

use super::{Trend, Verdict};

/// No time is given that is further ahead than this many times what was looked at.
pub const HORIZON: i32 = 5;

/// When a limit is reached, if nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forecast {
    /// It is reached already.
    Reached,
    /// Within these times from the last look on, with the certainty of the slope's interval (95 %).
    Between {
        /// Not before this.
        earliest: SignedDuration,
        /// Not after this; nothing where that is beyond the horizon.
        latest: Option<SignedDuration>,
    },
    /// Not within the horizon: five times as far ahead as it was looked back.
    Beyond {
        /// The horizon.
        horizon: SignedDuration,
    },
    /// Nothing leads there.
    Never {
        /// Why no time is given, as an end to the sentence "no forecast: ".
        why: String,
    },
}

impl Trend {
    /// When the level reaches a limit, in the measure's unit. Only for what is growing, and never further ahead than
    /// five times the time that was looked at.
    pub fn time_to(&self, limit: u64) -> Forecast {
        let Some(left) = limit.checked_sub(self.level).filter(|left| *left > 0) else { return Forecast::Reached };
        let why = match &self.verdict {
            Verdict::Unclear { why } => format!("not clear: {why}"),
            _ if self.is_growing() => String::new(),
            _ => "it does not grow".to_owned(),
        };
        let Some(slope) = self.slope.filter(|_| why.is_empty()) else { return Forecast::Never { why } };
        let Some(horizon) = self.span().checked_mul(HORIZON) else {
            return Forecast::Never { why: "the time that was looked at is too long to count with".to_owned() };
        };
        let within = |per_second: f64| {
            let time = SignedDuration::try_from_secs_f64(left as f64 / per_second).ok();
            time.filter(|time| per_second > 0.0 && *time <= horizon)
        };
        match within(slope.high) {
            Some(earliest) => Forecast::Between { earliest, latest: within(slope.low) },
            None => Forecast::Beyond { horizon },
        }
    }
}
