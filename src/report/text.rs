//! A plan as text for a terminal: 80 columns, one unit a column.

mod besides;
mod cures;
mod network_need;
mod pod;
mod rejection;
mod slots;
pub mod want;
mod workload_need;

use anstyle::{AnsiColor, Style};

use super::Sheet;
use super::amount::{fraction, mib};
use super::table::{self, Align, wrapped};
use crate::model::{
    Bytes, Component, Derivation, Enforcer, Figure, Held, Limit, Place, Provenance, Quantity, Role, Source, UseCase,
};
use crate::plan::container;
use crate::plan::store::Store;
use crate::plan::{Backend, Mode, Rejected, Survey};

const HEADING: Style = Style::new().bold();
pub(super) const REFUSED: Style = AnsiColor::Red.on_default().bold();

/// The whole report on one plan.
pub fn sheet(sheet: &Sheet, width: usize) -> String {
    let mut out = header(sheet, width);
    match &sheet.outcome {
        Ok(survey) => out += &accepted(sheet, survey, width),
        Err(rejected) => out += &refusal(sheet, rejected, width),
    }
    out += &remarks(sheet, width);
    out
}

/// Who, which version and why, and what started the derivation.
pub fn header(sheet: &Sheet, width: usize) -> String {
    let role = sheet.question.role;
    let deployment = sheet.deployment_in_words();
    let title = match sheet.title() {
        Some(title) => format!("{role} of {title}, {deployment}"),
        None => format!("{role}, {deployment}"),
    };
    let mut out = format!("{HEADING}{title}{HEADING:#}\n");
    out += &wrapped(&format!("Flink {}", sheet.version_line()), width, 0);
    if !sheet.inferred.is_empty() {
        out += &heading("What the flags tell");
        for reason in &sheet.inferred {
            out += &wrapped(&format!("{reason}."), width, 2);
        }
    }
    out.push('\n');
    out
}

/// Why Flink refuses the configuration.
pub fn refusal(sheet: &Sheet, rejected: &Rejected, width: usize) -> String {
    rejection::section(sheet, rejected, width)
}

/// What each slot gets.
pub fn slots(sheet: &Sheet, survey: &Survey, width: usize) -> String {
    slots::section(sheet, survey, width)
}

/// What a job needs in network buffers, where one was told of.
pub fn network_need(sheet: &Sheet, width: usize) -> String {
    sheet.network_need.as_ref().map_or(String::new(), |answer| network_need::section(answer, width))
}

/// What a workload will take of RocksDB's memory, where one was told of.
pub fn workload_need(sheet: &Sheet, width: usize) -> String {
    sheet.workload_need.as_ref().map_or(String::new(), |answer| workload_need::section(answer, width))
}

/// A section's heading.
pub fn heading(text: &str) -> String {
    format!("\n{HEADING}{text}{HEADING:#}\n")
}

fn accepted(sheet: &Sheet, survey: &Survey, width: usize) -> String {
    let mut out = main_table(survey, width);
    out += &container_line(survey, width);
    out += &pod::section(sheet, survey, width);
    out += &heading("Started with");
    out += &wrapped(&survey.plan.jvm_arguments, width, 2);
    out += &keepers(survey, width);
    out += &slots(sheet, survey, width);
    out += &network_need(sheet, width);
    out += &workload_need(sheet, width);
    out += &besides::section(survey, width);
    if !survey.plan.notices.is_empty() {
        out += &heading("What Flink logs about it");
        for notice in &survey.plan.notices {
            out += &wrapped(&notice.to_string(), width, 2);
        }
    }
    out
}

/// One line of the tree of parts.
pub struct Row {
    /// How deep it stands.
    pub depth: usize,
    /// Its name.
    pub name: String,
    /// How much.
    pub bytes: Bytes,
    /// Where it comes from, in a word or two.
    pub origin: String,
    /// Who keeps it, where somebody or nobody in particular does.
    pub keeper: Option<Enforcer>,
}

/// The tree of parts, from the whole process inwards.
pub fn rows(survey: &Survey) -> Vec<Row> {
    let plan = &survey.plan;
    let budget = &plan.budget;
    let row =
        |depth, name: &str, bytes, origin: String, keeper| Row { depth, name: name.to_owned(), bytes, origin, keeper };
    let part = |depth, component: Component| {
        budget.part(component).map(|figure| {
            let keeper = container::enforcer(component, plan, &survey.backend);
            row(depth, component.label(), figure.bytes, origin(figure), Some(keeper))
        })
    };
    let process = budget.total_process();
    let whole = container::enforcer_of_total(&survey.container);
    let name = match plan.mode {
        Mode::CutOff => "Container",
        Mode::StartScript => "What the script divides",
        _ => Quantity::TotalProcess.label(),
    };
    let mut rows = vec![row(0, name, process.bytes, origin(process), Some(whole))];
    let unified = budget.part(Component::JvmMetaspace).is_some();
    if unified {
        let flink = budget.total_flink();
        rows.push(row(1, Quantity::TotalFlink.label(), flink.bytes, origin(flink), None));
    }
    match budget.role() {
        Role::TaskManager if unified => {
            let keeper = Some(Enforcer::MaxHeapSize);
            rows.push(row(2, Quantity::JvmHeap.label(), budget.heap(), "sum".into(), keeper));
            rows.extend([Component::FrameworkHeap, Component::TaskHeap].into_iter().filter_map(|c| part(3, c)));
            rows.extend(part(2, Component::Managed));
            let direct = plan.direct.unwrap_or_default();
            let keeper = Some(Enforcer::MaxDirectMemorySize);
            rows.push(row(2, "Direct Memory", direct, "sum".into(), keeper));
            let parts = [Component::FrameworkOffHeap, Component::TaskOffHeap, Component::Network];
            rows.extend(parts.into_iter().filter_map(|c| part(3, c)));
        }
        _ => {
            let depth = if unified { 2 } else { 1 };
            let parts = [
                Component::Heap,
                Component::OffHeap,
                Component::CutOffHeap,
                Component::Network,
                Component::Managed,
                Component::CutOff,
            ];
            rows.extend(parts.into_iter().filter_map(|c| part(depth, c)));
        }
    }
    rows.extend([Component::JvmMetaspace, Component::JvmOverhead].into_iter().filter_map(|c| part(1, c)));
    rows
}

/// The header of the tree of parts, for tables.
pub const COLUMNS: [&str; 5] = ["", "MiB", "bytes", "comes from", "kept by"];
/// The sides of its columns.
pub const SIDES: [Align; 5] = [Align::Left, Align::Right, Align::Right, Align::Left, Align::Left];

/// What a narrow terminal has no room for: exact bytes first, then where they come from.
const SPARE: [usize; 2] = [2, 3];

/// The tree of parts as a table.
pub fn main_table(survey: &Survey, width: usize) -> String {
    marked_table(survey, width, &|_| false)
}

/// The tree of parts with a mark on some rows, by name.
fn marked_table(survey: &Survey, width: usize, is_marked: &dyn Fn(&str) -> bool) -> String {
    let rows = rows(survey);
    let cells: Vec<Vec<String>> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            vec![
                format!("{}{}{}", branches(&rows, index), row.name, if is_marked(&row.name) { " *" } else { "" }),
                mib(row.bytes),
                row.bytes.get().to_string(),
                row.origin.clone(),
                row.keeper.map_or(String::new(), |keeper| keeper.label().to_owned()),
            ]
        })
        .collect();
    table::fitting(width, &SPARE, &COLUMNS, &SIDES, &cells)
}

/// The lines that join a row to its parent.
fn branches(rows: &[Row], index: usize) -> String {
    let depth = rows[index].depth;
    // Whether another row of that depth follows before a shallower one.
    let goes_on =
        |level: usize| rows[index + 1..].iter().take_while(|row| row.depth >= level).any(|row| row.depth == level);
    (1..=depth)
        .map(|level| match (level == depth, goes_on(level)) {
            (true, true) => "├ ",
            (true, false) => "└ ",
            (false, true) => "│ ",
            (false, false) => "  ",
        })
        .collect()
}

/// Where a figure comes from, in a word or two.
pub fn origin(figure: &Figure) -> String {
    match &figure.provenance {
        Provenance::Set { place, .. } => short_place(place),
        Provenance::Default { .. } => "default".to_owned(),
        Provenance::Measured { .. } => "measured".to_owned(),
        Provenance::Derived(derivation) => match &**derivation {
            Derivation::Share { range: Some(range), .. } | Derivation::ShareOfUnknown { range, .. }
                if range.min.bytes == range.max.bytes =>
            {
                origin(&range.min)
            }
            Derivation::Share { whole, ratio, held, .. } => match held {
                Held::Free => format!("{} of {}", short_fraction(ratio.value), short_name(whole.quantity)),
                Held::AtMinimum => "its minimum".to_owned(),
                Held::AtMaximum => "its maximum".to_owned(),
            },
            Derivation::ShareOfUnknown { ratio, held, .. } => match held {
                Held::Free => format!("{} of its total", short_fraction(ratio.value)),
                Held::AtMinimum => "its minimum".to_owned(),
                Held::AtMaximum => "its maximum".to_owned(),
            },
            Derivation::Remainder { .. } => "the rest".to_owned(),
            Derivation::Sum(_) => "sum".to_owned(),
            Derivation::Buffers { .. } => "buffers".to_owned(),
            Derivation::CutOff { .. } => "computed".to_owned(),
            _ => "derived".to_owned(),
        },
    }
}

fn short_fraction(value: f64) -> String {
    let text = fraction(value);
    if text.len() <= 5 { text } else { format!("{value:.3}") }
}

fn short_name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::TotalProcess => "process",
        Quantity::TotalFlink => "Flink",
        other => other.label(),
    }
}

/// A place in a column's width: the file itself is named in the header.
fn short_place(place: &Place) -> String {
    match (&place.source, place.position) {
        (Source::File(_) | Source::Stdin, Some(position)) => format!("line {}", position.line),
        (Source::Environment(_), Some(position)) => format!("env, line {}", position.line),
        (Source::Environment(name), None) => format!("${name}"),
        (Source::Caller, _) => "set".to_owned(),
        (Source::Shipped, _) => "the image".to_owned(),
        (source, _) => source.to_string(),
    }
}

fn container_line(survey: &Survey, width: usize) -> String {
    let Ok(container) = &survey.container else { return String::new() };
    let Limit::AtMost(limit) = container.limit else { return String::new() };
    let request = container.request.filter(|request| *request != limit);
    let asked = request.map_or(String::new(), |request| format!(", requested {request}"));
    format!("\n{}", wrapped(&format!("Container limit {limit}{asked}: {}.", container.why), width, 0))
}

/// What happens when a keeper's figure is passed, for the keepers that occur.
fn keepers(survey: &Survey, width: usize) -> String {
    let mut keepers: Vec<Enforcer> = rows(survey).iter().filter_map(|row| row.keeper).collect();
    keepers.sort();
    keepers.dedup();
    let mut out = heading("What happens when a figure is passed, by who keeps it");
    let margin = keepers.iter().map(|keeper| keeper.label().len()).max().unwrap_or(0) + 4;
    for keeper in keepers {
        let text = wrapped(keeper.consequence(), width, margin);
        let label = format!("  {:1$}", keeper.label(), margin - 2);
        out += &format!("{label}{}", text.trim_start());
    }
    out
}

/// Whether a store's memory is shown: the one that is configured, and RocksDB where none is; neither in a slot of
/// which it is said that it has no keyed state.
pub fn is_shown(sheet: &Sheet, survey: &Survey, store: Store) -> bool {
    if !sheet.question.consumers.contains(&UseCase::StateBackend) {
        return false;
    }
    match &survey.backend {
        Backend::Embedded(configured) => *configured == store,
        Backend::Heap => false,
        Backend::Other(_) | Backend::Unset => store == Store::RocksDb,
    }
}

/// What in the input has no effect.
pub fn remarks(sheet: &Sheet, width: usize) -> String {
    if sheet.remarks.is_empty() {
        return String::new();
    }
    let mut out = heading("Notes");
    for remark in &sheet.remarks {
        out += &wrapped(&format!("{}: {}", remark.place, remark.text), width, 2);
    }
    out
}
