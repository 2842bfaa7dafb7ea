//! `oomph repro show`: one scenario before it is run.

use super::settings::{changed_lines, of_store, planned};
use super::words::{self, plain};
use super::{Entry, predict, text};
use crate::model::{Experiment, Limit};
use crate::report::amount::about;
use crate::report::table::hanging;
use crate::repro::prediction::Prediction;

/// A scenario with everything that is known before it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name, title, time and needs.
    pub entry: Entry,
    /// What it is about, a few sentences.
    pub about: String,
    /// What must happen, a sentence each.
    pub states: Vec<String>,
    /// Its runs, the failing one first.
    pub runs: Vec<Half>,
}

/// A run that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Half {
    /// `fails`, `cured`, or the name of a variant.
    pub label: String,
    /// What will be run; nothing where a real Flink runs.
    pub experiment: Option<Experiment>,
    /// Flink's configuration.
    pub configuration: Option<String>,
    /// What the memory model says.
    pub prediction: Option<Prediction>,
}

/// The page.
pub fn page(plan: &Plan, width: usize) -> String {
    let entry = &plan.entry;
    let mut out = hanging(&format!("{}: {}", plain(&entry.name), plain(&entry.title)), width, "  ");
    let needs = entry.needs.as_ref().map_or_else(String::new, |needs| format!(", needs {}", plain(needs)));
    out += &format!("  about {}{needs}\n", words::roughly(entry.seconds));
    if !plan.about.is_empty() {
        out.push('\n');
        out += &hanging(&format!("  {}", plan.about.trim()), width, "  ");
    }
    out += "\nWhat must happen\n";
    for (number, says) in (1..).zip(&plan.states) {
        out += &hanging(&format!("  {number}. {}", plain(says)), width, "     ");
    }
    let Some((first, others)) = plan.runs.split_first() else { return out };
    if let Some(experiment) = &first.experiment {
        out += &format!("\nWorkload: {}\n", plain(&experiment.workload.name));
        out += &hanging(&format!("  {}", plain(&experiment.workload.about)), width, "  ");
        out += &hanging(&format!("  {}", words::workload(&experiment.workload)), width, "  ");
    }
    out += &text::heading(&format!("Configuration: {}", plain(&first.label)), width);
    out += &configuration(first, width);
    for other in others {
        out += &text::heading(&format!("What is otherwise: {}", plain(&other.label)), width);
        let lines = changed_lines(first.configuration.as_deref(), other.configuration.as_deref());
        let settings = match (&first.experiment, &other.experiment) {
            (Some(first), Some(other)) => planned(first, other),
            _ => Vec::new(),
        };
        out += &lines.iter().map(|line| hanging(&format!("  {line}"), width, "      ")).collect::<String>();
        out += &text::changes(&settings, width);
        if lines.is_empty() && settings.is_empty() {
            out += "  nothing\n";
        }
    }
    let runs = || plan.runs.iter().filter_map(|half| Some((half, half.prediction.as_ref()?)));
    if runs().next().is_some() {
        out += "\nWhat the memory model says before it is run\n";
        for (half, prediction) in runs() {
            out += &predict::short(&half.label, prediction, half.experiment.as_ref(), width);
        }
    }
    out
}

fn configuration(half: &Half, width: usize) -> String {
    let mut out = String::new();
    for line in half.configuration.iter().flat_map(|text| text.lines()).filter(|line| !line.trim().is_empty()) {
        out += &hanging(&format!("  {}", plain(line)), width, "      ");
    }
    let Some(experiment) = &half.experiment else { return out };
    let limit = match experiment.limit {
        Limit::AtMost(limit) => about(limit),
        Limit::Unlimited => "none".to_owned(),
    };
    out += &format!("  limit {limit}, allocator {}\n", experiment.malloc);
    let settings = of_store(&experiment.store).into_iter().map(|(name, value)| format!("{name}: {value}"));
    out + &hanging(&format!("  RocksDB: {}", settings.collect::<Vec<_>>().join("; ")), width, "    ")
}

#[cfg(test)]
mod tests;
