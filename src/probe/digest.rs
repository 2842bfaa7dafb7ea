//! What is worth reading of a text of any size, in bounded memory: a small one whole, of a large one the start, the end
//! and the lines around words that matter.

mod blocks;
mod encoding;
mod window;
mod windows;

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::thread;

pub use encoding::Encoding;

use crate::artefact::anchors::Anchors;
use crate::artefact::envelope;
use crate::artefact::excerpt::Excerpt;
use crate::model::{Seen, Unseen};
use blocks::{BLOCK, Blocks};
use encoding::Text;
use window::{LINE, Window};
use windows::{ROOM, Windows};

/// A text up to this size is kept whole, if its lines are not so short that knowing each by its number takes more room
/// than the windows of a large one.
const WHOLE: usize = 8 << 20;
/// Of a line no more than this is looked at.
const MOST_OF_A_LINE: usize = 1 << 20;

/// What was kept of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// The lines that were kept, without what collectors put around them.
    pub excerpt: Excerpt,
    /// The size of the text as it was read: unpacked, and in UTF-8 where it was UTF-16.
    pub bytes: u64,
    /// How many lines it has.
    pub lines: u32,
    /// What was not kept.
    pub left_out: Vec<LeftOut>,
}

/// Something that is in a text and not in its excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// Lines that are not near any word that matters.
    Lines {
        /// How many.
        count: u64,
    },
    /// Lines with a word of which there are more than enough, and those around them: the first and the last ones were
    /// kept.
    Repeated {
        /// The word.
        word: &'static str,
        /// How many lines with it were not kept.
        count: u64,
        /// The first of them.
        first: u32,
        /// The last of them.
        last: u32,
    },
    /// The end of a very long line.
    OfLine {
        /// Its number.
        line: u32,
        /// How many bytes were left out.
        bytes: u64,
    },
    /// Everything from some point on.
    Rest {
        /// So many bytes were read.
        after: u64,
        /// Why no more, as an end to a sentence.
        why: String,
    },
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LeftOut::Lines { count } => write!(f, "{count} lines without a word that matters near them"),
            LeftOut::Repeated { word, count, first, last } => {
                write!(f, "{count} more lines with {word:?} between line {first} and line {last}")
            }
            LeftOut::OfLine { line, bytes } => write!(f, "the last {bytes} bytes of line {line}, which is very long"),
            LeftOut::Rest { after, why } => write!(f, "what comes after {after} bytes: {why}"),
        }
    }
}

impl Digest {
    /// Reads a text to its end, however long it is, and keeps what is worth reading. What is no text is refused; a text
    /// that cannot be read to its end is kept as far as it goes.
    pub fn of(reader: impl Read, anchors: &Anchors) -> Seen<Digest> {
        let two = thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        Sizes { whole: WHOLE, block: BLOCK, two_threads: two }.digest(reader, anchors)
    }
}

/// How much at once: smaller in tests.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    whole: usize,
    block: usize,
    two_threads: bool,
}

impl Sizes {
    fn digest(self, reader: impl Read, anchors: &Anchors) -> Seen<Digest> {
        let mut text = Text::new(reader).map_err(|error| Unseen::because(format!("it cannot be read: {error}")))?;
        if text.encoding() == Encoding::NotText {
            return Err(Unseen::because("it is not text"));
        }
        let mut start = Vec::new();
        let failed = text.by_ref().take(self.whole as u64 + 1).read_to_end(&mut start).err();
        let failed = failed.filter(|error| error.kind() != io::ErrorKind::WouldBlock);
        let short =
            start.len() <= self.whole && start.len() + memchr::memchr_iter(b'\n', &start).count() * LINE <= ROOM;
        let (windows, mut left_out, lines, bytes, failed) = if short {
            let window = Window::whole(&start);
            let (lines, bytes) = (window.lines(), start.len() as u64);
            drop(start);
            (VecDeque::from([window]), Vec::new(), lines, bytes, failed)
        } else {
            let mut blocks = Blocks::new(start.as_slice().chain(Then { failed, text }), self.block);
            let mut windows = Windows::new(anchors);
            blocks::run(&mut blocks, anchors, &mut windows, self.two_threads);
            let (bytes, failed) = blocks.outcome();
            let (kept, left_out, lines) = windows.finish();
            (kept, left_out, lines, bytes, failed)
        };
        if let Some(error) = failed {
            left_out.push(LeftOut::Rest { after: bytes, why: error.to_string() });
        }
        for window in &windows {
            left_out.extend(window.cut.iter().map(|(line, bytes)| LeftOut::OfLine { line: *line, bytes: *bytes }));
        }
        Ok(Digest { excerpt: open(windows), bytes, lines, left_out })
    }
}

/// A reader that has failed already stays failed.
struct Then<R> {
    failed: Option<io::Error>,
    text: R,
}

impl<R: Read> Read for Then<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.failed.take().map_or_else(|| self.text.read(buffer), Err)
    }
}

/// Takes off what collectors put around the lines. Each window is let go as soon as it is opened.
fn open(mut windows: VecDeque<Window>) -> Excerpt {
    let manner = envelope::Manner::of(windows.iter().map(|window| window.bytes.as_slice()));
    let mut opener = envelope::Opener::new(manner);
    while let Some(window) = windows.pop_front() {
        for (number, line) in (window.first..).zip(window.each()) {
            opener.line(number, line);
        }
    }
    opener.finish()
}

#[cfg(test)]
mod tests;
