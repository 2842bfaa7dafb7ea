//! In what characters a text is written: brought to bytes whose lines end with line feeds, so that words are found in
//! it.

use std::io::{self, Read};

/// So much of the start decides.
const SNIFFED: usize = 64 << 10;

/// What the start of a file shows it to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or a code of one byte a character, which is told line by line.
    Bytes,
    /// Two bytes a character, the low one first, as Windows writes it.
    Utf16Le,
    /// The high one first.
    Utf16Be,
    /// Lines end with carriage returns alone.
    CarriageReturns,
    /// No text.
    NotText,
}

impl Encoding {
    /// What a file with this start is written in.
    pub fn of(start: &[u8]) -> Encoding {
        match start {
            [0xff, 0xfe, 0, 0, ..] => return Encoding::NotText,
            [0xff, 0xfe, ..] => return Encoding::Utf16Le,
            [0xfe, 0xff, ..] => return Encoding::Utf16Be,
            _ => {}
        }
        let zeros = |from: usize| start.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let (even, odd) = (zeros(0), zeros(1));
        let half = start.len() / 2;
        // Mostly Latin letters; other scripts come with a byte-order mark.
        if start.len() >= 4 && odd * 10 >= half * 7 && even * 20 <= half {
            return Encoding::Utf16Le;
        }
        if start.len() >= 4 && even * 10 >= half * 7 && odd * 20 <= half {
            return Encoding::Utf16Be;
        }
        let control = |byte: &&u8| matches!(**byte, 0..=6 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f);
        if start.iter().filter(control).count() * 100 > start.len() {
            return Encoding::NotText;
        }
        let lines = memchr::memchr(b'\n', start).is_none()
            && memchr::memchr(b'\r', start.strip_suffix(b"\r").unwrap_or(start)).is_some();
        if lines { Encoding::CarriageReturns } else { Encoding::Bytes }
    }
}

/// Reads a file as text.
pub(super) struct Text<R> {
    reader: R,
    encoding: Encoding,
    /// What was read ahead, and from where on it was not yet given.
    ahead: Vec<u8>,
    given: usize,
    /// UTF-16: a byte or a half of a pair whose other half is not yet read.
    raw: Vec<u8>,
    ended: bool,
}

impl<R: Read> Text<R> {
    /// Looks at the start.
    pub(super) fn new(mut reader: R) -> io::Result<Text<R>> {
        let mut ahead = Vec::new();
        let failed = reader.by_ref().take(SNIFFED as u64).read_to_end(&mut ahead).err();
        // What a damaged file has before the damage is read.
        let failed = failed.filter(|error| ahead.is_empty() && error.kind() != io::ErrorKind::WouldBlock);
        if let Some(error) = failed {
            return Err(error);
        }
        let encoding = Encoding::of(&ahead);
        let mark: &[u8] = match encoding {
            Encoding::Utf16Le => &[0xff, 0xfe],
            Encoding::Utf16Be => &[0xfe, 0xff],
            _ => &[0xef, 0xbb, 0xbf],
        };
        let given = if ahead.starts_with(mark) { mark.len() } else { 0 };
        let mut text = Text { reader, encoding, ahead, given, raw: Vec::new(), ended: false };
        if text.is_utf16() {
            text.raw = text.ahead.split_off(text.given);
            text.ahead.clear();
            text.given = 0;
        }
        Ok(text)
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    fn is_utf16(&self) -> bool {
        matches!(self.encoding, Encoding::Utf16Le | Encoding::Utf16Be)
    }

    /// Reads more UTF-16 and brings it to UTF-8. False at the end.
    fn convert(&mut self) -> io::Result<bool> {
        while self.given == self.ahead.len() {
            if self.ended && self.raw.is_empty() {
                return Ok(false);
            }
            let mut piece = [0; 16 << 10];
            let count = if self.ended || self.raw.len() >= piece.len() { 0 } else { self.reader.read(&mut piece)? };
            self.ended |= count == 0 && self.raw.len() < piece.len();
            self.raw.extend_from_slice(piece.get(..count).unwrap_or_default());
            let mut units: Vec<u16> = self
                .raw
                .chunks_exact(2)
                .filter_map(|pair| pair.try_into().ok())
                .map(|pair| {
                    if self.encoding == Encoding::Utf16Le { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
                })
                .collect();
            // The first half of a pair waits for the second.
            if !self.ended && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
                units.pop();
            }
            self.raw.drain(..units.len() * 2);
            if self.ended {
                self.raw.clear();
            }
            self.ahead.clear();
            self.given = 0;
            let mut utf8 = [0; 4];
            for character in char::decode_utf16(units) {
                let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
                self.ahead.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
            }
        }
        Ok(true)
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.ahead.len() {
            if !self.is_utf16() {
                // No more was read ahead: straight into where it belongs.
                let count = self.reader.read(buffer)?;
                if self.encoding == Encoding::CarriageReturns {
                    to_line_feeds(buffer.get_mut(..count).unwrap_or_default());
                }
                return Ok(count);
            }
            if !self.convert()? {
                return Ok(0);
            }
        }
        let rest = self.ahead.get(self.given..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
            if self.encoding == Encoding::CarriageReturns {
                to_line_feeds(to);
            }
        }
        self.given += count;
        Ok(count)
    }
}

fn to_line_feeds(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte == b'\r') {
        *byte = b'\n';
    }
}
