//! What a command writes, line by line.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStderr, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// So long is waited for the last lines: somebody else may hold the pipe open.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// So many lines wait to be heard; a command that writes faster is held up.
const WAITING: usize = 4096;

/// A longer line is cut, in bytes.
const LONGEST: u64 = 1 << 20;

/// So many lines of each output are kept.
const KEPT: usize = 40;

/// A line that a command wrote.
pub(super) enum Wrote {
    Out(String),
    Err,
}

enum Line {
    Out(String),
    Err(String),
}

/// Hears both outputs of a command.
pub(super) struct Ear {
    lines: Receiver<Line>,
    out: VecDeque<String>,
    err: VecDeque<String>,
    is_deaf: bool,
}

impl Ear {
    /// Begins to read; threads end with the pipes.
    pub(super) fn to((out, err): (Option<ChildStdout>, Option<ChildStderr>)) -> Ear {
        let (sender, lines) = sync_channel(WAITING);
        if let Some(out) = out {
            let sender = sender.clone();
            thread::spawn(move || read(out, &sender, Line::Out));
        }
        if let Some(err) = err {
            thread::spawn(move || read(err, &sender, Line::Err));
        }
        Ear { lines, out: VecDeque::new(), err: VecDeque::new(), is_deaf: false }
    }

    /// The next line, where there is one within a time.
    pub(super) fn next(&mut self, within: Duration) -> Option<Wrote> {
        match self.lines.recv_timeout(within) {
            Ok(Line::Out(line)) => Some(Wrote::Out(line)),
            Ok(Line::Err(line)) => {
                push(&mut self.err, line);
                Some(Wrote::Err)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                // It has closed both, and may work on.
                self.is_deaf = true;
                thread::sleep(within);
                None
            }
        }
    }

    /// Whether nothing will come any more.
    pub(super) fn is_deaf(&self) -> bool {
        self.is_deaf
    }

    /// Keeps a line of the standard output.
    pub(super) fn keep(&mut self, line: String) {
        push(&mut self.out, line);
    }

    /// The last lines of the standard output, and those of the standard error as one text.
    pub(super) fn last_words(&mut self) -> (Vec<String>, String) {
        let err: Vec<String> = self.err.drain(..).collect();
        (self.out.drain(..).collect(), err.join("\n"))
    }
}

fn push(lines: &mut VecDeque<String>, line: String) {
    if lines.len() == KEPT {
        lines.pop_front();
    }
    lines.push_back(line);
}

fn read(from: impl Read, to: &SyncSender<Line>, kind: fn(String) -> Line) {
    let mut from = BufReader::new(from);
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        match from.by_ref().take(LONGEST).read_until(b'\n', &mut bytes) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
        if to.send(kind(line)).is_err() {
            return;
        }
    }
}
