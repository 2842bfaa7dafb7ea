//! What a recording says: a page for people, a document for programs.

pub mod json;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::over_time::{self, View, time, wrapped};
use super::text::findings;
use crate::artefact::recording::{Event, Tally};
use crate::diagnose::recalled::{Happened, Recalled, What};
use crate::model::{Bytes, Measure};
use crate::report::amount::{count, mib};
use crate::report::sparkline::Signs;

/// So many events are on the page, the newest; all that are kept are in the JSON.
const EVENTS: usize = 20;

/// What could not be read of a recording, and what it consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// Its lines.
    pub lines: Tally,
    /// Its parts.
    pub parts: u64,
    /// Parts that rotation gave up.
    pub missing_parts: u64,
    /// Files that have the name of a part and are none of it.
    pub strangers: Vec<String>,
}

impl Read {
    /// What could not be read, a sentence each, without its full stop.
    pub fn left_out(&self) -> Vec<String> {
        let lines = &self.lines;
        let mut all = Vec::new();
        let mut say = |number: u64, one: &str, several: &str, what: &str| {
            if number > 0 {
                all.push(format!("{} {what}", count(number, one, several)));
            }
        };
        let torn = "at the end is torn: it was being written, or the recorder ended in it";
        say(u64::from(lines.torn_end), "line", "lines", torn);
        say(lines.damaged, "line is", "lines are", "damaged and left out");
        let unexplained = "left out because the lines that explain them are damaged";
        say(lines.unexplained, "sample is", "samples are", unexplained);
        say(lines.unknown_lines, "line is", "lines are", "of a kind that this oomph does not know");
        say(lines.unknown_values, "value is", "values are", "of a measure that this oomph does not know");
        say(self.missing_parts, "older part is", "older parts are", "gone: rotation gave them up");
        all.extend(self.strangers.iter().map(|path| format!("{path} is no part of this recording")));
        all
    }
}

/// The page.
pub fn page(recalled: &Recalled, read: &Read, width: usize, signs: Signs) -> String {
    let target = &recalled.header.target;
    let what = super::what(target.role);
    let heading = format!(
        "Recording of {what} {}: {}, {} in {}, from {} to {}",
        target.pid,
        target.name,
        count(recalled.looks, "look", "looks"),
        time(recalled.span()),
        second(recalled.first),
        second(recalled.last.at)
    );
    let mut out = wrapped(&heading, width, "  ");
    out += &wrapped(&whole(recalled), width, "");
    let shown = recalled.examination.observations.at;
    if shown != recalled.last.at {
        let text = format!("The table is as of {}, when malloc was looked into last.", second(shown));
        out += &wrapped(&text, width, "  ");
    }
    let view = View {
        now: &recalled.examination,
        timeline: &recalled.timeline,
        before: &recalled.before,
        limit: recalled.limit,
        signs,
    };
    out += &format!("\n{}", over_time::table(&view, width));
    let mut sentences = over_time::unclear(&recalled.examination, &recalled.before);
    sentences.extend(over_time::ahead(&recalled.ahead));
    sentences.extend(recalled.before.restarts.as_ref().map(|judged| over_time::restarts(judged, recalled.limit)));
    out += &paragraph(&sentences, width);
    out += &happened(recalled, width);
    let left_out: Vec<String> = read.left_out().iter().map(|sentence| format!("{sentence}.")).collect();
    out += &paragraph(&left_out, width);
    out += &findings::section(&recalled.examination.findings, width);
    out
}

fn paragraph(sentences: &[String], width: usize) -> String {
    let text: String = sentences.iter().map(|sentence| wrapped(sentence, width, "  ")).collect();
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// The resident set of the last look against plan and limit, and how the target ended.
fn whole(recalled: &Recalled) -> String {
    let size = |measure: Measure| recalled.last.value(measure).map(|bytes| mib(Bytes::new(bytes)));
    let rss = size(Measure::Rss).map_or("Resident set not seen".to_owned(), |rss| format!("Resident {rss} MiB"));
    let planned = recalled
        .budget
        .as_ref()
        .map_or_else(String::new, |budget| format!(" of {} planned", mib(budget.total_process().bytes)));
    let limit = match (recalled.limit, size(Measure::CgroupUsage)) {
        (Some(limit), Some(used)) => format!("; the container has used {used} of {}", mib(limit)),
        (Some(limit), None) => format!("; the container's limit is {}", mib(limit)),
        (None, Some(used)) => format!("; the container has used {used} and has no limit"),
        (None, None) => "; its container's limit was not seen".to_owned(),
    };
    let end = match (recalled.end(), recalled.kills()) {
        (Some(why), 0) => format!(" The target is gone: {why}."),
        (Some(why), _) => format!(" The target is gone: {why}; the kernel had killed in its container."),
        (None, 0) => String::new(),
        (None, kills) => format!(" The kernel killed {} in its container.", count(kills, "process", "processes")),
    };
    format!("{rss}{planned}{limit}.{end}")
}

fn happened(recalled: &Recalled, width: usize) -> String {
    if recalled.happened.is_empty() {
        return String::new();
    }
    let left_out = recalled.happened.len().saturating_sub(EVENTS);
    let mut out = String::from("\nWhat happened\n");
    let hidden = recalled.more_happened.saturating_add(left_out as u64);
    if hidden > 0 {
        out += &format!("  {} not listed\n", count(hidden, "earlier event is", "earlier events are"));
    }
    for happened in recalled.happened.iter().skip(left_out) {
        out += &wrapped(&format!("  {}  {}", second(happened.at), told(happened)), width, "    ");
    }
    out
}

/// An event as a sentence without its full stop.
fn told(happened: &Happened) -> String {
    match &happened.what {
        What::Gap(gap) => format!("nobody had looked for {}", time(*gap)),
        What::Killed(processes) => {
            format!("the kernel killed {} in the container for memory", count(*processes, "process", "processes"))
        }
        What::Event(event) => match event {
            Event::Started => "the recorder began".to_owned(),
            Event::Resumed => "the recorder went on; nobody had looked since the line before".to_owned(),
            Event::Stopped => "the recorder ended as it was told to".to_owned(),
            Event::Gone { why } => format!("the target is gone: {why}"),
            Event::NewProcess(target) => format!("another process from here on: {} ({})", target.pid, target.name),
            Event::Job { what } => format!("job {what}"),
            Event::Budget(_) => "the budget is another one".to_owned(),
            Event::Limit(limit) => format!("the container's limit is {limit}"),
            Event::Lost { samples, why } => format!("{samples} samples could not be written: {why}"),
            Event::Note(text) => text.clone(),
        },
    }
}

/// A time to the second.
fn second(at: Timestamp) -> String {
    let to_the_second = at.round(jiff::Unit::Second).unwrap_or(at);
    to_the_second.to_string()
}
