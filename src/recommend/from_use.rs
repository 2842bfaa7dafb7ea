//! Sizes from what a running process really uses: each recommendation with the changes, the plan that proves it, and its risk.
//!
//! A part is made larger where what is used leaves it too little, after minutes already; smaller only after a day, since a
//! peak that was not seen yet is no less real. The whole process stays as large as it is where the others can give what
//! is needed without falling below their own use; else it grows, and by how much is said. What was not seen, or not for
//! long enough, is not recommended on, and why is said as well.

mod needs;
#[cfg(test)]
mod tests;

use super::Change;
use super::change::applied;
use super::want::{self, Target, Want};
use crate::config::Config;
use crate::flink::profile::Profile;
use crate::model::{Budget, Bytes, Component, Role, Seen, Unseen};
use crate::plan::jvm::Machine;
use crate::plan::{self, Question, Rejected, Survey};
use needs::Need;

/// What a process uses, as it was seen.
#[derive(Clone, Debug)]
pub struct Use {
    /// For how long it has run, in seconds.
    pub seconds: Seen<u64>,
    /// Collections of its heap so far.
    pub collections: Seen<u64>,
    /// What is left in its heap after a collection of the old generation; the largest that was seen.
    pub live_set: Seen<Bytes>,
    /// What the old generation holds now, garbage included: what lives is not more.
    pub live_at_most: Seen<Bytes>,
    /// Metaspace in use, the class space included.
    pub metaspace: Seen<Bytes>,
    /// By how much that grows in an hour; nothing where it was not watched or does not grow.
    pub metaspace_growth: Option<Bytes>,
    /// Network buffers in use, in bytes; the largest that was seen.
    pub network: Seen<Bytes>,
    /// What RocksDB or ForSt has in use: blocks, memtables, index and filter blocks.
    pub store: Seen<Bytes>,
    /// Managed memory that somebody has reserved. Flink reserves for a state backend as soon as it starts.
    pub managed_reserved: Seen<Bytes>,
    /// Slots that have a job.
    pub slots_in_use: Seen<u64>,
    /// What JVM Overhead pays for, without what the allocator keeps.
    pub overhead: Seen<Bytes>,
    /// What the allocator keeps of freed memory.
    pub retained: Seen<Bytes>,
}

impl Use {
    /// One of which nothing is known, for the reason given.
    pub fn unseen(why: &Unseen) -> Use {
        Use {
            seconds: Err(why.clone()),
            collections: Err(why.clone()),
            live_set: Err(why.clone()),
            live_at_most: Err(why.clone()),
            metaspace: Err(why.clone()),
            metaspace_growth: None,
            network: Err(why.clone()),
            store: Err(why.clone()),
            managed_reserved: Err(why.clone()),
            slots_in_use: Err(why.clone()),
            overhead: Err(why.clone()),
            retained: Err(why.clone()),
        }
    }
}

/// A part of the budget that use can size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The Java heap.
    Heap,
    /// Metaspace.
    Metaspace,
    /// Network buffers.
    Network,
    /// Managed memory.
    Managed,
    /// JVM Overhead.
    Overhead,
}

impl Part {
    /// All of them, in the order of reports.
    pub const ALL: [Part; 5] = [Part::Heap, Part::Metaspace, Part::Network, Part::Managed, Part::Overhead];

    /// The name in a sentence.
    pub fn label(self) -> &'static str {
        match self {
            Part::Heap => "the heap",
            Part::Metaspace => "metaspace",
            Part::Network => "network memory",
            Part::Managed => "managed memory",
            Part::Overhead => "JVM Overhead",
        }
    }

    /// How large it is; nothing where this role or this model has none.
    pub fn size(self, budget: &Budget) -> Option<Bytes> {
        let part = |component| budget.part(component).map(|figure| figure.bytes);
        match self {
            Part::Heap => Some(budget.heap()).filter(|heap| *heap > Bytes::ZERO),
            Part::Metaspace => part(Component::JvmMetaspace),
            Part::Network => part(Component::Network),
            Part::Managed => part(Component::Managed),
            Part::Overhead => part(Component::JvmOverhead),
        }
    }

    /// The want that gives it a size.
    fn want(self, bytes: Bytes, budget: &Budget) -> Option<Want> {
        let component = match (self, budget.role()) {
            (Part::Heap, Role::JobManager) => Component::Heap,
            // Framework heap stays as it is.
            (Part::Heap, Role::TaskManager) => {
                let task = bytes.checked_sub(budget.size(Component::FrameworkHeap))?;
                return Some(Want { target: Target::Part(Component::TaskHeap), bytes: task });
            }
            (Part::Metaspace, _) => Component::JvmMetaspace,
            (Part::Network, _) => Component::Network,
            (Part::Managed, _) => Component::Managed,
            (Part::Overhead, _) => Component::JvmOverhead,
        };
        Some(Want { target: Target::Part(component), bytes })
    }
}

/// One recommendation.
#[derive(Clone, Debug)]
pub struct Recommendation {
    /// What it sizes.
    pub part: Part,
    /// The cause of a coming end that it answers: `OOM908`; nothing where it only saves memory.
    pub answers: Option<&'static str>,
    /// What to change.
    pub changes: Vec<Change>,
    /// How large the part is.
    pub before: Bytes,
    /// How large it becomes.
    pub after: Bytes,
    /// How large the whole process is.
    pub process_before: Bytes,
    /// How large that becomes: the same, or so much larger that the container must grow with it.
    pub process_after: Bytes,
    /// The plan with the changes: the proof.
    pub survey: Box<Survey>,
    /// What it rests on, a sentence.
    pub why: String,
    /// What may go wrong with it, a sentence.
    pub risk: &'static str,
    /// Where the rule is from.
    pub source: &'static str,
}

/// Everything that can be said of a process's sizes.
#[derive(Clone, Debug, Default)]
pub struct Advice {
    /// What should change, by part.
    pub recommendations: Vec<Recommendation>,
    /// Parts of which nothing is recommended because too little was seen, or because nothing fits, with the reason as an
    /// end to the sentence "nothing is recommended: ".
    pub withheld: Vec<(Part, String)>,
    /// Parts that are as they should be.
    pub fitting: Vec<Part>,
}

/// Recommends sizes for a configuration from what its process uses.
///
/// # Errors
/// [`Rejected`] where Flink refuses the configuration as it is.
pub fn advise(
    config: &Config,
    profile: &'static Profile,
    question: &Question,
    machine: Machine,
    used: &Use,
) -> Result<Advice, Rejected> {
    let survey = plan::survey(config, profile, question, machine)?;
    let mut advice = Advice::default();
    let case = Case { config, profile, question, machine, used, survey: &survey };
    for part in Part::ALL {
        let Some(size) = part.size(&survey.plan.budget) else { continue };
        match needs::need(part, size, used) {
            Err(why) => advice.withheld.push((part, why)),
            Ok(None) => advice.fitting.push(part),
            Ok(Some(need)) if plan::is_cut_off(profile, question.role) => {
                let why = format!("{}, but before Flink 1.10 no option sizes {} alone", need.why, part.label());
                advice.withheld.push((part, why));
            }
            Ok(Some(need)) => match case.recommend(part, size, need) {
                Ok(recommendation) => advice.recommendations.push(recommendation),
                Err(why) => advice.withheld.push((part, why)),
            },
        }
    }
    Ok(advice)
}

struct Case<'a> {
    config: &'a Config,
    profile: &'static Profile,
    question: &'a Question,
    machine: Machine,
    used: &'a Use,
    survey: &'a Survey,
}

impl Case<'_> {
    fn recommend(&self, part: Part, before: Bytes, need: Need) -> Result<Recommendation, String> {
        let budget = &self.survey.plan.budget;
        let process_before = budget.total_process().bytes;
        let nothing =
            || format!("{}, but no change of options gives that without taking from others what they use", need.why);
        let want = part.want(need.bytes, budget).ok_or_else(nothing)?;
        for wants in self.attempts(part, want, before, need.bytes) {
            let Ok(solution) = want::solve(self.config, self.profile, self.question, &wants) else { continue };
            if solution.changes.is_empty() {
                continue;
            }
            let changed = applied(self.config, &solution.changes);
            let Ok(survey) = plan::survey(&changed, self.profile, self.question, self.machine) else { continue };
            if !self.leaves_others(part, &survey.plan.budget) {
                continue;
            }
            let Some(after) = part.size(&survey.plan.budget) else { continue };
            return Ok(Recommendation {
                part,
                answers: need.answers,
                changes: solution.changes,
                before,
                after,
                process_before,
                process_after: survey.plan.budget.total_process().bytes,
                survey: Box::new(survey),
                why: need.why,
                risk: need.risk,
                source: need.source,
            });
        }
        Err(nothing())
    }

    /// What is tried, the least that anyone notices first: the process as large as it is; the same with one part that has
    /// room giving what is needed; every other part as it is, so that the process grows or shrinks by the difference.
    fn attempts(&self, part: Part, want: Want, before: Bytes, bytes: Bytes) -> Vec<Vec<Want>> {
        let budget = &self.survey.plan.budget;
        let others = || Part::ALL.into_iter().filter(move |other| *other != part);
        let pinned = |donor: Option<(Part, Bytes)>| -> Vec<Want> {
            let size = |other: Part| match donor {
                Some((giving, less)) if giving == other => Some(less),
                _ => other.size(budget),
            };
            std::iter::once(want).chain(others().filter_map(|other| other.want(size(other)?, budget))).collect()
        };
        let process = Want { target: Target::Process, bytes: budget.total_process().bytes };
        let mut attempts = vec![vec![want, process]];
        if let Some(more) = bytes.checked_sub(before) {
            let giving = |other: Part| {
                let less = other.size(budget)?.checked_sub(more)?;
                needs::least(other, self.used).filter(|least| less >= *least).map(|_| (other, less))
            };
            attempts.extend(others().filter_map(giving).map(|donor| pinned(Some(donor))));
        }
        attempts.extend([pinned(None), vec![want]]);
        attempts
    }

    /// Whether every other part keeps what it has, or at least what it is known to need.
    fn leaves_others(&self, sized: Part, after: &Budget) -> bool {
        let before = &self.survey.plan.budget;
        let parts = Part::ALL.into_iter().filter(|part| *part != sized).all(|part| {
            let (Some(was), Some(is)) = (part.size(before), part.size(after)) else { return true };
            is >= was || needs::least(part, self.used).is_some_and(|least| is >= least)
        });
        // Off-heap parts have no figure of their use here.
        let kept = [Component::FrameworkHeap, Component::FrameworkOffHeap, Component::TaskOffHeap, Component::OffHeap];
        parts && kept.into_iter().all(|component| after.size(component) >= before.size(component))
    }
}
