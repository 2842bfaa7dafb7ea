//! A way through a text that knows its line and column at every step, so that no place is counted twice.

use crate::model::Position;

/// A place in a text that goes forward only.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'t> Cursor<'t> {
    /// The start of a text.
    pub fn new(text: &'t str) -> Cursor<'t> {
        Cursor { text, at: 0, line: 1, column: 1 }
    }

    /// The byte it stands at.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The line it stands in.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// What is still to come.
    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Whether this comes next.
    pub fn sees(&self, what: &str) -> bool {
        self.rest().starts_with(what)
    }

    /// Takes the next character.
    pub fn step(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        match next {
            '\n' => (self.line, self.column) = (self.line.saturating_add(1), 1),
            _ => self.column = self.column.saturating_add(1),
        }
        Some(next)
    }

    /// Takes as many bytes, or what is left.
    pub fn skip(&mut self, bytes: usize) {
        let end = self.at.saturating_add(bytes);
        while self.at < end && self.step().is_some() {}
    }

    /// Takes characters as long as they are wanted.
    pub fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.step();
        }
    }

    /// What was gone through since another moment.
    pub fn since(&self, start: &Cursor<'t>) -> &'t str {
        self.text.get(start.at..self.at).unwrap_or_default()
    }

    /// Where that stands.
    pub fn position_since(&self, start: &Cursor<'t>) -> Position {
        Position { line: start.line, column: start.column, start: start.at, end: self.at }
    }
}
