//! What a migration kept, moved, renamed and dropped. The rewritten configuration itself is `Migration::text`.

pub mod json;

use super::Sheet;
use super::amount::amount;
use super::comparison::{self, Names};
use super::table::wrapped;
use super::text::heading;
use crate::model::Bytes;
use crate::plan::Rejected;
use crate::plan::compare::compare;
use crate::plan::rejection::Reason;
use crate::recommend::migrate::{Entry, Goal, Lost, Migration, NOT_SHOWN, RoleProof};

/// The report, role by role.
pub fn text(sheet: &Sheet, migration: &Migration, width: usize) -> String {
    let source = sheet.source.as_deref().unwrap_or("the given settings");
    let (from, to) = (migration.from.version(), migration.to.version());
    let mut out = wrapped(&format!("{source}: from Flink {from} to Flink {to}"), width, 0);
    out += &keys(migration, width);
    for proof in &migration.roles {
        out += &role(migration, proof, width);
    }
    if !migration.notes.is_empty() {
        out += &heading("To know");
        out += &migration.notes.iter().map(|note| wrapped(note, width, 2)).collect::<String>();
    }
    let secrets = migration.secrets();
    if !secrets.is_empty() {
        out += &heading("Not shown");
        let text =
            format!("The values of {} look like secrets: put them in where {NOT_SHOWN} stands.", secrets.join(", "));
        out += &wrapped(&text, width, 2);
    }
    out + &super::text::remarks(sheet, width)
}

fn keys(migration: &Migration, width: usize) -> String {
    let mut out = String::new();
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            out += &heading(title);
            out += &lines.iter().map(|line| hanging(line, width)).collect::<String>();
        }
    };
    section("Renamed", migration.renamed.iter().map(|r| format!("{} is {} now", r.from, r.to)).collect());
    section("Dropped", migration.dropped.iter().map(|d| format!("{}: {}", d.key, d.reason)).collect());
    let added = |entry: &&Entry| entry.added;
    let line = |entry: &Entry| {
        let value = entry.value.java_text();
        format!("{}: {value} ({})", entry.key, entry.why.as_deref().unwrap_or_default())
    };
    section("Added", migration.entries.iter().filter(added).map(line).collect());
    out
}

fn hanging(text: &str, width: usize) -> String {
    let whole = wrapped(text, width, 4);
    format!("  {}", whole.trim_start())
}

fn role(migration: &Migration, proof: &RoleProof, width: usize) -> String {
    let (from, to) = (migration.from.version().to_string(), migration.to.version().to_string());
    let mut out = heading(&proof.role.to_string());
    match (&proof.before, &proof.after) {
        (Err(Rejected { rejection, .. }), _) if matches!(rejection.reason, Some(Reason::NoTotal { .. })) => {
            return out + &wrapped("No total is set for it, so there is nothing to keep.", width, 2);
        }
        (Err(rejected), _) => {
            let text = format!("Flink {from} refused it already, so there is nothing to keep: {}", rejected.rejection);
            return out + &wrapped(&text, width, 2);
        }
        (Ok(_), Err(rejected)) => {
            out += &wrapped(&format!("Flink {to} refuses it: {}", rejected.rejection), width, 2);
        }
        (Ok(_), Ok(after)) => {
            let kept: Vec<String> =
                proof.kept.iter().map(|goal| kept(*goal, after.plan.budget.heap(), proof)).collect();
            if !kept.is_empty() {
                out += &wrapped(&format!("Kept to the byte: {}.", kept.join(", ")), width, 2);
            }
        }
    }
    for lost in &proof.lost {
        out += &wrapped(&loss(lost), width, 2);
    }
    if let (Ok(before), Ok(after)) = (&proof.before, &proof.after) {
        let names = (format!("Flink {from}"), format!("Flink {to}"));
        let names = Names { sides: (&names.0, &names.1), columns: ("before, MiB", "now, MiB") };
        out += &comparison::tables(&compare(before, after), &names, width);
    }
    out
}

fn kept(goal: Goal, heap: Bytes, proof: &RoleProof) -> String {
    let Ok(after) = &proof.after else { return goal.label().to_owned() };
    let bytes = match goal {
        Goal::Heap => heap,
        Goal::Managed => after.plan.budget.size(crate::model::Component::Managed),
        Goal::Process => after.plan.budget.total_process().bytes,
        Goal::Store => return goal.label().to_owned(),
    };
    format!("{} {}", goal.label(), amount(bytes))
}

fn loss(lost: &Lost) -> String {
    let side = |bytes: Option<Bytes>| bytes.map_or("not planned".to_owned(), amount);
    format!("Not kept: {}, {} before and {} now: {}.", lost.goal.label(), side(lost.before), side(lost.after), lost.why)
}
