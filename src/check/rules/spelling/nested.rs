//! Nesting in a `flink-conf.yaml`, which knows none.

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

/// The `flink-conf.yaml` of a case, where it has one.
pub fn flat_file<'a>(case: &'a Case<'_>) -> Option<&'a FileText> {
    case.subject().file.as_ref().filter(|file| file.kind == FileKind::Legacy)
}

/// Every outermost block of a text, in order.
pub fn blocks(text: &str) -> Vec<Block> {
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
                at = lines.iter().position(|(number, _)| *number > last).unwrap_or(lines.len());
            }
            _ => at += 1,
        }
    }
    found
}

/// Whether a setting stands inside such a block.
pub fn is_inside(case: &Case<'_>, written: &Written<'_>) -> bool {
    let (Some(file), Some(position)) = (flat_file(case), written.setting.written) else { return false };
    if written.place().source != file.source {
        return false;
    }
    let line = usize::try_from(position.line.saturating_sub(file.offset.lines)).unwrap_or(0);
    blocks(&file.text).iter().any(|block| block.first < line && line <= block.last)
}

/// Where a line of a file's text stands in the input.
pub fn place_of(file: &FileText, line: usize) -> Place {
    let text = file.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    part_of(file, line, text.len() - text.trim_start().len(), text.trim_end().len())
}

/// Where a part of a line of a file's text, in bytes of that line, stands in the input.
pub fn part_of(file: &FileText, line: usize, from: usize, to: usize) -> Place {
    let mut lines = file.text.split_inclusive('\n');
    let before: usize = lines.by_ref().take(line.saturating_sub(1)).map(str::len).sum();
    let text = lines.next().unwrap_or_default();
    let column = text.get(..from).map_or(0, |before| before.chars().count()) + 1;
    let position = Position {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
        start: before + from,
        end: before + to,
    };
    Place { source: file.source.clone(), position: Some(file.offset.moved(&file.text, position)) }
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
