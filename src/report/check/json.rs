//! Version 1 of the JSON of `oomph check`: `docs/schema/check-v1.json`, which a test keeps equal to these types.

use std::io::{self, Write};

use serde::Serialize;

use super::{Entry, Shown, Sink, Spot, Totals};
use crate::check::moved::{Moved, What};
use crate::model::{Edit, Severity};

/// The name and version of this format.
const SCHEMA: &str = "oomph.check/1";

/// Keeps the findings until the end.
#[derive(Default)]
pub struct Json {
    findings: Vec<FindingV1>,
    unread: Vec<Unread>,
    moved: Vec<MovedV1>,
}

/// A process whose budget moves.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct MovedV1 {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// `taskmanager` or `jobmanager`.
    role: &'static str,
    /// `sizes`, `appeared`, `gone`, `refused` or `accepted`.
    what: &'static str,
    sizes: Vec<SizeV1>,
}

/// A measure that differs; null where a side has no such thing.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SizeV1 {
    name: String,
    before: Option<u64>,
    after: Option<u64>,
}

fn moved(path: &str, moved: &Moved) -> MovedV1 {
    let (what, rows) = match &moved.what {
        What::Sizes(rows) => ("sizes", &rows[..]),
        What::Appeared => ("appeared", &[][..]),
        What::Gone => ("gone", &[][..]),
        What::Refused => ("refused", &[][..]),
        What::Accepted => ("accepted", &[][..]),
    };
    MovedV1 {
        path: path.to_owned(),
        subject: moved.subject.clone(),
        role: moved.role.key(),
        what,
        sizes: rows
            .iter()
            .map(|row| SizeV1 {
                name: row.measure.key(),
                before: row.a.map(|amount| amount.get()),
                after: row.b.map(|amount| amount.get()),
            })
            .collect(),
    }
}

/// Everything a run says.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document<'a> {
    /// `oomph.check/1`.
    schema: &'static str,
    /// By path, then by line.
    findings: &'a [FindingV1],
    /// Inputs that could not be read.
    unread: &'a [Unread],
    /// What moves in the budgets of files that changed, with --since or --against.
    #[serde(skip_serializing_if = "<[MovedV1]>::is_empty")]
    moved: &'a [MovedV1],
    summary: Summary,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Summary {
    files: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    /// Findings that comments in the inputs ignore; they are not listed.
    ignored: usize,
    /// Findings that the baseline knows; they are not listed.
    known: usize,
    unread: usize,
}

/// An input that could not be read.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Unread {
    path: String,
    error: String,
}

/// One finding.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FindingV1 {
    /// `OOM102`.
    code: &'static str,
    /// `duplicate-key`.
    name: &'static str,
    /// `note`, `warning` or `error`.
    severity: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    path: String,
    /// Which of several configurations of the input: `FlinkDeployment orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// Counts from 1.
    line: u32,
    /// In characters, from 1.
    column: u32,
    /// The column behind the last.
    end_column: u32,
    title: String,
    /// All places, the first being the one above.
    labels: Vec<LabelV1>,
    notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixV1>,
    /// The same for the same finding, whatever line it moves to.
    fingerprint: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct LabelV1 {
    line: u32,
    column: u32,
    end_column: u32,
    text: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FixV1 {
    title: String,
    /// Whether --fix makes it; otherwise only --unsafe-fixes does.
    safe: bool,
    edits: Vec<EditV1>,
}

/// What stands between two places is replaced by a text.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EditV1 {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
}

fn edit(edit: &Edit) -> EditV1 {
    match edit {
        Edit::Replace { line, from, to, text } => {
            EditV1 { line: *line, column: *from, end_line: *line, end_column: *to, text: text.clone() }
        }
        Edit::Remove { first, last } => {
            EditV1 { line: *first, column: 1, end_line: last + 1, end_column: 1, text: String::new() }
        }
        Edit::Insert { below, text } => {
            let line = below + 1;
            EditV1 { line, column: 1, end_line: line, end_column: 1, text: format!("{text}\n") }
        }
    }
}

fn finding(path: &str, shown: &Shown) -> FindingV1 {
    let Spot { line, column, end } = shown.spot();
    let found = &shown.finding;
    let labels = found.labels.iter().zip(&shown.spots);
    FindingV1 {
        code: found.code,
        name: found.name,
        severity: found.severity.name(),
        confidence: found.confidence.name(),
        path: path.to_owned(),
        subject: found.subject.clone(),
        line,
        column,
        end_column: end,
        title: found.title.clone(),
        labels: labels
            .map(|(label, spot)| LabelV1 {
                line: spot.line,
                column: spot.column,
                end_column: spot.end,
                text: label.text.clone(),
            })
            .collect(),
        notes: found.notes.clone(),
        help: found.help.clone(),
        fix: found.fix.as_ref().map(|fix| FixV1 {
            title: fix.title.clone(),
            safe: fix.safe,
            edits: fix.edits.iter().map(edit).collect(),
        }),
        fingerprint: shown.fingerprint.clone(),
    }
}

impl Sink for Json {
    fn entry(&mut self, entry: &Entry, _: &mut dyn Write) -> io::Result<()> {
        self.findings.extend(entry.findings.iter().map(|shown| finding(&entry.path, shown)));
        self.moved.extend(entry.moved.iter().map(|one| moved(&entry.path, one)));
        self.unread.extend(
            entry.unread.iter().map(|reason| Unread { path: entry.path.clone(), error: format!("could not {reason}") }),
        );
        Ok(())
    }

    fn finish(&mut self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            schema: SCHEMA,
            findings: &self.findings,
            unread: &self.unread,
            moved: &self.moved,
            summary: Summary {
                files: totals.files,
                errors: totals.of(Severity::Error),
                warnings: totals.of(Severity::Warning),
                notes: totals.of(Severity::Note),
                ignored: totals.ignored,
                known: totals.known,
                unread: totals.unread,
            },
        };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        writeln!(out)
    }
}
