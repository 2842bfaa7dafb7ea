//! What `oomph repro` prints: scenarios, predictions, what came of a run, and two runs side by side.

pub mod all;
pub mod chart;
pub mod compare;
pub mod html;
pub mod json;
pub mod list;
pub mod predict;
mod settings;
pub mod show;
mod svg;
mod table;
pub mod text;
mod words;

#[cfg(test)]
mod made;

use crate::repro::scenario::Scenario;

/// What a scenario is, for a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Seconds that all of its runs take at most.
    pub seconds: u64,
    /// What it cannot run without: `--flink-home`, `python3`; nothing where everything is here.
    pub needs: Option<String>,
}

impl Entry {
    /// What a scenario says of itself.
    pub fn of(scenario: &Scenario) -> Entry {
        let needs = scenario.needs;
        let all = [(needs.flink, "--flink-home DIR"), (needs.python, "python3"), (needs.tmpfs, "a tmpfs")];
        let needed: Vec<&str> = all.into_iter().filter(|(is_needed, _)| *is_needed).map(|(_, what)| what).collect();
        Entry {
            name: scenario.name.to_owned(),
            title: scenario.title.to_owned(),
            seconds: scenario.variants.iter().map(|variant| variant.seconds).fold(0, u64::saturating_add),
            needs: (!needed.is_empty()).then(|| needed.join(", ")),
        }
    }
}

/// A scenario that was not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotRun {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it needs, or why it could not begin: `--flink-home DIR`.
    pub needs: String,
}
