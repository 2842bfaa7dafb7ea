//! Observations and events to lines.

use std::fmt::Write;

use jiff::Timestamp;
use serde::Serialize;

use super::seal::sealed;
use super::wire::{self, EventLine, HeaderLine, LayoutLine, ReasonLine, TargetLine};
use super::{Event, Header, KNOWN};
use crate::model::{Identity, Measure, Observations, Origin, Unseen};

/// Makes the lines of one part. What it keeps is what it has explained already: at most 256 targets, layouts and
/// reasons each, however long it goes on.
#[derive(Debug, Default)]
pub struct Encoder {
    targets: Explained<Identity>,
    layouts: Explained<Vec<(Measure, Origin)>>,
    reasons: Explained<Unseen>,
}

/// What earlier lines of the part have given a number.
#[derive(Debug)]
struct Explained<T> {
    known: Vec<T>,
    next: usize,
}

impl<T> Default for Explained<T> {
    fn default() -> Explained<T> {
        Explained { known: Vec::new(), next: 0 }
    }
}

impl<T: PartialEq + Clone> Explained<T> {
    /// The number of something, and whether it was given just now.
    fn number(&mut self, what: &T) -> (usize, bool) {
        if let Some(at) = self.known.iter().position(|known| known == what) {
            return (at, false);
        }
        let at = self.next;
        match self.known.get_mut(at) {
            Some(oldest) => *oldest = what.clone(),
            None => self.known.push(what.clone()),
        }
        self.next = (at + 1) % KNOWN;
        (at, true)
    }
}

impl Encoder {
    /// One that explains everything anew: for a new part, or where lines before did not get out.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// The first line of a part.
    pub fn header(&mut self, header: &Header) -> String {
        line(&HeaderLine::of(header))
    }

    /// An event.
    pub fn event(&mut self, at: Timestamp, event: &Event) -> String {
        line(&EventLine::of(at, event))
    }

    /// A sample as the last of the lines, and before it those that explain what has not been explained yet. Each ends
    /// with its newline.
    pub fn sample(&mut self, observations: &Observations) -> Vec<String> {
        let mut lines = Vec::new();
        let (target, new) = self.targets.number(&observations.target);
        if new {
            let of = wire::Target::of(&observations.target);
            lines.push(line(&TargetLine { k: wire::TARGET.to_owned(), n: target, target: of }));
        }
        let layout: Vec<(Measure, Origin)> = observations.all.iter().map(|one| (one.measure, one.origin)).collect();
        let (layout, new) = self.layouts.number(&layout);
        if new {
            let (m, o) =
                observations.all.iter().map(|one| (one.measure.key().into(), one.origin.label().into())).unzip();
            lines.push(line(&LayoutLine { k: wire::LAYOUT.to_owned(), n: layout, m, o }));
        }
        let at = observations.at.as_millisecond();
        let kind = wire::SAMPLE;
        let mut sample = format!(r#"{{"k":"{kind}","t":{at},"p":{target},"l":{layout},"v":["#);
        for (index, observation) in observations.all.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a text cannot fail.
            let _ = match &observation.value {
                Ok(value) => write!(sample, "{comma}{value}"),
                Err(unseen) => {
                    let reason = self.reason(unseen, &mut lines);
                    write!(sample, "{comma}\"{reason}\"")
                }
            };
        }
        sample.push_str("]}");
        lines.push(sealed(sample));
        lines
    }

    fn reason(&mut self, unseen: &Unseen, lines: &mut Vec<String>) -> usize {
        let (number, new) = self.reasons.number(unseen);
        if new {
            let (why, grant) = (wire::short(&unseen.why), unseen.grant.as_deref().map(wire::short));
            lines.push(line(&ReasonLine { k: wire::REASON.to_owned(), n: number, why, grant }));
        }
        number
    }
}

fn line(of: &impl Serialize) -> String {
    // Texts and numbers under fixed names: there is nothing in them that JSON has no form for.
    sealed(serde_json::to_string(of).unwrap_or_else(|_| "{}".to_owned()))
}
