//! Every document of a text, and ways through a tree whose shape is known: for manifests, which are not Flink's.

use std::collections::HashSet;
use std::rc::Rc;

use super::{Kind, Node, YamlError, bytes_of, documents};
use crate::config::Value;

/// A text with more documents is no manifest that a person wrote.
const MAX_DOCUMENTS: usize = 10_000;

/// How many maps are merged into one.
const MAX_MERGES: usize = 100;

/// Reads all documents of a text; those that hold nothing are left out.
pub fn parse_all(text: &str) -> Result<Vec<Rc<Node>>, YamlError> {
    let mut documents = documents(text);
    let mut all = Vec::new();
    while let Some(document) = documents.next_document()? {
        if all.len() >= MAX_DOCUMENTS {
            return Err(YamlError::beyond(format!("more than {MAX_DOCUMENTS} documents"), document.position));
        }
        if !matches!(document.kind, Kind::Scalar(Value::Null)) {
            all.push(document);
        }
    }
    Ok(all)
}

impl Node {
    /// The value of a key, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Rc<Node>> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key and its value, where this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&super::KeyValue> {
        self.entries().iter().find(|(name, _)| name.text().as_deref() == Some(key))
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Rc<Node>> {
        let (first, rest) = path.split_first()?;
        let mut node = self.get(first)?;
        for key in rest {
            node = node.get(key)?;
        }
        Some(node)
    }

    /// A mapping with what `<<` brings into it, its own keys first and foremost; anything else as it is.
    pub fn with_merges(self: &Rc<Node>) -> Rc<Node> {
        let is_merge = |(key, _): &super::KeyValue| key.text().as_deref() == Some("<<");
        if !self.entries().iter().any(is_merge) {
            return Rc::clone(self);
        }
        let mut entries: Vec<super::KeyValue> = Vec::new();
        let mut names = HashSet::new();
        let mut open = vec![Rc::clone(self)];
        // Merges may stand for one another: what is merged more often than this is no file that a person wrote.
        for _ in 0..MAX_MERGES {
            let Some(next) = open.pop() else { break };
            for entry in next.entries().iter().filter(|entry| !is_merge(entry)) {
                if entry.0.text().is_none_or(|name| names.insert(name.into_owned())) {
                    entries.push(entry.clone());
                }
            }
            let merged: Vec<&Rc<Node>> =
                next.entries().iter().filter(|entry| is_merge(entry)).map(|(_, value)| value).collect();
            for value in merged.into_iter().rev() {
                match value.items() {
                    [] => open.push(Rc::clone(value)),
                    items => open.extend(items.iter().rev().map(Rc::clone)),
                }
            }
        }
        let kind = Kind::Mapping(entries);
        Rc::new(Node { bytes: bytes_of(&kind), kind, position: self.position })
    }

    /// The entries of a mapping; none where this is something else.
    pub fn entries(&self) -> &[super::KeyValue] {
        match &self.kind {
            Kind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none where this is something else.
    pub fn items(&self) -> &[Rc<Node>] {
        match &self.kind {
            Kind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// A scalar's text, whatever its type; nothing for what is no scalar or null.
    pub fn text(&self) -> Option<std::borrow::Cow<'_, str>> {
        match &self.kind {
            Kind::Scalar(Value::Null) => None,
            Kind::Scalar(value) => Some(value.java_text()),
            _ => None,
        }
    }

    /// The text at the end of a path of keys.
    pub fn text_at(&self, path: &[&str]) -> Option<String> {
        self.at(path)?.text().map(std::borrow::Cow::into_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_read_and_empty_ones_are_left_out() {
        let all = parse_all("---\n# nothing\n---\na: {b: 4}\n---\n- x\n...\n").unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].text_at(&["a", "b"]).as_deref(), Some("4"));
        assert_eq!(all[0].at(&["a", "c"]).map(|n| n.position), None);
        assert_eq!(all[1].items().len(), 1);
    }

    #[test]
    fn a_place_counts_from_the_start_of_the_whole_text() {
        let all = parse_all("a: 1\n---\nb: 2\n").unwrap();
        assert_eq!(all[1].get("b").unwrap().position.line, 3);
    }
}
