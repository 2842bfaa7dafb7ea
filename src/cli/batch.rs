//! `oomph plan --batch`: questions as JSON lines in, answers as JSON lines out, in order, in one process.

mod answer;
mod question;

use std::io::{self, BufRead, BufReader, Read, Write};

use answer::Answer;
use question::Question;

use crate::model::Bytes;

/// A line is never longer; what is, is answered as unreadable and passed over.
const MAX_LINE: Bytes = Bytes::mib(16);

/// What is read and written at a time.
pub const BUFFER: usize = 64 << 10;

/// Answers every line of the input. Only a failure of input or output itself ends it early.
pub fn run(input: impl Read, output: &mut dyn Write) -> io::Result<()> {
    let mut input = BufReader::with_capacity(BUFFER, input);
    let mut line = Vec::new();
    let mut written = Vec::new();
    let mut number = 0u64;
    while let Some(length) = read_line(&mut input, &mut line)? {
        number += 1;
        let answer = match length {
            Length::TooLong => Answer::unreadable(number, format!("the line is longer than {MAX_LINE}")),
            Length::Whole if line.trim_ascii().is_empty() => continue,
            Length::Whole => match Question::read(&line) {
                Ok(question) => Answer::to(question, number),
                Err(error) => Answer::unreadable(number, error.to_string()),
            },
        };
        // One write for each answer: they come in hundreds of pieces.
        written.clear();
        serde_json::to_writer(&mut written, &answer)?;
        written.push(b'\n');
        output.write_all(&written)?;
        // Whoever asks line by line waits for each answer; whoever pipes a file has more input ready.
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}

enum Length {
    Whole,
    TooLong,
}

/// Reads the next line without its end; nothing at the end of the input.
fn read_line(input: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<Option<Length>> {
    line.clear();
    let mut length = Length::Whole;
    let mut seen = false;
    loop {
        let buffer = match input.fill_buf() {
            Ok(buffer) => buffer,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if buffer.is_empty() {
            return Ok(seen.then_some(length));
        }
        seen = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        if (line.len() + part.len()) as u64 > MAX_LINE.get() {
            length = Length::TooLong;
            line.clear();
        }
        if let Length::Whole = length {
            line.extend_from_slice(part);
        }
        let consumed = part.len() + usize::from(end.is_some());
        input.consume(consumed);
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}
