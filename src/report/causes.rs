//! Causes: their pages for people, and a list of them.

use super::page::filled;
use super::table::{self, Align};
use crate::diagnose::cause::Cause;
use crate::diagnose::causes::{CAUSES, document};

/// A cause's page for people.
pub fn page(cause: &Cause, width: usize) -> String {
    filled(&document(cause), width)
}

/// Every cause as a row of Markdown, with a link to its page beside it: `docs/causes/README.md`.
pub fn markdown() -> String {
    let rows: Vec<Vec<String>> = CAUSES
        .iter()
        .map(|cause| vec![format!("[{0}]({0}.md)", cause.code), cause.name.to_owned(), cause.summary()])
        .collect();
    let opening = "# What ends a process\n\n`oomph attach` looks for these in a process that still lives, `oomph diagnose` in what a dead one left. `oomph explain CODE` \
                   prints the page of one.\n\n";
    format!("{opening}{}", table::markdown(&["code", "name", "what"], &[Align::Left; 3], &rows))
}
