//! `oomph repro compare`: two results, or a result and a recording, side by side.

use super::table::{UNSEEN, signed};
use super::words::{grouped, plain, seconds};
use crate::model::Bytes;
use crate::report::amount::mib;
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
    let mut out = if a == b { format!("\n{a}\n") } else { hanging(&format!("\n{a} (A) against {b} (B)"), width, "  ") };
    for (name, side) in [("A", &pair.a), ("B", &pair.b)] {
        out += &hanging(&format!("  {name}: {}", sentence(side)), width, "     ");
    }
    let rows = pair.rows();
    let shown: Vec<Vec<String>> = rows.iter().filter(|row| !is_nothing(row)).map(cells).collect();
    if !shown.is_empty() {
        let mut align = [Align::Right; 5];
        align[0] = Align::Left;
        out += &fitting(width, &[4], &["", "A", "B", "difference", ""], &align, &shown);
    }
    for (name, other, missing) in [("A", "B", lacking(&rows, |row| row.a)), ("B", "A", lacking(&rows, |row| row.b))] {
        if !missing.is_empty() {
            let text = format!("  {name} does not tell what {other} tells: {}", missing.join(", "));
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

fn lacking(rows: &[Row], of: fn(&Row) -> Option<u64>) -> Vec<String> {
    rows.iter().filter(|row| of(row).is_none() && !is_nothing(row)).map(|row| label(row.figure)).collect()
}

/// The name of a figure in a table.
pub(super) fn label(figure: Figure) -> String {
    match figure {
        Figure::PeakAnonymous => "Anonymous at most, MiB".to_owned(),
        Figure::SteadyAnonymous => "Anonymous usually, MiB".to_owned(),
        Figure::PeakUsage => "Counted at most, MiB".to_owned(),
        Figure::Peak(part) => format!("{} at most", part.label()),
        Figure::Steady(part) => format!("{} usually", part.label()),
        Figure::Files => "Files at the end, MiB".to_owned(),
        Figure::WriteAmplification => "Write amplification".to_owned(),
        Figure::RecordsPerSecond => "Records a second".to_owned(),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let unit = row.figure.unit();
    let shown = |value: Option<u64>| match (value, unit) {
        (None, _) => UNSEEN.to_owned(),
        (Some(value), Unit::Bytes) => mib(Bytes::new(value)),
        (Some(value), Unit::Hundredths) => Hundredths(value).to_string(),
        (Some(value), Unit::Count) => grouped(value),
    };
    let difference = row.difference().map_or_else(String::new, |difference| match unit {
        Unit::Bytes => signed(difference),
        Unit::Hundredths | Unit::Count => {
            let size = u64::try_from(difference.unsigned_abs()).unwrap_or(u64::MAX);
            let text = if unit == Unit::Count { grouped(size) } else { Hundredths(size).to_string() };
            let sign = if difference < 0 { "-" } else { "+" };
            if difference == 0 { text } else { format!("{sign}{text}") }
        }
    });
    let grown = row.a.zip(row.b).and_then(|(a, b)| percent(Bytes::new(a), Bytes::new(b)));
    let grown = grown.map_or_else(String::new, |percent| format!("{percent:+} %"));
    vec![label(row.figure), shown(row.a), shown(row.b), difference, grown]
}
