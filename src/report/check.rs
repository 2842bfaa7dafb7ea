//! Findings of `oomph check`, a module a format.

mod concise;
mod github;
mod gitlab;
pub mod json;
mod junit;
mod markdown;
mod moved;
mod sarif;
mod text;

use std::io::{self, Write};

pub use text::snippet;

use super::sentence::capital;
use crate::check::edits::Lines;
use crate::check::moved::Moved;
use crate::model::{Finding, Label, Severity};

/// What came of one input.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path as it is shown.
    pub path: String,
    /// What was found; empty where it could not be read.
    pub findings: Vec<Shown>,
    /// Why it could not be read.
    pub unread: Option<String>,
    /// How many findings its own comments ignore.
    pub ignored: usize,
    /// How many findings a baseline knows.
    pub known: usize,
    /// What moved in its budgets against another version of it.
    pub moved: Vec<Moved>,
}

/// A finding with what is needed to show it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The finding.
    pub finding: Finding,
    /// Its labels' places in the input, in their order.
    pub spots: Vec<Spot>,
    /// Names the finding whatever line it is on.
    pub fingerprint: String,
    /// The input's lines around it, rendered; empty where no format asks for them.
    pub snippet: String,
}

/// A stretch of one line. Counts from 1, in characters; the end is behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The line.
    pub line: u32,
    /// The first column.
    pub column: u32,
    /// The column behind the last.
    pub end: u32,
}

impl Spot {
    /// Where a finding is that is about an input as a whole.
    pub const START: Spot = Spot { line: 1, column: 1, end: 1 };

    /// Where a label is; what stretches over several lines ends with its first.
    pub fn of(label: &Label, lines: &Lines<'_>) -> Spot {
        let Some(position) = label.place.position else { return Spot::START };
        let line = lines.line(position.line).unwrap_or_default();
        let rest: String = line.chars().skip(usize::try_from(position.column.saturating_sub(1)).unwrap_or(0)).collect();
        let bytes = position.end.saturating_sub(position.start).min(rest.len());
        let length = rest.char_indices().take_while(|(at, _)| *at < bytes).count().max(usize::from(!rest.is_empty()));
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Spot { line: position.line, column: position.column, end: position.column.saturating_add(length) }
    }
}

impl Shown {
    /// The place to report it at.
    pub fn spot(&self) -> Spot {
        self.spots.first().copied().unwrap_or(Spot::START)
    }
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Inputs.
    pub files: usize,
    /// Findings by severity, the least first.
    pub by_severity: [usize; 3],
    /// Inputs that could not be read.
    pub unread: usize,
    /// Findings that comments ignore.
    pub ignored: usize,
    /// Findings that a baseline knows.
    pub known: usize,
    /// Findings that --fix would mend.
    pub fixable: usize,
}

impl Totals {
    /// Counts an input in.
    pub fn add(&mut self, entry: &Entry) {
        self.files += 1;
        self.unread += usize::from(entry.unread.is_some());
        self.ignored += entry.ignored;
        self.known += entry.known;
        for shown in &entry.findings {
            self.by_severity[shown.finding.severity as usize] += 1;
            self.fixable += usize::from(shown.finding.fix.as_ref().is_some_and(|fix| fix.safe));
        }
    }

    /// Findings of a severity.
    pub fn of(&self, severity: Severity) -> usize {
        self.by_severity[severity as usize]
    }

    /// One line that says it all.
    pub fn sentence(&self) -> String {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let mut parts = Vec::new();
        for severity in Severity::ALL.into_iter().rev() {
            if self.of(severity) > 0 {
                parts.push(count(self.of(severity), severity.name()));
            }
        }
        let mut text = match parts.is_empty() {
            true => "nothing found".to_owned(),
            false => parts.join(", "),
        };
        text += &format!(" in {}", count(self.files, "file"));
        for (n, what) in [(self.ignored, "ignored by comments"), (self.known, "known to the baseline")] {
            if n > 0 {
                text += &format!("; {n} {what}");
            }
        }
        if self.fixable > 0 {
            text += &format!("; --fix mends {}", self.fixable);
        }
        if self.unread > 0 {
            text += &format!("; {} could not be read", self.unread);
        }
        text
    }
}

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The input's lines with what is wrong, for people.
    Text,
    /// A line a finding.
    Concise,
    /// `docs/schema/check-v1.json`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub's.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// Tables, for a comment on a pull request.
    Markdown,
}

/// Writes entries one after another, in the order they are handed over.
pub trait Sink {
    /// One more input.
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()>;
    /// The end.
    fn finish(&mut self, totals: &Totals, out: &mut dyn Write) -> io::Result<()>;
}

/// The writer of a format; lines for people are at most so wide.
pub fn sink(format: Format, width: usize) -> Box<dyn Sink> {
    match format {
        Format::Text => Box::new(text::Text::new(width)),
        Format::Concise => Box::new(concise::Concise),
        Format::Json => Box::new(json::Json::default()),
        Format::Sarif => Box::new(sarif::Sarif::default()),
        Format::Github => Box::new(github::Github),
        Format::Gitlab => Box::new(gitlab::Gitlab::default()),
        Format::Junit => Box::new(junit::Junit::default()),
        Format::Markdown => Box::new(markdown::Markdown::default()),
    }
}

/// The finding in one text: title, notes, help.
fn message(finding: &Finding) -> String {
    let mut text = finding.title.clone();
    if let Some(subject) = &finding.subject {
        text = format!("{text} ({subject})");
    }
    for note in finding.notes.iter().chain(&finding.help) {
        text += &format!(". {}", capital(note.trim_end_matches('.')));
    }
    text
}
