//! The lines of an artefact that are looked at, without what their collectors put before them: one text, in which every
//! offset knows the line of the file and the time that the line bears.
//!
//! A file that is small is one excerpt. Of a large one those lines are kept that stand around a word that matters; where
//! lines are left out, a form feed stands on a line of its own, which no grammar passes over.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

/// A part of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The lines, each ended by a line feed.
    text: String,
    /// Where each line starts, in order.
    starts: Vec<Start>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Start {
    offset: usize,
    number: u32,
    at: Option<Moment>,
    /// The last time that this line or one before it bears, not beyond a gap: kept, as a file without times would be
    /// looked through from each of its lines to its beginning.
    since: Option<Moment>,
}

/// The time that a line bears, as exactly as it says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// With its time zone.
    Zoned(Timestamp),
    /// In the zone of whoever wrote it.
    Local(DateTime),
    /// Likewise, of a year that is not said, as syslog writes it: the year is 0.
    Yearless(DateTime),
    /// Since the machine, or the JVM, started.
    Since(SignedDuration),
}

/// A line of an excerpt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'t> {
    /// Its number in the file, from 1.
    pub number: u32,
    /// What it says, without its end and without what was put before it.
    pub text: &'t str,
    /// The time it bears.
    pub at: Option<Moment>,
    /// Where it starts in the excerpt's text.
    pub offset: usize,
}

/// What stands on a line of its own where lines are left out.
pub const GAP: &str = "\x0c";

impl Excerpt {
    /// All lines of a text as they are.
    pub fn plain(text: &str) -> Excerpt {
        let mut excerpt = Excerpt::default();
        for (number, line) in (1..).zip(text.lines()) {
            excerpt.push(number, line, None);
        }
        excerpt
    }

    /// Puts a line behind the others. Where its number does not follow, a gap stands before it.
    pub fn push(&mut self, number: u32, text: &str, at: Option<Moment>) {
        let follows = |last: &Start| last.number == number || last.number.checked_add(1) == Some(number);
        self.put(number, text, at, self.starts.last().is_some_and(|last| !follows(last)));
    }

    /// Puts a line behind the others and says itself whether lines are left out before it: where one line was made of
    /// several, numbers do not follow one another and nothing is left out.
    pub fn put(&mut self, number: u32, text: &str, at: Option<Moment>, gap: bool) {
        let gap = gap && !self.starts.is_empty();
        if gap {
            self.text.push_str(GAP);
            self.text.push('\n');
        }
        let before = self.starts.last().filter(|_| !gap).and_then(|last| last.since);
        self.starts.push(Start { offset: self.text.len(), number, at, since: at.or(before) });
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// The lines in order.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = Line<'_>> {
        (0..self.starts.len()).filter_map(|index| self.nth(index))
    }

    /// The line that an offset of the text lies in; the first for one before all.
    pub fn line(&self, offset: usize) -> Line<'_> {
        let after = self.starts.partition_point(|start| start.offset <= offset);
        self.nth(after.saturating_sub(1)).unwrap_or(Line { number: 1, text: "", at: None, offset: 0 })
    }

    /// The last time that a line at an offset or before it bears, not beyond a gap.
    pub fn at(&self, offset: usize) -> Option<Moment> {
        let after = self.starts.partition_point(|start| start.offset <= offset);
        self.starts.get(after.checked_sub(1)?)?.since
    }

    fn nth(&self, index: usize) -> Option<Line<'_>> {
        let start = self.starts.get(index)?;
        let rest = self.text.get(start.offset..)?;
        let text = rest.split_once('\n').map_or(rest, |(line, _)| line);
        Some(Line { number: start.number, text, at: start.at, offset: start.offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_a_time_has_that_of_the_lines_before_it_up_to_a_gap() {
        let (first, second) = (SignedDuration::from_secs(1), SignedDuration::from_secs(2));
        let mut excerpt = Excerpt::default();
        excerpt.push(1, "a", Some(Moment::Since(first)));
        excerpt.push(2, "b", None);
        excerpt.push(9, "c", None);
        excerpt.push(10, "d", Some(Moment::Since(second)));
        excerpt.push(11, "e", None);
        let at = |word: &str| excerpt.at(excerpt.text().find(word).unwrap());
        let expected = [Some(first), Some(first), None, Some(second), Some(second)];
        assert_eq!(["a", "b", "c", "d", "e"].map(at), expected.map(|time| time.map(Moment::Since)));
    }

    #[test]
    fn an_offset_knows_its_line_and_a_gap_is_marked() {
        let mut excerpt = Excerpt::plain("one\ntwo\n");
        excerpt.push(9, "nine", Some(Moment::Since(SignedDuration::from_secs(3))));
        excerpt.push(10, "ten", None);
        assert_eq!(excerpt.text(), "one\ntwo\n\x0c\nnine\nten\n");
        let offset = |word| excerpt.text().find(word).unwrap();
        assert_eq!(excerpt.line(offset("wo")).number, 2);
        assert_eq!((excerpt.line(offset("ten")).number, excerpt.line(offset("ten")).text), (10, "ten"));
        assert_eq!(excerpt.at(offset("ten")), Some(Moment::Since(SignedDuration::from_secs(3))));
        assert_eq!(excerpt.at(offset("two")), None);
        assert_eq!(excerpt.lines().count(), 4);
    }
}
