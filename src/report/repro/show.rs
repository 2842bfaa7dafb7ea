//! `oomph repro show`: one scenario before it is run.

use super::settings::{self, Difference, changed_lines, of_store};
use super::words::{self, plain};
use super::{Entry, predict, text};
use crate::model::Experiment;
use crate::report::table::hanging;
use crate::repro::prediction::Prediction;
use crate::repro::scenario::Home;

/// A scenario with everything that is known before it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name, title, time and needs.
    pub entry: Entry,
    /// What happens and why, for people.
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
    /// Where its data lies.
    pub home: Home,
    /// What the memory model says.
    pub prediction: Option<Prediction>,
}

impl Half {
    /// What this has otherwise than the first one, its configuration aside.
    fn against(&self, first: &Half) -> Vec<Difference> {
        let mut all = match (&first.experiment, &self.experiment) {
            (Some(before), Some(after)) => settings::planned(before, after),
            _ => Vec::new(),
        };
        if first.home != self.home {
            all.push(Difference {
                name: "data".to_owned(),
                before: settings::home(first.home),
                after: settings::home(self.home),
            });
        }
        all
    }
}

/// The page.
pub fn page(plan: &Plan, width: usize) -> String {
    let entry = &plan.entry;
    let mut out = hanging(&format!("{}: {}", plain(&entry.name), plain(&entry.title)), width, "  ");
    let needs = entry.needs.as_ref().map_or_else(String::new, |needs| format!(", needs {}", plain(needs)));
    out += &hanging(&format!("  about {}{needs}", words::roughly(entry.seconds)), width, "  ");
    if !plan.about.is_empty() {
        out.push('\n');
        out += &hanging(&format!("  {}", plan.about.trim()), width, "  ");
    }
    out += "\nWhat must happen\n";
    for (number, says) in (1..).zip(&plan.states) {
        out += &hanging(&format!("  {number}. {}", plain(says)), width, "     ");
    }
    let Some((first, others)) = plan.runs.split_first() else { return out };
    if let Some(workload) = first.experiment.as_ref().map(|experiment| &experiment.workload) {
        out += &text::heading(&format!("Workload: {}", plain(&workload.name)), width);
        out += &hanging(&format!("  {}", plain(&workload.about)), width, "  ");
        out += &hanging(&format!("  {}", words::workload(workload)), width, "  ");
    }
    out += &text::heading(&format!("Configuration: {}", plain(&first.label)), width);
    out += &configuration(first, width);
    for other in others {
        out += &text::heading(&format!("What is otherwise: {}", plain(&other.label)), width);
        let lines = changed_lines(first.configuration.as_deref(), other.configuration.as_deref());
        let settings = other.against(first);
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
    for (name, value) in [
        ("limit", experiment.limit.to_string()),
        ("allocator", experiment.malloc.to_string()),
        ("data", settings::home(half.home)),
    ] {
        out += &hanging(&format!("  {name}: {value}"), width, "      ");
    }
    let settings = of_store(&experiment.store).into_iter().map(|(name, value)| format!("{name}: {value}"));
    out + &hanging(&format!("  RocksDB: {}", settings.collect::<Vec<_>>().join("; ")), width, "    ")
}

#[cfg(test)]
mod tests;
