//! What moves in the budgets between two versions of one file.

use super::engine::{Told, plans};
use super::policy::Policy;
use super::policy::threshold::BUDGET_SHRINK_PERCENT;
use crate::config::load::TextInput;
use crate::config::{Config, Setting};
use crate::flink::sensitive;
use crate::model::{Bytes, Finding, Place, Role};
use crate::plan::compare::{self, Amount, Measure, Row};
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
    /// The configuration.
    pub config: Config,
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

/// A size that shrinks: what it is, what it was, what it is now.
pub type Shrunk = (Measure, Bytes, Bytes);

/// Findings about what shrinks by more than the policy allows, one a process.
pub fn shrunk(before: &TextInput, after: &TextInput, told: &Told, policy: &Policy) -> Vec<Finding> {
    let (old, new) = (plans(before, told), plans(after, told));
    let most = policy.count(&BUDGET_SHRINK_PERCENT);
    let mut found = Vec::new();
    for moved in between(before, after, told) {
        let What::Sizes(rows) = &moved.what else { continue };
        let percent = |was: Bytes, is: Bytes| {
            let lost = was.get().saturating_sub(is.get());
            u128::from(lost) * 100 / u128::from(was.get().max(1))
        };
        let sizes = rows.iter().filter_map(|row| match (row.a, row.b) {
            (Some(Amount::Size(was)), Some(Amount::Size(is))) => Some((row.measure, was, is)),
            _ => None,
        });
        let mut lost: Vec<Shrunk> =
            sizes.filter(|(_, was, is)| is < was && percent(*was, *is) >= u128::from(most)).collect();
        // The one that loses most leads; of equals the first of the table does.
        lost.sort_by_key(|(_, was, is)| std::cmp::Reverse(percent(*was, *is)));
        if lost.is_empty() {
            continue;
        }
        let of = |all: &'_ [Planned]| all.iter().position(|p| p.role == moved.role && p.subject == moved.subject);
        let (was, is) = (of(&old).map(|at| &old[at]), of(&new).map(|at| &new[at]));
        let changed = was.zip(is).map(|(was, is)| changed(was, is)).unwrap_or_default();
        found.extend(super::rules::shrinks(&moved, &lost, &changed, is.and_then(|is| is.place.as_ref())));
    }
    found
}

/// The settings of a process that have another value than before, with what they were; in the order of the text.
fn changed(was: &Planned, is: &Planned) -> Vec<(Place, String)> {
    let differs = |key: &str, setting: &Setting| {
        let old = was.config.get(key).map(|old| old.value.java_text().into_owned());
        let same = old.as_deref() == Some(&*setting.value.java_text());
        (!same).then(|| match old {
            Some(old) => format!("was {}", sensitive::shown(key, &old)),
            None => "is new".to_owned(),
        })
    };
    let of_role = |key: &str| {
        let other = match is.role {
            Role::TaskManager => "jobmanager.",
            Role::JobManager => "taskmanager.",
        };
        !key.starts_with(other)
    };
    let mut changed: Vec<(Place, String)> = is
        .config
        .iter()
        .filter(|(key, _)| of_role(key))
        .filter_map(|(key, setting)| Some((setting.place.clone(), differs(key, setting)?)))
        .collect();
    changed.sort_by_key(|(place, _)| place.position.map(|position| position.line));
    changed
}
