//! How a cause is recognised in what a dead process leaves: what has to be there, what speaks for it, and what against.

use std::collections::BTreeSet;

use super::case::Case;
use super::signal::{Origin, Signal};
use crate::diagnose::cause::Cause;
use crate::model::{Area, Confidence};

/// Looks for signals.
pub type Search = for<'s> fn(&Case<'s>) -> Vec<&'s Signal>;

/// The marks of a cause.
#[derive(Clone, Copy)]
pub struct Late {
    /// What has to be there: where this finds nothing, it was not this cause.
    pub required: Search,
    /// What speaks for it besides.
    pub supporting: Search,
    /// What speaks against it.
    pub contradicting: Search,
    /// How much it explains.
    pub weight: Weight,
    /// What had filled the memory, or was too small.
    pub area: fn(&Case<'_>) -> Area,
    /// The verdict in one sentence without a full stop, with the numbers of the case.
    pub title: fn(&Case<'_>) -> String,
    /// The one thing that would decide where this is not sure.
    pub decides: Option<Decides>,
}

/// How much a cause explains: a cause that says what filled the memory comes before one that only says which limit was
/// reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It says what filled the memory, or which setting was wrong.
    Explains,
    /// It says which limit was reached, and not by what.
    Bounds,
    /// It says that memory was not the reason.
    NotMemory,
    /// It ended, and that is all.
    Nothing,
    /// It costs time or will kill another day; it did not kill now.
    Beside,
}

/// The one piece of evidence that would decide, and the command that fetches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decides {
    /// What.
    pub evidence: &'static str,
    /// How: a command that only reads.
    pub command: &'static str,
}

/// A cause that fits a case.
#[derive(Clone, Debug)]
pub struct Suspect<'s> {
    /// Which.
    pub cause: &'static Cause,
    /// How much it explains.
    pub weight: Weight,
    /// What had filled the memory.
    pub area: Area,
    /// How sure it is.
    pub confidence: Confidence,
    /// In one sentence without a full stop.
    pub title: String,
    /// What speaks for it, what has to be there first.
    pub supports: Vec<&'s Signal>,
    /// What speaks against it.
    pub contradicts: Vec<&'s Signal>,
    /// What would decide.
    pub decides: Option<Decides>,
}

impl Late {
    /// The least that a cause declares; the others find nothing.
    pub(crate) const UNMARKED: Late = Late {
        required: |_| Vec::new(),
        supporting: |_| Vec::new(),
        contradicting: |_| Vec::new(),
        weight: Weight::Explains,
        area: |case| case.death.as_ref().and_then(super::death::Told::area).unwrap_or(Area::Other),
        title: |_| String::new(),
        decides: None,
    };
}

/// Looks for one cause in a case.
pub fn suspect<'s>(cause: &'static Cause, case: &Case<'s>) -> Option<Suspect<'s>> {
    let late = cause.late.as_ref()?;
    let mut supports = (late.required)(case);
    if supports.is_empty() {
        return None;
    }
    for signal in (late.supporting)(case) {
        if !supports.contains(&signal) {
            supports.push(signal);
        }
    }
    let contradicts = (late.contradicting)(case);
    let title = Some((late.title)(case)).filter(|title| !title.is_empty()).unwrap_or_else(|| cause.summary());
    Some(Suspect {
        cause,
        weight: late.weight,
        area: (late.area)(case),
        confidence: confidence(late.weight, &supports, &contradicts),
        title,
        supports,
        contradicts,
        decides: late.decides,
    })
}

/// High needs two signals of different origin: one death told twice by one program is one signal. What speaks against it
/// takes a step away.
fn confidence(weight: Weight, supports: &[&Signal], contradicts: &[&Signal]) -> Confidence {
    let origins: BTreeSet<Origin> = supports.iter().map(|signal| signal.origin).collect();
    match (weight, origins.len(), contradicts.is_empty()) {
        (Weight::Nothing, _, _) => Confidence::Low,
        (_, 2.., true) => Confidence::High,
        (_, 2.., false) | (_, _, true) => Confidence::Medium,
        _ => Confidence::Low,
    }
}

/// All causes that fit, the one that explains most first; of those that explain as much, the surest, then the one for which
/// most speaks.
pub fn suspects<'s>(causes: &[&'static Cause], case: &Case<'s>) -> Vec<Suspect<'s>> {
    let mut found: Vec<Suspect<'s>> = causes.iter().filter_map(|cause| suspect(cause, case)).collect();
    found.sort_by_key(|suspect| {
        let against = suspect.contradicts.len();
        (
            suspect.weight,
            std::cmp::Reverse(suspect.confidence),
            std::cmp::Reverse(suspect.supports.len().saturating_sub(against)),
            suspect.cause.code,
        )
    });
    found
}
