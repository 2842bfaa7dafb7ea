//! What was found, worst first.

use super::wrapped;
use crate::model::Finding;

pub(in crate::report::attach) fn section(findings: &[Finding], width: usize) -> String {
    if findings.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n");
    for finding in findings {
        let head =
            format!("{}[{}] {} ({} confidence)", finding.severity, finding.code, finding.title, finding.confidence);
        out += &wrapped(&head, width, "  ");
        for note in &finding.notes {
            out += &wrapped(&format!("  - {note}"), width, "    ");
        }
        if let Some(help) = &finding.help {
            out += &wrapped(&format!("  help: {help}"), width, "    ");
        }
    }
    out
}
