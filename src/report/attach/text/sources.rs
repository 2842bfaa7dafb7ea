//! What could not be seen, and what would show it.

use super::wrapped;
use crate::diagnose::examination::Examination;

pub(super) fn section(examination: &Examination, width: usize) -> String {
    let unseen = examination.unseen();
    if unseen.is_empty() {
        return String::new();
    }
    let mut out = String::from("\nNot seen\n");
    for (what, unseen) in unseen {
        out += &wrapped(&format!("  {what}: {}", unseen.why), width, "    ");
        if let Some(grant) = &unseen.grant {
            out += &wrapped(&format!("    to see it: {grant}"), width, "      ");
        }
    }
    out
}
