//! Version 1 of the JSON of `oomph attach --recording`. Sizes are bytes, slopes bytes in a second; what could not be seen
//! is null.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Read, told};
use crate::diagnose::recalled::{Recalled, What};
use crate::diagnose::trend::restarts::{self, Keeper};
use crate::diagnose::trend::{Forecast, Slope, Trend, Troughs, Verdict};
use crate::model::{Bytes, Measure, Pool, Role, Unit};
use crate::report::attach::json::{FindingV1, pools};
use crate::report::json::by_component;

/// The name and version of this format.
pub const SCHEMA: &str = "oomph.recording/1";

/// One recording.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.recording/1`.
    schema: &'static str,
    /// The version of the format of its lines.
    format: String,
    /// The version of oomph that wrote it.
    oomph: String,
    /// When it was begun, RFC 3339.
    since: String,
    /// The first look.
    from: String,
    /// The last look.
    to: String,
    looks: u64,
    /// The process id at the last look.
    pid: u32,
    /// Flink's name for it, else its main class or program.
    name: String,
    /// `taskmanager` or `jobmanager`; null where it is not Flink's.
    role: Option<&'static str>,
    /// The resident set at the last look.
    rss: Option<u64>,
    /// When the pools were looked at: the last look at which malloc was looked into, else the last look.
    at: String,
    /// Resident bytes by pool then, each byte once; malloc as a whole.
    pools: Option<BTreeMap<&'static str, u64>>,
    /// What malloc held then, where it was looked into.
    malloc: Option<BTreeMap<&'static str, u64>>,
    /// What Flink planned, by component, with `total_flink` and `total_process`.
    budget: Option<BTreeMap<&'static str, u64>>,
    /// The limit of the container; null where there is none or it was not seen.
    limit: Option<u64>,
    /// How the target ended, where that was seen.
    gone: Option<String>,
    /// Processes that the kernel killed in the container.
    oom_kills: u64,
    /// What each measure did.
    measures: BTreeMap<&'static str, MeasureV1>,
    /// When bounds are reached.
    forecasts: Vec<ForecastV1>,
    /// What job restarts leave behind; null where no two jobs can be told apart.
    restarts: Option<RestartsV1>,
    events: Vec<EventV1>,
    /// Events before those.
    earlier_events: u64,
    /// What could not be read of it.
    read: ReadV1,
    /// The worst first.
    findings: Vec<FindingV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct MeasureV1 {
    /// `bytes`, `count` or `nanoseconds`.
    unit: &'static str,
    /// Whether it is a counter, whose trend is that of its rate in a second.
    counter: bool,
    /// At the last look; null where it was not seen then.
    last: Option<u64>,
    /// `growing`, `falling`, `plateau`, `sawtooth` or `unclear`.
    verdict: &'static str,
    /// Why it is unclear.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Of a sawtooth: `rising`, `level`, `falling` or `unclear`.
    #[serde(skip_serializing_if = "Option::is_none")]
    troughs: Option<&'static str>,
    /// Where it stands in the end.
    level: u64,
    slope: Option<SlopeV1>,
    /// The looks that were judged: those of one life of the target.
    points: usize,
    from: String,
    to: String,
}

/// With its 95 % interval; an end that cannot be told is null.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SlopeV1 {
    value: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ForecastV1 {
    measure: &'static str,
    /// `limit`, `total_process` or a component.
    bound: &'static str,
    bytes: u64,
    /// `reached`, `between`, `beyond` or `none`.
    forecast: &'static str,
    /// Seconds from the last look on; of `beyond` the horizon.
    earliest_seconds: Option<i64>,
    latest_seconds: Option<i64>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RestartsV1 {
    /// `step_per_restart`, `plateau` or `unclear`.
    verdict: &'static str,
    /// Of steps: `allocator`, `program` or `unseen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    keeper: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Times between jobs that were compared.
    floors: usize,
    /// Bytes a restart.
    per_restart: Option<SlopeV1>,
    /// Restarts until the container's limit.
    fewest_to_limit: Option<u64>,
    most_to_limit: Option<u64>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EventV1 {
    at: String,
    /// `started`, `resumed`, `stopped`, `gone`, `new_process`, `job`, `budget`, `limit`, `lost`, `note`, `gap` or
    /// `oom_kill`.
    kind: &'static str,
    text: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ReadV1 {
    parts: u64,
    missing_parts: u64,
    torn_end: bool,
    damaged_lines: u64,
    unexplained_samples: u64,
    unknown_lines: u64,
    unknown_values: u64,
    /// Files that have the name of a part and are none.
    strangers: Vec<String>,
}

/// The document of a recording.
pub fn document(recalled: &Recalled, read: &Read) -> Document {
    let (header, last) = (&recalled.header, &recalled.last);
    let shown = &recalled.examination;
    let account = shown.account.as_ref().ok();
    let is_divided = shown.observations.value(Measure::Pool(Pool::AllocatorRetained)).is_some();
    let malloc = account.filter(|_| is_divided).map(|account| {
        let parts = Pool::ALL.into_iter().filter(|pool| pool.is_malloc());
        parts.map(|pool| (pool.key(), account.bytes(pool).get())).collect()
    });
    let measures =
        recalled.before.trends.iter().map(|(measure, trend)| (measure.key(), measured(recalled, *measure, trend)));
    Document {
        schema: SCHEMA,
        format: format!("{}.{}", header.format.major, header.format.minor),
        oomph: header.oomph.clone(),
        since: header.since.to_string(),
        from: recalled.first.to_string(),
        to: last.at.to_string(),
        looks: recalled.looks,
        pid: last.target.pid,
        name: last.target.name.clone(),
        role: last.target.role.map(Role::key),
        rss: last.value(Measure::Rss),
        at: shown.observations.at.to_string(),
        pools: account.map(pools),
        malloc,
        budget: recalled.budget.as_ref().map(by_component),
        limit: recalled.limit.map(Bytes::get),
        gone: recalled.end().map(str::to_owned),
        oom_kills: recalled.kills(),
        measures: measures.collect(),
        forecasts: recalled.ahead.iter().map(forecast).collect(),
        restarts: recalled.before.restarts.as_ref().map(|judged| restarts_v1(judged, recalled.limit)),
        events: recalled
            .happened
            .iter()
            .map(|happened| EventV1 { at: happened.at.to_string(), kind: kind(&happened.what), text: told(happened) })
            .collect(),
        earlier_events: recalled.more_happened,
        read: ReadV1 {
            parts: read.parts,
            missing_parts: read.missing_parts,
            torn_end: read.lines.torn_end,
            damaged_lines: read.lines.damaged,
            unexplained_samples: read.lines.unexplained,
            unknown_lines: read.lines.unknown_lines,
            unknown_values: read.lines.unknown_values,
            strangers: read.strangers.clone(),
        },
        findings: shown.findings.iter().map(FindingV1::of).collect(),
    }
}

fn measured(recalled: &Recalled, measure: Measure, trend: &Trend) -> MeasureV1 {
    let (verdict, why, troughs) = match &trend.verdict {
        Verdict::Growing => ("growing", None, None),
        Verdict::Falling => ("falling", None, None),
        Verdict::Plateau { .. } => ("plateau", None, None),
        Verdict::Sawtooth { troughs, .. } => {
            let troughs = match troughs {
                Troughs::Rising => "rising",
                Troughs::Level => "level",
                Troughs::Falling => "falling",
                Troughs::Unclear => "unclear",
            };
            ("sawtooth", None, Some(troughs))
        }
        Verdict::Unclear { why } => ("unclear", Some(why.clone()), None),
    };
    MeasureV1 {
        unit: match measure.unit() {
            Unit::Bytes => "bytes",
            Unit::Count => "count",
            Unit::Nanoseconds => "nanoseconds",
        },
        counter: measure.is_counter(),
        last: recalled.last.value(measure),
        verdict,
        why,
        troughs,
        level: trend.level,
        slope: trend.slope.map(slope),
        points: trend.points,
        from: trend.from.to_string(),
        to: trend.to.to_string(),
    }
}

fn slope(slope: Slope) -> SlopeV1 {
    let told = |value: f64| Some(value).filter(|value| value.is_finite());
    SlopeV1 { value: told(slope.per_second), low: told(slope.low), high: told(slope.high) }
}

fn forecast(ahead: &crate::diagnose::ahead::Ahead) -> ForecastV1 {
    let (forecast, earliest, latest, why) = match &ahead.forecast {
        Forecast::Reached => ("reached", None, None, None),
        Forecast::Between { earliest, latest } => ("between", Some(*earliest), *latest, None),
        Forecast::Beyond { horizon } => ("beyond", Some(*horizon), None, None),
        Forecast::Never { why } => ("none", None, None, Some(why.clone())),
    };
    ForecastV1 {
        measure: ahead.measure.key(),
        bound: ahead.bound.key(),
        bytes: ahead.limit.get(),
        forecast,
        earliest_seconds: earliest.map(|time| time.as_secs()),
        latest_seconds: latest.map(|time| time.as_secs()),
        why,
    }
}

fn restarts_v1(judged: &restarts::Restarts, limit: Option<Bytes>) -> RestartsV1 {
    let (verdict, keeper, why) = match &judged.verdict {
        restarts::Verdict::StepPerRestart(keeper) => {
            let keeper = match keeper {
                Keeper::Allocator => "allocator",
                Keeper::Program => "program",
                Keeper::Unseen => "unseen",
            };
            ("step_per_restart", Some(keeper), None)
        }
        restarts::Verdict::Plateau => ("plateau", None, None),
        restarts::Verdict::Unclear { why } => ("unclear", None, Some(why.clone())),
    };
    let until = limit.and_then(|limit| judged.until(limit.get()));
    RestartsV1 {
        verdict,
        keeper,
        why,
        floors: judged.floors,
        per_restart: judged.per_restart.map(slope),
        fewest_to_limit: until.map(|(fewest, _)| fewest),
        most_to_limit: until.and_then(|(_, most)| most),
    }
}

fn kind(what: &What) -> &'static str {
    use crate::artefact::recording::Event;
    match what {
        What::Gap(_) => "gap",
        What::Killed(_) => "oom_kill",
        What::Event(event) => match event {
            Event::Started => "started",
            Event::Resumed => "resumed",
            Event::Stopped => "stopped",
            Event::Gone { .. } => "gone",
            Event::NewProcess(_) => "new_process",
            Event::Job { .. } => "job",
            Event::Budget(_) => "budget",
            Event::Limit(_) => "limit",
            Event::Lost { .. } => "lost",
            Event::Note(_) => "note",
        },
    }
}
