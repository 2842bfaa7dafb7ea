//! `flink-conf.yaml` by Flink's own line rules, which are not YAML's (`GlobalConfiguration.loadYAMLResource`,
//! 1.9 to 1.20).
//!
//! A line is cut at the first `#`, wherever it stands; what is left is split at the first colon followed by a space.
//! Everything is text, quotes included; a later line wins; a line that cannot be split is passed over with a warning.

use super::Value;
use crate::flink::java;
use crate::model::Position;

/// One `key: value` line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The key.
    pub key: String,
    /// The value, always a text.
    pub value: Value,
    /// Where the value stands.
    pub position: Position,
    /// Where the key stands.
    pub written: Position,
}

/// A line that Flink passes over with a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadLine {
    /// Where it stands.
    pub position: Position,
    /// The line as written.
    pub text: String,
    /// What is wrong with it.
    pub reason: UnreadReason,
}

/// Why a line is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadReason {
    /// No colon followed by a space.
    NoPair,
    /// Nothing before or nothing behind the colon.
    Empty,
}

impl UnreadReason {
    /// Flink's own words (from 1.17 on).
    pub fn message(self) -> &'static str {
        match self {
            UnreadReason::NoPair => "Line is not a key-value pair (missing space after ':'?)",
            UnreadReason::Empty => "Key or value was empty",
        }
    }
}

/// Reads a whole file. Nothing in it is an error.
pub fn parse(text: &str) -> (Vec<Line>, Vec<UnreadLine>) {
    let (mut lines, mut unread) = (Vec::new(), Vec::new());
    for (number, (start, raw)) in java_lines(text).enumerate() {
        let content = raw.split('#').next().unwrap_or_default();
        let content = java::trim(content);
        if content.is_empty() {
            continue;
        }
        let position = |part: &str| {
            let offset = part.as_ptr() as usize - raw.as_ptr() as usize;
            Position {
                line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                column: u32::try_from(raw[..offset].chars().count() + 1).unwrap_or(u32::MAX),
                start: start + offset,
                end: start + offset + part.len(),
            }
        };
        let mut skip = |reason| unread.push(UnreadLine { position: position(content), text: raw.to_owned(), reason });
        let Some((key, value)) = content.split_once(": ") else {
            skip(UnreadReason::NoPair);
            continue;
        };
        let (key, value) = (java::trim(key), java::trim(value));
        if key.is_empty() || value.is_empty() {
            skip(UnreadReason::Empty);
            continue;
        }
        lines.push(Line {
            key: key.to_owned(),
            value: Value::text(value),
            position: position(value),
            written: position(key),
        });
    }
    (lines, unread)
}

/// Lines as `BufferedReader.readLine` gives them: ended by `\n`, `\r` or `\r\n`, each with the byte it starts at.
fn java_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= text.len() {
            return None;
        }
        let start = at;
        let rest = &text[start..];
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        at = start + length + if rest[length..].starts_with("\r\n") { 2 } else { 1 };
        Some((start, &rest[..length]))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).0.into_iter().map(|l| (l.key, l.value.java_text().into_owned())).collect()
    }

    #[rstest]
    #[case("a: 4g # comment", "a", "4g")]
    #[case("a: 4g#comment", "a", "4g")]
    #[case("\ta : \t4g\t", "a", "4g")]
    #[case("a: \"4g\"", "a", "\"4g\"")]
    #[case("a: b: c", "a", "b: c")]
    #[case("  size: 4g", "size", "4g")]
    #[case("a: 4g\u{a0}", "a", "4g\u{a0}")]
    #[case("\u{feff}a: 4g", "\u{feff}a", "4g")]
    fn a_line_is_split_at_the_first_colon_and_space(#[case] text: &str, #[case] key: &str, #[case] value: &str) {
        assert_eq!(pairs(text), [(key.to_owned(), value.to_owned())]);
    }

    #[rstest]
    #[case("a:4g", UnreadReason::NoPair)]
    #[case("a:\t4g", UnreadReason::NoPair)]
    #[case("a:", UnreadReason::NoPair)]
    #[case("a: ", UnreadReason::NoPair)]
    #[case("a = 4g", UnreadReason::NoPair)]
    #[case("a: #4g", UnreadReason::NoPair)]
    #[case(": 4g", UnreadReason::Empty)]
    #[case("---", UnreadReason::NoPair)]
    fn a_line_that_is_no_pair_is_passed_over_with_its_reason(#[case] text: &str, #[case] reason: UnreadReason) {
        let (lines, unread) = parse(text);
        assert_eq!((lines.len(), unread.len(), unread[0].reason), (0, 1, reason));
    }

    #[test]
    fn all_of_javas_line_ends_count() {
        let (lines, _) = parse("a: 1\rb: 2\r\nc: 3\n\nd: 4");
        let at: Vec<_> = lines.iter().map(|l| (l.key.as_str(), l.position.line)).collect();
        assert_eq!(at, [("a", 1), ("b", 2), ("c", 3), ("d", 5)]);
    }

    #[test]
    fn a_value_knows_where_it_stands() {
        let text = "x: 1\n  é.size:  4g # big\n";
        let (lines, _) = parse(text);
        let position = lines[1].position;
        assert_eq!((position.line, position.column), (2, 12));
        assert_eq!(&text[position.start..position.end], "4g");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_every_span_is_the_value(text in "(?s).*") {
            for line in parse(&text).0 {
                let value = line.value.java_text().into_owned();
                prop_assert_eq!(&text[line.position.start..line.position.end], value);
            }
        }
    }
}
