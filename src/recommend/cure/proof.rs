//! The proof: changes are planned, checked and measured against the shortfall before anybody sees them.

use std::collections::BTreeMap;

use super::amount::least_heap;
use super::{Advice, Grown, Patient, Proof, Recommendation, Step, mib};
use crate::check::{Policy, Selection, Told, check};
use crate::config::load::TextInput;
use crate::config::template::Templates;
use crate::config::{Config, FileKind, writing};
use crate::flink::options;
use crate::flink::profile::{ConfigurationFile, Profile};
use crate::model::{Budget, Bytes, Component, Deployment, Role, Severity, Source};
use crate::plan::jvm::Machine;
use crate::plan::rejection::{Reason, Rejection};
use crate::plan::settings::Settings;
use crate::plan::{self, Survey};
use crate::recommend::change::{Change, applied};

/// A part that shrinks by more than this, in hundredths, pays for another one without being asked.
const MOST_TAKEN: u64 = 25;

/// What has to grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// One part of the budget.
    Part(Component),
    /// The whole heap.
    Heap,
    /// What nobody enforces: JVM Overhead, or the cut-off before 1.10.
    Overhead,
    /// What is planned outside of heap and direct memory: managed memory, metaspace and overhead, or the cut-off.
    OutsideHeap,
}

impl Room {
    pub(super) fn size(self, budget: &Budget) -> Bytes {
        let sum = |parts: &[Component]| Bytes::new(parts.iter().map(|part| budget.size(*part).get()).sum());
        match self {
            Room::Part(component) => budget.size(component),
            Room::Heap => budget.heap(),
            Room::Overhead => sum(&[Component::JvmOverhead, Component::CutOff]),
            Room::OutsideHeap => {
                sum(&[Component::Managed, Component::JvmMetaspace, Component::JvmOverhead, Component::CutOff])
            }
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Room::Part(component) => component.label(),
            Room::Heap => "JVM Heap",
            Room::Overhead => "JVM Overhead",
            Room::OutsideHeap => "what is planned outside the heap",
        }
    }

    /// Whether a part of the budget belongs to it.
    fn has(self, component: Component) -> bool {
        match self {
            Room::Part(part) => part == component,
            Room::Heap => component.is_heap(),
            Room::Overhead => matches!(component, Component::JvmOverhead | Component::CutOff),
            Room::OutsideHeap => matches!(
                component,
                Component::Managed | Component::JvmMetaspace | Component::JvmOverhead | Component::CutOff
            ),
        }
    }
}

/// A recommendation that is not proved yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub title: String,
    pub steps: Vec<Step>,
    /// What has to grow, and by how much where the evidence shows it.
    pub room: Option<(Room, Option<Bytes>)>,
    /// Why it may grow by more than twice that.
    pub more: Option<String>,
    pub risk: String,
    pub watch: String,
    pub why: String,
    pub source: &'static str,
    /// The version it is planned with afterwards, where that is another one.
    pub target: Option<&'static Profile>,
}

/// A patient with its plan.
pub(super) struct Case<'a> {
    pub patient: &'a Patient<'a>,
    pub before: Option<Box<Survey>>,
    /// Why there is no plan.
    pub rejection: Option<Box<Rejection>>,
    /// Errors that `check` finds, by code.
    errors: BTreeMap<&'static str, usize>,
}

impl<'a> Case<'a> {
    pub fn of(patient: &'a Patient<'a>) -> Case<'a> {
        let planned = plan::survey(patient.config, patient.profile, patient.question, Machine::default());
        let (before, rejection) = match planned {
            Ok(survey) => (Some(Box::new(survey)), None),
            Err(rejected) => (None, Some(rejected.rejection)),
        };
        let errors = errors(patient, patient.config, patient.profile);
        Case { patient, before, rejection, errors }
    }

    pub fn settings(&self) -> Settings<'a> {
        Settings::new(self.patient.config, self.patient.profile)
    }

    /// How large something is planned; nothing where there is no plan or no such part.
    pub fn size(&self, room: Room) -> Option<Bytes> {
        self.before.as_ref().map(|survey| room.size(&survey.plan.budget)).filter(|size| *size > Bytes::ZERO)
    }

    /// Whether the version has an option.
    pub fn has(&self, key: &str) -> bool {
        options::declared(key, self.patient.profile).is_some()
    }

    /// The text of an option: as it is set, under whatever name, else its default.
    pub fn reading(&self, key: &str) -> Option<String> {
        let declared = options::declared(key, self.patient.profile);
        let old = declared.into_iter().flat_map(|row| row.fallback.iter().chain(row.deprecated));
        let set = std::iter::once(key).chain(old.copied()).find_map(|name| self.value(name));
        set.or_else(|| declared?.default.map(str::to_owned))
    }

    /// A key given a value, and its old names taken out.
    pub fn put(&self, key: &str, value: &str) -> Vec<Step> {
        let declared = options::declared(key, self.patient.profile);
        let old = declared.into_iter().flat_map(|row| row.deprecated.iter().copied());
        let out = old.filter(|name| self.value(name).is_some()).map(|name| Step::Change(Change::remove(name)));
        out.chain([Step::set(key, value)]).collect()
    }

    /// The text of a setting.
    pub fn value(&self, key: &str) -> Option<String> {
        Some(self.patient.config.get(key)?.value.java_text().into_owned())
    }

    /// What a part is called in this version.
    pub fn label(&self, room: Room) -> &'static str {
        match room {
            Room::Overhead if self.is_cut_off() => Component::CutOff.label(),
            _ => room.label(),
        }
    }

    /// Whether something reads the cut-off of Flink 1.9.
    pub fn is_cut_off(&self) -> bool {
        plan::is_cut_off(self.patient.profile, self.patient.role)
    }

    pub fn is_taskmanager(&self) -> bool {
        self.patient.role == Role::TaskManager
    }

    /// Proves a draft and puts it among the recommendations, or why not among the refused.
    pub fn offer(&self, advice: &mut Advice, draft: Draft) -> bool {
        let title = draft.title.clone();
        self.proved(advice, draft).unwrap_or_else(|why| {
            let line = format!("{title}: {why}");
            if !advice.refused.contains(&line) {
                advice.refused.push(line);
            }
            false
        })
    }

    /// The same for one of several ways, of which it is enough that another is there.
    pub fn try_offer(&self, advice: &mut Advice, draft: Draft) -> bool {
        self.proved(advice, draft).unwrap_or(false)
    }

    /// Whether a draft was proved and is new: the same steps by another way are the same cure.
    fn proved(&self, advice: &mut Advice, draft: Draft) -> Result<bool, String> {
        let recommendation = self.prove(draft)?;
        let known = advice.recommendations.iter().any(|other| other.steps == recommendation.steps);
        if !known {
            advice.recommendations.push(recommendation);
        }
        Ok(!known)
    }

    /// A draft twice: with the process as large as it is, where the other parts can bear that, and with a process that
    /// is larger by what they would have lost.
    pub fn offer_within_and_beyond(&self, advice: &mut Advice, draft: Draft) {
        let changes = changes(&draft.steps);
        if self.before.is_none() {
            self.offer(advice, draft);
            return;
        }
        let Some((room, _)) = draft.room else {
            self.offer(advice, draft);
            return;
        };
        let after = self.planned(&changes, self.patient.profile);
        let mut any = false;
        if let Ok(after) = &after {
            let same = after.plan.budget.total_process().bytes <= self.process().unwrap_or_default();
            match self.takes_too_much(room, &after.plan.budget) {
                None => {
                    let mut within = draft.clone();
                    if same {
                        within.title = format!("{}, in the process as it is", draft.title);
                        within.risk = format!("{}; the other parts give it up", within.risk);
                    }
                    any = self.try_offer(advice, within);
                    if any && (!same || !self.shrinks_any(room, &after.plan.budget)) {
                        return;
                    }
                }
                Some(why) if same => advice.refused.push(format!("{}, in the process as it is: {why}", draft.title)),
                Some(_) => {}
            }
        }
        if let Some(steps) = self.with_larger_total(&changes, room) {
            let mut beyond = draft.clone();
            beyond.steps.retain(|step| !matches!(step, Step::Change(_)));
            beyond.steps.splice(0..0, steps.into_iter().map(Step::Change));
            beyond.steps.extend(self.container_step(&beyond.steps));
            beyond.title = format!("{}, in a process that grows with it", draft.title);
            any |= self.try_offer(advice, beyond);
        }
        if !any {
            self.offer(advice, draft);
        }
    }

    /// The limit that has to follow, where it is not Flink that asks for the container.
    pub fn container_step(&self, steps: &[Step]) -> Option<Step> {
        let limit = self.patient.limit?;
        let by_hand = matches!(self.patient.question.deployment, Deployment::Standalone | Deployment::None);
        let after = self.planned(&changes(steps), self.patient.profile).ok()?;
        let process = after.plan.budget.total_process().bytes;
        let grown = process > self.process()?;
        (by_hand && grown && limit < process).then(|| {
            Step::advice(format!("raise the container's limit to {} or more: nothing of Flink's sets it", mib(process)))
        })
    }

    /// The whole process, as planned.
    pub fn process(&self) -> Option<Bytes> {
        self.before.as_ref().map(|survey| survey.plan.budget.total_process().bytes)
    }

    pub(super) fn planned(&self, changes: &[Change], profile: &'static Profile) -> Result<Survey, Box<Rejection>> {
        let changed = applied(self.patient.config, changes);
        plan::survey(&changed, profile, self.patient.question, Machine::default())
            .map_err(|rejected| rejected.rejection)
    }

    /// The plan with changes in it, in the same version.
    pub fn with(&self, changes: &[Change]) -> Option<Survey> {
        self.planned(changes, self.patient.profile).ok()
    }

    /// Whether any other part is smaller then.
    pub(super) fn shrinks_any(&self, room: Room, after: &Budget) -> bool {
        let Some(before) = &self.before else { return false };
        let parts = before.plan.budget.parts().iter();
        parts.filter(|(part, _)| !room.has(*part)).any(|(part, figure)| after.size(*part) < figure.bytes)
    }

    /// Why the other parts cannot pay for it; nothing where they can.
    fn takes_too_much(&self, room: Room, after: &Budget) -> Option<String> {
        let before = &self.before.as_ref()?.plan.budget;
        if let Some(live) = self.patient.evidence.heap_live
            && room != Room::Heap
            && after.heap() < before.heap()
            && after.heap() < least_heap(live)
        {
            return Some(format!("the heap would be {} with {} that live in it", mib(after.heap()), mib(live)));
        }
        let needs = [
            (Component::Network, self.patient.evidence.network_need),
            (Component::JvmMetaspace, self.patient.evidence.metaspace_used),
        ];
        let starved = needs.into_iter().find_map(|(part, need)| {
            let is = after.part(part).filter(|_| !room.has(part))?.bytes;
            need.filter(|need| is < *need && is < before.size(part)).map(|need| (part, is, need))
        });
        if let Some((part, is, need)) = starved {
            return Some(format!("{part} would be {} and needs {}", mib(is), mib(need)));
        }
        before.parts().iter().filter(|(part, _)| !room.has(*part)).find_map(|(part, figure)| {
            let (was, is) = (figure.bytes.get(), after.size(*part).get());
            let lost = was.saturating_sub(is);
            (u128::from(lost) * 100 > u128::from(was) * u128::from(MOST_TAKEN))
                .then(|| format!("{part} would fall from {} to {}", mib(figure.bytes), mib(Bytes::new(is))))
        })
    }

    /// Plans, checks and measures.
    pub fn prove(&self, draft: Draft) -> Result<Recommendation, String> {
        let changes = changes(&draft.steps);
        let profile = draft.target.unwrap_or(self.patient.profile);
        let proof = |proof: Proof, after: Option<Box<Survey>>| Recommendation {
            title: draft.title.clone(),
            answers: self.patient.cause,
            steps: draft.steps.clone(),
            grows: self.moved(after.as_deref()),
            costs: self.process().zip(after.as_ref().map(|survey| survey.plan.budget.total_process().bytes)),
            before: self.before.clone(),
            after,
            risk: draft.risk.clone(),
            watch: draft.watch.clone(),
            why: draft.why.clone(),
            source: draft.source,
            proof,
        };
        if changes.is_empty() {
            return Ok(proof(Proof::Outside, None));
        }
        let after = match self.planned(&changes, profile) {
            Ok(after) => after,
            Err(rejection) if self.before.is_some() => return Err(format!("Flink refuses it: {rejection}")),
            Err(rejection) => {
                let why = match rejection.reason {
                    Some(Reason::NoTotal { .. }) => {
                        "no total of its memory is known: give the configuration with --conf to have it planned"
                            .to_owned()
                    }
                    _ => format!("Flink refuses the configuration, before and after: {rejection}"),
                };
                return Ok(proof(Proof::Unplanned(why), None));
            }
        };
        let changed = applied(self.patient.config, &changes);
        let errors = errors(self.patient, &changed, profile);
        if let Some((code, _)) =
            errors.iter().find(|(code, count)| self.errors.get(*code).is_none_or(|known| known < *count))
        {
            return Err(format!("check finds an error in it that was not there ({code})"));
        }
        let room = match (draft.room, &self.before) {
            (Some((room, least)), Some(before)) => Some(grown(
                self.label(room),
                (room.size(&before.plan.budget), room.size(&after.plan.budget)),
                least,
                draft.more.as_ref(),
            )?),
            _ => None,
        };
        let count = |errors: &BTreeMap<_, usize>| errors.values().sum();
        let proved = Proof::Planned { room, errors: (count(&self.errors), count(&errors)) };
        Ok(proof(proved, Some(Box::new(after))))
    }

    /// The parts that are another size then.
    fn moved(&self, after: Option<&Survey>) -> Vec<(Component, Bytes, Bytes)> {
        let (Some(before), Some(after)) = (&self.before, after) else { return Vec::new() };
        let (before, after) = (&before.plan.budget, &after.plan.budget);
        let mut parts: Vec<Component> = before.parts().iter().chain(after.parts()).map(|(part, _)| *part).collect();
        parts.sort_unstable();
        parts.dedup();
        let moved = parts.into_iter().map(|part| (part, before.size(part), after.size(part)));
        moved.filter(|(_, was, is)| was != is).collect()
    }
}

/// The changes of keys among steps.
pub(super) fn changes(steps: &[Step]) -> Vec<Change> {
    let change = |step: &Step| match step {
        Step::Change(change) => Some(change.clone()),
        _ => None,
    };
    steps.iter().filter_map(change).collect()
}

/// Whether a part grows as it must: by the shortfall, and by no more than twice that without a reason.
fn grown(
    what: &'static str,
    sizes: (Bytes, Bytes),
    least: Option<Bytes>,
    more: Option<&String>,
) -> Result<Grown, String> {
    let (before, after) = sizes;
    let by = after
        .checked_sub(before)
        .filter(|by| *by > Bytes::ZERO)
        .ok_or_else(|| format!("{what} would not grow: {} before, {} after", mib(before), mib(after)))?;
    let twice = least.map(|least| Bytes::new(least.get().saturating_mul(2)));
    if least.is_some_and(|least| by < least) {
        return Err(format!("{what} would grow by {}, less than it was short of", mib(by)));
    }
    let beyond = twice.is_some_and(|twice| by > twice);
    if beyond && more.is_none() {
        return Err(format!("{what} would grow by {}, more than twice what it was short of", mib(by)));
    }
    let more = more.filter(|_| beyond).cloned();
    Ok(Grown { what, before, after, shortfall: least, more })
}

/// What `check` finds at error level, by code: the configuration is written as the version's own file and read again.
fn errors(patient: &Patient<'_>, config: &Config, profile: &'static Profile) -> BTreeMap<&'static str, usize> {
    let kind = match profile.behaviour.configuration_file {
        ConfigurationFile::StandardOnly => FileKind::Standard,
        ConfigurationFile::LegacyOnly | ConfigurationFile::LegacyElseStandard => FileKind::Legacy,
    };
    let mut text = String::new();
    for (key, setting) in config.iter() {
        let option = profile.option(key).map(|row| row.kind);
        if let Ok(line) = writing::line(kind, key, &setting.value, option) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    let input = TextInput {
        source: Source::Proposed,
        text,
        kind_by_name: Some(kind),
        distribution: None,
        templates: Templates::Masked,
    };
    let told = Told {
        version: Some(profile.version()),
        // What is pieced together says nothing of the other process.
        role: (!patient.whole).then_some(patient.role),
        deployment: Some(patient.question.deployment).filter(|deployment| *deployment != Deployment::None),
        ..Told::default()
    };
    let checked = check(&input, &told, &Policy::default(), None, &Selection::default());
    let mut by_code = BTreeMap::new();
    for finding in checked.map(|checked| checked.findings).unwrap_or_default() {
        if finding.severity == Severity::Error {
            *by_code.entry(finding.code).or_default() += 1;
        }
    }
    by_code
}
