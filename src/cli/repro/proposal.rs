//! What diagnose proposes, as a statement of a loop and as what the second run is given.

use crate::cli::diagnose::Explained;
use crate::model::Role;
use crate::recommend::Change;
use crate::recommend::cure::Step;
use crate::repro::launch::{self, Settings};
use crate::repro::outcome::Statement;

/// Whether diagnose proposed a change of the configuration first, or of the environment, and which.
pub fn proposed(explained: &Explained, role: Role) -> (Statement, Option<Vec<Change>>) {
    let first = explained.advice.recommendations.first();
    let variables: Vec<Change> =
        first.iter().flat_map(|cure| cure.steps.iter().filter_map(|step| variable(step, role))).collect();
    let told = |title: &str, changes: &[Change]| {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        format!("{title}: {}", changes.join(", "))
    };
    let (measured, changes) = match (first, &explained.patch) {
        (Some(cure), _) if !variables.is_empty() => (told(&cure.title, &variables), Some(variables)),
        (_, Some(patch)) => (told(&patch.title, &patch.changes), Some(patch.changes.clone())),
        (Some(other), None) => (format!("no key changes; it says: {}", other.title), None),
        (None, None) => ("nothing was proposed".to_owned(), None),
    };
    let says = "diagnose proposes a change of the configuration, or of the environment".to_owned();
    (Statement { says, held: changes.is_some(), measured }, changes)
}

/// A variable of the environment as the key with which YARN and Kubernetes are told of it.
fn variable(step: &Step, role: Role) -> Option<Change> {
    let Step::Environment { name, value } = step else { return None };
    Some(Change::Set { key: format!("{}{name}", launch::environment_prefix(role)), value: value.clone() })
}

/// Whether what diagnose proposes first is a higher bound of threads, and which: `echo 1024 > pids.max`.
pub fn more_threads(explained: &Explained) -> (Statement, Option<u32>) {
    let first = explained.advice.recommendations.first();
    let most = first.and_then(|cure| {
        cure.steps.iter().find_map(|step| match step {
            Step::Platform { command: Some(command), .. } => {
                command.strip_suffix(" > pids.max")?.strip_prefix("echo ")?.parse().ok()
            }
            _ => None,
        })
    });
    let measured = match (first, most) {
        (Some(cure), Some(most)) => format!("{}: pids.max {most}", cure.title),
        (Some(cure), None) => cure.title.clone(),
        (None, _) => "nothing was proposed".to_owned(),
    };
    let says = "diagnose proposes a higher bound of threads, and no change of memory".to_owned();
    (Statement { says, held: most.is_some(), measured }, most)
}

/// Whether diagnose proposed no memory where memory was not the reason.
pub fn spared(explained: &Explained) -> Statement {
    let grows = |step: &Step| matches!(step, Step::Change(change) if change.key().contains(".memory."));
    let more: Vec<&str> = explained
        .advice
        .recommendations
        .iter()
        .filter(|cure| cure.steps.iter().any(grows))
        .map(|cure| cure.title.as_str())
        .collect();
    Statement {
        says: "diagnose proposes no more memory".to_owned(),
        held: more.is_empty(),
        measured: if more.is_empty() { "none".to_owned() } else { more.join("; ") },
    }
}

/// Settings with changes in them.
pub fn changed(mut settings: Settings, changes: &[Change]) -> Settings {
    for change in changes {
        match change.value() {
            Some(value) => settings.insert(change.key().to_owned(), value.to_owned()),
            None => settings.remove(change.key()),
        };
    }
    settings
}
