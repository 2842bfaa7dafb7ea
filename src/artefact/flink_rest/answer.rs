//! An answer of Flink's REST, opened field by field: a number that nobody can hold or a field of the wrong kind costs
//! itself and nothing beside it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use thiserror::Error;

use super::number::{shown, whole};
use crate::model::{Bytes, Seen, Unseen};

/// Why an answer holds nothing that could be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum AnswerError {
    /// Nothing came.
    #[error("the answer is empty")]
    Empty,
    /// A page for people: a proxy's login, a gateway's error.
    #[error("the answer is a web page{}, not JSON", .title.as_ref().map_or(String::new(), |title| format!(" ({title})")))]
    Html {
        /// Its title.
        title: Option<String>,
    },
    /// `{"errors": [...]}` (`ErrorResponseBody` since Flink 1.5): the first line of each
    /// that says something.
    #[error("Flink answers: {}", .0.join("; "))]
    Refused(Vec<String>),
    /// No JSON, or not the whole of it.
    #[error("the answer is not whole JSON: {0}")]
    NotJson(String),
    /// JSON of another kind.
    #[error("the answer is no {0}")]
    NotA(&'static str),
}

/// A value that is not opened yet.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(&'a RawValue);

/// The fields of an object, and where it stands in the answer.
pub(super) struct Fields<'a> {
    at: String,
    all: BTreeMap<String, &'a RawValue>,
}

/// The JSON of an answer; its errors and pages for people are told from it.
pub(super) fn open(text: &str) -> Result<Node<'_>, AnswerError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(AnswerError::Empty);
    }
    if text.starts_with('<') {
        return Err(AnswerError::Html { title: title(text) });
    }
    let node = serde_json::from_str::<&RawValue>(text).map(Node);
    let node = node.map_err(|error| AnswerError::NotJson(error.to_string()))?;
    match node.fields("") {
        Some(fields) if fields.all.len() == 1 && fields.all.contains_key("errors") => {
            // Before a trace stands a line that says only that one follows.
            let says_something = |line: &&str| !line.starts_with("<Exception on server side");
            let said = fields.list("errors").into_iter().filter_map(|node| {
                let text = node.text()?;
                text.lines().find(says_something).map(str::to_owned)
            });
            Err(AnswerError::Refused(said.take(3).map(|line| line.chars().take(300).collect()).collect()))
        }
        _ => Ok(node),
    }
}

/// An answer that is an object.
pub(super) fn open_object(text: &str) -> Result<Fields<'_>, AnswerError> {
    open(text)?.fields("").ok_or(AnswerError::NotA("JSON object"))
}

/// An answer that is a list.
pub(super) fn open_list(text: &str) -> Result<Vec<Node<'_>>, AnswerError> {
    open(text)?.list().ok_or(AnswerError::NotA("JSON list"))
}

fn title(text: &str) -> Option<String> {
    let begin: String = text.chars().take(4_096).collect();
    let lower = begin.to_ascii_lowercase();
    let from = lower.find("<title>")? + "<title>".len();
    let until = from + lower.get(from..)?.find('<')?;
    let words: Vec<&str> = begin.get(from..until)?.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" ").chars().take(80).collect())
}

impl<'a> Node<'a> {
    /// The fields of an object.
    pub(super) fn fields(self, at: &str) -> Option<Fields<'a>> {
        let all = serde_json::from_str(self.0.get()).ok()?;
        Some(Fields { at: at.to_owned(), all })
    }

    /// The elements of a list.
    pub(super) fn list(self) -> Option<Vec<Node<'a>>> {
        let all: Vec<&RawValue> = serde_json::from_str(self.0.get()).ok()?;
        Some(all.into_iter().map(Node).collect())
    }

    /// A text.
    pub(super) fn text(self) -> Option<String> {
        serde_json::from_str(self.0.get()).ok()
    }

    /// A number as it is written, or a text (`"NaN"` is how Jackson writes one).
    pub(super) fn scalar(self) -> Option<String> {
        match self.0.get().bytes().next()? {
            b'"' => self.text(),
            b'-' | b'0'..=b'9' => Some(self.0.get().to_owned()),
            _ => None,
        }
    }
}

impl<'a> Fields<'a> {
    fn node(&self, name: &str) -> Seen<Node<'a>> {
        match self.all.get(name) {
            Some(value) if value.get() != "null" => Ok(Node(value)),
            _ => Err(Unseen::because(format!("Flink's answer has no {}", self.path(name)))),
        }
    }

    fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// A whole number.
    pub(super) fn whole(&self, name: &str) -> Seen<u64> {
        let node = self.node(name)?;
        let kind = || Unseen::because(format!("{} is {}, no number", self.path(name), shown(node.0.get())));
        let text = node.scalar().ok_or_else(kind)?;
        whole(&text).map_err(|unseen| Unseen::because(format!("{}: {}", self.path(name), unseen.why)))
    }

    /// A number of bytes.
    pub(super) fn bytes(&self, name: &str) -> Seen<Bytes> {
        self.whole(name).map(Bytes::new)
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Seen<String> {
        let node = self.node(name)?;
        node.text().ok_or_else(|| Unseen::because(format!("{} is {}, no text", self.path(name), shown(node.0.get()))))
    }

    /// An object within; one without fields where there is none, so that each field says that it is missing.
    pub(super) fn object(&self, name: &str) -> Fields<'a> {
        let within = self.node(name).ok().and_then(|node| node.fields(&self.path(name)));
        within.unwrap_or_else(|| Fields { at: self.path(name), all: BTreeMap::new() })
    }

    /// The elements of a list; none where there is no list.
    pub(super) fn list(&self, name: &str) -> Vec<Node<'a>> {
        self.node(name).ok().and_then(Node::list).unwrap_or_default()
    }

    /// The elements of a list, or why there is none.
    pub(super) fn seen_list(&self, name: &str) -> Seen<Vec<Node<'a>>> {
        let node = self.node(name)?;
        node.list().ok_or_else(|| Unseen::because(format!("{} is no list", self.path(name))))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn one_number_that_nobody_can_hold_costs_nothing_beside_it() {
        let text =
            r#"{"a": 1e999, "b": 7, "c": "NaN", "d": [1], "e": null, "f": 340282366920938463463374607431768211456}"#;
        let fields = open_object(text).unwrap();
        assert_eq!(fields.whole("b"), Ok(7));
        for (name, said) in
            [("a", "1e999"), ("c", "NaN"), ("d", "no number"), ("e", "has no e"), ("f", "64 bits"), ("g", "has no g")]
        {
            let why = fields.whole(name).unwrap_err().why;
            assert!(why.contains(said), "{name}: {why}");
        }
    }

    #[test]
    fn pages_and_errors_are_told_from_answers() {
        let error = |text: &str| open(text).err().map(|error| error.to_string());
        assert_eq!(error("").as_deref(), Some("the answer is empty"));
        let page = "<!doctype html><html><head><TITLE>\n 502 Bad\nGateway</TITLE>";
        assert_eq!(error(page).as_deref(), Some("the answer is a web page (502 Bad Gateway), not JSON"));
        let refused = r#"{"errors":["Job 7 not found","<Exception on server side:\na.B: c\n\tat x>"]}"#;
        assert_eq!(error(refused).as_deref(), Some("Flink answers: Job 7 not found; a.B: c"));
        assert!(error(r#"{"taskmanagers":[{"id":"a""#).is_some_and(|said| said.contains("not whole JSON")));
    }

    #[test]
    fn a_deep_answer_is_not_opened_further_than_asked() {
        let deep = format!("{{\"a\": {}{}, \"b\": 1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(open_object(&deep).unwrap().whole("b"), Ok(1));
    }
}
