//! What to change for wanted sizes, and what comes of it; or why they cannot be had.

use super::super::amount::{about, amount, amount_and_bytes, mib};
use super::super::table::{self, Align, wrapped};
use super::super::{Proposal, Sheet};
use super::{REFUSED, container_line, header, heading, marked_table, rejection, remarks};
use crate::model::{Bytes, Role};
use crate::plan::Rejected;
use crate::recommend::Change;
use crate::recommend::want::{Addend, Clash, Conflict, Solution, Target};

const COLUMNS: [&str; 4] = ["", "MiB", "bytes", ""];
const SIDES: [Align; 4] = [Align::Left, Align::Right, Align::Right, Align::Left];

/// The whole report on one proposal.
pub fn proposal(proposal: &Proposal, width: usize) -> String {
    let sheet = &proposal.sheet;
    let mut out = header(sheet, width);
    match &proposal.answer {
        Ok(solution) => out += &solved(proposal, solution, width),
        Err(conflict) => out += &unsolved(sheet, conflict, width),
    }
    out += &remarks(sheet, width);
    out
}

fn solved(proposal: &Proposal, solution: &Solution, width: usize) -> String {
    let mut out = if solution.changes.is_empty() {
        "Nothing to change: everything is as wanted.\n".to_owned()
    } else {
        let mut out = heading("Change").trim_start().to_owned();
        for change in &solution.changes {
            out += &match change {
                Change::Set { key, value } => format!("  {key}: {value}\n"),
                Change::Remove { key } => format!("  # take out {key}\n"),
            };
        }
        out
    };
    if let Ok(survey) = &proposal.sheet.outcome {
        let is_wanted = |name: &str| proposal.wants.iter().any(|want| want.target.label() == name);
        out += "\n";
        let table = marked_table(survey, width, &is_wanted);
        out += &table;
        if table.contains(" *") {
            out += "* as wanted\n";
        }
        out += &container_line(survey, width);
        for want in proposal.wants.iter().filter(|want| want.target.is_rocksdb()) {
            let text = format!("{} is {}, as wanted.", want.target.label(), amount_and_bytes(want.bytes));
            out += &wrapped(&text, width, 0);
        }
    }
    out
}

fn unsolved(sheet: &Sheet, conflict: &Conflict, width: usize) -> String {
    let mut out = format!("{REFUSED}This cannot be had{REFUSED:#}\n");
    let said = match conflict {
        Conflict::Clash(clash) => return out + &sum(sheet.question.role, clash, width),
        Conflict::Refused(rejection) => {
            let rejected = Rejected { rejection: rejection.clone(), notices: Vec::new() };
            out += &wrapped("No change of memory options gives it. Of the configuration nearest to it:", width, 2);
            return out + "\n" + &rejection::section(sheet, &rejected, width);
        }
        Conflict::Absent(Target::Container) => {
            "A standalone process has no container: name --deployment yarn or kubernetes.".to_owned()
        }
        Conflict::Absent(target) => format!(
            "There is no {} here: RocksDB has a pool only where it takes managed memory or memory of a fixed size.",
            target.label()
        ),
        Conflict::Between { want, below, above } => {
            let nearest: Vec<String> = below.iter().chain(above).map(|size| amount_and_bytes(*size)).collect();
            let nearest = match nearest.is_empty() {
                true => String::new(),
                false => format!(" The nearest that can be had: {}.", nearest.join(" and ")),
            };
            format!("Nothing gives {} of {}.{nearest}", want.target.label(), amount_and_bytes(want.bytes))
        }
        Conflict::NotFound => "Flink would start, but no change of memory options gives exactly this.".to_owned(),
    };
    out + &wrapped(&said, width, 2)
}

/// The sum that contradicts itself.
fn sum(role: Role, clash: &Clash, width: usize) -> String {
    let row = |name: String, bytes: Bytes, why: &str| vec![name, mib(bytes), bytes.get().to_string(), why.to_owned()];
    let why = |addend: &Addend| if addend.wanted { "wanted" } else { "as it stays" };
    let mut rows: Vec<Vec<String>> =
        clash.parts.iter().map(|part| row(part.target.label().to_owned(), part.bytes, why(part))).collect();
    let (sum, whole) = (clash.sum(), &clash.whole);
    if clash.parts.len() > 1 {
        rows.push(row("together".to_owned(), sum, ""));
    }
    rows.push(row(format!("against {}", whole.target.label()), whole.bytes, why(whole)));
    let verdict = match sum.checked_sub(whole.bytes) {
        Some(more) => format!("too much by {}", amount(more)),
        None => format!("too little by {}", amount(whole.bytes.checked_sub(sum).unwrap_or_default())),
    };
    let mut out = heading("The sum that does not fit");
    out += &table::plain(2, &COLUMNS, &SIDES, &rows);
    out += &wrapped(&verdict, width, 2);
    if let Some(stays) = clash.parts.iter().find(|part| !part.wanted) {
        let name = stays.target.name(role);
        let text =
            format!("{} stays at {}; want {name} too for another size.", stays.target.label(), about(stays.bytes));
        out += &wrapped(&text, width, 2);
    }
    out
}
