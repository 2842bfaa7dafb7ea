//! What came of scenarios as one page of HTML that loads nothing and runs nothing: drawings of memory over time, tables, and
//! the story between them. The template is `templates/repro.html`; it escapes every text.

use askama::Template;

use super::chart::Frame;
use super::settings::{self, Difference};
use super::svg::{Chart, chart};
use super::table::{self, Held, UNSEEN, When, held};
use super::text::{self, Setup};
use super::words::ending;
use super::{NotRun, all};
use crate::model::Bytes;
use crate::report::amount::{count, mib};
use crate::repro::outcome::{Ending, Run, Statement, Trial};

/// The page of scenarios: those that were run, and those that were not.
///
/// # Errors
///
/// Where the template cannot be filled.
pub fn page(trials: &[Trial], not_run: &[NotRun]) -> Result<String, askama::Error> {
    let held = trials.iter().filter(|trial| trial.holds()).count();
    let title = match (trials, not_run) {
        ([trial], []) => trial.scenario.clone(),
        (several, _) => format!("{held} of {} held", count(several.len() as u64, "scenario", "scenarios")),
    };
    Page {
        version: env!("CARGO_PKG_VERSION"),
        title,
        summary: if trials.len() > 1 || !not_run.is_empty() {
            trials.iter().map(Line::of).collect()
        } else {
            Vec::new()
        },
        with_cause: all::is_told(trials, all::CAUSE),
        with_amplification: all::is_told(trials, all::AMPLIFICATION),
        sections: trials.iter().map(Section::of).collect(),
        not_run: not_run.to_vec(),
    }
    .render()
}

/// The page of runs of a workload that belongs to no scenario, one at least.
///
/// # Errors
///
/// Where the template cannot be filled.
pub fn page_of_runs(runs: &[Run]) -> Result<String, askama::Error> {
    let name = runs.first().map(|run| run.experiment.workload.name.clone()).unwrap_or_default();
    let ended: Vec<String> = runs.iter().map(|run| format!("{}: {}", run.label, ending(run))).collect();
    let section = Section {
        heading: name.clone(),
        summary: ended.join("; "),
        ..Section::of_runs(&runs.iter().collect::<Vec<_>>(), runs, &[])
    };
    Page {
        version: env!("CARGO_PKG_VERSION"),
        title: name,
        summary: Vec::new(),
        with_cause: false,
        with_amplification: false,
        sections: vec![section],
        not_run: Vec::new(),
    }
    .render()
}

#[derive(Template)]
#[template(path = "repro.html")]
struct Page {
    version: &'static str,
    title: String,
    summary: Vec<Line>,
    /// Whether the summary says by which cause runs ended.
    with_cause: bool,
    /// Whether it says how much was written for each byte.
    with_amplification: bool,
    sections: Vec<Section>,
    not_run: Vec<NotRun>,
}

/// A scenario in the summary.
struct Line {
    anchor: String,
    name: String,
    held: bool,
    whether: &'static str,
    runs: Vec<[String; 7]>,
}

struct Section {
    anchor: String,
    heading: String,
    title: String,
    held: Option<bool>,
    summary: String,
    statements: Vec<Statement>,
    setup: Vec<Setup>,
    charts: Vec<Drawn>,
    whys: Vec<Why>,
    differences: Vec<Differs>,
    labels: Vec<String>,
    figures: Vec<table::Row>,
    predictions: Vec<Predicted>,
    notes: Vec<String>,
}

/// A drawing, and what stands over it.
struct Drawn {
    label: String,
    ending: String,
    died: bool,
    chart: Option<Chart>,
}

struct Why {
    title: String,
    lines: Vec<String>,
    evidence: Vec<String>,
    report: Option<String>,
}

struct Differs {
    title: String,
    labels: (String, String),
    lines: Vec<String>,
    settings: Vec<Difference>,
}

struct Predicted {
    label: String,
    tables: Vec<(&'static str, Vec<Row>)>,
    notes: Vec<String>,
}

/// A part with its band, and where both lie on a scale of a hundred and twenty units.
struct Row {
    held: Held,
    low: String,
    expected: String,
    high: String,
    measured: String,
    band: (u64, u64),
    tick: u64,
    dot: Option<u64>,
}

impl Line {
    fn of(trial: &Trial) -> Line {
        Line {
            anchor: anchor(trial),
            name: trial.scenario.clone(),
            held: trial.holds(),
            whether: text::whether(trial.holds()),
            runs: trial.runs.iter().map(all::cells).collect(),
        }
    }
}

/// A name for links within the page.
fn anchor(trial: &Trial) -> String {
    trial.scenario.chars().filter(|sign| sign.is_ascii_alphanumeric() || *sign == '-').collect()
}

impl Section {
    fn of(trial: &Trial) -> Section {
        let runs: Vec<&Run> = trial.runs.iter().collect();
        Section {
            anchor: anchor(trial),
            heading: trial.scenario.clone(),
            title: trial.title.clone(),
            held: Some(trial.holds()),
            summary: text::summary(trial),
            statements: trial.statements.clone(),
            ..Section::of_runs(&runs, &trial.runs, &trial.notes)
        }
    }

    fn of_runs(runs: &[&Run], owned: &[Run], notes: &[String]) -> Section {
        let frame = Frame::of(runs);
        let drawn = |run: &&Run| Drawn {
            label: run.label.clone(),
            ending: ending(run),
            died: !run.is_finished(),
            chart: frame.filter(|_| !run.moments.is_empty()).map(|frame| chart(run, &frame, runs)),
        };
        let recorded =
            runs.iter().filter_map(|run| Some(format!("{} was recorded: {}", run.label, run.recording.as_ref()?)));
        Section {
            anchor: String::new(),
            heading: String::new(),
            title: String::new(),
            held: None,
            summary: String::new(),
            statements: Vec::new(),
            setup: text::setup(runs),
            charts: runs.iter().map(drawn).collect(),
            whys: runs.iter().filter_map(|run| Why::of(run)).collect(),
            differences: runs.split_first().map_or_else(Vec::new, |(first, others)| {
                others.iter().map(|other| Differs::of(first, other)).collect()
            }),
            labels: runs.iter().map(|run| run.label.clone()).collect(),
            figures: table::figures(owned),
            predictions: runs.iter().filter_map(|run| Predicted::of(run)).collect(),
            notes: notes.iter().cloned().chain(recorded).collect(),
        }
    }
}

impl Why {
    fn of(run: &Run) -> Option<Why> {
        let lines = run.verdict.as_ref().map(text::verdict_lines).unwrap_or_default();
        let evidence = text::evidence(run);
        let report = match &run.ending {
            Ending::KilledByKernel { report, .. } if !report.trim().is_empty() => Some(report.clone()),
            _ => None,
        };
        let is_told = !lines.is_empty() || !evidence.is_empty() || report.is_some();
        is_told.then(|| Why { title: text::why_title(run), lines, evidence, report })
    }
}

impl Differs {
    fn of(first: &Run, other: &Run) -> Differs {
        Differs {
            title: text::differs_title(first, other),
            labels: (first.label.clone(), other.label.clone()),
            lines: settings::changed_lines(first.configuration.as_deref(), other.configuration.as_deref()),
            settings: settings::differences(first, other),
        }
    }
}

impl Predicted {
    fn of(run: &Run) -> Option<Predicted> {
        let prediction = run.prediction.as_ref()?;
        let table = |when: When| {
            let rows = held(prediction, Some(run), when);
            let most = rows.iter().map(|row| row.band.high.max(row.measured.unwrap_or(Bytes::ZERO))).max();
            let scale = most.unwrap_or(Bytes::ZERO);
            (when.label(), rows.into_iter().map(|held| Row::of(held, scale)).collect())
        };
        Some(Predicted {
            label: run.label.clone(),
            tables: table::times(run).iter().map(|when| table(*when)).collect(),
            notes: table::remarks(prediction, run),
        })
    }
}

impl Row {
    fn of(held: Held, scale: Bytes) -> Row {
        let at = |size: Bytes| {
            let at = (u128::from(size.get()) * 112).checked_div(u128::from(scale.get())).unwrap_or(0);
            4 + u64::try_from(at).unwrap_or(112).min(112)
        };
        let (from, to) = (at(held.band.low), at(held.band.high));
        Row {
            low: mib(held.band.low),
            expected: mib(held.band.expected),
            high: mib(held.band.high),
            measured: held.measured.map_or_else(|| UNSEEN.to_owned(), mib),
            band: (from, (to - from.min(to)).max(2)),
            tick: at(held.band.expected),
            dot: held.measured.map(at),
            held,
        }
    }
}

#[cfg(test)]
mod tests;
