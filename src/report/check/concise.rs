//! A line a finding: `path:line:column: error[OOM102] title`.

use std::io::{self, Write};

use super::{Entry, Sink, Totals};

/// Writes each input at once.
pub struct Concise;

impl Sink for Concise {
    fn entry(&mut self, entry: &Entry, out: &mut dyn Write) -> io::Result<()> {
        for shown in &entry.findings {
            let (finding, spot) = (&shown.finding, shown.spot());
            let title = &finding.title;
            let (severity, code) = (finding.severity, finding.code);
            writeln!(out, "{}:{}:{}: {severity}[{code}] {title}", entry.path, spot.line, spot.column)?;
        }
        Ok(())
    }

    fn finish(&mut self, _: &Totals, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}
