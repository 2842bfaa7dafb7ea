//! One option over many values: a table that fits its page, and the same for programs.

pub mod json;

use super::Sheet;
use super::amount::{about, mib};
use super::table::{self, Align, wrapped};
use super::text;
use crate::flink::sensitive;
use crate::model::{Bytes, Component};
use crate::plan::compare::{Amount, Measure, measures};
use crate::plan::store::Store;
use crate::plan::vary::{Axis, Row};

/// The columns, the first to stay where not all have room: what a measure is called above its column.
const COLUMNS: [(Measure, &str); 12] = [
    (Measure::TotalProcess, "process"),
    (Measure::JvmHeap, "heap"),
    (Measure::Part(Component::Managed), "managed"),
    (Measure::Part(Component::Network), "network"),
    (Measure::SlotShare(Component::Managed), "slot managed"),
    (Measure::BlockCache(Store::RocksDb), "slot cache"),
    (Measure::BlockCache(Store::ForSt), "slot cache"),
    (Measure::SlotShare(Component::Network), "slot network"),
    (Measure::Part(Component::TaskHeap), "task heap"),
    (Measure::Part(Component::JvmOverhead), "overhead"),
    (Measure::Part(Component::JvmMetaspace), "metaspace"),
    (Measure::Part(Component::CutOff), "cut-off"),
];

/// The order in which the columns stand, by their place in the list above.
const SHOWN: [usize; 12] = [0, 1, 8, 2, 3, 10, 9, 11, 4, 7, 5, 6];

/// The table: a row for each value, with as many columns as there is room for. What is the same in every row stands
/// below it, and so does what had no room.
pub fn text(sheet: &Sheet, axes: &[Axis], rows: &[Row], width: usize) -> String {
    let mut out = text::header(sheet, width);
    let sizes: Vec<Vec<Option<Bytes>>> = rows.iter().map(sizes).collect();
    let planned: Vec<&Vec<Option<Bytes>>> =
        sizes.iter().zip(rows).filter(|(_, row)| row.outcome.is_ok()).map(|(sizes, _)| sizes).collect();
    let occurs = |column: usize| planned.iter().any(|sizes| sizes[column].is_some());
    let constant = |column: usize| planned.len() > 1 && planned.windows(2).all(|two| two[0][column] == two[1][column]);
    let (same, moving): (Vec<usize>, Vec<usize>) =
        (0..COLUMNS.len()).filter(|column| occurs(*column)).partition(|column| constant(*column));
    let (table, left_out) = fitting(axes, rows, &sizes, &moving, width);
    out += &table;
    out += &wrapped("Sizes in MiB.", width, 0);
    let names = |columns: &[usize], sized: bool| {
        let name = |column: &usize| match planned.first().and_then(|sizes| sizes[*column]) {
            Some(bytes) if sized => format!("{} {}", COLUMNS[*column].1, about(bytes)),
            _ => COLUMNS[*column].1.to_owned(),
        };
        columns.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    if !same.is_empty() {
        out += &wrapped(&format!("The same in every row: {}.", names(&same, true)), width, 0);
    }
    if !left_out.is_empty() {
        out += &wrapped(&format!("No room for {}: --format json has them.", names(&left_out, false)), width, 0);
    }
    out + &refusals(axes, rows, width) + &text::remarks(sheet, width)
}

fn sizes(row: &Row) -> Vec<Option<Bytes>> {
    let found = row.outcome.as_ref().map(measures).unwrap_or_default();
    COLUMNS
        .iter()
        .map(|(measure, _)| {
            found.iter().find(|(m, _)| m == measure).and_then(|(_, amount)| match amount {
                Amount::Size(bytes) => Some(*bytes),
                Amount::Count(_) => None,
            })
        })
        .collect()
}

/// The table with the most columns that fits, and the columns that it is without.
fn fitting(
    axes: &[Axis],
    rows: &[Row],
    sizes: &[Vec<Option<Bytes>>],
    moving: &[usize],
    width: usize,
) -> (String, Vec<usize>) {
    let mut kept = moving.len();
    loop {
        let mut shown: Vec<usize> = SHOWN.into_iter().filter(|column| moving[..kept].contains(column)).collect();
        if shown.is_empty() && rows.iter().any(|row| row.outcome.is_err()) {
            // That a row is refused needs a column to stand in.
            shown.push(0);
        }
        let table = table_of(axes, rows, sizes, &shown);
        let fits = table.lines().all(|line| line.chars().count() <= width);
        if fits || kept <= 1 {
            return (table, moving[kept..].to_vec());
        }
        kept -= 1;
    }
}

fn table_of(axes: &[Axis], rows: &[Row], sizes: &[Vec<Option<Bytes>>], shown: &[usize]) -> String {
    // The last words of a key say enough: the whole stands above the table where it is one option only.
    let header: Vec<&str> =
        axes.iter().map(|axis| short(&axis.key)).chain(shown.iter().map(|c| COLUMNS[*c].1)).collect();
    let align = vec![Align::Right; header.len()];
    let cells: Vec<Vec<String>> = rows
        .iter()
        .zip(sizes)
        .enumerate()
        .map(|(index, (row, sizes))| {
            let values =
                axes.iter().zip(&row.values).map(|(axis, value)| sensitive::shown(&axis.key, value).to_owned());
            let figures = shown.iter().enumerate().map(|(place, column)| match (&row.outcome, sizes[*column]) {
                (Ok(_), Some(bytes)) => mib(bytes),
                (Err(_), _) if place == 0 => format!("refused {}", refusal_number(rows, index)),
                _ => "-".to_owned(),
            });
            values.chain(figures).collect()
        })
        .collect();
    table::plain(0, &header, &align, &cells)
}

/// An option by its last two words: `fraction` alone says nothing.
fn short(key: &str) -> &str {
    let mut dots = key.rmatch_indices('.').map(|(at, _)| at);
    dots.nth(1).map_or(key, |at| &key[at + 1..])
}

/// Rows with the same reason have the same number.
fn refusal_number(rows: &[Row], index: usize) -> usize {
    let reasons = reasons(rows);
    let mine = first_line(&rows[index]);
    reasons.iter().position(|(reason, _)| Some(reason) == mine.as_ref()).map_or(0, |at| at + 1)
}

/// Every reason once, with the first row that it is about.
fn reasons(rows: &[Row]) -> Vec<(String, usize)> {
    let mut found: Vec<(String, usize)> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if let Some(reason) = first_line(row)
            && !found.iter().any(|(known, _)| *known == reason)
        {
            found.push((reason, index));
        }
    }
    found
}

fn first_line(row: &Row) -> Option<String> {
    let rejected = row.outcome.as_ref().err()?;
    rejected.rejection.to_string().lines().next().map(str::to_owned)
}

fn refusals(axes: &[Axis], rows: &[Row], width: usize) -> String {
    let mut out = String::new();
    for (number, (reason, index)) in reasons(rows).iter().enumerate() {
        let values: Vec<String> = axes
            .iter()
            .zip(&rows[*index].values)
            .map(|(axis, value)| format!("{}={}", short(&axis.key), sensitive::shown(&axis.key, value)))
            .collect();
        out += &wrapped(&format!("refused {} (at {}): {reason}", number + 1, values.join(" ")), width, 0);
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_place() {
        let mut places = SHOWN.to_vec();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..COLUMNS.len()));
    }

    #[test]
    fn an_option_is_told_by_its_last_two_words() {
        assert_eq!(short("taskmanager.memory.managed.fraction"), "managed.fraction");
        assert_eq!(short("taskmanager.numberOfTaskSlots"), "taskmanager.numberOfTaskSlots");
    }
}
