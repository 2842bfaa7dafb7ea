//! Takes off what collectors, tools and mail put before and around the lines of a log, and reads the time that each
//! bears.
//!
//! What may be part of what a line says stays: a program's own time, level and logger, who logged it to syslog. Only
//! forms that are certain go. A line that holds several, as JSON or syslog write them, becomes several with the same
//! number; one that was cut into several becomes one again, with the number of its first part.

mod container;
mod cursor;
mod json;
mod kernel;
mod mail;
mod markup;
mod syslog;
mod terminal;
mod time;

use std::borrow::Cow;

use super::excerpt::{Excerpt, Moment};
use mail::EqualsSigns;
use markup::{CommentMark, Escapes};

/// Envelopes in envelopes: CRI around docker compose around syslog around dmesg.
const LAYERS: usize = 6;
/// A string in a string in a string.
const NESTED: u8 = 3;
/// Parts of a line are joined up to this size.
const JOINED: usize = 1 << 20;
/// Of all lines together; beyond it none is written out over several lines.
const UNFOLDED: usize = 32 << 20;
/// Beside its bytes a line of an excerpt costs about this.
const LINE: usize = 48;

/// What was done to a text as a whole, seen from all its lines: single ones do not tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    quoted_printable: bool,
    quoted: bool,
    comment: Option<CommentMark>,
    markdown: bool,
    compose: bool,
    strings: bool,
    journal: bool,
}

impl Manner {
    /// Looks at all lines, given in pieces.
    pub fn of<'t>(pieces: impl Iterator<Item = &'t [u8]>) -> Manner {
        let (mut lines, mut quoted, mut compose, mut strings, mut brackets, mut journal) = (0_usize, 0, 0, 0, 0, 0);
        let mut equals = EqualsSigns::default();
        let mut escapes = Escapes::default();
        let mut comments = CommentMark::ALL.map(|mark| (mark, true));
        for piece in pieces {
            let mut rest = piece;
            while !rest.is_empty() {
                let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                let line = rest.get(..end).unwrap_or_default();
                rest = rest.get(end + 1..).unwrap_or_default();
                let Some(first) = line.trim_ascii_start().first() else { continue };
                lines += 1;
                equals.count(line);
                escapes.count(line);
                for (mark, all) in &mut comments {
                    *all = *all && mark.starts(line) && !mark.belongs_to(line);
                }
                quoted += usize::from(line.first() == Some(&b'>'));
                strings +=
                    usize::from(*first == b'"' && matches!(line.trim_ascii_end(), [.., b'"'] | [.., b'"', b',']));
                brackets += usize::from(matches!(line.trim_ascii(), [b'[' | b']'] | [b']', b',']));
                journal += usize::from(line.trim_ascii_start().starts_with(b"__REALTIME_TIMESTAMP="));
                if line.get(..80).unwrap_or(line).contains(&b'|') {
                    compose += usize::from(container::compose(&String::from_utf8_lossy(line)).is_some());
                }
            }
        }
        Manner {
            quoted_printable: equals.show_quoted_printable(),
            quoted: quoted > 2 && quoted * 10 >= lines * 3,
            comment: comments.into_iter().find(|(_, all)| *all && lines > 1).map(|(mark, _)| mark),
            markdown: escapes.show_markdown(),
            compose: compose > 1 && compose * 10 >= lines * 9,
            strings: strings > 1 && strings * 10 >= (lines - brackets) * 7,
            journal: journal > 0,
        }
    }
}

/// A line of which the end is still to come.
#[derive(Debug)]
struct Partial {
    number: u32,
    text: String,
    at: Option<Moment>,
}

/// Opens the lines of a text one after the other.
#[derive(Debug, Default)]
pub struct Opener {
    manner: Manner,
    excerpt: Excerpt,
    /// The number of the last line that was given.
    last: Option<u32>,
    /// Whether lines are left out before what comes next.
    gap: bool,
    /// Lines written by each stream that go on: standard output and standard error.
    partial: [Option<Partial>; 2],
    /// Quoted-printable: the start of a line that goes on.
    soft: Option<(u32, Vec<u8>)>,
    /// journald's export: when the record was made that is being read.
    recorded: Option<Moment>,
    unfolded: usize,
}

impl Opener {
    /// Opens lines of a text that is as a look at all of it has shown.
    pub fn new(manner: Manner) -> Opener {
        Opener { manner, ..Opener::default() }
    }

    /// The next line, without its line feed, and its number in the file.
    pub fn line(&mut self, number: u32, line: &[u8]) {
        if self.last.is_some_and(|last| last.checked_add(1) != Some(number)) {
            self.flush();
            self.gap = true;
        }
        self.last = Some(number);
        if !self.manner.quoted_printable {
            return self.decoded(number, line);
        }
        let (text, goes_on) = mail::quoted_printable(line);
        let (first, joined) = match self.soft.take() {
            Some((first, mut before)) => {
                before.extend_from_slice(&text);
                (first, before)
            }
            None => (number, text),
        };
        if goes_on && joined.len() < JOINED {
            self.soft = Some((first, joined));
        } else {
            self.decoded(first, &joined);
        }
    }

    /// The lines that were given, opened.
    pub fn finish(mut self) -> Excerpt {
        self.flush();
        self.excerpt
    }

    fn flush(&mut self) {
        if let Some((number, line)) = self.soft.take() {
            self.decoded(number, &line);
        }
        for stream in 0..self.partial.len() {
            if let Some(partial) = self.partial.get_mut(stream).and_then(Option::take) {
                self.open(partial.number, Cow::Owned(partial.text), partial.at, 0);
            }
        }
    }

    fn decoded(&mut self, number: u32, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = terminal::plain(decoded(line));
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let text = if self.manner.quoted { mail::unquoted(text) } else { text };
        let text = self.manner.comment.map_or(text, |mark| mark.take_off(text));
        let text = if self.manner.compose { container::compose(text).unwrap_or(text) } else { text };
        let text = markup::without_breaks(markup::without_entities(Cow::Borrowed(text)));
        let text = if self.manner.markdown { markup::without_escapes(text) } else { text };
        let written = if self.manner.strings { json::strings(&text) } else { None };
        self.open(number, written.map_or(text, Cow::Owned), None, 0);
    }

    /// Takes off layer by layer, and puts what is inside behind the other lines.
    fn open(&mut self, number: u32, text: Cow<'_, str>, at: Option<Moment>, depth: u8) {
        let (mut text, mut at) = (text, at);
        if depth > 0 {
            text = terminal::plain(text);
        }
        let mut syslogged = false;
        for _ in 0..LAYERS {
            if text.contains('\n') {
                break;
            }
            match self.layer(&text) {
                Layer::None => break,
                Layer::Time(time) => {
                    at = time::better(at, Some(time));
                    syslogged = true;
                    break;
                }
                Layer::Line { at: time, start, logged } => {
                    at = time::better(at, time);
                    syslogged |= logged;
                    text = match text {
                        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..).unwrap_or_default()),
                        Cow::Owned(mut text) => {
                            text.drain(..start.min(text.len()));
                            Cow::Owned(text)
                        }
                    };
                }
                Layer::Record { at: time, text: line, partial, error } => {
                    at = time::better(at, time);
                    let (joined, first, since) = self.join(number, line, at, error);
                    if partial && joined.len() < JOINED {
                        let waiting = Partial { number: first, text: joined, at: since };
                        if let Some(stream) = self.partial.get_mut(usize::from(error)) {
                            *stream = Some(waiting);
                        }
                        return;
                    }
                    return self.open_joined(first, joined, since, depth);
                }
            }
        }
        let several = text.matches("#012").nth(1).is_some();
        if let Some(unescaped) = syslog::unescaped(&text).filter(|_| syslogged || several) {
            text = Cow::Owned(unescaped);
        }
        if let Some(written) = json::written_out(&text, NESTED - depth.min(NESTED)) {
            text = Cow::Owned(written);
        }
        self.put(number, &text, at, depth);
    }

    fn open_joined(&mut self, number: u32, text: String, at: Option<Moment>, depth: u8) {
        let text = terminal::plain(Cow::Owned(text));
        if depth < NESTED && !text.contains('\n') {
            return self.open(number, text, at, depth + 1);
        }
        self.put(number, &text, at, depth + 1);
    }

    /// A line, or several in one.
    fn put(&mut self, number: u32, text: &str, at: Option<Moment>, depth: u8) {
        if !text.contains('\n') {
            return self.push(number, text, time::better(at, time::stated(text)));
        }
        let mut at = at;
        for line in text.split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if self.unfolded > UNFOLDED {
                // Still there to be searched, though in one line.
                self.push(number, &text.replace('\n', " "), at);
                return;
            }
            self.unfolded += line.len() + LINE;
            if depth < NESTED {
                self.open(number, Cow::Borrowed(line), at.take(), depth + 1);
            } else {
                self.push(number, line, time::better(at.take(), time::stated(line)));
            }
        }
    }

    fn push(&mut self, number: u32, text: &str, at: Option<Moment>) {
        self.excerpt.put(number, text, at, std::mem::take(&mut self.gap));
    }

    /// A part with those before it, the number of the first and its time.
    fn join(&mut self, number: u32, line: String, at: Option<Moment>, error: bool) -> (String, u32, Option<Moment>) {
        match self.partial.get_mut(usize::from(error)).and_then(Option::take) {
            Some(before) => (before.text + &line, before.number, before.at),
            None => (line, number, at),
        }
    }

    /// The outermost envelope of a line.
    fn layer(&mut self, text: &str) -> Layer {
        let line = |at: Option<Moment>, rest: &str| Layer::Line { at, start: text.len() - rest.len(), logged: false };
        match text.bytes().next() {
            Some(b'0'..=b'9') => {
                if let Some(cri) = container::cri(text) {
                    let (line, error, partial) = (cri.line.to_owned(), cri.error, cri.partial);
                    return Layer::Record { at: cri.at, text: line, partial, error };
                }
                if let Some((at, rest)) = syslog::logged(text) {
                    return Layer::logged(text, at, rest);
                }
                if let Some((at, rest)) = container::timestamped(text) {
                    return line(Some(at), rest);
                }
                if let Some((at, rest)) = syslog::rfc5424(text) {
                    return Layer::Line { at: Some(at), start: text.len() - rest.len(), logged: true };
                }
                kernel::kmsg(text).map_or(Layer::None, |(at, rest)| line(Some(at), rest))
            }
            Some(b'[') => container::prefixed(text)
                .map(|rest| line(None, rest))
                .or_else(|| kernel::dmesg(text).map(|(at, rest)| line(at, rest)))
                .unwrap_or(Layer::None),
            Some(b'<') => kernel::priority(text).map_or(Layer::None, |rest| line(None, rest)),
            Some(b'{') => json::record(text).map_or(Layer::None, |record| Layer::Record {
                at: record.at,
                text: record.text,
                partial: record.partial,
                error: record.error,
            }),
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'_' | b' ') => {
                if let Some((at, rest)) = syslog::logged(text) {
                    return Layer::logged(text, at, rest);
                }
                if let Some(field) = Some(text).filter(|_| self.manner.journal).and_then(syslog::field) {
                    match field {
                        syslog::Field::At(at) => self.recorded = Some(at),
                        syslog::Field::Message(rest) => return line(self.recorded, rest),
                    }
                }
                kernel::decoded(text).map_or(Layer::None, |rest| line(None, rest))
            }
            _ => Layer::None,
        }
    }
}

/// What stands around a line.
enum Layer {
    None,
    /// A time that is part of it.
    Time(Moment),
    /// Something before it.
    Line {
        at: Option<Moment>,
        /// Where the line starts behind it.
        start: usize,
        /// Whether syslog wrote it.
        logged: bool,
    },
    /// It is a record, or part of one.
    Record {
        at: Option<Moment>,
        text: String,
        partial: bool,
        error: bool,
    },
}

impl Layer {
    fn logged(text: &str, at: Moment, rest: &str) -> Layer {
        match text.len() - rest.len() {
            0 => Layer::Time(at),
            start => Layer::Line { at: Some(at), start, logged: true },
        }
    }
}

/// A line in UTF-8, or in Latin-1 where it is none: where other letters show that most of it is UTF-8, with
/// replacements.
fn decoded(line: &[u8]) -> Cow<'_, str> {
    let lossy = String::from_utf8_lossy(line);
    if let Cow::Borrowed(_) = lossy {
        return lossy;
    }
    if lossy.chars().any(|character| !character.is_ascii() && character != char::REPLACEMENT_CHARACTER) {
        return lossy;
    }
    Cow::Owned(line.iter().map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests;
