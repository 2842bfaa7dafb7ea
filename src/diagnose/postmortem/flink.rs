//! What Flink's logs say of a death: which sentences name who ended a process, which only that it has ended, and which
//! merely follow from it.
//!
//! A JobManager repeats what YARN and Kubernetes told it. Such words are theirs: their signals bear those origins, so
//! that one kill that is told by two of them does not count twice.

mod ended;
mod given;
mod other;
mod refused;
mod short;
mod workers;

use std::collections::BTreeSet;
use std::ops::Range;

use super::signal::{Origin, Says, Signal};
use crate::artefact::excerpt::Excerpt;
use crate::model::Bytes;

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let mut told = Told { excerpt, known: BTreeSet::new(), signals: Vec::new() };
    workers::tell(&mut told);
    ended::tell(&mut told);
    short::tell(&mut told);
    refused::tell(&mut told);
    other::tell(&mut told);
    given::tell(&mut told);
    told.signals
}

/// More signals than these of one log say nothing new.
const MOST: usize = 2_000;

/// What has been said so far; nothing is said twice.
struct Told<'e> {
    excerpt: &'e Excerpt,
    known: BTreeSet<String>,
    signals: Vec<Signal>,
}

impl Told<'_> {
    fn text(&self) -> &str {
        self.excerpt.text()
    }

    /// Says it, where nothing of the same key has been said.
    fn once(&mut self, key: String, origin: Origin, span: &Range<usize>, says: Says) {
        if self.signals.len() < MOST && self.known.insert(key) {
            let line = self.excerpt.line(span.start);
            let quote = quote(line.text, span.start.saturating_sub(line.offset));
            let at = self.excerpt.at(span.start);
            self.signals.push(Signal { origin, file: 0, line: line.number, at, quote, says });
        }
    }

    /// The same for what Flink itself says.
    fn flink(&mut self, key: String, span: &Range<usize>, says: Says) {
        self.once(key, Origin::Flink, span, says);
    }
}

/// The line, or the part of it that begins where something was found.
fn quote(line: &str, from: usize) -> String {
    const MOST: usize = 300;
    let line = if line.chars().nth(MOST).is_some() { line.get(from..).unwrap_or(line) } else { line };
    line.trim().chars().take(MOST).collect()
}

/// A size in a sentence: exact, and in words where it is large.
fn shown(bytes: Bytes) -> String {
    let exact = bytes.to_string();
    match bytes.get() >> 20 {
        0 => exact,
        mib if exact.ends_with(" B") => format!("{mib} MiB ({exact})"),
        _ => exact,
    }
}

#[cfg(test)]
mod tests;
