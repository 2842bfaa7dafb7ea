//! Two plans side by side: what moves, what stays, and what only one of them has.

pub mod json;

use super::Sheet;
use super::amount::{about, mib};
use super::table::{self, Align, wrapped};
use super::text::{self, heading};
use crate::model::Bytes;
use crate::plan::compare::{self, Amount, Comparison, OptionDifference, Reading, Row};
use crate::plan::settings::Notice;
use crate::plan::{Rejected, Survey};

/// What the two sides are called in a sentence, and above their columns of MiB.
pub struct Names<'a> {
    /// In a sentence.
    pub sides: (&'a str, &'a str),
    /// Above the columns.
    pub columns: (&'a str, &'a str),
}

const SIDES: [Align; 5] = [Align::Left, Align::Right, Align::Right, Align::Right, Align::Right];

/// The whole comparison.
pub fn text(a: &Sheet, b: &Sheet, width: usize) -> String {
    let mut out = title("A", a, width) + &title("B", b, width);
    match (&a.outcome, &b.outcome) {
        (Ok(first), Ok(second)) => {
            let names = (name("A", a, b), name("B", b, a));
            let names = Names { sides: (&names.0, &names.1), columns: ("A MiB", "B MiB") };
            out += &tables(&compare::compare(first, second), &names, width);
        }
        (first, second) => {
            for (label, sheet, outcome) in [("A", a, first), ("B", b, second)] {
                out += &one_side(label, sheet, outcome, width);
            }
        }
    }
    out += &options(&differences(a, b), a, b, width);
    let mut shared = text::remarks(a, width);
    let other = text::remarks(b, width);
    if other != shared {
        shared += &other;
    }
    out + &shared
}

/// The options that the versions of the two sides read differently; none where the version is the same.
pub fn differences(a: &Sheet, b: &Sheet) -> Vec<OptionDifference> {
    if std::ptr::eq(a.choice.profile, b.choice.profile) {
        return Vec::new();
    }
    compare::differences([&a.config, &b.config], [a.choice.profile, b.choice.profile], a.question.role)
}

fn title(label: &str, sheet: &Sheet, width: usize) -> String {
    let source = sheet.source.as_deref().unwrap_or("the given settings");
    let deployment = sheet.deployment_in_words();
    let text = format!("{label}: {} of {source}, {deployment}, Flink {}", sheet.question.role, sheet.version_line());
    let indented = wrapped(&text, width.saturating_sub(3), 3);
    indented.trim_start().to_owned()
}

/// A side by what tells it from the other one.
fn name(label: &str, sheet: &Sheet, other: &Sheet) -> String {
    let (mine, others) = (sheet.planned_version(), other.planned_version());
    if mine == others { label.to_owned() } else { format!("Flink {mine}") }
}

/// What moves and what stays, for two plans.
pub fn tables(comparison: &Comparison, names: &Names<'_>, width: usize) -> String {
    let header = ["", names.columns.0, names.columns.1, "difference", "in bytes"];
    let names = names.sides;
    let moved = |row: &&Row| row.difference().is_some_and(|n| n != 0);
    let rows: Vec<&Row> = comparison.rows.iter().filter(moved).collect();
    let mut out = heading("What moves");
    if rows.is_empty() {
        out += "  nothing\n";
    }
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row)).collect();
    if !cells.is_empty() {
        out += &table::fitting(width, &[4], &header, &SIDES, &cells);
    }
    let list = |wanted: &dyn Fn(&&Row) -> bool, of: fn(&Row) -> Option<Amount>| {
        let named = |row: &Row| Some(format!("{} {}", row.measure.label(), shown(of(row)?)));
        comparison.rows.iter().filter(wanted).filter_map(named).collect::<Vec<_>>().join(", ")
    };
    let stays = list(&|row| row.difference() == Some(0), |row| row.a);
    if !stays.is_empty() {
        out += &heading("What stays");
        out += &wrapped(&stays, width, 2);
    }
    for (only, name) in
        [(list(&|row| row.b.is_none(), |row| row.a), names.0), (list(&|row| row.a.is_none(), |row| row.b), names.1)]
    {
        if !only.is_empty() {
            out += &heading(&format!("What only {name} has"));
            out += &wrapped(&only, width, 2);
        }
    }
    if let Some((a, b)) = &comparison.jvm_arguments {
        out += &heading("Started with");
        out += &labelled(names.0, a, width);
        out += &labelled(names.1, b, width);
    }
    out + &notices(names.0, &comparison.only_a, width) + &notices(names.1, &comparison.only_b, width)
}

fn labelled(name: &str, text: &str, width: usize) -> String {
    let label = format!("  {name}: ");
    label.clone() + wrapped(text, width, label.len()).trim_start()
}

fn shown(amount: Amount) -> String {
    match amount {
        Amount::Size(bytes) => about(bytes),
        Amount::Count(count) => count.to_string(),
    }
}

fn cells(row: &Row) -> Vec<String> {
    let side = |amount: Option<Amount>| match amount {
        None => "-".to_owned(),
        Some(Amount::Size(bytes)) => mib(bytes),
        Some(Amount::Count(count)) => count.to_string(),
    };
    let is_size = matches!(row.a.or(row.b), Some(Amount::Size(_)));
    let difference = row.difference().unwrap_or(0);
    let sign = if difference < 0 { '-' } else { '+' };
    let magnitude = u64::try_from(difference.unsigned_abs()).unwrap_or(u64::MAX);
    let (rounded, exact) = match is_size {
        true => (format!("{sign}{}", mib(Bytes::new(magnitude))), format!("{sign}{magnitude}")),
        false => (format!("{sign}{magnitude}"), String::new()),
    };
    vec![row.measure.label(), side(row.a), side(row.b), rounded, exact]
}

/// Where only one side is planned: its message or its budget.
fn one_side(label: &str, sheet: &Sheet, outcome: &Result<Survey, Rejected>, width: usize) -> String {
    match outcome {
        Err(rejected) => format!("\n{label}: {}", text::refusal(sheet, rejected, width)),
        Ok(survey) => heading(&format!("{label} is planned")) + &text::main_table(survey, width),
    }
}

fn notices(name: &str, notices: &[Notice], width: usize) -> String {
    if notices.is_empty() {
        return String::new();
    }
    let lines: String = notices.iter().map(|notice| wrapped(&notice.to_string(), width, 2)).collect();
    heading(&format!("What only {name} logs")) + &lines
}

/// The options that the two versions read differently, in a line each.
fn options(differences: &[OptionDifference], a: &Sheet, b: &Sheet, width: usize) -> String {
    if differences.is_empty() {
        return String::new();
    }
    let versions = [a.planned_version(), b.planned_version()];
    let mut out = String::new();
    for (is_set, title) in [(true, "Options that the versions read differently"), (false, "Defaults that differ")] {
        let lines: String = differences
            .iter()
            .filter(|difference| difference.is_set == is_set)
            .map(|difference| {
                let sides: Vec<String> = [&difference.a, &difference.b]
                    .into_iter()
                    .zip(&versions)
                    .map(|(reading, version)| format!("{version} {}", phrase(reading)))
                    .collect();
                let first = format!("  {}: ", difference.key);
                let whole = wrapped(&format!("{first}{}", sides.join(", ")), width.saturating_sub(2), 4);
                format!("  {}", whole.trim_start())
            })
            .collect();
        if !lines.is_empty() {
            out += &heading(title);
            out += &lines;
        }
    }
    out
}

fn phrase(reading: &Reading) -> String {
    match reading {
        Reading::Read => "reads it".to_owned(),
        Reading::As(name) => format!("reads it as {name}"),
        Reading::NotRead => "does not read it".to_owned(),
        // Flink's own text for no bound at all.
        Reading::Default("9223372036854775807 bytes") => "has no bound".to_owned(),
        Reading::Default("") => "has nothing".to_owned(),
        Reading::NoDefault => "has no default".to_owned(),
        Reading::Default(text) => format!("has {text}"),
    }
}
