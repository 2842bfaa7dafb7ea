//! Two looks: what changed between them. Two looks show no trend, and none is told.

use jiff::SignedDuration;

use super::series::value;
use crate::model::{Measure, Observations};

/// What changed of a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of which.
    pub measure: Measure,
    /// What it was, in its unit.
    pub from: u64,
    /// What it is.
    pub to: u64,
}

impl Change {
    /// By how much.
    pub fn by(&self) -> i128 {
        i128::from(self.to) - i128::from(self.from)
    }
}

/// What changed between two looks at one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delta {
    /// The time between them.
    pub over: SignedDuration,
    /// All measures that both have seen, in the order of the later one.
    pub changes: Vec<Change>,
    /// Measures that only one of them has seen.
    pub one_sided: Vec<Measure>,
}

/// What changed from one look to a later one; nothing where they are looks at two processes.
pub fn delta(one: &Observations, later: &Observations) -> Option<Delta> {
    if (one.target.pid, one.target.started) != (later.target.pid, later.target.started) {
        return None;
    }
    let mut measures: Vec<Measure> = Vec::new();
    for observation in later.all.iter().chain(&one.all) {
        if !measures.contains(&observation.measure) {
            measures.push(observation.measure);
        }
    }
    let mut delta = Delta { over: later.at.duration_since(one.at), changes: Vec::new(), one_sided: Vec::new() };
    for measure in measures {
        match (value(one, measure), value(later, measure)) {
            (Some(from), Some(to)) => delta.changes.push(Change { measure, from, to }),
            (None, None) => {}
            _ => delta.one_sided.push(measure),
        }
    }
    Some(delta)
}
