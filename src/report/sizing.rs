//! A sizing: the configuration with a reason for each option, the budget that Flink makes of it, and what it rests on.

mod json;

pub use json::{Document, document};

use super::Sheet;
use super::amount::{about, mib};
use super::table::{self, Align, wrapped};
use super::text::{self, REFUSED, heading};
use crate::config::workload::Starter;
use crate::model::Bytes;
use crate::recommend::Change;
use crate::recommend::size::{Basis, Part, SizeError, Sizing, TooSmall};

/// The configuration alone, each option behind its reason.
pub fn configuration(sizing: &Sizing, version: &str, width: usize) -> String {
    let load = &sizing.load;
    let who = match load.deployment {
        Starter::Standalone => "standalone",
        Starter::Yarn => "on YARN",
        Starter::Kubernetes => "on Kubernetes",
    };
    let mut out = comment(
        &format!(
            "Flink {version} {who}: a TaskManager of {}, slots: {}; sized by oomph and planned back.",
            load.container, load.slots
        ),
        width,
    );
    for chosen in &sizing.chosen {
        out += &comment(&chosen.reason, width);
        if let Change::Set { key, value } = &chosen.change {
            out += &format!("{key}: {value}\n");
        }
    }
    out
}

fn comment(text: &str, width: usize) -> String {
    wrapped(text, width.saturating_sub(2), 0).lines().map(|line| format!("# {line}\n")).collect()
}

/// The whole report. `sheet` is the plan of the configuration.
pub fn text(sizing: &Sizing, sheet: &Sheet, width: usize) -> String {
    let load = &sizing.load;
    let mut out = configuration(sizing, &sheet.planned_version().to_string(), width);
    out += &heading("What Flink makes of it");
    out += &text::main_table(&sizing.survey, width);
    let total = load.container.checked_mul(load.task_managers.into()).unwrap_or(Bytes::FLINK_MAX);
    out += &wrapped(
        &format!(
            "{} TaskManager{} for {} subtasks: {total} of memory and {} of state in all.",
            load.task_managers,
            if load.task_managers == 1 { "" } else { "s" },
            load.parallelism,
            about(load.slot_state.checked_mul(load.parallelism.into()).unwrap_or(Bytes::FLINK_MAX)),
        ),
        width,
        0,
    );
    out += &heading("What JVM Overhead is for, in MiB");
    out += &sum(&sizing.overhead, width);
    out += &heading("What it rests on");
    for basis in [Basis::Known, Basis::Assumed] {
        for fact in sizing.facts.iter().filter(|fact| fact.basis == basis) {
            let line = format!("{}: {} ({})", basis.label(), fact.text, fact.source);
            out += &format!("  - {}", wrapped(&line, width, 4).trim_start());
        }
    }
    out
}

/// Parts with their sum, and the basis of each.
fn sum(parts: &[Part], width: usize) -> String {
    let whole = Bytes::checked_sum(parts.iter().map(|part| part.bytes)).unwrap_or(Bytes::FLINK_MAX);
    let row = |part: &Part| vec![part.name.clone(), mib(part.bytes), part.basis.label().to_owned()];
    let total = vec!["together".to_owned(), mib(whole), String::new()];
    let rows: Vec<Vec<String>> = parts.iter().map(row).chain([total]).collect();
    let mut out = table::plain(2, &["", "MiB", ""], &[Align::Left, Align::Right, Align::Left], &rows);
    for part in parts {
        out += &format!("  - {}", wrapped(&format!("{}: {}", part.name, part.source), width, 4).trim_start());
    }
    out
}

/// Why nothing was sized.
pub fn refusal(error: &SizeError, width: usize) -> String {
    match error {
        SizeError::NotSized(why) => wrapped(why, width, 0),
        SizeError::TooSmall(small) => too_small(small, width),
        SizeError::Refused(rejected) => wrapped(
            &format!("Flink refuses what oomph chose, which is a mistake of oomph: {}", rejected.rejection),
            width,
            0,
        ),
        SizeError::Unproved(why) => wrapped(
            &format!("Flink makes something else of what oomph chose, which is a mistake of oomph: {why}"),
            width,
            0,
        ),
    }
}

fn too_small(small: &TooSmall, width: usize) -> String {
    let mut out = format!("{REFUSED}It does not fit into {}{REFUSED:#}\n\n", small.container);
    out += "What each part needs at least, in MiB\n";
    out += &sum(&small.parts, width);
    out.push('\n');
    out + &match small.smallest {
        Some(smallest) => wrapped(
            &format!("The smallest container that works is {smallest}: --container {}m.", smallest.whole_mib()),
            width,
            0,
        ),
        None => wrapped("No container up to 4 TiB works: take fewer slots, or less state in each.", width, 0),
    }
}
