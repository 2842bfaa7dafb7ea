//! GitHub's workflow commands: annotations on the lines of a pull request.

use std::io::{self, Write};

use super::{Entry, Sink, Totals, message};
use crate::model::Severity;

/// Writes each input at once.
pub struct Github;

/// What stands behind `::`.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

impl Sink for Github {
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        for shown in &entry.findings {
            let (finding, spot) = (&shown.finding, shown.spot());
            let command = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            writeln!(
                out,
                "::{command} file={},line={},col={},endColumn={},title={}::{}",
                property(&entry.path),
                spot.line,
                spot.column,
                spot.end,
                property(&format!("{} {}", finding.code, finding.name)),
                escaped(&message(finding))
            )?;
        }
        if let Some(reason) = &entry.unread {
            writeln!(out, "::error file={}::{}", property(&entry.path), escaped(&format!("could not {reason}")))?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &Totals, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
