//! Nesting in a `flink-conf.yaml`, which knows none.

use std::cell::OnceCell;

use crate::check::{Case, Written};
use crate::config::FileKind;
use crate::config::layers::FileText;
use crate::model::{Place, Position};

/// A line with nothing behind its colon and the lines that stand below it as if they were its parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// The line's key.
    pub key: String,
    /// The line, from 1.
    pub first: usize,
    /// The last line that is part of it.
    pub last: usize,
}

/// The `flink-conf.yaml` of a case, with what is told of its lines once.
pub struct FlatFile<'a> {
    /// The file.
    pub file: &'a FileText,
    /// Where each line starts, in bytes.
    starts: OnceCell<Vec<usize>>,
    blocks: OnceCell<Vec<Block>>,
}

impl<'a> FlatFile<'a> {
    /// Of a case, where it has one.
    pub fn of(case: &'a Case<'_>) -> Option<FlatFile<'a>> {
        let file = case.subject().file.as_ref().filter(|file| file.kind == FileKind::Legacy)?;
        Some(FlatFile { file, starts: OnceCell::new(), blocks: OnceCell::new() })
    }

    /// Every outermost block, in order.
    pub fn blocks(&self) -> &[Block] {
        self.blocks.get_or_init(|| blocks(&self.file.text))
    }

    /// The block that a line is the head or a part of.
    pub fn block_at(&self, line: usize) -> Option<&Block> {
        let blocks = self.blocks();
        let block = blocks.get(blocks.partition_point(|block| block.last < line))?;
        (block.first <= line).then_some(block)
    }

    /// Whether a setting stands inside a block.
    pub fn has_inside(&self, written: &Written<'_>) -> bool {
        let Some(position) = written.setting.written else { return false };
        if written.place().source != self.file.source {
            return false;
        }
        let line = usize::try_from(position.line.saturating_sub(self.file.offset.lines)).unwrap_or(0);
        self.block_at(line).is_some_and(|block| block.first < line)
    }

    /// Where a line stands in the input.
    pub fn place_of(&self, line: usize) -> Place {
        let (_, text) = self.line(line);
        self.part_of(line, text.len() - text.trim_start().len(), text.trim_end().len())
    }

    /// Where a part of a line, in bytes of that line, stands in the input.
    pub fn part_of(&self, line: usize, from: usize, to: usize) -> Place {
        let (before, text) = self.line(line);
        let column = text.get(..from).map_or(0, |before| before.chars().count()) + 1;
        let position = Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            start: before + from,
            end: before + to,
        };
        let position = self.file.offset.moved(&self.file.text, position);
        Place { source: self.file.source.clone(), position: Some(position) }
    }

    /// Where a line, counted from 1, starts, and its text.
    pub fn line(&self, line: usize) -> (usize, &'a str) {
        let text = self.file.text.as_str();
        let starts = self.starts.get_or_init(|| {
            let ends = text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        });
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(text.len());
        (start, text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default())
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, content(line)))
        .filter(|(_, c)| !c.is_empty())
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((number, line)) = lines.get(at) {
        let depth = indent(line);
        let parts = lines[at + 1..].iter().take_while(|(_, part)| {
            let deeper = indent(part) > depth;
            let item = indent(part) == depth && part.trim_start().starts_with("- ");
            deeper || item
        });
        let last = parts.last().map(|(last, _)| *last);
        match (line.trim().strip_suffix(':'), last) {
            (Some(key), Some(last)) if !key.is_empty() && !key.contains(": ") => {
                found.push(Block { key: key.to_owned(), first: *number, last });
                at = lines.partition_point(|(number, _)| *number <= last);
            }
            _ => at += 1,
        }
    }
    found
}

/// A line without its comment, as Flink cuts it.
fn content(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim_end()
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, usize, usize)> {
        blocks(text).into_iter().map(|block| (block.key, block.first, block.last)).collect()
    }

    #[test]
    fn a_block_reaches_to_its_last_deeper_line() {
        let text = "a: 1\nb: # x\n  c:\n\n    d: 1\n  e: 2\nf: 1\ng:\n- h\n- i\n";
        assert_eq!(found(text), [("b".to_owned(), 2, 6), ("g".to_owned(), 8, 10)]);
    }

    #[test]
    fn a_key_without_value_and_without_parts_is_no_block() {
        assert_eq!(found("a:\nb: 1\n  c: 2\n"), []);
    }
}
