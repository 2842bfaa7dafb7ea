//! From what many places say to cases, and from a case to a verdict.

use super::case::Case;
use super::death::{self, Told};
use super::identity::ROLE;
use super::late::{self, Suspect, Weight};
use super::signal::{Origin, Says, Signal};
use crate::artefact::excerpt::Moment;
use crate::diagnose::causes::CAUSES;
use crate::model::{Area, Bytes, Confidence, Killer, Role};

/// So long before a death is what is under strain still about it.
const BEFORE_SECONDS: i64 = 3600;
/// So long after it come its consequences.
const AFTER_SECONDS: i64 = 300;

/// Who ended the process, and what had filled the memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Who.
    pub killer: Killer,
    /// What had filled the memory.
    pub area: Area,
    /// How sure that is.
    pub confidence: Confidence,
    /// The cause that explains most.
    pub code: Option<&'static str>,
    /// Of the process.
    pub pid: Option<u32>,
    /// The limit that was reached.
    pub limit: Option<Bytes>,
    /// What was used.
    pub usage: Option<Bytes>,
    /// In one sentence without a full stop.
    pub summary: String,
}

/// A case with what is thought of it.
#[derive(Clone, Debug)]
pub struct Judged<'s> {
    /// What is said.
    pub case: Case<'s>,
    /// Every cause that fits, the one that explains most first.
    pub suspects: Vec<Suspect<'s>>,
    /// What it comes down to.
    pub verdict: Verdict,
}

/// All cases that the signals tell of, in the order in which they are first told; one without a death where they tell of
/// none.
pub fn cases(signals: &[Signal]) -> Vec<Judged<'_>> {
    let deaths = death::deaths(signals);
    let beside = || signals.iter().filter(|signal| !matches!(signal.says, Says::Death(_)));
    if deaths.len() < 2 {
        let death = deaths.into_iter().next();
        let role = role(signals, death.as_ref());
        let case = Case { death, signals: beside().collect(), role };
        return vec![judged(case)];
    }
    let units: Vec<Option<&str>> = deaths.iter().map(Told::unit).collect();
    let belongs = |signal: &Signal, told: &Told<'_>| {
        let unit = match &signal.says {
            Says::Ended(ended) => ended.unit.as_deref(),
            _ => None,
        };
        match (unit, told.unit()) {
            (Some(unit), Some(own)) => return unit == own || unit.contains(own) || own.contains(unit),
            (Some(unit), None) if units.contains(&Some(unit)) => return false,
            _ => {}
        }
        matches!(signal.says, Says::Given { .. }) || is_about(signal.at, told.at())
    };
    deaths
        .into_iter()
        .map(|told| {
            let near = beside().filter(|signal| belongs(signal, &told)).collect();
            judged(Case { signals: near, role: role(signals, Some(&told)), death: Some(told) })
        })
        .collect()
}

/// Whether something that is dated may be about a death; what cannot be compared may be.
fn is_about(at: Option<Moment>, death: Option<Moment>) -> bool {
    let before = match (at, death) {
        (Some(Moment::Zoned(at)), Some(Moment::Zoned(death))) => death.duration_since(at).as_secs(),
        (Some(Moment::Local(at)), Some(Moment::Local(death))) => death.duration_since(at).as_secs(),
        (Some(Moment::Yearless(at)), Some(Moment::Yearless(death))) => death.duration_since(at).as_secs(),
        (Some(Moment::Since(at)), Some(Moment::Since(death))) => death.as_secs().saturating_sub(at.as_secs()),
        _ => return true,
    };
    (-AFTER_SECONDS..=BEFORE_SECONDS).contains(&before)
}

/// Whose death it is, where that is said. A log tells of its own process, and a JobManager's of its workers as well: of
/// those it names the container.
fn role(signals: &[Signal], death: Option<&Told<'_>>) -> Option<Role> {
    let (signal, death) = death?.main()?;
    let is_of = |role: &str| {
        signals.iter().any(|other| {
            other.file == signal.file
                && matches!(&other.says, Says::Given { key, value } if key == ROLE && value == role)
        })
    };
    let named = |words: &[&str]| {
        let unit = death.unit.as_deref().unwrap_or_default();
        words.iter().any(|word| unit.contains(word) || signal.quote.contains(word))
    };
    if named(&["taskmanager", "TaskManager", "TaskExecutor"]) || is_of("taskmanager") {
        return Some(Role::TaskManager);
    }
    let own = matches!(death.killer, Killer::Jvm | Killer::Flink) && death.unit.is_none();
    match is_of("jobmanager") {
        true if own => Some(Role::JobManager),
        true => Some(Role::TaskManager),
        false => named(&["jobmanager", "JobManager", "ClusterEntrypoint"]).then_some(Role::JobManager),
    }
}

/// The verdict over everything that is said: that of the case which most deaths are like.
pub fn judge(signals: &[Signal]) -> Verdict {
    let cases = cases(signals);
    main(&cases).map_or_else(nothing, |judged| judged.verdict.clone())
}

/// The case that stands for all: of the cause that most deaths have, and of those as frequent the one whose killer counts
/// most.
pub fn main<'c, 's>(cases: &'c [Judged<'s>]) -> Option<&'c Judged<'s>> {
    let alike = |judged: &Judged<'_>| {
        let key = (judged.verdict.code, judged.verdict.killer);
        cases.iter().filter(|other| (other.verdict.code, other.verdict.killer) == key).count()
    };
    let numbers = |verdict: &Verdict| {
        usize::from(verdict.pid.is_some()) + usize::from(verdict.limit.is_some()) + usize::from(verdict.usage.is_some())
    };
    cases.iter().min_by_key(|judged| {
        let order = (death::rank(judged.verdict.killer), std::cmp::Reverse(numbers(&judged.verdict)));
        (std::cmp::Reverse(alike(judged)), order)
    })
}

fn judged(case: Case<'_>) -> Judged<'_> {
    let suspects = late::suspects(CAUSES, &case);
    let verdict = verdict(&case, &suspects);
    Judged { case, suspects, verdict }
}

fn verdict(case: &Case<'_>, suspects: &[Suspect<'_>]) -> Verdict {
    let first = suspects.first();
    let Some(told) = &case.death else { return without_death(case, suspects) };
    let origins = told.signals.iter().map(|(signal, _)| signal.origin).collect::<std::collections::BTreeSet<Origin>>();
    let own = if origins.len() > 1 { Confidence::High } else { Confidence::Medium };
    let main = told.main();
    Verdict {
        killer: told.killer(),
        area: first.map(|suspect| suspect.area).or(told.area()).unwrap_or(Area::Container),
        confidence: first.map_or(own, |suspect| suspect.confidence),
        code: first.map(|suspect| suspect.cause.code),
        pid: told.pid(),
        limit: told.limit(),
        usage: told.usage(),
        summary: first
            .map(|suspect| suspect.title.clone())
            .or(main.map(|(signal, _)| signal.quote.clone()))
            .unwrap_or_default(),
    }
}

fn without_death(case: &Case<'_>, suspects: &[Suspect<'_>]) -> Verdict {
    let reasons = case.other_reasons();
    let ends = |signal: &&&Signal| matches!(signal.says, Says::OtherReason { ends: true, .. });
    let (killer, told) =
        match (reasons.iter().find(ends), case.ends().first(), reasons.first(), case.consequences().first()) {
            (Some(reason), _, _, _) => (Killer::NotOom, Some(*reason)),
            (None, Some((ended, _)), _, _) => (Killer::Unknown, Some(*ended)),
            (None, None, Some(reason), _) => (Killer::NotOom, Some(*reason)),
            (None, None, None, Some(lost)) => (Killer::Unknown, Some(*lost)),
            (None, None, None, None) => (Killer::NotOom, None),
        };
    let wanted = if killer == Killer::Unknown { Weight::Nothing } else { Weight::NotMemory };
    let suspect = suspects.iter().find(|suspect| suspect.weight == wanted).or(suspects.first());
    let ended = case.ends().first().map(|(_, ended)| *ended);
    // What refused memory just before is what it lacked.
    let refused = case.strains(&["allocation-refused"]).into_iter().find_map(|(_, strain)| strain.area);
    Verdict {
        killer,
        area: refused.filter(|_| killer == Killer::Unknown).unwrap_or(Area::Other),
        confidence: if killer == Killer::Unknown || told.is_none() && suspect.is_none() {
            Confidence::Low
        } else {
            suspect.map_or(Confidence::Medium, |suspect| suspect.confidence)
        },
        code: suspect.map(|suspect| suspect.cause.code),
        pid: ended.and_then(|ended| ended.pid),
        limit: None,
        usage: None,
        summary: suspect
            .map(|suspect| suspect.title.clone())
            .or(told.map(|signal| signal.quote.clone()))
            .unwrap_or_else(|| nothing().summary),
    }
}

fn nothing() -> Verdict {
    Verdict {
        killer: Killer::NotOom,
        area: Area::Other,
        confidence: Confidence::Low,
        code: None,
        pid: None,
        limit: None,
        usage: None,
        summary: "no failure of memory is in the text".to_owned(),
    }
}
