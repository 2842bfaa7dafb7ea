//! A process while it is watched: one block a look.

#[cfg(test)]
mod tests;

use super::over_time::{self, View, time, wrapped};
use super::text::findings;
use crate::diagnose::ahead::Ahead;
use crate::diagnose::examination::Examination;
use crate::diagnose::over_time::OverTime;
use crate::diagnose::trend::Timeline;
use crate::model::Bytes;
use crate::report::amount::count;
use crate::report::sparkline::Signs;

/// What a block shows.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'w> {
    /// The last look.
    pub now: &'w Examination,
    /// All looks.
    pub timeline: &'w Timeline,
    /// Where everything goes.
    pub before: &'w OverTime,
    /// What it meets.
    pub ahead: &'w [Ahead],
    /// The limit of the container.
    pub limit: Option<Bytes>,
}

/// The block.
pub fn block(watched: &Watched<'_>, width: usize, signs: Signs) -> String {
    let sample = &watched.now.sample;
    let what = super::what(sample.flink.as_ref().map(|flink| flink.role));
    let at = sample.at.round(jiff::Unit::Second).unwrap_or(sample.at);
    let since = watched.timeline.series(crate::model::Measure::Rss).span();
    let looks = count(watched.timeline.looks(), "look", "looks");
    let heading = format!("{what} {}: {}, {at}, {looks} in {}", sample.pid, sample.name(), time(since));
    let mut out = wrapped(&heading, width, "  ");
    let view =
        View { now: watched.now, timeline: watched.timeline, before: watched.before, limit: watched.limit, signs };
    out += &over_time::table(&view, width);
    let mut sentences = over_time::ahead(watched.ahead);
    sentences.extend(watched.before.restarts.as_ref().map(|judged| over_time::restarts(judged, watched.limit)));
    for sentence in sentences {
        out += &wrapped(&sentence, width, "  ");
    }
    out += &findings::section(&watched.now.findings, width);
    out
}
