//! `oomph repro show`: one scenario before it is run.

use super::settings::{self, Difference, changed_lines, of_store};
use super::words::{self, plain};
use super::{Entry, predict, text};
use crate::model::{Experiment, Malloc, Workload};
use crate::report::amount::about;
use crate::report::table::hanging;
use crate::repro::prediction::Prediction;
use crate::repro::scenario::{Bound, Home, Prepared, Scenario, Variant};
use crate::repro::workload;

/// A scenario with everything that is known before it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name, title, time and needs.
    pub entry: Entry,
    /// What happens and why, for people.
    pub story: String,
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
    /// Flink's configuration.
    pub configuration: Option<String>,
    /// What is done; nothing where a real Flink runs.
    pub workload: Option<Workload>,
    /// Limit, allocator and where the data lies, in words.
    pub bounds: Vec<(&'static str, String)>,
    /// What will be run, where the configuration has been planned.
    pub experiment: Option<Experiment>,
    /// What the memory model says.
    pub prediction: Option<Prediction>,
}

impl Plan {
    /// What a scenario says of itself.
    pub fn of(scenario: &Scenario) -> Plan {
        let first = scenario.variants.first().map_or("the first", |variant| variant.label);
        Plan {
            entry: Entry::of(scenario),
            story: scenario.story.to_owned(),
            states: scenario.states.iter().map(|says| (*says).to_owned()).collect(),
            runs: scenario.variants.iter().map(|variant| Half::of(variant, scenario, first)).collect(),
        }
    }
}

impl Half {
    fn of(variant: &Variant, scenario: &Scenario, first: &str) -> Half {
        let limit = match variant.bound {
            Bound::Native => "what the configuration leaves to managed memory and JVM overhead".to_owned(),
            Bound::NativeOfTheFirst => format!("that of {first}"),
            Bound::Fixed(limit) => about(limit),
            Bound::None => "none".to_owned(),
        };
        let text = variant.workload.unwrap_or(scenario.workload);
        Half {
            label: variant.label.to_owned(),
            configuration: Some(variant.configuration.to_owned()),
            workload: workload::parse(scenario.name, text).ok(),
            bounds: bounds(limit, variant.malloc, variant.home),
            experiment: None,
            prediction: None,
        }
    }

    /// The same with what it has come to, and what the memory model says of that.
    #[must_use]
    pub fn with(self, prepared: &Prepared, prediction: Option<Prediction>) -> Half {
        let experiment = prepared.experiment.clone();
        Half {
            workload: Some(experiment.workload.clone()),
            bounds: bounds(experiment.limit.to_string(), experiment.malloc, prepared.home),
            experiment: Some(experiment),
            prediction,
            ..self
        }
    }

    /// What this has otherwise than the first one, its configuration aside.
    fn against(&self, first: &Half) -> Vec<Difference> {
        let pairs = first.bounds.iter().zip(&self.bounds);
        let of_bounds = pairs.map(|((name, before), (_, after))| Difference {
            name: (*name).to_owned(),
            before: before.clone(),
            after: after.clone(),
        });
        let mut all: Vec<Difference> = of_bounds.filter(|difference| difference.before != difference.after).collect();
        if let (Some(before), Some(after)) = (&first.experiment, &self.experiment) {
            all.extend(settings::of_stores(&before.store, &after.store));
        }
        if let (Some(before), Some(after)) = (&first.workload, &self.workload) {
            all.extend(settings::of_workloads(before, after));
        }
        all
    }
}

fn bounds(limit: String, malloc: Malloc, home: Home) -> Vec<(&'static str, String)> {
    let home = match home {
        Home::Disk => "on a disk".to_owned(),
        Home::Tmpfs(size) => format!("on a tmpfs of {}", about(size)),
    };
    vec![("limit", limit), ("allocator", malloc.to_string()), ("data", home)]
}

/// The page of a scenario, by what it says of itself.
pub fn text(scenario: &Scenario, width: usize) -> String {
    page(&Plan::of(scenario), width)
}

/// The page.
pub fn page(plan: &Plan, width: usize) -> String {
    let entry = &plan.entry;
    let mut out = hanging(&format!("{}: {}", plain(&entry.name), plain(&entry.title)), width, "  ");
    let needs = entry.needs.as_ref().map_or_else(String::new, |needs| format!(", needs {}", plain(needs)));
    out += &hanging(&format!("  {} at most{needs}", words::roughly(entry.seconds)), width, "  ");
    if !plan.story.is_empty() {
        out.push('\n');
        out += &hanging(&format!("  {}", plan.story.trim()), width, "  ");
    }
    out += "\nWhat must happen\n";
    for (number, says) in (1..).zip(&plan.states) {
        out += &hanging(&format!("  {number}. {}", plain(says)), width, "     ");
    }
    let Some((first, others)) = plan.runs.split_first() else { return out };
    if let Some(workload) = &first.workload {
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
    for (name, value) in &half.bounds {
        out += &hanging(&format!("  {name}: {value}"), width, "      ");
    }
    let Some(experiment) = &half.experiment else { return out };
    let settings = of_store(&experiment.store).into_iter().map(|(name, value)| format!("{name}: {value}"));
    out + &hanging(&format!("  RocksDB: {}", settings.collect::<Vec<_>>().join("; ")), width, "    ")
}

#[cfg(test)]
mod tests;
