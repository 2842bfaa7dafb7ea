//! Hides the secrets in what a process shows of itself: its command line, its performance data, a log. Every value is
//! overwritten where it stands, byte for byte, so that offsets and lengths stay. What the JVM and Flink reckon their
//! memory by stays as it is.
//!
//! A secret is told by the name before it, by the address it stands in (`https://user:password@host`), or by its shape (a
//! signed token, a cloud's access key). One that has none of these cannot be told from any other word.

mod names;
mod places;
#[cfg(test)]
mod tests;

use std::ops::Range;

use self::places::Places;
use crate::artefact::process_status;

/// What stands for each byte of a secret.
const STAR: u8 = b'*';

/// More pieces of a command line than these are not looked for elsewhere; none that people wrote has as many secrets.
const MOST_KNOWN: usize = 256;

/// The bytes between two zeros of performance data that are no text: a number of eight, and the first of the next entry's
/// length (`PerfDataEntry` in HotSpot's `perfMemory.hpp`).
const LONGEST_NUMBER: usize = 9;

/// Hides secrets. Which names stand before one is the caller's to say; names that no configuration of Flink has, but other
/// programs do (`storepass`, `AccountKey`), are known here.
pub struct Masker<'p> {
    is_secret: &'p (dyn Fn(&str) -> bool + 'p),
}

/// Bytes without their secrets, as many as before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// How many values were hidden.
    pub values: usize,
}

/// The pieces of a command line that hold a secret, as they stand where its words are joined by blanks: there, nothing
/// else tells where a value with a blank in it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pieces: Vec<(Vec<u8>, Vec<Range<usize>>)>,
}

impl<'p> Masker<'p> {
    /// A masker that hides the value of every name for which the predicate holds.
    pub fn new(is_secret: &'p (dyn Fn(&str) -> bool + 'p)) -> Masker<'p> {
        Masker { is_secret }
    }

    /// The words of `/proc/PID/cmdline`, and which of them held secrets.
    pub fn command_line(&self, bytes: &[u8]) -> (Masked, Known) {
        let mut ranges = Vec::new();
        let mut known = Known::default();
        let mut at = 0;
        let mut before: &[u8] = b"";
        for word in bytes.split(|byte| *byte == 0) {
            let found = self.word(before, word);
            if !found.is_empty() && known.pieces.len() < MOST_KNOWN {
                known.pieces.push(piece(before, word, &found));
            }
            ranges.extend(found.into_iter().map(|range| at + range.start..at + range.end));
            at += word.len() + 1;
            before = word;
        }
        (hidden(bytes, ranges), known)
    }

    /// `/proc/PID/environ`: the variables that an allocator reads, and no others.
    pub fn environment(&self, bytes: &[u8]) -> Masked {
        let variables = process_status::allocator_variables(bytes);
        let kept: Vec<u8> =
            variables.iter().flat_map(|(name, value)| format!("{name}={value}\0").into_bytes()).collect();
        self.zero_ended(&kept, |variable| self.places().of_text(variable, &[]))
    }

    /// Performance data of a JVM: texts that end with a zero byte, among numbers.
    pub fn performance_data(&self, bytes: &[u8], known: &Known) -> Masked {
        self.zero_ended(bytes, |text| {
            // The bytes of a number may look like anything; only a name is too unlikely to be one.
            if text.len() <= LONGEST_NUMBER {
                let is_text = text.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
                return if is_text { self.places().of_assignments(text) } else { Vec::new() };
            }
            let mut found = apart(known.within(text));
            found.extend(self.places().of_text(text, &found));
            found
        })
    }

    fn zero_ended(&self, bytes: &[u8], places: impl Fn(&[u8]) -> Vec<Range<usize>>) -> Masked {
        let mut ranges = Vec::new();
        let mut at = 0;
        for text in bytes.split(|byte| *byte == 0) {
            let found = places(text);
            ranges.extend(found.into_iter().map(|range| at + range.start..at + range.end));
            at += text.len() + 1;
        }
        hidden(bytes, ranges)
    }

    /// A text of any kind.
    pub fn text(&self, bytes: &[u8]) -> Masked {
        hidden(bytes, self.places().of_text(bytes, &[]))
    }

    /// A log whose names are all known to stand before figures: only the passwords in addresses are hidden.
    pub fn addresses(&self, bytes: &[u8]) -> Masked {
        let mut ranges = Vec::new();
        places::of_addresses(bytes, &mut ranges);
        hidden(bytes, ranges)
    }

    fn places(&self) -> Places<'_> {
        Places { is_secret: self.is_secret }
    }

    /// The secrets of one word of a command line.
    fn word(&self, before: &[u8], word: &[u8]) -> Vec<Range<usize>> {
        if names::is_of_memory(word) {
            return Vec::new();
        }
        if let Some(value) = self.places().of_flag(before, word) {
            return vec![value];
        }
        // What a shell is to run holds options of its own.
        let is_script = matches!(before, [b'-', .., b'c']) && before.len() <= 4;
        if !is_script && let Some(value) = self.places().of_assignment(word) {
            return vec![value];
        }
        self.places().of_text(word, &[])
    }
}

fn piece(before: &[u8], word: &[u8], found: &[Range<usize>]) -> (Vec<u8>, Vec<Range<usize>>) {
    // A value that is a word of its own is only told by the word before it.
    let alone = matches!(found, [only] if only.start == 0);
    if !alone {
        return (word.to_vec(), found.to_vec());
    }
    let skipped = before.len() + 1;
    let shifted = found.iter().map(|range| range.start + skipped..range.end + skipped).collect();
    ([before, b" ", word].concat(), shifted)
}

impl Known {
    /// Where the pieces stand in a text, between blanks.
    fn within(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if self.pieces.is_empty() {
            return found;
        }
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            let ends = |length: usize| rest.get(length).is_none_or(|byte| byte.is_ascii_whitespace());
            let fitting = self.pieces.iter().filter(|(piece, _)| rest.starts_with(piece) && ends(piece.len()));
            match fitting.max_by_key(|(piece, _)| piece.len()) {
                Some((piece, ranges)) => {
                    found.extend(ranges.iter().map(|range| at + range.start..at + range.end));
                    at += piece.len().max(1);
                }
                None => at += rest.iter().position(u8::is_ascii_whitespace).map_or(rest.len(), |blank| blank + 1),
            }
        }
        found
    }
}

/// Ranges in their order, those that overlap as one.
fn apart(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let overlap = next.start < range.end;
        range.end = if overlap { range.end.max(next.end) } else { range.end };
        overlap
    });
    ranges
}

fn hidden(bytes: &[u8], mut ranges: Vec<Range<usize>>) -> Masked {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut bytes = bytes.to_vec();
    let (mut values, mut end) = (0, 0);
    for range in ranges {
        // One within another is the same secret, told in two ways.
        values += usize::from(range.start >= end);
        end = end.max(range.end);
        if let Some(secret) = bytes.get_mut(range) {
            secret.fill(STAR);
        }
    }
    Masked { bytes, values }
}
