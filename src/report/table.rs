//! Plain tables: columns apart by spaces, numbers to the right.

use comfy_table::{CellAlignment, Table, presets};

/// A page's width where nobody says otherwise.
pub const USUAL_WIDTH: usize = 80;

/// A column's side.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Texts.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a header as lines of text, indented, without trailing spaces.
pub fn plain(indent: usize, header: &[&str], align: &[Align], rows: &[Vec<String>]) -> String {
    spaced(indent, 2, header, align, rows)
}

fn spaced(indent: usize, gap: u16, header: &[&str], align: &[Align], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if header.iter().any(|title| !title.is_empty()) {
        table.set_header(header.to_vec());
    }
    table.add_rows(rows.to_vec());
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, gap));
        if align.get(index) == Some(&Align::Right) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let indent = " ".repeat(indent);
    table.lines().map(|line| format!("{}\n", format!("{indent}{line}").trim_end())).collect()
}

/// Like [`plain`], but where the width demands it with less space between columns, then without those of `spare`, the
/// first to go first. Those stay where a page is read that is as wide as usual, and so does what is not for a terminal.
pub fn fitting(width: usize, spare: &[usize], header: &[&str], align: &[Align], rows: &[Vec<String>]) -> String {
    let spare = if width < USUAL_WIDTH { spare } else { &[] };
    let attempts = [(2, 0)].into_iter().chain((0..=spare.len()).map(|dropped| (1, dropped)));
    let mut table = String::new();
    for (gap, dropped) in attempts {
        let columns: Vec<usize> = (0..header.len()).filter(|column| !spare[..dropped].contains(column)).collect();
        let header: Vec<&str> = columns.iter().map(|column| header[*column]).collect();
        let align: Vec<Align> = columns.iter().map(|column| align[*column]).collect();
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| columns.iter().map(|column| row[*column].clone()).collect()).collect();
        table = spaced(0, gap, &header, &align, &rows);
        if table.lines().all(|line| line.chars().count() <= width) {
            break;
        }
    }
    table
}

/// The same as a table of Markdown.
pub fn markdown(header: &[&str], align: &[Align], rows: &[Vec<String>]) -> String {
    let mut out = format!("| {} |\n|", header.join(" | "));
    for side in align {
        out += if *side == Align::Right { "---:|" } else { "---|" };
    }
    out.push('\n');
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        out += &format!("| {} |\n", cells.join(" | "));
    }
    out
}

/// Text wrapped to a width, every line indented.
pub fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let options = textwrap::Options::new(width)
        .initial_indent(&margin)
        .subsequent_indent(&margin)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    let mut out = textwrap::fill(text, options);
    out.push('\n');
    out
}

/// Text wrapped to a width; all lines but the first are indented. A word that is longer than a line is broken.
pub fn hanging(text: &str, width: usize, indent: &str) -> String {
    let options = textwrap::Options::new(width)
        .subsequent_indent(indent)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(true);
    textwrap::fill(text, options) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [&str; 3] = ["part", "bytes", "from"];
    const SIDES: [Align; 3] = [Align::Left, Align::Right, Align::Left];

    fn table(width: usize, bytes: &str) -> String {
        let rows = vec![vec!["x".repeat(40), bytes.to_owned(), "y".repeat(20)]];
        fitting(width, &[1, 2], &HEADER, &SIDES, &rows)
    }

    fn width(table: &str) -> usize {
        table.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn columns_move_closer_before_one_is_left_out() {
        assert_eq!(width(&table(79, "1234567890123")), 77);
        assert_eq!(width(&table(76, "1234567890123")), 75);
        assert!(table(76, "1234567890123").contains("1234567890123"));
    }

    #[test]
    fn a_narrow_terminal_gets_as_many_columns_as_fit() {
        let narrow = table(70, "1234567890123");
        assert!(!narrow.contains("bytes") && narrow.contains("from"), "{narrow}");
        assert!(!table(50, "1234567890123").contains("from"));
    }

    #[test]
    fn a_usual_page_keeps_every_column() {
        let wide = table(80, "123456789012345678");
        assert!(wide.contains("bytes") && wide.contains("from"), "{wide}");
    }
}
