//! What moves in the budgets between two versions of one file.

use super::engine::{Told, plans};
use super::policy::Policy;
use super::policy::threshold::BUDGET_SHRINK_PERCENT;
use crate::config::load::TextInput;
use crate::model::{Finding, Place, Role};
use crate::plan::compare::{self, Amount, Group, Measure, Row};
use crate::plan::{Backend, Survey};

/// One process that both versions of a file plan, or only one.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Which of several configurations of the file.
    pub subject: Option<String>,
    /// Whose process.
    pub role: Role,
    /// What became of it.
    pub what: What,
}

/// What became of a process.
#[derive(Clone, Debug)]
pub enum What {
    /// Both versions are accepted, and these measures differ.
    Sizes(Vec<Row>),
    /// It was not planned before: the file, the configuration in it, or its memory is new.
    Appeared,
    /// It is not planned any more.
    Gone,
    /// Flink took it before and refuses it now.
    Refused,
    /// Flink refused it before and takes it now.
    Accepted,
}

/// A process as one version of a file plans it.
pub struct Planned {
    /// Which of several configurations of the file.
    pub subject: Option<String>,
    /// Whose process.
    pub role: Role,
    /// The plan; nothing where Flink refuses it.
    pub survey: Option<Survey>,
    /// Where the role's total is set, else the first of its settings.
    pub place: Option<Place>,
    /// Where keyed state lives.
    pub backend: Backend,
}

/// What moves between two versions; a version that cannot be read plans nothing.
pub fn between(before: &TextInput, after: &TextInput, told: &Told) -> Vec<Moved> {
    let (old, new) = (plans(before, told), plans(after, told));
    let same = |a: &&Planned, b: &Planned| a.role == b.role && a.subject == b.subject;
    let mut all = Vec::new();
    for now in &new {
        let moved = |what| Moved { subject: now.subject.clone(), role: now.role, what };
        let Some(was) = old.iter().find(|was| same(was, now)) else {
            all.push(moved(What::Appeared));
            continue;
        };
        match (&was.survey, &now.survey) {
            (Some(a), Some(b)) => {
                let rows = rows(a, b, &now.backend);
                if !rows.is_empty() {
                    all.push(moved(What::Sizes(rows)));
                }
            }
            (Some(_), None) => all.push(moved(What::Refused)),
            (None, Some(_)) => all.push(moved(What::Accepted)),
            (None, None) => {}
        }
    }
    for was in old.iter().filter(|was| !new.iter().any(|now| same(was, now))) {
        all.push(Moved { subject: was.subject.clone(), role: was.role, what: What::Gone });
    }
    all
}

/// The measures that differ; those of a store only where it is the one in use, or may be.
fn rows(a: &Survey, b: &Survey, backend: &Backend) -> Vec<Row> {
    let is_ours = |measure: Measure| match measure {
        Measure::Pool(store)
        | Measure::BlockCache(store)
        | Measure::WriteBufferManager(store)
        | Measure::ColumnFamily(store) => *backend == Backend::Embedded(store),
        // The same as the part it is a share of.
        Measure::SlotShare(_) => false,
        _ => true,
    };
    let differs = |row: &Row| row.a != row.b && is_ours(row.measure);
    compare::compare(a, b).rows.into_iter().filter(differs).collect()
}

/// The name of a measure.
pub fn label(measure: Measure) -> String {
    match measure.group() {
        Group::Process => measure.label(),
        Group::Slot => format!("{} per slot", measure.label()),
    }
}

/// Findings about what shrinks by more than the policy allows.
pub fn shrunk(before: &TextInput, after: &TextInput, told: &Told, policy: &Policy) -> Vec<Finding> {
    let new = plans(after, told);
    let most = policy.count(&BUDGET_SHRINK_PERCENT);
    let mut found = Vec::new();
    for moved in between(before, after, told) {
        let What::Sizes(rows) = &moved.what else { continue };
        let place = new.iter().find(|now| now.role == moved.role && now.subject == moved.subject);
        for row in rows {
            let (Some(Amount::Size(was)), Some(Amount::Size(is))) = (row.a, row.b) else { continue };
            let lost = was.get().saturating_sub(is.get());
            let percent = u128::from(lost) * 100 / u128::from(was.get().max(1));
            if is < was && percent >= u128::from(most) {
                let place = place.and_then(|now| now.place.as_ref());
                found.extend(super::rules::shrinks(&moved, row.measure, (was, is), most, place));
            }
        }
    }
    found
}
