//! What the pages about a time share: the table of pools with their trends, and what lies ahead.

#[cfg(test)]
pub(super) mod looks;

use jiff::SignedDuration;

use super::text::span;
use crate::diagnose::ahead::Ahead;
use crate::diagnose::examination::Examination;
use crate::diagnose::over_time::OverTime;
use crate::diagnose::trend::restarts::{self, Keeper, Restarts};
use crate::diagnose::trend::{Forecast, Series, Timeline, Trend, Troughs, Verdict};
use crate::model::{Bytes, Measure, Pool};
use crate::report::amount::mib;
use crate::report::sparkline::{Signs, sparkline};
use crate::report::table::{self, Align};

/// So wide is a sparkline: what is left of 80 columns beside the table.
const LINE: usize = 16;

/// What two looks that are further apart than this show is no change of now.
const RECENT: SignedDuration = SignedDuration::from_secs(60);

/// What a table is made of.
pub(super) struct View<'v> {
    pub now: &'v Examination,
    pub timeline: &'v Timeline,
    pub before: &'v OverTime,
    pub limit: Option<Bytes>,
    pub signs: Signs,
}

/// Components with their pools, what no budget pays for, and the whole: now, budget, change in a minute, trend, line.
pub(super) fn table(view: &View<'_>, width: usize) -> String {
    let mut rows = Vec::new();
    match (&view.now.ledger, &view.now.account) {
        (Ok(ledger), _) => {
            for row in &ledger.rows {
                let used = row.used.as_ref().map_or_else(
                    |_| row.at_most.map_or("?".to_owned(), |most| format!("<{}", mib(most))),
                    |used| mib(*used),
                );
                let budget = mib(row.budget);
                match row.pools.as_slice() {
                    [(pool, _)] => rows.push(view.row(row.label(), used, budget, Measure::Pool(*pool))),
                    [] => rows.push(vec![row.label(), used, budget, String::new(), String::new(), String::new()]),
                    several => {
                        rows.push(vec![row.label(), used, budget, String::new(), String::new(), String::new()]);
                        rows.extend(several.iter().map(|(pool, bytes)| view.pool(*pool, *bytes)));
                    }
                }
            }
            rows.extend(ledger.outside.iter().map(|outside| view.outside(outside.pool, outside.bytes)));
            let undivided =
                view.now.account.as_ref().map_or(Bytes::ZERO, |account| account.bytes(Pool::MallocUndivided));
            if undivided > Bytes::ZERO {
                rows.push(view.outside(Pool::MallocUndivided, undivided));
            }
            rows.push(view.row("Resident".to_owned(), mib(ledger.rss), mib(ledger.total), Measure::Rss));
        }
        (Err(_), Ok(account)) => {
            rows.extend(account.entries().iter().map(|entry| view.outside(entry.pool, entry.bytes)));
            rows.push(view.row("Resident".to_owned(), mib(account.rss()), String::new(), Measure::Rss));
        }
        (Err(_), Err(_)) => {
            if let Some(rss) = view.now.observations.value(Measure::Rss) {
                rows.push(view.row("Resident".to_owned(), mib(Bytes::new(rss)), String::new(), Measure::Rss));
            }
        }
    }
    let limit = view.limit.map_or_else(String::new, mib);
    for (label, measure) in [("Container", Measure::CgroupUsage), ("  working set", Measure::CgroupWorkingSet)] {
        if let Some(usage) = view.now.observations.value(measure) {
            rows.push(view.row(label.to_owned(), mib(Bytes::new(usage)), limit.clone(), measure));
        }
    }
    let header = ["MiB", "now", "budget", "a minute", "trend", ""];
    let align = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Left, Align::Left];
    table::fitting(width, &[5, 2], &header, &align, &rows)
}

impl View<'_> {
    fn pool(&self, pool: Pool, bytes: Bytes) -> Vec<String> {
        self.row(format!("  {}", pool.label()), mib(bytes), String::new(), Measure::Pool(pool))
    }

    fn outside(&self, pool: Pool, bytes: Bytes) -> Vec<String> {
        self.row(pool.label().to_owned(), mib(bytes), String::new(), Measure::Pool(pool))
    }

    fn row(&self, label: String, used: String, budget: String, measure: Measure) -> Vec<String> {
        let series = self.timeline.series(measure);
        let trend = self.before.trend(measure);
        let change = per_minute(&series, trend).map_or_else(String::new, signed_mib);
        let word = trend.map_or("", word).to_owned();
        vec![label, used, budget, change, word, sparkline(&series.columns(LINE), LINE, self.signs)]
    }
}

/// The change in a minute, in the measure's unit: by the slope where there is one, else over the last minute.
pub(super) fn per_minute(series: &Series, trend: Option<&Trend>) -> Option<f64> {
    if let Some(slope) = trend.and_then(|trend| trend.slope) {
        return Some(slope.per_second * 60.0);
    }
    let last = series.points().last()?;
    let of_life = series.points().iter().filter(|point| point.life == last.life && point.at < last.at);
    let recent = of_life.clone().find(|point| last.at.duration_since(point.at) <= RECENT).or(of_life.last())?;
    let seconds = last.at.duration_since(recent.at).as_secs_f64();
    (seconds > 0.0).then(|| (last.value as f64 - recent.value as f64) / seconds * 60.0)
}

/// A change of bytes as mebibytes with its sign.
fn signed_mib(bytes: f64) -> String {
    let tenths = (bytes.abs() * 10.0 / f64::from(1u32 << 20)).round() as u64;
    let sign = match tenths {
        0 => "",
        _ if bytes < 0.0 => "-",
        _ => "+",
    };
    format!("{sign}{}.{}", tenths / 10, tenths % 10)
}

/// A verdict in a word.
pub(super) fn word(trend: &Trend) -> &'static str {
    match &trend.verdict {
        Verdict::Growing => "growing",
        Verdict::Falling => "falling",
        Verdict::Plateau { .. } => "plateau",
        Verdict::Sawtooth { troughs: Troughs::Rising, .. } => "sawtooth, rising",
        Verdict::Sawtooth { troughs: Troughs::Falling, .. } => "sawtooth, falling",
        Verdict::Sawtooth { .. } => "sawtooth",
        Verdict::Unclear { .. } => "unclear",
    }
}

/// Trends that cannot be told, those for one reason together.
pub(super) fn unclear(before: &OverTime) -> Vec<String> {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    let shown = before.trends.iter().filter(|(measure, _)| matches!(measure, Measure::Pool(_) | Measure::Rss));
    for (_, trend) in shown {
        let Verdict::Unclear { why } = &trend.verdict else { continue };
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((why, 1)),
        }
    }
    reasons.into_iter().map(|(why, count)| format!("Unclear for {count} of the rows: {why}.")).collect()
}

/// What lies ahead, a sentence each.
pub(super) fn ahead(all: &[Ahead]) -> Vec<String> {
    all.iter()
        .map(|ahead| {
            let what = match ahead.measure {
                Measure::CgroupWorkingSet => "working set",
                Measure::MetaspaceCommitted => "metaspace",
                _ => "resident set",
            };
            let limit = format!("{} ({} MiB)", ahead.bound.label(), mib(ahead.limit));
            match &ahead.forecast {
                Forecast::Reached => format!("The {what} has reached {limit}."),
                Forecast::Between { earliest, latest: Some(latest) } => {
                    format!("The {what} reaches {limit} in {} to {}.", time(*earliest), time(*latest))
                }
                Forecast::Between { earliest, latest: None } => {
                    format!("The {what} reaches {limit} in {} at the earliest.", time(*earliest))
                }
                Forecast::Beyond { horizon } => {
                    format!("The {what} does not reach {limit} within {}.", time(*horizon))
                }
                Forecast::Never { why } => format!("No forecast of the {what} for {limit}: {why}."),
            }
        })
        .collect()
}

/// What restarts of jobs leave behind.
pub(super) fn restarts(judged: &Restarts, limit: Option<Bytes>) -> String {
    let by = judged.per_restart.map_or_else(String::new, |slope| {
        format!(" {} MiB each ({} to {})", signed_mib(slope.per_second), end(slope.low), end(slope.high))
    });
    let mut text = match &judged.verdict {
        restarts::Verdict::StepPerRestart(keeper) => {
            let keeper = match keeper {
                Keeper::Allocator => "the allocator keeps it, what is in use stays the same",
                Keeper::Program => "what is in use grows as well: the program keeps it",
                Keeper::Unseen => "malloc could not be looked into, so who keeps it was not seen",
            };
            format!("Job restarts: {} looks between jobs, step per restart,{by}; {keeper}.", judged.floors)
        }
        restarts::Verdict::Plateau => {
            format!("Job restarts: {} looks between jobs, plateau: they leave nothing more behind.", judged.floors)
        }
        restarts::Verdict::Unclear { why } => format!("Job restarts: not clear: {why}."),
    };
    if let Some((fewest, most)) = limit.and_then(|limit| judged.until(limit.get())) {
        let most = most.map_or_else(|| " or more".to_owned(), |most| format!(" to {most}"));
        text += &format!(" The limit is {fewest}{most} restarts away.");
    }
    text
}

fn end(bytes: f64) -> String {
    if bytes.is_finite() { signed_mib(bytes) } else { "unknown".to_owned() }
}

/// A time as people say it.
pub(super) fn time(duration: SignedDuration) -> String {
    span(duration.as_secs().unsigned_abs())
}
