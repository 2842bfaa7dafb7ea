//! A page about one process.

use crate::diagnose::examination::Examination;
use crate::report::amount::mib;
use crate::report::table::{self, Align};

/// The page.
pub fn page(examination: &Examination, _width: usize) -> String {
    let mut out = format!("{} {}\n", examination.sample.name(), examination.sample.pid);
    if let Ok(account) = &examination.account {
        let rows: Vec<Vec<String>> = account
            .entries()
            .iter()
            .map(|entry| vec![entry.pool.label().to_owned(), mib(entry.bytes), entry.basis.label().to_owned()])
            .collect();
        out += &table::plain(0, &["", "MiB", ""], &[Align::Left, Align::Right, Align::Left], &rows);
    }
    if let Ok(ledger) = &examination.ledger {
        for row in &ledger.rows {
            let used = row.used.as_ref().map_or_else(|unseen| unseen.to_string(), |used| mib(*used));
            out += &format!("{} {} {}\n", row.label(), mib(row.budget), used);
        }
    }
    for (what, unseen) in examination.unseen() {
        out += &format!("unseen {what}: {unseen}\n");
    }
    out
}
