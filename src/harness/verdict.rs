//! What `oomph diagnose` would say of the texts that a run left behind, by the same readers and judges.

use std::path::PathBuf;

use crate::diagnose::postmortem::{self, anchors};
use crate::probe::leavings;
use crate::repro::outcome::Verdict;

/// The verdict over files and directories; nothing where one of them is not there.
pub fn of(left: &[PathBuf]) -> Option<Verdict> {
    let leavings = leavings::read(left, &anchors()).ok()?;
    let numbered = leavings.inputs.iter().enumerate();
    let excerpts = numbered.flat_map(|(number, input)| input.excerpts.iter().map(move |excerpt| (number, excerpt)));
    let signals: Vec<_> = excerpts.flat_map(|(number, excerpt)| postmortem::signals(number, excerpt)).collect();
    Some(Verdict::from(&postmortem::judge(&signals)))
}
