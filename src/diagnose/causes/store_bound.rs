//! What RocksDB waits for, as findings: the four verdicts have a page each and this in common.

use super::mib;
use crate::diagnose::cause::{Cause, Outlook, Told};
use crate::diagnose::rocksdb_bound::{Amount, Bound, Direction, Evidence, Turn};
use crate::model::{Finding, Severity};

/// So many databases are named.
const NAMED: usize = 3;

/// The verdicts of a kind, a finding each. What was seen of one database and of all is judged where it was read.
pub(super) fn early(cause: &Cause, bound: Bound, outlook: &Outlook<'_>) -> Vec<Finding> {
    let of_kind = outlook.now.rocksdb.verdicts.iter().filter(|(verdict, _)| verdict.bound == bound);
    let found = of_kind.map(|(verdict, databases)| {
        let title = format!("RocksDB is {}: {}", bound.label(), verdict.cause.sentence());
        let mut finding = cause.finding(Severity::Warning, verdict.confidence, title);
        for evidence in &verdict.evidence {
            finding = finding.note(sentence(evidence));
        }
        let named = databases.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
        let more = databases.len().saturating_sub(NAMED);
        finding = finding.note(match more {
            0 => format!("seen in {named}"),
            more => format!("seen in {named} and {more} more"),
        });
        let turns: Vec<String> = verdict.turns.iter().map(turn).collect();
        match turns.is_empty() {
            true => finding,
            false => finding.help(turns.join("; or ")),
        }
    });
    found.collect()
}

fn turn(turn: &Turn) -> String {
    let direction = match turn.direction {
        Direction::Raise => "raise",
        Direction::Lower => "lower",
        Direction::On => "switch on",
    };
    format!("{direction} {}: {}", turn.key, turn.why)
}

fn sentence(evidence: &Evidence) -> String {
    match evidence.limit {
        Some(limit) => format!("{}: {} (held against {})", evidence.what, amount(evidence.is), amount(limit)),
        None => format!("{}: {}", evidence.what, amount(evidence.is)),
    }
}

fn amount(amount: Amount) -> String {
    match amount {
        Amount::Bytes(bytes) => mib(bytes),
        Amount::Count(count) => count.to_string(),
        Amount::Permille(permille) => format!("{}.{} %", permille / 10, permille % 10),
    }
}
