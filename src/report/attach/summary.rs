//! A row a process.

use serde::Serialize;

use crate::diagnose::overview::{Overview, Vessel};
use crate::model::{Bytes, Role, Seen, Unseen};
use crate::report::amount::mib;
use crate::report::table::{self, Align};

/// The name and version of the JSON.
pub const SCHEMA: &str = "oomph.attach-summary/1";

/// Characters of a name; Flink's resource ids end with what tells them apart.
const NAME: usize = 22;

/// The table, then what could not be seen.
pub fn text(rows: &[Overview], width: usize) -> String {
    let lines: Vec<Vec<String>> = rows.iter().map(line).collect();
    let mut header = vec!["process", "MiB", "planned"];
    header.extend(Vessel::ALL.map(Vessel::label));
    header.push("found");
    let mut align = vec![Align::Left];
    align.extend([Align::Right; 8]);
    align.push(Align::Left);
    let mut out = table::fitting(width, &[2, 1, 7], &header, &align, &lines);
    if rows.iter().any(|row| row.tightest().is_some()) {
        out += &table::wrapped("Per cent of what there is; * is the fullest, and the fullest row is first.", width, 0);
    }
    out + &unseen(rows, width)
}

fn line(row: &Overview) -> Vec<String> {
    let size = |value: &Seen<Bytes>| value.as_ref().map_or("-".to_owned(), |bytes| mib(*bytes));
    let tightest = row.tightest().map(|(vessel, _)| vessel);
    let name = row.name.as_ref().map_or("?", String::as_str);
    let name = if row.at.is_empty() { name.to_owned() } else { format!("{name} {}", row.at) };
    let mut cells = vec![short(&name), size(&row.resident), size(&row.planned)];
    cells.extend(Vessel::ALL.map(|vessel| {
        let share = row.share(vessel).and_then(|share| share.permille());
        let mark = if tightest == Some(vessel) { "*" } else { "" };
        share.map_or("-".to_owned(), |share| format!("{}{mark}", share / 10))
    }));
    let worst = row.findings.first().map_or("", |(code, _)| code);
    let more = if row.findings.len() > 1 { "+" } else { "" };
    cells.push(format!("{worst}{more}"));
    cells
}

fn short(name: &str) -> String {
    let skip = name.chars().count().saturating_sub(NAME);
    if skip == 0 { name.to_owned() } else { std::iter::once('…').chain(name.chars().skip(skip + 1)).collect() }
}

/// What could not be seen of the rows and can be, each reason once.
fn unseen(rows: &[Overview], width: usize) -> String {
    let mut told: Vec<(&Unseen, Vec<&str>)> = Vec::new();
    for row in rows {
        for (vessel, share) in &row.shares {
            let Some(unseen) = share.used.as_ref().err().or(share.of.as_ref().err()) else { continue };
            if unseen.grant.is_none() {
                continue;
            }
            match told.iter_mut().find(|(known, _)| *known == unseen) {
                Some((_, vessels)) if vessels.contains(&vessel.label()) => {}
                Some((_, vessels)) => vessels.push(vessel.label()),
                None => told.push((unseen, vec![vessel.label()])),
            }
        }
    }
    let line = |(unseen, vessels): &(&Unseen, Vec<&str>)| {
        let options = textwrap::Options::new(width).subsequent_indent("  ").break_words(false);
        textwrap::fill(&format!("- {}: {unseen}", vessels.join(", ")), options) + "\n"
    };
    if told.is_empty() { String::new() } else { format!("\nNot seen\n{}", told.iter().map(line).collect::<String>()) }
}

/// All rows.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.attach-summary/1`.
    schema: &'static str,
    /// The tightest first.
    rows: Vec<RowV1>,
}

/// One process. Sizes are bytes.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct RowV1 {
    /// Flink's name for it, else its main class.
    name: Option<String>,
    /// `taskmanager` or `jobmanager`; null where it is not Flink's.
    role: Option<&'static str>,
    /// Where it is: a host, a process id, a directory.
    at: String,
    /// What Flink planned for it.
    planned: Option<u64>,
    /// What is resident; REST does not tell it.
    resident: Option<u64>,
    /// The fullest of `shares`.
    tightest: Option<&'static str>,
    /// `container`, `process`, `heap`, `metaspace`, `direct`, `rocksdb`.
    shares: Vec<ShareV1>,
    /// Thousandths of the time of late that went into garbage collection.
    gc_permille: Option<u64>,
    /// The codes of what was found, the worst first.
    findings: Vec<&'static str>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ShareV1 {
    of: &'static str,
    used: Option<u64>,
    at_most: Option<u64>,
    /// Used thousandths.
    permille: Option<u64>,
    /// Why something is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// The document of rows.
pub fn document(rows: &[Overview]) -> Document {
    let bytes = |value: &Seen<Bytes>| value.as_ref().ok().map(|bytes| bytes.get());
    let row = |row: &Overview| RowV1 {
        name: row.name.as_ref().ok().cloned(),
        role: row.role.map(Role::key),
        at: row.at.clone(),
        planned: bytes(&row.planned),
        resident: bytes(&row.resident),
        tightest: row.tightest().map(|(vessel, _)| vessel.key()),
        shares: row
            .shares
            .iter()
            .map(|(vessel, share)| ShareV1 {
                of: vessel.key(),
                used: bytes(&share.used),
                at_most: bytes(&share.of),
                permille: share.permille(),
                why: share.used.as_ref().err().or(share.of.as_ref().err()).map(ToString::to_string),
            })
            .collect(),
        gc_permille: row.gc.as_ref().ok().copied(),
        findings: row.findings.iter().map(|(code, _)| *code).collect(),
    };
    Document { schema: SCHEMA, rows: rows.iter().map(row).collect() }
}
