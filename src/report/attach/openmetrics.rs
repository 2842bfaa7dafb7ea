//! One look at processes as OpenMetrics 1.0 text (`application/openmetrics-text`), which Prometheus reads. The names are
//! kept stable: `docs/metrics.md` lists them, and a test holds that page against [`families`].

mod families;
#[cfg(test)]
mod tests;

pub use families::{Family, Kind, families};

use crate::diagnose::examination::Examination;
use crate::diagnose::limits::Limits;
use crate::model::{Measure, Pool, Severity, Unit};

/// The media type of the text.
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What one scrape shows.
#[derive(Debug, Default)]
pub struct Scrape<'e> {
    /// Those that were looked at.
    pub processes: Vec<&'e Examination>,
    /// Those that were asked for and could not be looked at.
    pub gone: Vec<u32>,
}

/// A line without its name: labels and value.
type Line = (Vec<(&'static str, String)>, String);

/// The text of a scrape: only families that have a sample, each with its type, unit and meaning.
pub fn text(scrape: &Scrape<'_>) -> String {
    let mut out = String::new();
    for family in families() {
        let lines = lines(&family, scrape);
        if lines.is_empty() {
            continue;
        }
        out += &format!(
            "# HELP {} {}\n# TYPE {} {}\n",
            family.name,
            escaped(&family.help),
            family.name,
            family.kind.name()
        );
        if let Some(unit) = family.unit {
            out += &format!("# UNIT {} {unit}\n", family.name);
        }
        for (labels, value) in lines {
            let labels: Vec<String> =
                labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            out += &format!("{}{labels} {value}\n", family.sample());
        }
    }
    out + "# EOF\n"
}

fn lines(family: &Family, scrape: &Scrape<'_>) -> Vec<Line> {
    match family.shows {
        families::Shows::Build => {
            vec![(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], "1".to_owned())]
        }
        families::Shows::Up => {
            let line = |pid: u32, up: &str| (vec![("pid", pid.to_string())], up.to_owned());
            let up = scrape.processes.iter().map(|examination| line(examination.sample.pid, "1"));
            up.chain(scrape.gone.iter().map(|pid| line(*pid, "0"))).collect()
        }
        shows => scrape.processes.iter().flat_map(|examination| of_process(shows, examination)).collect(),
    }
}

/// The samples of a process, each with what tells the process.
fn of_process(shows: families::Shows, examination: &Examination) -> Vec<Line> {
    use families::Shows;
    let own = match shows {
        Shows::Build | Shows::Up => Vec::new(),
        Shows::Process => vec![process(examination)],
        Shows::LookedAt => {
            let millis = examination.sample.at.as_millisecond();
            one(Some(format!("{}.{:03}", millis.div_euclid(1_000), millis.rem_euclid(1_000))))
        }
        Shows::Pool => pools(examination),
        Shows::Measure(measure) => one(measured(examination, measure)),
        Shows::Budget => budget(examination),
        Shows::Planned => {
            let planned = examination.planned.as_ref().ok();
            one(planned.map(|survey| survey.plan.budget.total_process().bytes.get().to_string()))
        }
        Shows::Used => of_rows(examination, |row| row.used.as_ref().ok().map(|used| used.get().to_string())),
        Shows::HeadRoom => of_rows(examination, |row| row.head_room().map(|room| room.signed().to_string())),
        Shows::ContainerLimit => of_container(examination, |container| container.limit),
        Shows::ContainerUsage => of_container(examination, |container| container.usage_there),
        Shows::PageCache => {
            let verdict = examination.container.as_ref().ok().and_then(|container| container.page_cache.as_ref().ok());
            let label =
                |cache: &crate::diagnose::container::PageCache| vec![("verdict", cache.verdict.key().to_owned())];
            verdict.map(|cache| (label(cache), "1".to_owned())).into_iter().collect()
        }
        Shows::Trimmable => one(examination.sample.heap.as_ref().ok().map(|walk| walk.trimmable().to_string())),
        Shows::LimitUsed => limits(examination),
        Shows::RocksDbVerdict => verdicts(examination),
        Shows::Finding => findings(examination),
        Shows::Unseen => {
            let unseen = examination.unseen().into_iter();
            unseen.map(|(what, _)| (vec![("what", what.to_owned())], "1".to_owned())).collect()
        }
    };
    let sample = &examination.sample;
    let role = sample.flink.as_ref().map_or("none", |flink| flink.role.key());
    let whose = || vec![("pid", sample.pid.to_string()), ("name", sample.name()), ("role", role.to_owned())];
    own.into_iter().map(|(labels, value)| (whose().into_iter().chain(labels).collect(), value)).collect()
}

fn one(value: Option<String>) -> Vec<Line> {
    value.map(|value| (Vec::new(), value)).into_iter().collect()
}

fn process(examination: &Examination) -> Line {
    let jvm = examination.sample.jvm.as_ref().ok();
    let flink = examination.planned.as_ref().ok().map(|survey| survey.plan.profile.version().to_string());
    let labels = vec![
        ("flink", flink.unwrap_or_default()),
        ("java", jvm.and_then(|jvm| jvm.java_version.clone()).unwrap_or_default()),
        ("collector", jvm.and_then(|jvm| jvm.collector).map_or("", |collector| collector.label()).to_owned()),
        ("allocator", examination.sample.allocator.label().to_owned()),
    ];
    (labels, "1".to_owned())
}

fn pools(examination: &Examination) -> Vec<Line> {
    let pool = |pool: Pool| {
        let value = examination.observations.value(Measure::Pool(pool))?;
        Some((vec![("pool", pool.key().to_owned())], value.to_string()))
    };
    Pool::ALL.into_iter().filter_map(pool).collect()
}

fn measured(examination: &Examination, measure: Measure) -> Option<String> {
    let value = examination.observations.value(measure)?;
    Some(match measure.unit() {
        Unit::Nanoseconds => format!("{}.{:09}", value / 1_000_000_000, value % 1_000_000_000),
        Unit::Bytes | Unit::Count => value.to_string(),
    })
}

fn budget(examination: &Examination) -> Vec<Line> {
    let Ok(survey) = &examination.planned else { return Vec::new() };
    let parts = survey.plan.budget.parts().iter();
    parts.map(|(part, figure)| (vec![("component", part.key().to_owned())], figure.bytes.get().to_string())).collect()
}

fn of_rows(examination: &Examination, value: impl Fn(&crate::diagnose::ledger::Row) -> Option<String>) -> Vec<Line> {
    let rows = examination.ledger.as_ref().map(|ledger| ledger.rows.as_slice()).unwrap_or_default();
    let line = |row: &crate::diagnose::ledger::Row| {
        let components: Vec<&str> = row.components.iter().map(|component| component.key()).collect();
        Some((vec![("components", components.join("+"))], value(row)?))
    };
    rows.iter().filter_map(line).collect()
}

fn of_container(
    examination: &Examination,
    value: impl Fn(&crate::diagnose::container::ContainerAccount) -> Option<crate::model::Bytes>,
) -> Vec<Line> {
    one(examination.container.as_ref().ok().and_then(value).map(|bytes| bytes.get().to_string()))
}

fn limits(examination: &Examination) -> Vec<Line> {
    let line = |bound: &crate::diagnose::limits::Bound| {
        let share = bound.permille()?;
        Some((vec![("limit", bound.key.to_owned())], format!("{}.{:03}", share / 1_000, share % 1_000)))
    };
    Limits::of(&examination.sample).bounds.iter().filter_map(line).collect()
}

fn verdicts(examination: &Examination) -> Vec<Line> {
    let mut bounds: Vec<&str> = examination.rocksdb.verdicts.iter().map(|(verdict, _)| verdict.bound.label()).collect();
    bounds.sort_unstable();
    bounds.dedup();
    bounds.into_iter().map(|bound| (vec![("bound", bound.to_owned())], "1".to_owned())).collect()
}

fn findings(examination: &Examination) -> Vec<Line> {
    let mut found: Vec<(&str, &str, Severity)> =
        examination.findings.iter().map(|finding| (finding.code, finding.name, finding.severity)).collect();
    // A cause may be found twice in one process; a series may not.
    found.sort_unstable();
    found.dedup();
    let line = |(code, name, severity): (&str, &str, Severity)| {
        let labels = [("code", code), ("finding", name), ("severity", severity.name())];
        (labels.into_iter().map(|(label, value)| (label, value.to_owned())).collect(), "1".to_owned())
    };
    found.into_iter().map(line).collect()
}

/// A label's value or a help text, as the format writes it.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
