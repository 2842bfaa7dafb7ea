//! A text within another: the value of a YAML scalar, a shell's word, a here-document. Whoever reads the inner text counts
//! in it; here its places are found in the outer one, where people and edits look for them.

use crate::model::{Place, Position, Source};

/// Where the pieces of an inner text stand in the outer one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlay {
    source: Source,
    /// Where the whole stands, for what cannot be told more exactly.
    whole: Position,
    /// In the order of the inner text.
    pieces: Vec<Piece>,
}

/// A stretch of the inner text that stands in one line of the outer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    /// Its first byte in the inner text.
    inner: usize,
    /// Its bytes there.
    length: usize,
    /// Line and column in the outer text.
    line: u32,
    column: u32,
    /// Its first byte in the outer text.
    outer: usize,
    /// Its bytes there.
    outer_length: usize,
    /// Whether both texts are the same here; otherwise the piece is one escape.
    same: bool,
}

/// Pieces are not longer, so that counting the characters of one takes no time.
const MAX_PIECE: usize = 256;

impl Inlay {
    /// A text of which only the whole can be placed, until pieces are added.
    pub fn new(source: Source, whole: Position) -> Inlay {
        Inlay { source, whole, pieces: Vec::new() }
    }

    /// Where a YAML scalar's text stands: `raw` is the outer text from the scalar's first byte on, whatever its style.
    pub fn of_scalar(source: Source, raw: &str, position: Position, inner: &str) -> Inlay {
        let pieces = [Style::Bare, Style::Double, Style::Single]
            .into_iter()
            .find_map(|style| aligned(raw, position, inner, style))
            .unwrap_or_default();
        Inlay { source, whole: position, pieces }
    }

    /// Adds what stands for `length` bytes of the inner text, from `inner` on; `same` where it is those very bytes.
    pub fn push(&mut self, inner: usize, length: usize, at: Position, same: bool) {
        let outer_length = at.end.saturating_sub(at.start);
        let piece = Piece { inner, length, line: at.line, column: at.column, outer: at.start, outer_length, same };
        push(&mut self.pieces, piece);
    }

    /// What stands behind the first `start` bytes of the inner text, as a text of its own.
    pub fn from(&self, inner: &str, start: usize) -> Inlay {
        let pieces = self.pieces.iter().filter(|piece| piece.inner + piece.length > start);
        let cut = pieces.filter_map(|piece| {
            let before = start.saturating_sub(piece.inner);
            if before == 0 {
                return Some(Piece { inner: piece.inner - start, ..*piece });
            }
            let columns = inner.get(piece.inner..start)?.chars().count();
            piece.same.then(|| Piece {
                inner: 0,
                length: piece.length - before,
                column: piece.column + u32::try_from(columns).unwrap_or(u32::MAX),
                outer: piece.outer + before,
                outer_length: piece.outer_length - before,
                ..*piece
            })
        });
        Inlay { source: self.source.clone(), whole: self.whole, pieces: cut.collect() }
    }

    /// Another inner text behind this one's first `length` bytes.
    pub fn append(&mut self, length: usize, other: &Inlay) {
        self.pieces.extend(other.pieces.iter().map(|piece| Piece { inner: piece.inner + length, ..*piece }));
    }

    /// The source of the outer text.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Lines of the outer text before the inner one's first, as far as both have the same lines.
    pub fn lines_before(&self, inner: &str) -> u32 {
        let first = self.pieces.first();
        let blank = first.and_then(|piece| inner.get(..piece.inner)).map_or(0, |head| head.matches('\n').count());
        let line = first.map_or(self.whole.line, |piece| piece.line);
        line.saturating_sub(1).saturating_sub(u32::try_from(blank).unwrap_or(u32::MAX))
    }

    /// The byte of the outer text behind the last piece.
    pub fn end(&self) -> Option<usize> {
        self.pieces.last().map(|piece| piece.outer + piece.outer_length)
    }

    /// The same in a text that the outer one is inlaid in.
    pub fn through(&self, outer: &Inlay, outer_text: &str) -> Inlay {
        let place = |line, column, start: usize, length: usize| {
            outer.position(outer_text, Position { line, column, start, end: start + length })
        };
        let mut moved = Inlay::new(outer.source.clone(), outer.whole);
        for piece in &self.pieces {
            let at = place(piece.line, piece.column, piece.outer, piece.outer_length);
            moved.push(piece.inner, piece.length, at, piece.same && at.end.saturating_sub(at.start) == piece.length);
        }
        moved
    }

    /// Where the whole stands.
    pub fn whole(&self) -> Place {
        Place { source: self.source.clone(), position: Some(self.whole) }
    }

    /// The place of a part of the inner text.
    pub fn place(&self, inner: &str, part: Position) -> Place {
        Place { source: self.source.clone(), position: Some(self.position(inner, part)) }
    }

    /// The position of a part of the inner text; where it cannot be told, the whole's.
    pub fn position(&self, inner: &str, part: Position) -> Position {
        self.outer(inner, part.start, part.end).unwrap_or(self.whole)
    }

    fn outer(&self, inner: &str, start: usize, end: usize) -> Option<Position> {
        let first = self.piece_at(start)?;
        let begin = if first.same { start - first.inner } else { 0 };
        let column = if begin == 0 { 0 } else { inner.get(first.inner..start)?.chars().count() };
        let last = if end > start { self.piece_at(end - 1)? } else { first };
        if last.line != first.line {
            return None;
        }
        let behind = if last.same { end - last.inner } else { last.outer_length };
        Some(Position {
            line: first.line,
            column: first.column + u32::try_from(column).unwrap_or(u32::MAX),
            start: first.outer + begin,
            end: last.outer + behind,
        })
    }

    fn piece_at(&self, byte: usize) -> Option<&Piece> {
        let next = self.pieces.partition_point(|piece| piece.inner <= byte);
        self.pieces.get(next.checked_sub(1)?).filter(|piece| byte < piece.inner + piece.length)
    }
}

/// A piece that goes on where the last one ends becomes part of it.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    if let Some(last) = pieces.last_mut()
        && last.same
        && piece.same
        && last.length < MAX_PIECE
        && last.line == piece.line
        && last.inner + last.length == piece.inner
        && last.outer + last.outer_length == piece.outer
    {
        last.length += piece.length;
        last.outer_length += piece.outer_length;
        return;
    }
    pieces.push(piece);
}

/// How a scalar is written, as far as it matters for finding its characters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As it is: plain, or a block.
    Bare,
    /// In double quotes, with escapes.
    Double,
    /// In single quotes, of which two stand for one.
    Single,
}

/// Goes through a scalar and what it stands for at once. White space may differ in both (indentation, folds), all else
/// must not; nothing where it does.
fn aligned(raw: &str, start: Position, inner: &str, style: Style) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let (mut line, mut column) = (start.line, start.column);
    match style {
        Style::Bare => {}
        Style::Double | Style::Single => {
            at = 1;
            column += 1;
            raw.starts_with(if style == Style::Double { '"' } else { '\'' }).then_some(())?;
        }
    }
    let mut wanted = inner.char_indices().peekable();
    while let Some((inner_at, wants)) = wanted.peek().copied() {
        let next = unit(raw.get(at..)?, style);
        let agrees = next.is_some_and(|(_, written)| written == Some(wants)) && !matches!(wants, '\n' | '\r');
        if is_white(wants) && !agrees {
            wanted.next();
            continue;
        }
        let (length, written) = next?;
        if !agrees && !written.is_none_or(is_white) {
            return None;
        }
        let typed = raw.get(at..at + length)?;
        if agrees {
            let piece = Piece {
                inner: inner_at,
                length: wants.len_utf8(),
                line,
                column,
                outer: start.start + at,
                outer_length: length,
                same: length == wants.len_utf8() && typed.starts_with(wants),
            };
            push(&mut pieces, piece);
            wanted.next();
        }
        for character in typed.chars() {
            match character {
                '\n' => (line, column) = (line + 1, 1),
                _ => column += 1,
            }
        }
        at += length;
    }
    Some(pieces)
}

fn is_white(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// The next character that is written, and how many bytes it takes; no character for a line end that is escaped.
fn unit(raw: &str, style: Style) -> Option<(usize, Option<char>)> {
    let first = raw.chars().next()?;
    match (style, first) {
        (Style::Single, '\'') => raw[1..].starts_with('\'').then_some((2, Some('\''))),
        (Style::Double, '"') => None,
        (Style::Double, '\\') => escape(raw),
        _ => Some((first.len_utf8(), Some(first))),
    }
}

/// An escape in double quotes.
fn escape(raw: &str) -> Option<(usize, Option<char>)> {
    let code = raw[1..].chars().next()?;
    let digits = |count: usize| -> Option<(usize, Option<char>)> {
        let character = char::from_u32(u32::from_str_radix(raw.get(2..2 + count)?, 16).ok()?)?;
        Some((2 + count, Some(character)))
    };
    let simple = match code {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'e' => '\u{1b}',
        'N' => '\u{85}',
        '_' => '\u{a0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        ' ' | '"' | '/' | '\\' => code,
        'x' => return digits(2),
        'u' => return digits(4),
        'U' => return digits(8),
        '\n' | '\r' => return Some((1 + code.len_utf8(), None)),
        _ => return None,
    };
    Some((1 + code.len_utf8(), Some(simple)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::config::yaml;

    /// The outer text that a part of the first value's text stands in, with its line and column.
    fn found(yaml: &str, part: &str) -> Option<(String, u32, u32)> {
        let root = yaml::parse(yaml).unwrap().unwrap();
        let node = &root.entries()[0].1;
        let inner = node.text().unwrap().into_owned();
        let at = inner.find(part).unwrap();
        let inlay = Inlay::of_scalar(Source::Stdin, &yaml[node.position.start..], node.position, &inner);
        let position = inlay.outer(&inner, at, at + part.len())?;
        Some((yaml[position.start..position.end].to_owned(), position.line, position.column))
    }

    #[rstest]
    #[case("a: |\n  x: 1\n  é: 4 g\n", "4 g", (3, 6))]
    #[case("a: |-\n\n    x:\n      y: 1\n", "y", (4, 7))]
    #[case("a: >\n  x: 1\n\n  y: 2\n", "y: 2", (4, 3))]
    #[case("a: >-\n  -D x=1\n  -D y=2\n", "y=2", (3, 6))]
    #[case("a: one two\n  three\n", "three", (2, 3))]
    #[case("a: 'it''s: 4g'\n", ": 4g", (1, 10))]
    #[case("a: \"x: 1\\ny: 4g\\n\"\n", "4g", (1, 14))]
    #[case("a: \"x: 1\\n\\\n   y: 4g\"\n", "y: 4g", (2, 4))]
    #[case("a: \"\\u00e9: \\\"4g\"\n", "4g", (1, 15))]
    #[case("a:\n  \"x: 1\n\n  y: 2\"\n", "y", (4, 3))]
    fn a_part_of_a_scalar_is_found_in_the_text(#[case] yaml: &str, #[case] part: &str, #[case] at: (u32, u32)) {
        assert_eq!(found(yaml, part), Some((part.to_owned(), at.0, at.1)));
    }

    #[test]
    fn what_holds_an_escape_covers_it() {
        let (typed, ..) = found("a: \"x: \\\"4g\\\"\"\n", "\"4g\"").unwrap();
        assert_eq!(typed, "\\\"4g\\\"");
    }

    #[test]
    fn blank_lines_at_the_beginning_are_lines() {
        let yaml = "a:\n  b: |\n\n\n    c: 1\n";
        let root = yaml::parse(yaml).unwrap().unwrap();
        let node = root.entries()[0].1.get("b").unwrap();
        let inner = node.text().unwrap().into_owned();
        let inlay = Inlay::of_scalar(Source::Stdin, &yaml[node.position.start..], node.position, &inner);
        assert_eq!((inner.as_str(), inlay.lines_before(&inner)), ("\n\nc: 1\n", 2));
    }

    #[test]
    fn what_goes_over_lines_has_the_place_of_the_whole() {
        assert_eq!(found("a: |\n  x\n  y\n", "x\ny"), None);
    }

    #[test]
    fn a_part_may_be_an_inner_text_of_its_own() {
        let yaml = "a: 'é=x: 4g'\n";
        let root = yaml::parse(yaml).unwrap().unwrap();
        let node = &root.entries()[0].1;
        let inner = node.text().unwrap().into_owned();
        let inlay = Inlay::of_scalar(Source::Stdin, &yaml[3..], node.position, &inner).from(&inner, 3);
        let position = inlay.outer("x: 4g", 3, 5).unwrap();
        assert_eq!((position.column, &yaml[position.start..position.end]), (10, "4g"));
    }

    proptest! {
        #[test]
        fn any_scalar_is_aligned_or_placed_as_a_whole(
            raw in "[\"'|>]{0,1}[ a-c\n\"'\\\\xué]{0,20}", inner in "[ a-c\n\"'\\\\é]{0,20}",
        ) {
            let whole = Position { line: 1, column: 1, start: 0, end: raw.len() };
            let inlay = Inlay::of_scalar(Source::Stdin, &raw, whole, &inner);
            for (at, character) in inner.char_indices() {
                let end = at + character.len_utf8();
                let position = inlay.position(&inner, Position { line: 1, column: 1, start: at, end });
                prop_assert!(raw.get(position.start..position.end).is_some());
            }
        }
    }
}
