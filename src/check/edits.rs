//! Edits of a text: made from places, and carried out with every other byte left as it is.

use super::case::Written;
use crate::model::{Edit, Position, Source};

/// A text with its lines.
pub struct Lines<'a> {
    source: Source,
    text: &'a str,
    /// Where each line starts; one more than there are lines.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of an input.
    pub fn new(source: Source, text: &'a str) -> Lines<'a> {
        let mut starts = vec![0];
        // As Java's reader and YAML end a line: a carriage return that stands alone does too.
        let bytes = text.as_bytes();
        let ends = |at: usize| bytes[at] == b'\n' || bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
        starts.extend((0..bytes.len()).filter(|at| ends(*at)).map(|at| at + 1));
        if starts.last() != Some(&text.len()) {
            starts.push(text.len());
        }
        Lines { source, text, starts }
    }

    /// Where the text comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// A line without its end, counted from 1.
    pub fn line(&self, number: u32) -> Option<&'a str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let line = self.text.get(*self.starts.get(index)?..*self.starts.get(index + 1)?)?;
        Some(line.trim_end_matches(['\n', '\r']))
    }

    /// What stands at a position that covers a part of one line.
    fn at(&self, written: Written<'_>, position: Position) -> Option<(&'a str, u32)> {
        if written.setting.place.source != self.source {
            return None;
        }
        let line = self.line(position.line)?;
        let start = byte_of(line, position.column)?;
        let part = line.get(start..start + position.end.checked_sub(position.start)?)?;
        (!part.is_empty()).then(|| (part, position.column + chars(part)))
    }

    /// Another name for a key; one part of a nested key can only be renamed where the parts around it stay.
    pub fn rename(&self, written: Written<'_>, to: &str) -> Option<Vec<Edit>> {
        let position = written.setting.written?;
        let (typed, end) = self.at(written, position)?;
        let (quote, bare) = unquoted(typed);
        let stem = written.key.strip_suffix(bare)?;
        let rest = to.strip_prefix(stem)?;
        (!rest.is_empty()).then(|| {
            let text = format!("{quote}{rest}{quote}");
            vec![Edit::Replace { line: position.line, from: position.column, to: end, text }]
        })
    }

    /// Another value for a key.
    pub fn set(&self, written: Written<'_>, value: &str) -> Option<Vec<Edit>> {
        let position = written.setting.place.position?;
        let (typed, end) = self.at(written, position)?;
        let (quote, bare) = unquoted(typed);
        // What stands there must be the value: not the start of a block, nor a piece of something larger.
        let same = bare == written.setting.value.java_text() || typed == written.setting.value.java_text();
        same.then(|| {
            let quote = if typed == written.setting.value.java_text() { "" } else { quote };
            let text = format!("{quote}{value}{quote}");
            vec![Edit::Replace { line: position.line, from: position.column, to: end, text }]
        })
    }

    /// A key's line taken out, where it has a line of its own and others stay beside it.
    pub fn remove(&self, written: Written<'_>) -> Option<Vec<Edit>> {
        let (position, indent) = self.own_line(written)?;
        let alone = indent > 0 && !self.has_neighbour(position.line, indent);
        (!alone).then(|| vec![Edit::Remove { first: position.line, last: position.line }])
    }

    /// Another setting below a key's line; the key is written with the part of its name that the nesting does not give.
    pub fn insert_below(&self, written: Written<'_>, key: &str, value: &str) -> Option<Vec<Edit>> {
        let (position, indent) = self.own_line(written)?;
        let line = self.line(position.line)?;
        let typed = unquoted(line.trim_start().split(':').next()?.trim()).1;
        let stem = written.key.strip_suffix(typed)?;
        let rest = key.strip_prefix(stem)?;
        let text = format!("{}{rest}: {value}", &line[..byte_of(line, u32::try_from(indent + 1).ok()?)?]);
        Some(vec![Edit::Insert { below: position.line, text }])
    }

    /// The place of a key that begins its line, and how far it is indented; its value ends on the same line.
    fn own_line(&self, written: Written<'_>) -> Option<(Position, usize)> {
        let position = written.setting.written?;
        let value = written.setting.place.position?;
        self.at(written, position)?;
        let line = self.line(position.line)?;
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let begins = usize::try_from(position.column).ok()? == indent + 1;
        if !begins || value.line != position.line {
            return None;
        }
        let behind = byte_of(line, value.column)? + value.end.checked_sub(value.start)?;
        let rest = line.get(behind..)?.trim();
        (rest.is_empty() || rest.starts_with('#')).then_some((position, indent))
    }

    /// Whether another key stands directly above or below at the same depth.
    fn has_neighbour(&self, line: u32, indent: usize) -> bool {
        let tells = |number: u32| -> Option<bool> {
            let line = self.line(number)?;
            let bare = line.trim_start();
            (!bare.is_empty() && !bare.starts_with('#')).then(|| line.len() - bare.len() == indent)
        };
        let last = u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
        let above = (1..line).rev().find_map(tells);
        let below = (line + 1..last).find_map(tells);
        above == Some(true) || below == Some(true)
    }
}

fn chars(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

/// Where a column of a line begins, in bytes.
fn byte_of(line: &str, column: u32) -> Option<usize> {
    let index = usize::try_from(column).ok()?.checked_sub(1)?;
    line.char_indices().map(|(at, _)| at).chain([line.len()]).nth(index)
}

/// A text's quotes and what is between them.
fn unquoted(text: &str) -> (&'static str, &str) {
    for quote in ["\"", "'"] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return (quote, inner);
        }
    }
    ("", text)
}

/// The text with the edits in it; nothing where two of them touch the same line, or one does not fit the text.
pub fn applied(text: &str, edits: &[Edit]) -> Option<String> {
    let lines = Lines::new(Source::Stdin, text);
    let mut stretches: Vec<(usize, usize, String)> = Vec::new();
    let start_of = |line: u32| lines.starts.get(usize::try_from(line).ok()?.checked_sub(1)?).copied();
    let end_of = |line: u32| lines.starts.get(usize::try_from(line).ok()?).copied();
    for edit in edits {
        stretches.push(match edit {
            Edit::Replace { line, from, to, text } => {
                let whole = lines.line(*line)?;
                let start = start_of(*line)?;
                (start + byte_of(whole, *from)?, start + byte_of(whole, *to)?, text.clone())
            }
            Edit::Remove { first, last } => (start_of(*first)?, end_of(*last)?, String::new()),
            Edit::Insert { below, text: new } => {
                let at = end_of(*below)?;
                let ended = text[..at].ends_with('\n');
                let end = if text[..at].ends_with("\r\n") { "\r\n" } else { "\n" };
                (at, at, if ended { format!("{new}{end}") } else { format!("\n{new}") })
            }
        });
    }
    stretches.sort();
    stretches.dedup();
    if stretches.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, new) in stretches {
        out.push_str(text.get(at..start)?);
        out.push_str(&new);
        at = end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::Config;
    use crate::config::layers::{FileText, Layers, Offset};
    use crate::config::{FileKind, Setting};
    use crate::flink::profile::Profile;

    fn config(kind: FileKind, text: &str) -> Config {
        let file = FileText { source: Source::Stdin, kind, text: text.to_owned(), offset: Offset::default() };
        Layers { file: Some(file), ..Layers::default() }.assemble(Profile::newest()).unwrap().config
    }

    fn edited(
        kind: FileKind,
        text: &str,
        key: &str,
        edit: impl Fn(&Lines<'_>, Written<'_>) -> Option<Vec<Edit>>,
    ) -> Option<String> {
        let config = config(kind, text);
        let setting: &Setting = config.get(key).unwrap();
        let lines = Lines::new(Source::Stdin, text);
        applied(text, &edit(&lines, Written { key, setting })?)
    }

    #[rstest]
    #[case(FileKind::Legacy, "x: 1\na.b : 4g # big\n", Some("x: 1\na.c : 4g # big\n"))]
    #[case(FileKind::Standard, "a:\n  b: 4g\n", Some("a:\n  c: 4g\n"))]
    #[case(FileKind::Standard, "\"a.b\": 4g", Some("\"a.c\": 4g"))]
    #[case(FileKind::Standard, "{a: {b: 4g, d: é}}", Some("{a: {c: 4g, d: é}}"))]
    fn a_key_is_renamed_in_its_place(#[case] kind: FileKind, #[case] text: &str, #[case] expected: Option<&str>) {
        let out = edited(kind, text, "a.b", |lines, written| lines.rename(written, "a.c"));
        assert_eq!(out.as_deref(), expected);
    }

    #[test]
    fn a_nested_key_is_not_renamed_across_its_parents() {
        let out = edited(FileKind::Standard, "a:\n  b: 4g\n", "a.b", |lines, written| lines.rename(written, "x.b"));
        assert_eq!(out, None);
    }

    #[rstest]
    #[case("a.b: \"4 Gi\" # é\r\n", "a.b: \"4g\" # é\r\n")]
    #[case("a:\n  b: '4 Gi'\n", "a:\n  b: '4g'\n")]
    #[case("é: 1\na.b: 4 Gi", "é: 1\na.b: 4g")]
    fn a_value_is_replaced_within_its_quotes(#[case] text: &str, #[case] expected: &str) {
        let out = edited(FileKind::Standard, text, "a.b", |lines, written| lines.set(written, "4g"));
        assert_eq!(out.as_deref(), Some(expected));
    }

    #[rstest]
    #[case("a.b: 1\nc: 2\n", Some("c: 2\n"))]
    #[case("a:\n  b: 1 # x\n  c: 2\n", Some("a:\n  c: 2\n"))]
    #[case("a:\n  b: 1\nc: 2\n", None)]
    #[case("{a.b: 1, c: 2}\n", None)]
    #[case("c: 2\na.b: 1", Some("c: 2\n"))]
    fn a_key_is_taken_out_with_its_line(#[case] text: &str, #[case] expected: Option<&str>) {
        let out = edited(FileKind::Standard, text, "a.b", |lines, written| lines.remove(written));
        assert_eq!(out.as_deref(), expected);
    }

    #[rstest]
    #[case("a.b: 1\r\nc: 2\r\n", Some("a.b: 1\r\na.d: 3\r\nc: 2\r\n"))]
    #[case("a:\n  b: 1", Some("a:\n  b: 1\n  d: 3"))]
    fn a_setting_is_written_below_another(#[case] text: &str, #[case] expected: Option<&str>) {
        let out = edited(FileKind::Standard, text, "a.b", |lines, written| lines.insert_below(written, "a.d", "3"));
        assert_eq!(out.as_deref(), expected);
    }

    #[test]
    fn a_carriage_return_alone_ends_a_line_as_it_does_for_flink() {
        let out = edited(FileKind::Legacy, "x: 1\ra.b: 2\r\nc: 3\n", "c", |lines, written| lines.set(written, "4"));
        assert_eq!(out.as_deref(), Some("x: 1\ra.b: 2\r\nc: 4\n"));
    }

    #[test]
    fn edits_that_overlap_are_refused() {
        let one = Edit::Remove { first: 1, last: 1 };
        let two = Edit::Replace { line: 1, from: 1, to: 2, text: "b".into() };
        assert_eq!(applied("a: 1\n", &[one, two]), None);
    }
}
