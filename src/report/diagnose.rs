//! What `oomph diagnose` prints: a page for people, JSON, Markdown for a ticket, and one page of HTML.

mod advice;
pub mod html;
pub mod json;
pub mod limits;
pub mod markdown;
pub mod text;
pub(super) mod words;

use crate::diagnose::postmortem::Judged;
use crate::diagnose::postmortem::late::{Decides, Weight};
use crate::diagnose::postmortem::signal::{Says, Signal};
use crate::model::{Area, Confidence, Unseen};
use crate::plan::Survey;
use crate::recommend::cure::Advice;

/// Everything that a report shows.
#[derive(Debug)]
pub struct Report<'r, 's> {
    /// What was read.
    pub inputs: &'r [Input],
    /// What was not, and why.
    pub unread: &'r [(String, Unseen)],
    /// All cases; one at least.
    pub cases: &'r [Judged<'s>],
    /// The one that stands for all.
    pub main: &'r Judged<'s>,
    /// The budget that the process had, where it is known.
    pub budget: Option<&'r Survey>,
    /// Why there is none.
    pub no_budget: Option<String>,
    /// What to change, and what not to.
    pub advice: &'r Advice,
}

/// One input that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name, as it was given or found.
    pub name: String,
    /// Its bytes, unpacked.
    pub bytes: u64,
    /// What of it was not looked at, a sentence each.
    pub left_out: Vec<String>,
    /// How many places in it say something.
    pub signals: usize,
    /// Whether it is Flink's configuration.
    pub is_configuration: bool,
}

/// Where nothing tells of a death.
const NOTHING: &str = "Nothing in what was read tells of a death, or of memory that ran out";

/// So many signs of a quoted line are shown.
const QUOTED: usize = 240;
/// Time, level and logger of a log's line are no longer than this.
const LONGEST_HEAD: usize = 140;
/// So many in a line of the timeline.
const SHORT: usize = 100;

/// A sentence without its full stop, so that one can be put behind it.
fn sentence(text: &str) -> &str {
    text.trim().trim_end_matches('.')
}

/// A line of an artefact, cut and without control characters.
fn quoted(text: &str) -> String {
    cut(text, QUOTED)
}

/// A line of the timeline: without the time, which stands beside it, level and logger.
fn short(text: &str) -> String {
    let dated = text.trim_start_matches('[').starts_with(|sign: char| sign.is_ascii_digit());
    let message = text.split_once(" - ").filter(|(before, _)| dated && before.len() < LONGEST_HEAD);
    cut(message.map_or(text, |(_, message)| message), SHORT)
}

pub(super) fn cut(text: &str, most: usize) -> String {
    let mut plain = text.trim().chars().map(|sign| if sign.is_control() { ' ' } else { sign });
    let kept: String = plain.by_ref().take(most).collect();
    if plain.next().is_some() { format!("{}...", kept.trim_end()) } else { kept }
}

/// What the numbers of a signal mean, where it says so.
fn because(signal: &Signal) -> &str {
    match &signal.says {
        Says::Death(death) => &death.because,
        Says::Strain(strain) => &strain.text,
        Says::OtherReason { reason, .. } => reason,
        _ => "",
    }
}

impl Report<'_, '_> {
    /// Whether nothing that was read tells of an end, for whatever reason.
    fn tells_nothing(&self) -> bool {
        let case = &self.main.case;
        case.death.is_none()
            && case.other_reasons().is_empty()
            && case.ends().is_empty()
            && case.consequences().is_empty()
            && self.main.suspects.is_empty()
    }

    /// What would make the verdict surer, where it is not sure of what filled the memory.
    fn undecided(&self) -> Option<Decides> {
        let first = self.main.suspects.first()?;
        let is_sure = first.confidence == Confidence::High
            && first.weight == Weight::Explains
            && !matches!(first.area, Area::Config | Area::Container);
        first.decides.filter(|_| !is_sure)
    }

    /// What was not read, whole or in part: its name, and why.
    fn not_read(&self) -> Vec<(String, String)> {
        let unread = self.unread.iter().map(|(name, unseen)| (name.clone(), unseen.to_string()));
        let says_nothing = self.inputs.iter().filter(|input| input.signals == 0 && !input.is_configuration);
        let nothing = "nothing in it is of a format that tells of deaths";
        let says_nothing = says_nothing.map(|input| (input.name.clone(), nothing.to_owned()));
        let left_out = self
            .inputs
            .iter()
            .flat_map(|input| input.left_out.iter().map(|sentence| (input.name.clone(), sentence.clone())));
        unread.chain(says_nothing).chain(left_out).collect()
    }

    /// Where a signal stands, as `file:line`.
    fn place(&self, file: usize, line: u32) -> String {
        let name = self.inputs.get(file).map_or("?", |input| input.name.as_str());
        format!("{name}:{line}")
    }
}
