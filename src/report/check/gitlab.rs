//! GitLab's code quality report.

use std::io::{self, Write};

use serde::Serialize;

use super::{Entry, Sink, Totals, message};
use crate::model::Severity;

/// Keeps the issues until the end.
#[derive(Default)]
pub struct Gitlab {
    issues: Vec<Issue>,
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

impl Sink for Gitlab {
    fn entry(&mut self, entry: &Entry, _: &mut dyn Write) -> io::Result<()> {
        let location = |begin| Location { path: entry.path.clone(), lines: Lines { begin } };
        for shown in &entry.findings {
            let finding = &shown.finding;
            self.issues.push(Issue {
                description: format!("{}: {}", finding.code, message(finding)),
                check_name: finding.name.to_owned(),
                fingerprint: shown.fingerprint.clone(),
                severity: match finding.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "major",
                    Severity::Note => "info",
                },
                location: location(shown.spot().line),
            });
        }
        if let Some(reason) = &entry.unread {
            self.issues.push(Issue {
                description: format!("could not {reason}"),
                check_name: "unread".to_owned(),
                fingerprint: format!("unread-{}", entry.path),
                severity: "blocker",
                location: location(1),
            });
        }
        Ok(())
    }

    fn finish(&mut self, _: &Totals, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &self.issues)?;
        writeln!(out)
    }
}
