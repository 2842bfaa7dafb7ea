//! `oomph repro compare`: two results, or a result and a recording, side by side.

use super::table::UNSEEN;
use super::words::{plain, seconds};
use crate::model::Bytes;
use crate::report::amount::{grouped, mib};
use crate::report::table::{Align, fitting, hanging};
use crate::repro::compare::{Comparison, End, Figure, Pair, Row, Side, Unit, percent};
use crate::repro::figures::Hundredths;

/// The page; the two names are those of the files.
pub fn page(comparison: &Comparison, names: (&str, &str), width: usize) -> String {
    let mut out = hanging(&format!("A: {}", plain(names.0)), width, "   ");
    out += &hanging(&format!("B: {}", plain(names.1)), width, "   ");
    for pair in &comparison.pairs {
        out += &of_pair(pair, width);
    }
    if comparison.pairs.is_empty() {
        out += "\nNothing in the two belongs together\n";
    }
    for (side, only) in [("A", &comparison.only_a), ("B", &comparison.only_b)] {
        if !only.is_empty() {
            let names: Vec<String> = only.iter().map(|name| plain(name)).collect();
            out += &format!("\nWhat only {side} has\n");
            out += &hanging(&format!("  {}", names.join(", ")), width, "  ");
        }
    }
    out
}

fn of_pair(pair: &Pair, width: usize) -> String {
    let (a, b) = (plain(&pair.a.name()), plain(&pair.b.name()));
    let title = if a == b { a } else { format!("{a} (A) against {b} (B)") };
    let mut out = format!("\n{}", hanging(&title, width, "  "));
    for (name, side) in [("A", &pair.a), ("B", &pair.b)] {
        out += &hanging(&format!("  {name}: {}", sentence(side)), width, "     ");
    }
    let rows: Vec<Row> = pair.rows().into_iter().filter(|row| !is_nothing(row)).collect();
    let both: Vec<Vec<String>> = rows.iter().filter(|row| row.difference().is_some()).map(cells).collect();
    if !both.is_empty() {
        let mut align = [Align::Right; 5];
        align[0] = Align::Left;
        out += &fitting(width, &[4], &["MiB", "A", "B", "difference", ""], &align, &both);
    }
    for (name, one, other) in [("A", only(&rows, |row| row.a), &pair.b), ("B", only(&rows, |row| row.b), &pair.a)] {
        if !one.is_empty() {
            let other = plain(&other.name());
            let text = format!("  Only {name} tells, {other} does not: {}", one.join(", "));
            out += &hanging(&text, width, "    ");
        }
    }
    for (name, side) in [("A", &pair.a), ("B", &pair.b)] {
        for note in &side.notes {
            out += &hanging(&format!("  {name}: {}", plain(note)), width, "     ");
        }
    }
    out
}

fn sentence(side: &Side) -> String {
    let limit = side.limit.map_or_else(|| "limit not seen".to_owned(), |limit| format!("limit {limit}"));
    let end = match &side.end {
        End::Finished => "finished".to_owned(),
        End::KilledForMemory => "killed for memory".to_owned(),
        End::Otherwise(how) => plain(how),
        End::NotSeen => "not seen to end".to_owned(),
    };
    format!("{}, {limit}, {end} after {}", plain(&side.what), seconds(side.millis))
}

/// Whether both sides say zero, or one does and the other nothing.
fn is_nothing(row: &Row) -> bool {
    row.a.unwrap_or(0) == 0 && row.b.unwrap_or(0) == 0
}

/// What one side alone tells, with its values.
fn only(rows: &[Row], of: fn(&Row) -> Option<u64>) -> Vec<String> {
    let alone = rows.iter().filter(|row| row.difference().is_none());
    let told = alone.filter_map(|row| Some(format!("{} {}", label(row.figure), shown(row.figure.unit(), of(row)?))));
    told.collect()
}

/// The name of a figure in a table.
pub(super) fn label(figure: Figure) -> String {
    match figure {
        Figure::PeakAnonymous => "Anonymous at most".to_owned(),
        Figure::SteadyAnonymous => "Anonymous usually".to_owned(),
        Figure::PeakUsage => "Counted at most".to_owned(),
        Figure::Peak(part) => format!("{} at most", part.label()),
        Figure::Steady(part) => format!("{} usually", part.label()),
        Figure::Files => "Files at the end".to_owned(),
        Figure::WriteAmplification => "Write amplification".to_owned(),
        Figure::RecordsPerSecond => "Records a second".to_owned(),
    }
}

fn shown(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Bytes => mib(Bytes::new(value)),
        Unit::Hundredths => Hundredths(value).to_string(),
        Unit::Count => grouped(value),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let unit = row.figure.unit();
    let cell = |value: Option<u64>| value.map_or_else(|| UNSEEN.to_owned(), |value| shown(unit, value));
    let difference = row.difference().unwrap_or(0);
    let size = shown(unit, u64::try_from(difference.unsigned_abs()).unwrap_or(u64::MAX));
    let sign = match difference {
        0 => "",
        less if less < 0 => "-",
        _ => "+",
    };
    let grown = row.a.zip(row.b).and_then(|(a, b)| percent(Bytes::new(a), Bytes::new(b)));
    let grown = grown.filter(|percent| *percent != 0).map_or_else(String::new, |percent| format!("{percent:+} %"));
    vec![label(row.figure), cell(row.a), cell(row.b), format!("{sign}{size}"), grown]
}

#[cfg(test)]
mod tests;
