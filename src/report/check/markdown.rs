//! Markdown for a comment on a pull request.

use std::io::{self, Write};

use super::{Entry, Sink, Totals, moved};
use crate::model::Severity;
use crate::report::sentence::capital;

/// Keeps the entries until the end, because the sum comes first.
#[derive(Default)]
pub struct Markdown {
    body: String,
    moved: String,
}

/// A text within a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;").replace('\n', " ")
}

impl Sink for Markdown {
    fn entry(&mut self, entry: &Entry, _: &mut dyn Write) -> io::Result<()> {
        if !entry.findings.is_empty() {
            self.body += &format!("\n#### `{}`\n\n| line | | what | what to do |\n|---:|---|---|---|\n", entry.path);
        }
        for shown in &entry.findings {
            let finding = &shown.finding;
            let mark = match finding.severity {
                Severity::Error => "**error**",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let mut what = finding.title.clone();
            if let Some(subject) = &finding.subject {
                what = format!("{subject}: {what}");
            }
            for note in &finding.notes {
                what += &format!(". {}", capital(note.trim_end_matches('.')));
            }
            let help = finding.help.as_deref().map(capital).unwrap_or_default();
            let line = shown.spot().line;
            self.body += &format!("| {line} | {mark} {} | {} | {} |\n", finding.code, cell(&what), cell(&help));
        }
        if let Some(reason) = &entry.unread {
            self.body += &format!("\n#### `{}`\n\n**error**: could not {}\n", entry.path, cell(reason));
        }
        if !entry.moved.is_empty() {
            self.moved += &format!("\n#### `{}`\n\n{}", entry.path, moved::markdown(&entry.moved));
        }
        Ok(())
    }

    fn finish(&mut self, totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "### oomph check\n\n{}.", capital(&totals.sentence()))?;
        out.write_all(self.body.as_bytes())?;
        if !self.moved.is_empty() {
            write!(out, "\n### What moves in the budget\n{}", self.moved)?;
        }
        Ok(())
    }
}
