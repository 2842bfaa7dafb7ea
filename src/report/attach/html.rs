//! An account as one page of HTML that loads nothing: the table, the findings, and bars of what is resident over what was
//! planned. The template is `templates/attach.html`; it escapes every text.

use askama::Template;

use super::text;
use crate::diagnose::examination::Examination;
use crate::diagnose::ledger::Ledger;
use crate::model::{Bytes, Finding, Pool};
use crate::report::amount::mib;
use crate::report::bars::{Piece, Scale};

/// Of blocks of text.
const WIDTH: usize = 100;

/// The page of some processes.
///
/// # Errors
///
/// Where the template cannot be filled.
pub fn page(examinations: &[Examination]) -> Result<String, askama::Error> {
    Page { version: env!("CARGO_PKG_VERSION"), processes: examinations.iter().map(Process::of).collect() }.render()
}

#[derive(Template)]
#[template(path = "attach.html")]
struct Page {
    version: &'static str,
    processes: Vec<Process>,
}

struct Process {
    at: String,
    heading: String,
    whole: String,
    chart: Option<Chart>,
    rows: Vec<Row>,
    findings: Vec<Finding>,
    besides: String,
    unseen: Vec<(&'static str, String)>,
}

struct Row {
    is_part: bool,
    name: String,
    used: String,
    budget: String,
    left: String,
    is_over: bool,
    how: String,
}

/// Two stacked bars on one scale, and where the limit is.
struct Chart {
    resident: Vec<Piece>,
    planned: Vec<Piece>,
    limit: Option<Mark>,
}

struct Mark {
    x: u64,
    text: String,
}

impl Process {
    fn of(examination: &Examination) -> Process {
        let ledger = examination.ledger.as_ref().ok();
        Process {
            at: examination.sample.at.to_string(),
            heading: text::heading(examination),
            whole: text::whole(examination),
            chart: ledger.and_then(|ledger| chart(examination, ledger)),
            rows: ledger.map(|ledger| rows(examination, ledger)).unwrap_or_default(),
            findings: examination.findings.clone(),
            besides: text::besides(examination, WIDTH).trim_matches('\n').to_owned(),
            unseen: examination.unseen().into_iter().map(|(what, unseen)| (what, unseen.to_string())).collect(),
        }
    }
}

fn rows(examination: &Examination, ledger: &Ledger) -> Vec<Row> {
    let row = |cells: Vec<String>| {
        let mut cells = cells.into_iter();
        let mut next = || cells.next().unwrap_or_default();
        let (name, used, budget, left, how) = (next(), next(), next(), next(), next());
        Row {
            is_part: name.starts_with("  "),
            name: name.trim_start().to_owned(),
            used,
            budget,
            is_over: left.starts_with('-'),
            left,
            how,
        }
    };
    text::rows(examination, ledger).into_iter().map(row).collect()
}

fn chart(examination: &Examination, ledger: &Ledger) -> Option<Chart> {
    let account = examination.account.as_ref().ok()?;
    let limit = examination.container.as_ref().ok().and_then(|container| container.limit);
    let scale = Scale(ledger.rss.max(ledger.total).max(limit.unwrap_or(Bytes::ZERO)));
    let colour = |pool: Pool| Pool::ALL.iter().position(|known| *known == pool).unwrap_or_default();
    let pools = account.entries().iter().filter(|entry| entry.pool.is_resident());
    let resident = pools.map(|entry| (entry.bytes, format!("p{}", colour(entry.pool)), entry.pool.label().to_owned()));
    let planned = ledger.rows.iter().enumerate().map(|(at, row)| (row.budget, format!("c{}", at % 6), row.label()));
    Some(Chart {
        resident: scale.stack(resident),
        planned: scale.stack(planned),
        limit: limit.map(|limit| Mark { x: scale.of(limit), text: format!("limit {} MiB", mib(limit)) }),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn a_text_cannot_become_markup() {
        let process = Process {
            at: String::new(),
            heading: "<script>alert(1)</script>".to_owned(),
            whole: String::new(),
            chart: None,
            rows: Vec::new(),
            findings: Vec::new(),
            besides: "</pre><b>".to_owned(),
            unseen: vec![("x", "\"><i>".to_owned())],
        };
        let html = Page { version: "0", processes: vec![process] }.render().unwrap();
        assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("<i>"), "{html}");
    }
}
