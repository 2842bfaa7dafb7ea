//! A diagnosis as one page of HTML that loads nothing: the verdict, the budget against the use as bars, what happened as a
//! chart and a table, and what to change. The template is `templates/diagnose.html`; it escapes every text.

use askama::Template;

use super::{Report, advice, words};
use crate::artefact::excerpt::Moment;
use crate::diagnose::postmortem::candidates::{Candidate, candidates};
use crate::diagnose::postmortem::groups::groups;
use crate::diagnose::postmortem::timeline::{Event, Kind, timeline};
use crate::model::{Bytes, Component};
use crate::plan::Survey;
use crate::report::amount::mib;
use crate::report::bars::{FULL, Piece, Scale};
use crate::report::sentence::capital;

/// The page of a report.
///
/// # Errors
///
/// Where the template cannot be filled.
pub fn page(report: &Report<'_, '_>) -> Result<String, askama::Error> {
    let verdict = &report.main.verdict;
    let first = report.main.suspects.first();
    let mut evidence: Vec<Told> = Vec::new();
    let supports = first.map(|first| first.supports.as_slice()).unwrap_or_default();
    let mut seen: Vec<(usize, u32)> = Vec::new();
    for signal in report.main.case.told().map(|(signal, _)| signal).chain(supports.iter().copied()) {
        if seen.contains(&(signal.file, signal.line)) {
            continue;
        }
        seen.push((signal.file, signal.line));
        evidence.push(Told {
            place: report.place(signal.file, signal.line),
            origin: words::origin(signal.origin),
            quote: super::quoted(&signal.quote),
            because: super::because(signal).to_owned(),
        });
    }
    let events = timeline(report.main);
    Page {
        version: env!("CARGO_PKG_VERSION"),
        killer: if report.tells_nothing() { super::NOTHING } else { words::killer(verdict.killer) },
        confidence: verdict.confidence.name(),
        summary: capital(super::sentence(&verdict.summary)),
        numbers: super::text::numbers(report).join("; "),
        bars: bars(report),
        groups: if report.cases.len() > 1 { group_rows(report) } else { Vec::new() },
        evidence,
        axis: axis(&events),
        events: events.iter().map(|event| row(report, event)).collect(),
        candidates: candidates(&report.main.case, verdict.area),
        causes: report
            .main
            .suspects
            .iter()
            .skip(1)
            .map(|suspect| {
                let cause = suspect.cause;
                format!("{} {} ({} confidence): {}", cause.code, cause.name, suspect.confidence, suspect.title)
            })
            .collect(),
        cures: report.advice.recommendations.iter().map(Cure::of).collect(),
        refused: report.advice.refused.clone(),
        decides: report.undecided().map(|decides| (decides.evidence, decides.command)),
        unread: report.not_read(),
    }
    .render()
}

#[derive(Template)]
#[template(path = "diagnose.html")]
struct Page {
    version: &'static str,
    killer: &'static str,
    confidence: &'static str,
    summary: String,
    numbers: String,
    bars: Option<Bars>,
    groups: Vec<[String; 4]>,
    evidence: Vec<Told>,
    axis: Option<Axis>,
    events: Vec<[String; 4]>,
    candidates: Vec<Candidate>,
    causes: Vec<String>,
    cures: Vec<Cure>,
    refused: Vec<String>,
    decides: Option<(&'static str, &'static str)>,
    unread: Vec<(String, String)>,
}

struct Told {
    place: String,
    origin: &'static str,
    quote: String,
    because: String,
}

/// The budget before and after over the use and the limit, on one scale.
struct Bars {
    rows: Vec<(String, Vec<Piece>, u64)>,
    height: u64,
    limit: Option<(u64, String)>,
}

/// Events of one clock.
struct Axis {
    points: Vec<Point>,
    from: String,
    to: String,
}

struct Point {
    x: u64,
    y: u64,
    class: &'static str,
    text: String,
}

struct Cure {
    title: String,
    code: String,
    prose: Vec<String>,
    facts: Vec<String>,
}

impl Cure {
    fn of(recommendation: &crate::recommend::cure::Recommendation) -> Cure {
        let lines = recommendation.steps.iter().flat_map(advice::step_lines);
        let (prose, code): (Vec<_>, Vec<_>) = lines.partition(|line| line.is_text);
        Cure {
            title: recommendation.title.clone(),
            code: code.into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n"),
            prose: prose.into_iter().map(|line| line.text).collect(),
            facts: advice::facts(recommendation),
        }
    }
}

fn group_rows(report: &Report<'_, '_>) -> Vec<[String; 4]> {
    let row = |group: crate::diagnose::postmortem::groups::Group<'_, '_>| {
        [
            group.cases.len().to_string(),
            group.code.unwrap_or("none").to_owned(),
            group.killer.to_string(),
            words::filled(group.code, group.area).to_owned(),
        ]
    };
    groups(report.cases).into_iter().map(row).collect()
}

fn row(report: &Report<'_, '_>, event: &Event<'_>) -> [String; 4] {
    let place = report.place(event.signal.file, event.signal.line);
    [words::moment(event.at), event.kind.label().to_owned(), place, super::short(&event.signal.quote)]
}

fn bars(report: &Report<'_, '_>) -> Option<Bars> {
    let verdict = &report.main.verdict;
    let total = |survey: &Survey| survey.plan.budget.total_process().bytes;
    let cured = report.advice.recommendations.iter().find_map(|cure| cure.after.as_deref());
    let sizes = [report.budget.map(total), cured.map(total), verdict.usage, verdict.limit];
    let largest = sizes.into_iter().flatten().max().filter(|largest| *largest > Bytes::ZERO)?;
    if report.budget.is_none() && cured.is_none() && (verdict.usage.is_none() || verdict.limit.is_none()) {
        return None;
    }
    let scale = Scale(largest);
    let mut rows: Vec<(String, Vec<Piece>)> = Vec::new();
    if let Some(usage) = verdict.usage {
        rows.push((
            "used at the end".to_owned(),
            scale.stack([(usage, "u".to_owned(), "used".to_owned())].into_iter()),
        ));
    }
    for (name, survey) in [("budget", report.budget), ("budget with the first recommendation", cured)] {
        let Some(survey) = survey else { continue };
        let parts = survey.plan.budget.parts().iter().enumerate();
        let parts = parts
            .map(|(at, (part, figure))| (figure.bytes, format!("c{}", at % 8), Component::label(*part).to_owned()));
        rows.push((name.to_owned(), scale.stack(parts)));
    }
    let height = 56 * rows.len() as u64 + 24;
    Some(Bars {
        rows: rows.into_iter().zip(0..).map(|((name, pieces), at)| (name, pieces, 56 * at)).collect(),
        height,
        limit: verdict.limit.map(|limit| (scale.of(limit), format!("limit {} MiB", mib(limit)))),
    })
}

/// The events of the clock that most of them bear.
fn axis(events: &[Event<'_>]) -> Option<Axis> {
    let seconds = |at: Moment| match at {
        Moment::Zoned(at) => (1, at.as_second()),
        Moment::Local(at) => (2, at.duration_since(jiff::civil::DateTime::default()).as_secs()),
        Moment::Yearless(at) => (3, at.duration_since(jiff::civil::DateTime::default()).as_secs()),
        Moment::Since(since) => (0, since.as_secs()),
    };
    let clock = (0..4).max_by_key(|clock| events.iter().filter(|event| seconds(event.at).0 == *clock).count())?;
    let dated: Vec<(i64, &Event<'_>)> =
        events.iter().filter(|event| seconds(event.at).0 == clock).map(|event| (seconds(event.at).1, event)).collect();
    let (first, last) = (dated.first()?, dated.last()?);
    let span = u64::try_from(last.0.checked_sub(first.0)?).ok().filter(|span| *span > 0)?;
    let mut points = Vec::new();
    for (second, event) in &dated {
        let since = u64::try_from(second.saturating_sub(first.0)).unwrap_or(0);
        let x = u64::try_from(u128::from(since) * u128::from(FULL - 40) / u128::from(span)).unwrap_or(0) + 20;
        let (y, class) = match event.kind {
            Kind::LastGood => (24, "good"),
            Kind::Death | Kind::End => (40, "death"),
            Kind::FirstSymptom | Kind::Symptom => (56, "symptom"),
            Kind::Consequence | Kind::Other => (72, "after"),
        };
        points.push(Point {
            x,
            y,
            class,
            text: format!("{} {}: {}", words::moment(event.at), event.kind.label(), super::short(&event.signal.quote)),
        });
    }
    Some(Axis { points, from: words::moment(first.1.at), to: words::moment(last.1.at) })
}
