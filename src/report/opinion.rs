//! What is to be said of a proposal of another tool.

use super::amount::about;
use super::table::hanging;
use crate::recommend::proposal::{Opinion, Proposal};

/// A verdict, the reasons, and what has to change with it.
pub fn text(proposal: &Proposal, opinion: &Opinion, width: usize) -> String {
    let of = proposal.container.as_ref().map_or_else(String::new, |container| format!(" for {container}"));
    let what = proposal.memory.map_or_else(|| "keys of Flink's".to_owned(), about);
    let verdict = if opinion.allowed { "may be followed" } else { "is not to be followed" };
    let mut out = hanging(&format!("{} proposes {what}{of}: it {verdict}.", proposal.origin.label()), width, "  ");
    if let Some(floor) = opinion.floor {
        out +=
            &hanging(&format!("  The least that Flink takes with the rest as it is: {}.", about(floor)), width, "    ");
    }
    for reason in &opinion.reasons {
        out += &hanging(&format!("  - {reason}"), width, "    ");
    }
    if opinion.allowed && !opinion.changes.is_empty() {
        out += "  With it, set\n";
        for change in &opinion.changes {
            out += &format!("    {change}\n");
        }
    }
    out
}
