//! A configuration that Flink refuses: its own words, the value or the sum behind them, and where to mend it.

use super::super::Sheet;
use super::super::amount::{amount, mib};
use super::super::table::{self, Align, wrapped};
use super::{REFUSED, cures, heading, origin, short_place};
use crate::flink::sensitive;
use crate::model::{Bytes, Component, Quantity, Term};
use crate::plan::Rejected;
use crate::plan::rejection::{ExceptionClass, Reason};

const COLUMNS: [&str; 4] = ["", "MiB", "bytes", "set in"];
const SIDES: [Align; 4] = [Align::Left, Align::Right, Align::Right, Align::Left];

pub fn section(sheet: &Sheet, rejected: &Rejected, width: usize) -> String {
    let rejection = &rejected.rejection;
    let who = match rejection.exception.class {
        ExceptionClass::StartScript => "Flink's start script ends here",
        _ => "Flink refuses this configuration",
    };
    let mut out = format!("{REFUSED}{who}{REFUSED:#}\n");
    out += &wrapped(&rejection.to_string(), width, 2);
    // A cause that says again what stands above it is left out.
    let mut above = rejection.exception.message.as_str();
    for cause in &rejection.causes {
        if !above.contains(&cause.message) {
            let text = format!("caused by {}: {}", cause.class.name(), cause.message);
            out += &wrapped(&text, width, 2);
        }
        above = &cause.message;
    }
    if let Some(reason) = &rejection.reason {
        out += &why(sheet, reason, width);
    }
    if !rejected.notices.is_empty() {
        out += &heading("What Flink logs before");
        for notice in &rejected.notices {
            out += &wrapped(&notice.to_string(), width, 2);
        }
    }
    out += &cures::section(sheet, width);
    out
}

fn why(sheet: &Sheet, reason: &Reason, width: usize) -> String {
    match reason {
        Reason::BadValue(bad) => {
            let value = sensitive::shown(&bad.key, &bad.value);
            let text = format!("{}: {} = {value:?}; accepted is {}.", bad.place, bad.key, bad.accepted);
            format!("\n{}", wrapped(&text, width, 0))
        }
        Reason::DoesNotFit { parts, whole } => {
            let sum = sum_of(parts);
            let missing = sum.checked_sub(whole.bytes).unwrap_or(Bytes::ZERO);
            let verdict = match missing {
                Bytes::ZERO => "nothing left where something must be".to_owned(),
                missing => format!("too much by {}", amount(missing)),
            };
            heading("The sum that does not fit") + &sum_table(sheet, parts, sum, whole) + &wrapped(&verdict, width, 2)
        }
        Reason::DoesNotAddUp { parts, whole } => {
            let sum = sum_of(parts);
            let verdict = match sum.checked_sub(whole.bytes) {
                Some(more) => format!("more by {}", amount(more)),
                None => format!("less by {}", amount(whole.bytes.checked_sub(sum).unwrap_or(Bytes::ZERO))),
            };
            heading("The sum that must match exactly")
                + &sum_table(sheet, parts, sum, whole)
                + &wrapped(&verdict, width, 2)
        }
        Reason::OutOfRange { rest, whole, parts, min, max } => {
            let mut rows: Vec<Vec<String>> = vec![term_row(sheet, "", whole)];
            rows.extend(parts.iter().map(|term| term_row(sheet, "- ", term)));
            rows.push(row(&format!("leaves for {}", rest.quantity), rest.bytes, String::new()));
            rows.push(row("least allowed", min.bytes, origin(min)));
            rows.push(row("most allowed", max.bytes, origin(max)));
            let verdict = if rest.bytes < min.bytes {
                format!("too little by {}", amount(min.bytes.checked_sub(rest.bytes).unwrap_or(Bytes::ZERO)))
            } else {
                format!("too much by {}", amount(rest.bytes.checked_sub(max.bytes).unwrap_or(Bytes::ZERO)))
            };
            heading("What is left, and what is allowed")
                + &table::plain(2, &COLUMNS, &SIDES, &rows)
                + &wrapped(&verdict, width, 2)
        }
        Reason::NoTotal { keys } => {
            let mut text = format!("Set {}, for instance {}: 1728m.", keys.join(" or "), keys[0]);
            if sheet.config.is_empty() {
                text += " The configuration is empty.";
            }
            format!("\n{}", wrapped(&text, width, 0))
        }
    }
}

fn row(name: &str, bytes: Bytes, place: String) -> Vec<String> {
    vec![name.to_owned(), mib(bytes), bytes.get().to_string(), place]
}

fn term_row(sheet: &Sheet, before: &str, term: &Term) -> Vec<String> {
    row(&format!("{before}{}", term.quantity), term.bytes, set_in(sheet, term.quantity))
}

/// Where the size of a quantity is set; nothing where it is a default or follows from others.
fn set_in(sheet: &Sheet, quantity: Quantity) -> String {
    let part = match quantity {
        Quantity::TotalProcess => "process.size",
        Quantity::TotalFlink => "flink.size",
        Quantity::Part(Component::FrameworkHeap) => "framework.heap.size",
        Quantity::Part(Component::FrameworkOffHeap) => "framework.off-heap.size",
        Quantity::Part(Component::TaskHeap) => "task.heap.size",
        Quantity::Part(Component::TaskOffHeap) => "task.off-heap.size",
        Quantity::Part(Component::Managed) => "managed.size",
        Quantity::Part(Component::Heap) => "heap.size",
        Quantity::Part(Component::OffHeap) => "off-heap.size",
        Quantity::Part(Component::JvmMetaspace) => "jvm-metaspace.size",
        _ => return String::new(),
    };
    let role = sheet.question.role.key();
    let setting = sheet.config.get(&format!("{role}.memory.{part}"));
    setting.map_or(String::new(), |setting| short_place(&setting.place))
}

fn sum_of(parts: &[Term]) -> Bytes {
    Bytes::new(parts.iter().fold(0u64, |sum, term| sum.saturating_add(term.bytes.get())))
}

fn sum_table(sheet: &Sheet, parts: &[Term], sum: Bytes, whole: &Term) -> String {
    let mut rows: Vec<Vec<String>> = parts.iter().map(|term| term_row(sheet, "", term)).collect();
    if parts.len() > 1 {
        rows.push(row("together", sum, String::new()));
    }
    rows.push(term_row(sheet, "against ", whole));
    table::plain(2, &COLUMNS, &SIDES, &rows)
}
