//! Reads a text from its start, piece by piece.

/// What is still to be read. Each reader gives `None` where the text goes on otherwise; what it read until then is
/// lost, so a copy is tried where something else may stand there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'t> {
    pub(super) rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Cursor<'t> {
        Cursor { rest: text }
    }

    /// A number of so many digits, at least and at most.
    pub(super) fn number(&mut self, least: usize, most: usize) -> Option<u64> {
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let number = self.rest.get(..digits).filter(|_| digits >= least)?.parse().ok()?;
        self.rest = self.rest.get(digits..)?;
        Some(number)
    }

    /// A number of exactly two digits, and what stands behind it.
    pub(super) fn two(&mut self) -> Option<i8> {
        i8::try_from(self.number(2, 2)?).ok()
    }

    pub(super) fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    pub(super) fn any_of(&mut self, characters: &[char]) -> Option<char> {
        let first = self.rest.chars().next().filter(|first| characters.contains(first))?;
        self.rest = self.rest.get(first.len_utf8()..)?;
        Some(first)
    }

    /// At least one blank.
    pub(super) fn blanks(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches([' ', '\t']);
        let found = rest.len() < self.rest.len();
        self.rest = rest;
        found.then_some(())
    }

    /// Up to the next blank, at least one character.
    pub(super) fn word(&mut self) -> Option<&'t str> {
        let end = self.rest.find([' ', '\t']).unwrap_or(self.rest.len());
        let word = self.rest.get(..end).filter(|word| !word.is_empty())?;
        self.rest = self.rest.get(end..)?;
        Some(word)
    }

    /// Up to a character and over it.
    pub(super) fn until(&mut self, end: char) -> Option<&'t str> {
        let (before, after) = self.rest.split_once(end)?;
        self.rest = after;
        Some(before)
    }
}
