//! A stream of bytes, taken apart into lines.

use std::io::{self, BufRead};

use super::{Decoder, Entry, LONGEST_LINE, Refused, Tally};

/// The entries of a stream that holds a part, or parts one after the other. Holds one line at a time.
#[derive(Debug)]
pub struct Entries<R> {
    from: R,
    decoder: Decoder,
    line: Vec<u8>,
    done: bool,
}

/// How a line ended.
enum Ended {
    Newline,
    End,
    TooLong,
}

impl<R: BufRead> Entries<R> {
    /// Those of a stream from its beginning.
    pub fn of(from: R) -> Entries<R> {
        Entries { from, decoder: Decoder::new(), line: Vec::new(), done: false }
    }

    /// What has been read so far, and what could not be.
    pub fn tally(&self) -> Tally {
        self.decoder.tally()
    }

    /// Reads on to the next entry; nothing at the end.
    ///
    /// # Errors
    /// Where the stream is no recording, or cannot be read on; it ends there.
    pub fn read(&mut self) -> io::Result<Result<Option<Entry>, Refused>> {
        while !self.done {
            let ended = self.next_line()?;
            let entry = match ended {
                Ended::TooLong if !self.decoder.has_begun() => Err(Refused::Foreign),
                Ended::TooLong => {
                    self.decoder.too_long();
                    continue;
                }
                Ended::End if self.line.is_empty() && !self.decoder.has_begun() => Err(Refused::Empty),
                Ended::End if self.line.is_empty() => Ok(None),
                Ended::Newline | Ended::End => self.decoder.line(&self.line, matches!(ended, Ended::Newline)),
            };
            self.done = matches!(ended, Ended::End) || entry.is_err();
            if !matches!(entry, Ok(None)) {
                return Ok(entry);
            }
        }
        Ok(Ok(None))
    }

    /// Fills `line`, without its newline and never with more than the longest line.
    fn next_line(&mut self) -> io::Result<Ended> {
        self.line.clear();
        let mut too_long = false;
        loop {
            let buffer = match self.from.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if buffer.is_empty() {
                return Ok(if too_long { Ended::TooLong } else { Ended::End });
            }
            let newline = buffer.iter().position(|byte| *byte == b'\n');
            let taken = &buffer[..newline.unwrap_or(buffer.len())];
            too_long |= self.line.len() + taken.len() > LONGEST_LINE;
            if !too_long {
                self.line.extend_from_slice(taken);
            }
            let length = taken.len() + usize::from(newline.is_some());
            self.from.consume(length);
            if newline.is_some() {
                return Ok(if too_long { Ended::TooLong } else { Ended::Newline });
            }
        }
    }
}
