//! YAML as trees with places: the one room that knows the YAML library.
//!
//! Scalars are resolved by YAML 1.2's core schema, as snakeyaml-engine does for Flink: only `true` and `false` are
//! booleans, `0o17` is octal, `yes` is a text. Whatever the text, memory and time stay bounded: nesting, aliases and the
//! number of nodes they stand for are limited.

mod scalar;
mod tabs;
mod tree;

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{ErrorKind, Event, Marker, Parser, ScalarStyle, ScanError, Span};
pub(super) use scalar::plain_value;
use scalar::{check_tag, resolve};
use tabs::ScalarSpan;
use thiserror::Error;
pub use tree::parse_all;

use super::Value;
use crate::model::Position;

/// Aliases of collections in one document: `LoadSettings.maxAliasesForCollections` of snakeyaml-engine.
const MAX_COLLECTION_ALIASES: usize = 50;

/// How deep collections may nest in each other; no configuration comes near.
const MAX_DEPTH: usize = 200;

/// How many nodes a document may stand for once its aliases are followed.
const MAX_NODES: usize = 1_000_000;

/// How many bytes of text a document may stand for once its aliases are followed and its keys have their prefixes: four
/// times as much as the largest file has.
const MAX_TEXT: usize = 64 << 20;

/// A node of a document.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands; an alias's node stands where its anchor is.
    pub position: Position,
    /// The bytes of the texts in it, with aliases followed.
    bytes: usize,
}

/// A key and its value.
pub type KeyValue = (Rc<Node>, Rc<Node>);

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A scalar, resolved.
    Scalar(Value),
    /// A sequence.
    Sequence(Vec<Rc<Node>>),
    /// A mapping, in the order of the text.
    Mapping(Vec<KeyValue>),
}

/// Why a text is no YAML document that Flink would read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct YamlError {
    /// What is wrong.
    pub reason: String,
    /// Where.
    pub position: Position,
    /// Whether it is oomph that goes no further; otherwise Flink refuses the text.
    pub beyond_oomph: bool,
}

impl YamlError {
    /// What Flink refuses.
    pub fn new(reason: impl Into<String>, position: Position) -> YamlError {
        YamlError { reason: reason.into(), position, beyond_oomph: false }
    }

    /// What oomph does not follow, so that a small text takes neither all memory nor all day.
    fn beyond(reason: impl Into<String>, position: Position) -> YamlError {
        YamlError { beyond_oomph: true, ..YamlError::new(reason, position) }
    }

    fn too_much_text(what: &str, position: Position) -> YamlError {
        YamlError::beyond(format!("{what} more than {} MiB", MAX_TEXT >> 20), position)
    }

    fn too_deep(position: Position) -> YamlError {
        YamlError::beyond(format!("nested deeper than {MAX_DEPTH} levels"), position)
    }
}

/// Reads the one document of a text; `None` where there is nothing but comments.
pub fn parse(text: &str) -> Result<Option<Rc<Node>>, YamlError> {
    let mut documents = documents(text);
    let first = documents.next_document()?;
    if first.is_some()
        && let Some(position) = documents.start_of_next()?
    {
        return Err(YamlError::new("a second document begins here; Flink reads one", position));
    }
    if text.contains('\t')
        && let Some(at) = tabs::first_stray(text, &documents.scalars)
    {
        let reason = "a tab stands where Flink takes spaces only".to_owned();
        return Err(YamlError::new(reason, position_of(text, at)));
    }
    Ok(first)
}

/// The documents of a text, none of them read yet.
fn documents(text: &str) -> Documents<'_, impl Iterator<Item = Result<(Event<'_>, Span), ScanError>>> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let events = Parser::new_from_str_with_options(text, options);
    Documents { events, anchors: HashMap::new(), collection_aliases: 0, scalars: Vec::new(), text }
}

/// A walk through a document with its aliases followed, which keeps count: a short text may stand for a huge tree and
/// nest deeper than it looks.
#[derive(Default)]
pub struct Walk {
    nodes: usize,
    depth: usize,
    keys: usize,
}

impl Walk {
    /// Enters a node, if the walk has not been too far or too deep already.
    pub fn enter(&mut self, node: &Node) -> Result<(), YamlError> {
        self.nodes += 1;
        self.depth += 1;
        let too = if self.nodes > MAX_NODES {
            format!("with its aliases followed, the file has more than {MAX_NODES} nodes")
        } else if self.depth > MAX_DEPTH {
            format!("with its aliases followed, nested deeper than {MAX_DEPTH} levels")
        } else {
            return Ok(());
        };
        Err(YamlError::beyond(too, node.position))
    }

    /// Takes a key with all that stands before it, if the keys are not too long already.
    pub fn key(&mut self, full: &str, value: &Node) -> Result<(), YamlError> {
        self.keys += full.len();
        match self.keys > MAX_TEXT {
            true => Err(YamlError::too_much_text("with what stands before them, its keys have", value.position)),
            false => Ok(()),
        }
    }

    /// Leaves the node that was entered last.
    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    /// A node as a value.
    pub fn value(&mut self, node: &Node) -> Result<Value, YamlError> {
        self.enter(node)?;
        let value = match &node.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Sequence(items) => Value::List(items.iter().map(|item| self.value(item)).collect::<Result<_, _>>()?),
            Kind::Mapping(entries) => {
                Value::Map(entries.iter().map(|(k, v)| Ok((self.value(k)?, self.value(v)?))).collect::<Result<_, _>>()?)
            }
        };
        self.leave();
        Ok(value)
    }
}

/// The one document of a text as a value; nothing where there is none.
pub fn value(text: &str) -> Result<Option<Value>, YamlError> {
    parse(text)?.map(|node| Walk::default().value(&node)).transpose()
}

struct Documents<'a, Events> {
    events: Events,
    anchors: HashMap<usize, Rc<Node>>,
    collection_aliases: usize,
    scalars: Vec<ScalarSpan>,
    text: &'a str,
}

/// The position of one byte.
fn position_of(text: &str, at: usize) -> Position {
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    Position {
        line: u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX),
        column: u32::try_from(text[line_start..at].chars().count() + 1).unwrap_or(u32::MAX),
        start: at,
        end: at + 1,
    }
}

impl<'a, Events: Iterator<Item = Result<(Event<'a>, Span), ScanError>>> Documents<'a, Events> {
    fn next_document(&mut self) -> Result<Option<Rc<Node>>, YamlError> {
        while let Some((event, span)) = self.next_event()? {
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(None),
                event => return self.node(event, span, 0).map(Some),
            }
        }
        Ok(None)
    }

    /// Where another document begins, if one does.
    fn start_of_next(&mut self) -> Result<Option<Position>, YamlError> {
        while let Some((event, span)) = self.next_event()? {
            if let Event::DocumentStart(..) = event {
                return Ok(Some(self.position(&span)));
            }
        }
        Ok(None)
    }

    fn next_event(&mut self) -> Result<Option<(Event<'a>, Span)>, YamlError> {
        self.events.next().transpose().map_err(|e| self.scan_error(&e))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Rc<Node>, YamlError> {
        let position = self.position(&span);
        if depth > MAX_DEPTH {
            return Err(YamlError::too_deep(position));
        }
        let (kind, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.scalars.push(ScalarSpan { bytes: position.start..position.end, style });
                let text = self.without_invented_line_end(&text, style, &position);
                let value =
                    resolve(text, style == ScalarStyle::Plain, tag.as_deref()).map_err(|error| error.at(position))?;
                (Kind::Scalar(value), anchor)
            }
            Event::SequenceStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "seq").map_err(|error| error.at(position))?;
                let mut items = Vec::new();
                loop {
                    match self.expect_event(position)? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                (Kind::Sequence(items), anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                check_tag(tag.as_deref(), "map").map_err(|error| error.at(position))?;
                (Kind::Mapping(self.mapping(position, depth)?), anchor)
            }
            Event::Alias(id) => return self.alias(id, position),
            other => {
                return Err(YamlError::new(format!("{other:?} is not expected here"), position));
            }
        };
        let bytes = bytes_of(&kind);
        if bytes > MAX_TEXT {
            return Err(YamlError::too_much_text("with its aliases followed, this has", position));
        }
        let node = Rc::new(Node { kind, position, bytes });
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn mapping(&mut self, start: Position, depth: usize) -> Result<Vec<KeyValue>, YamlError> {
        let mut entries: Vec<KeyValue> = Vec::new();
        let mut seen: HashMap<(&'static str, String), Position> = HashMap::new();
        loop {
            let key = match self.expect_event(start)? {
                (Event::MappingEnd, _) => return Ok(entries),
                (event, span) => self.node(event, span, depth + 1)?,
            };
            if self.is_missing(&key) {
                return Err(YamlError::new("a value without a key", key.position));
            }
            if let Kind::Scalar(value) = &key.kind {
                // `1` and `"1"` are different keys.
                let identity = (value.type_name(), value.java_text().into_owned());
                if let Some(first) = seen.insert(identity, key.position) {
                    let reason =
                        format!("the key {} is in this map twice, first in line {}", value.java_text(), first.line);
                    return Err(YamlError::new(reason, key.position));
                }
            }
            let (event, span) = self.expect_event(start)?;
            let value = self.node(event, span, depth + 1)?;
            entries.push((key, value));
        }
    }

    /// Whether a key is not written at all: a colon stands there, without the question mark of an explicit key.
    fn is_missing(&self, key: &Node) -> bool {
        let at = key.position.start;
        matches!(key.kind, Kind::Scalar(Value::Null))
            && self.text.get(at..).is_some_and(|rest| rest.starts_with(':'))
            && !self.text[..at].trim_end().ends_with('?')
    }

    /// A block scalar that ends with the text ends without a line end, where the text does.
    fn without_invented_line_end<'t>(&self, text: &'t str, style: ScalarStyle, position: &Position) -> &'t str {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if block && position.end >= self.text.len() && !self.text.ends_with(['\n', '\r']) {
            return text.strip_suffix('\n').unwrap_or(text);
        }
        text
    }

    fn alias(&mut self, id: usize, position: Position) -> Result<Rc<Node>, YamlError> {
        let node = self
            .anchors
            .get(&id)
            .map(Rc::clone)
            .ok_or_else(|| YamlError::new("this alias stands inside of what it stands for", position))?;
        if !matches!(node.kind, Kind::Scalar(_)) {
            self.collection_aliases += 1;
            if self.collection_aliases > MAX_COLLECTION_ALIASES {
                let reason = format!("more than {MAX_COLLECTION_ALIASES} aliases of collections, which Flink refuses");
                return Err(YamlError::new(reason, position));
            }
        }
        Ok(node)
    }

    fn expect_event(&mut self, start: Position) -> Result<(Event<'a>, Span), YamlError> {
        self.next_event()?.ok_or_else(|| YamlError::new("the text ends inside of this", start))
    }

    fn scan_error(&self, error: &ScanError) -> YamlError {
        let position = self.position(&Span::empty(*error.marker()));
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => YamlError::too_deep(position),
            kind => YamlError::new(kind.to_string(), position),
        }
    }

    fn position(&self, span: &Span) -> Position {
        let byte = |marker: Marker| marker.byte_offset().unwrap_or(self.text.len());
        Position {
            line: u32::try_from(span.start.line()).unwrap_or(u32::MAX),
            column: u32::try_from(span.start.col() + 1).unwrap_or(u32::MAX),
            start: byte(span.start),
            end: byte(span.end),
        }
    }
}

/// The bytes of the texts in a node.
fn bytes_of(kind: &Kind) -> usize {
    match kind {
        Kind::Scalar(Value::Text(text) | Value::BigInt(text)) => text.len(),
        Kind::Scalar(_) => 0,
        Kind::Sequence(items) => items.iter().map(|item| item.bytes).sum(),
        Kind::Mapping(entries) => entries.iter().map(|(key, value)| key.bytes + value.bytes).sum(),
    }
}

#[cfg(test)]
mod tests;
