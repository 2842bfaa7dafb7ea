//! The text in which Prometheus (0.0.4) and OpenMetrics (1.0) write metrics: one line at a time, so that a scrape need
//! not be held, and typed views of what Flink's reporter and the kubelet's cAdvisor write.

mod container;
mod flink;

use std::borrow::Cow;

use thiserror::Error;

pub use container::{ContainerMetrics, ContainerView};
pub use flink::{FlinkView, ScrapedProcess};

/// Exporters write a dozen labels; a line with more than these is nobody's metric.
const MOST_LABELS: usize = 256;

/// A line that follows no grammar.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum LineError {
    /// No name stands where one must.
    #[error("no metric name")]
    Name,
    /// The labels do not end, or a label is no `name="value"`.
    #[error("broken labels")]
    Labels,
    /// No value, or more than a value and a time.
    #[error("no value, or too much behind it")]
    Value,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// An empty line, or a comment.
    Nothing,
    /// `# HELP`, `# TYPE` or `# UNIT`.
    About {
        /// The keyword.
        keyword: &'a str,
        /// The metric.
        name: &'a str,
        /// What is said of it.
        text: &'a str,
    },
    /// `# EOF`: OpenMetrics ends here.
    End,
    /// A value.
    Sample(Sample<'a>),
}

/// One value of one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// The metric's name.
    pub name: Cow<'a, str>,
    /// Its labels, without escapes.
    pub labels: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The value as written: `1.0`, `2.2E8`, `NaN`, `+Inf`. [`crate::artefact::flink_rest::whole`] reads it.
    pub value: &'a str,
    /// The time as written: milliseconds in Prometheus, seconds in OpenMetrics.
    pub time: Option<&'a str>,
}

impl Sample<'_> {
    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| label == name).map(|(_, value)| value.as_ref())
    }
}

/// What one line says, without its line break.
///
/// # Errors
///
/// Where it follows no grammar; the lines around it are none the worse.
pub fn line(text: &str) -> Result<Line<'_>, LineError> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if let Some(comment) = text.strip_prefix('#') {
        return Ok(about(comment.trim_start()));
    }
    if text.is_empty() { Ok(Line::Nothing) } else { sample(text).map(Line::Sample) }
}

/// The samples of a whole text; lines that follow no grammar are left out.
pub fn samples(text: &str) -> impl Iterator<Item = Sample<'_>> {
    let lines = text.lines().map(line).take_while(|line| !matches!(line, Ok(Line::End)));
    lines.filter_map(|line| match line {
        Ok(Line::Sample(sample)) => Some(sample),
        _ => None,
    })
}

fn about(comment: &str) -> Line<'_> {
    if comment == "EOF" {
        return Line::End;
    }
    let Some((keyword, rest)) = comment.split_once([' ', '\t']) else { return Line::Nothing };
    if !matches!(keyword, "HELP" | "TYPE" | "UNIT") {
        return Line::Nothing;
    }
    let rest = rest.trim_start();
    let (name, text) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    Line::About { keyword, name, text: text.trim_start() }
}

fn sample(text: &str) -> Result<Sample<'_>, LineError> {
    let until = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let (name, rest) = text.split_at(until);
    let mut name = Cow::Borrowed(name);
    let rest = rest.trim_start_matches([' ', '\t']);
    let mut labels = Vec::new();
    let rest = match rest.strip_prefix('{') {
        Some(rest) => within_braces(rest, &mut name, &mut labels)?,
        None => rest,
    };
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(LineError::Name);
    }
    // What stands behind `#` is an exemplar.
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let mut words = rest.split_ascii_whitespace();
    let value = words.next().ok_or(LineError::Value)?;
    let time = words.next();
    if words.next().is_some() || !is_value(value) {
        return Err(LineError::Value);
    }
    Ok(Sample { name, labels, value, time })
}

fn is_value(text: &str) -> bool {
    let bare = text.trim_start_matches(['+', '-']);
    bare.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || ["nan", "inf", "infinity"].contains(&bare.to_ascii_lowercase().as_str())
}

/// Labels up to `}`, and what stands behind it. A quoted text without `=` is the metric's name (Prometheus 3).
fn within_braces<'a>(
    mut rest: &'a str,
    name: &mut Cow<'a, str>,
    labels: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
) -> Result<&'a str, LineError> {
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if let Some(behind) = rest.strip_prefix('}') {
            return Ok(behind);
        }
        if labels.len() >= MOST_LABELS {
            return Err(LineError::Labels);
        }
        let (label, behind) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let until = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).ok_or(LineError::Labels)?;
                (Cow::Borrowed(&rest[..until]), &rest[until..])
            }
        };
        let behind = behind.trim_start_matches([' ', '\t']);
        match behind.strip_prefix('=') {
            Some(value) => {
                let quoted = value.trim_start_matches([' ', '\t']).strip_prefix('"').ok_or(LineError::Labels)?;
                let (value, behind) = unquote(quoted)?;
                if label.is_empty() {
                    return Err(LineError::Labels);
                }
                labels.push((label, value));
                rest = behind;
            }
            None if rest.starts_with('"') && name.is_empty() => {
                *name = label;
                rest = behind;
            }
            None => return Err(LineError::Labels),
        }
    }
}

/// A text up to its closing quote, with `\\`, `\"` and `\n` undone, and what stands behind.
fn unquote(text: &str) -> Result<(Cow<'_, str>, &str), LineError> {
    let mut undone: Option<String> = None;
    let mut begin = 0;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                let last = &text[begin..at];
                let whole = match undone {
                    Some(mut undone) => {
                        undone.push_str(last);
                        Cow::Owned(undone)
                    }
                    None => Cow::Borrowed(last),
                };
                return Ok((whole, &text[at + 1..]));
            }
            '\\' => {
                let (escaped_at, escaped) = chars.next().ok_or(LineError::Labels)?;
                let undone = undone.get_or_insert_with(String::new);
                undone.push_str(&text[begin..at]);
                match escaped {
                    'n' => undone.push('\n'),
                    '\\' | '"' => undone.push(escaped),
                    other => undone.extend(['\\', other]),
                }
                begin = escaped_at + escaped.len_utf8();
            }
            _ => {}
        }
    }
    Err(LineError::Labels)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

    use proptest::prelude::*;

    use super::*;

    fn one(text: &str) -> Sample<'_> {
        match line(text) {
            Ok(Line::Sample(sample)) => sample,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn samples_of_both_formats_are_read() {
        let flink = one(r#"flink_x{job_id="9f",task_name="Rank_7_____sink",} 2.23743464E8"#);
        assert_eq!(
            (flink.label("task_name"), flink.value, flink.time),
            (Some("Rank_7_____sink"), "2.23743464E8", None)
        );
        let timed = one("http_requests_total{code=\"200\"}  1027\t1395066363000");
        assert_eq!(timed.time, Some("1395066363000"));
        let exemplar = one(r#"foo_bucket{le="10.0"} 17 1520879607.789 # {trace_id="a\"b"} 9.8 1520879607.0"#);
        assert_eq!((exemplar.value, exemplar.time), ("17", Some("1520879607.789")));
        let quoted = one(r#"{"my.metric", "a.b"="c"} NaN"#);
        assert_eq!((quoted.name.as_ref(), quoted.label("a.b"), quoted.value), ("my.metric", Some("c"), "NaN"));
        assert_eq!(one(r#"a{p="C:\\D\n\"E\"\x"} +Inf"#).label("p"), Some("C:\\D\n\"E\"\\x"));
        assert_eq!(one("a{} 1").labels, []);
        assert_eq!(one(r#"a{v="}, # \"{"} -1"#).label("v"), Some("}, # \"{"));
    }

    #[test]
    fn lines_that_are_no_samples_are_told_apart() {
        let about = |keyword, name, text| Ok(Line::About { keyword, name, text });
        assert_eq!(line("# HELP a b  c"), about("HELP", "a", "b  c"));
        assert_eq!(line("# TYPE a gauge\r"), about("TYPE", "a", "gauge"));
        assert_eq!(line("# UNIT a_bytes bytes"), about("UNIT", "a_bytes", "bytes"));
        assert_eq!(line("# EOF"), Ok(Line::End));
        assert_eq!(line("# a comment"), Ok(Line::Nothing));
        assert_eq!(line(""), Ok(Line::Nothing));
        for (text, error) in [
            ("a", LineError::Value),
            ("a b", LineError::Value),
            ("a 1 2 3", LineError::Value),
            ("1a 1", LineError::Name),
            ("{x=\"y\"} 1", LineError::Name),
            ("a{x=y} 1", LineError::Labels),
            ("a{x=\"y} 1", LineError::Labels),
            ("a{x", LineError::Labels),
            ("<html> 1", LineError::Name),
        ] {
            assert_eq!(line(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_broken_line_costs_itself_alone_and_nothing_is_read_behind_the_end() {
        let text = "a 1\nb{ 2\nc 3\n# EOF\nd 4\n";
        assert_eq!(samples(text).map(|sample| sample.value).collect::<Vec<_>>(), ["1", "3"]);
    }

    proptest! {
        #[test]
        fn any_label_value_that_is_escaped_is_read_back(value: String) {
            let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            let text = format!("a{{v=\"{escaped}\"}} 1");
            let sample = one(&text);
            prop_assert_eq!(sample.label("v"), Some(value.as_str()));
        }

        #[test]
        fn no_line_makes_it_panic(text: String) {
            let _ = line(&text);
        }
    }
}
