//! The sentences of Flink's own logs that bear on an end: of the JobManager, of the TaskManager and of the scripts that
//! start them, Flink 1.2 to 2.3. One file a kind of sentence; every fact knows where in the text it stands.
//!
//! The sentences are searched for wherever they stand: a log reaches a reader with threads in its layout, wrapped by a
//! terminal or a mail, or inside JSON.

pub mod demand;
pub mod fatal;
pub mod job;
pub mod loss;
pub mod memory_logger;
pub mod process_spec;
pub mod rejection;
pub mod shortage;
pub mod worker;

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use regex::{Captures, Regex};

use crate::model::Bytes;

/// Words by which the lines that matter are found in a large log.
pub const ANCHORS: &[&str] = &[
    "is terminated. Diagnostics:",
    "TaskExecutor connection",
    "eartbeat of ",
    "Fatal error occurred",
    "uncaught exception. Stopping",
    "RECEIVED SIGNAL",
    "network buffers",
    "are remaining",
    "emory configuration",
    "IllegalConfigurationException",
    "expired before completing",
    "configuration property: ",
];

/// A fact and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// From where to where in the text.
    pub span: Range<usize>,
    /// What is stated there.
    pub what: T,
}

/// What may stand between two words: blanks, at most the end of a line with a quoting sign, or what JSON makes of it.
const BETWEEN: &str = r"(?:(?:[ \t\r\n\u{a0}>|]|\\[nrt])+)";

/// A sentence to search for. Each blank of it may be a line break in the text.
///
/// Most texts have few of the sentences, so one is made ready only for a text that has a word of it.
#[derive(Debug)]
struct Sentence {
    pattern: String,
    /// Of each alternative a word without which it stands nowhere; none where an alternative has no such word.
    words: Vec<String>,
    regex: OnceLock<Option<Regex>>,
}

impl Sentence {
    /// From a pattern in which a blank stands for what may be between two words.
    fn new(pattern: &str) -> Sentence {
        Sentence { words: needed_words(pattern), ..Sentence::as_is(&pattern.replace(' ', BETWEEN)) }
    }

    /// From a pattern whose blanks are blanks.
    fn as_is(pattern: &str) -> Sentence {
        // Flink's own words are ASCII, and automata for all of Unicode's letters and digits are slow to build.
        let ascii = [
            (r"\d", "[0-9]"),
            (r"\w", "[0-9A-Za-z_]"),
            (r"\s", r"[ \t\r\n]"),
            (r"\S", r"[^ \t\r\n\x0c]"),
            (r"\b", r"(?-u:\b)"),
        ];
        let pattern = ascii.iter().fold(pattern.to_owned(), |pattern, (class, ascii)| pattern.replace(class, ascii));
        Sentence { pattern, words: Vec::new(), regex: OnceLock::new() }
    }

    /// Ready to search, where the text may have it.
    fn for_text(&self, text: &str) -> Option<&Regex> {
        let may = self.words.is_empty()
            || self.words.iter().any(|word| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some());
        let make = || {
            let regex = Regex::new(&self.pattern);
            debug_assert!(regex.is_ok(), "{regex:?}");
            regex.ok()
        };
        if may { self.regex.get_or_init(make).as_ref() } else { None }
    }

    /// Every place where it stands.
    fn all<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Captures<'t>> {
        self.for_text(text).into_iter().flat_map(move |regex| regex.captures_iter(text))
    }

    /// The first place.
    fn first<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.for_text(text)?.captures(text)
    }

    fn is_in(&self, text: &str) -> bool {
        self.for_text(text).is_some_and(|regex| regex.is_match(text))
    }
}

/// The longest word of each alternative of a pattern that stands in none of its groups and classes.
fn needed_words(pattern: &str) -> Vec<String> {
    let mut longest = vec![String::new()];
    let (mut depth, mut class, mut word) = (0u32, false, String::new());
    let mut chars = pattern.chars();
    loop {
        let next = chars.next();
        match next {
            Some(c) if c.is_ascii_alphanumeric() && depth == 0 && !class => {
                word.push(c);
                continue;
            }
            // Its last letter may be missing.
            Some('?' | '*' | '{') => {
                word.pop();
            }
            _ => {}
        }
        if let Some(known) = longest.last_mut().filter(|known| known.len() < word.len()) {
            known.clone_from(&word);
        }
        word.clear();
        match next {
            None => break,
            Some('\\') => {
                chars.next();
            }
            Some('[') => class = true,
            Some(']') => class = false,
            Some('(') if !class => depth += 1,
            Some(')') if !class => depth = depth.saturating_sub(1),
            Some('|') if depth == 0 && !class => longest.push(String::new()),
            _ => {}
        }
    }
    // A word of three letters is everywhere.
    if longest.iter().all(|word| word.len() > 3) { longest } else { Vec::new() }
}

/// A group of a match.
fn group<'t>(found: &Captures<'t>, name: &str) -> Option<&'t str> {
    found.name(name).map(|group| group.as_str())
}

fn number<T: std::str::FromStr>(found: &Captures<'_>, name: &str) -> Option<T> {
    group(found, name)?.parse().ok()
}

fn span(found: &Captures<'_>) -> Range<usize> {
    found.get(0).map_or(0..0, |all| all.range())
}

/// How a line of a log begins whose layout names a level.
static LEVEL: LazyLock<Sentence> =
    LazyLock::new(|| Sentence::as_is(r"(?:^|[\s\]])(?:INFO|WARN|ERROR|DEBUG|TRACE|FATAL)\s"));

/// The most lines that one message is taken to have.
const MOST_LINES: usize = 120;
/// The most bytes that one message is taken to have.
const MOST_BYTES: usize = 24 << 10;

/// Of sentences that a longer message follows no more than these are read: a log says the same over and over.
const MOST_MESSAGES: usize = 2_000;

/// Where a message that begins at an offset ends: before the next line with a level, before a gap, or where the text
/// ends. A line may be a whole log, as a string of JSON: not all of it is a message's.
fn end_of_message(text: &str, start: usize) -> usize {
    let rest = stretch(text, start, MOST_BYTES);
    let mut length = 0;
    for (index, line) in rest.split_inclusive('\n').enumerate() {
        let head = line.char_indices().nth(160).map_or(line, |(end, _)| line.get(..end).unwrap_or(line));
        let over = line.starts_with('\x0c') || index >= MOST_LINES;
        if index > 0 && (over || LEVEL.is_in(head)) {
            break;
        }
        length += line.len();
    }
    start + length
}

/// Not more of a text than a number of bytes, cut between characters.
fn at_most(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

/// What stands from an offset on, so many bytes of it at most.
fn stretch(text: &str, start: usize, bytes: usize) -> &str {
    text.get(start..).map_or("", |rest| at_most(rest, bytes))
}

/// A size as Flink prints it for people (`MemorySize.toHumanReadableString`): `134217728 bytes`,
/// `128.000mb (134217728 bytes)`, and up to 1.10 `128.000mb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printed {
    /// In bytes.
    pub bytes: Bytes,
    /// Whether it is printed to the byte.
    pub exact: bool,
}

/// The pattern of such a size.
const SIZE: &str = r"\d+(?:\.\d+)? ?(?:bytes|[kmgt]b)(?: \( ?\d+ bytes ?\))?";

impl Printed {
    /// Reads one.
    fn parse(text: &str) -> Option<Printed> {
        let text = words(text).concat();
        let (rounded, exact) = match text.split_once('(') {
            Some((rounded, exact)) => (rounded, Some(exact)),
            None => (text.as_str(), None),
        };
        if let Some(exact) = exact.and_then(leading_number) {
            return Some(Printed { bytes: Bytes::new(exact), exact: true });
        }
        let unit_at = rounded.find(|c: char| c.is_ascii_alphabetic())?;
        let (digits, unit) = (rounded.get(..unit_at)?, rounded.get(unit_at..)?);
        let shift = match unit {
            "bytes" => return Some(Printed { bytes: Bytes::new(digits.parse().ok()?), exact: true }),
            "kb" => 10,
            "mb" => 20,
            "gb" => 30,
            "tb" => 40,
            _ => return None,
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let scale = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let fraction: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
        let value = whole.parse::<u128>().ok()?.checked_mul(scale)?.checked_add(fraction)?;
        let bytes = value.checked_mul(1 << shift)? / scale;
        Some(Printed { bytes: Bytes::new(u64::try_from(bytes).ok()?), exact: false })
    }
}

/// The words of a part of a text, without what a mail or JSON put between them.
fn words(text: &str) -> Vec<&str> {
    let between = |part: &str| part.is_empty() || part.chars().all(|c| ">|".contains(c));
    let lines = text.split("\\n").flat_map(|part| part.split("\\r")).flat_map(|part| part.split("\\t"));
    lines.flat_map(str::split_whitespace).filter(|part| !between(part)).collect()
}

fn leading_number(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
mod tests;
