//! Lines of a large text that are kept: one stretch of them, with the words in it and who wants it.

use memchr::memchr;

use super::MOST_OF_A_LINE;

/// Beside its bytes a line costs about this, once it is known by its number.
pub(super) const LINE: usize = 48;

/// Lines that follow one another.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Number of the first line, from 1.
    pub(super) first: u32,
    /// The lines, each ended by a line feed.
    pub(super) bytes: Vec<u8>,
    pub(super) lines: usize,
    /// By how much they grow when they are brought to UTF-8.
    pub(super) grows: usize,
    /// Lines that were cut, and how many bytes of each are not here.
    pub(super) cut: Vec<(u32, u64)>,
    /// The words in it.
    pub(super) hits: Vec<Hits>,
    /// Who wants it kept: words by their index, and the edges of the text.
    pub(super) wanted: Wanted,
}

/// Lines of a window that have one word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hits {
    pub(super) anchor: usize,
    pub(super) count: u64,
    pub(super) first: u32,
    pub(super) last: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) edge: bool,
    pub(super) anchors: Vec<usize>,
}

impl Wanted {
    pub(super) fn add(&mut self, anchor: usize) {
        if !self.anchors.contains(&anchor) {
            self.anchors.push(anchor);
        }
    }

    pub(super) fn nobody(&self) -> bool {
        !self.edge && self.anchors.is_empty()
    }
}

impl Window {
    /// All lines of a text.
    pub(super) fn whole(text: &[u8]) -> Window {
        let mut window = Window { first: 1, ..Window::default() };
        window.bytes.reserve_exact(text.len() + 1);
        for (number, line) in (1..).zip(lines(text)) {
            window.push(number, line, 0);
        }
        window
    }

    /// Its lines, without their ends.
    pub(super) fn each(&self) -> impl Iterator<Item = &[u8]> {
        lines(&self.bytes)
    }

    pub(super) fn lines(&self) -> u32 {
        u32::try_from(self.lines).unwrap_or(u32::MAX)
    }

    pub(super) fn cost(&self) -> usize {
        self.bytes.len() + self.grows + self.lines * LINE
    }

    /// A line, without its end; `beyond` bytes of it were lost before.
    pub(super) fn push(&mut self, number: u32, line: &[u8], beyond: u64) {
        let kept = line.get(..MOST_OF_A_LINE).unwrap_or(line);
        let lost = (line.len() - kept.len()) as u64 + beyond;
        if lost > 0 {
            self.cut.push((number, lost));
        }
        self.grows += growth(kept);
        self.bytes.extend_from_slice(kept);
        self.bytes.push(b'\n');
        self.lines += 1;
    }

    pub(super) fn hit(&mut self, anchor: usize, line: u32) {
        match self.hits.iter_mut().find(|hits| hits.anchor == anchor) {
            Some(hits) if hits.last == line => {}
            Some(hits) => {
                hits.count += 1;
                hits.last = line;
            }
            None => self.hits.push(Hits { anchor, count: 1, first: line, last: line }),
        }
        self.wanted.add(anchor);
    }
}

/// In Latin-1 half of all characters are one byte, in UTF-8 two.
pub(super) fn growth(line: &[u8]) -> usize {
    if std::str::from_utf8(line).is_ok() { 0 } else { line.iter().filter(|byte| !byte.is_ascii()).count() }
}

/// The lines of a text without their ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    })
}
