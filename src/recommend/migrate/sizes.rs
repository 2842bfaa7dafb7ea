//! The sizes that a migration keeps, whether they are kept, and why not where they are not.

use super::Request;
use crate::model::{Bytes, Component, Role};
use crate::plan::compare::{Amount, Measure, measures};
use crate::plan::{Mode, Rejected, Survey, is_cut_off};

/// A size that a migration keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The Java heap: framework and task heap.
    Heap,
    /// Managed memory.
    Managed,
    /// What RocksDB or ForSt may take in a slot.
    Store,
    /// The whole process, which is the container.
    Process,
}

impl Goal {
    /// The name in a sentence.
    pub fn label(self) -> &'static str {
        match self {
            Goal::Heap => "JVM heap",
            Goal::Managed => "managed memory",
            Goal::Store => "the state backend's memory",
            Goal::Process => "the whole process",
        }
    }

    /// The name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Goal::Heap => "jvm_heap",
            Goal::Managed => "managed",
            Goal::Store => "state_backend",
            Goal::Process => "total_process",
        }
    }
}

/// A size that is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Which.
    pub goal: Goal,
    /// What it was; nothing where it is no single size.
    pub before: Option<Bytes>,
    /// What it is now.
    pub after: Option<Bytes>,
    /// Why it could not be kept.
    pub why: String,
}

/// The sizes of a plan that are to be kept.
pub struct Wanted {
    heap: Bytes,
    managed: Bytes,
    process: Bytes,
    store: Vec<(Measure, Amount)>,
    /// Whether there is a whole process to keep: a start script of Flink 1.9 divides a total that is none.
    whole: bool,
}

/// What a store may take, as far as it is planned.
fn store_of(survey: &Survey) -> Vec<(Measure, Amount)> {
    let is_store = |measure: &Measure| {
        matches!(
            measure,
            Measure::Pool(_) | Measure::BlockCache(_) | Measure::WriteBufferManager(_) | Measure::ColumnFamily(_)
        )
    };
    measures(survey).into_iter().filter(|(measure, _)| is_store(measure)).collect()
}

impl Wanted {
    /// The sizes of the old plan.
    pub fn of(before: &Survey) -> Wanted {
        let budget = &before.plan.budget;
        Wanted {
            heap: budget.heap(),
            managed: budget.size(Component::Managed),
            process: budget.total_process().bytes,
            store: store_of(before),
            whole: before.plan.mode != Mode::StartScript,
        }
    }

    /// The Java heap to keep.
    pub fn heap(&self) -> Bytes {
        self.heap
    }

    /// Managed memory to keep.
    pub fn managed(&self) -> Bytes {
        self.managed
    }

    /// The whole process to keep, where there is one.
    pub fn process(&self) -> Option<Bytes> {
        self.whole.then_some(self.process)
    }

    /// Whether a plan keeps a size.
    pub fn is_kept(&self, goal: Goal, after: &Survey) -> bool {
        let budget = &after.plan.budget;
        match goal {
            Goal::Heap => budget.heap() == self.heap,
            Goal::Managed => budget.size(Component::Managed) == self.managed,
            Goal::Process => budget.total_process().bytes == self.process,
            Goal::Store => store_of(after) == self.store,
        }
    }

    /// The sizes that a search for a configuration goes by, the whole set first, then what is given up for what.
    pub fn goals(&self) -> Vec<Vec<Goal>> {
        match self.whole {
            true => vec![
                vec![Goal::Heap, Goal::Managed, Goal::Store, Goal::Process],
                vec![Goal::Heap, Goal::Managed, Goal::Process],
                // A container that is too small for all of it: it stays, and the heap gets what is left.
                vec![Goal::Managed, Goal::Store, Goal::Process],
                vec![Goal::Managed, Goal::Process],
                vec![Goal::Heap, Goal::Managed],
                vec![Goal::Process],
                // Whatever Flink accepts.
                Vec::new(),
            ],
            false => {
                vec![vec![Goal::Heap, Goal::Managed, Goal::Store], vec![Goal::Heap, Goal::Managed], vec![Goal::Heap]]
            }
        }
    }
}

/// What the new plan keeps of the old one, and what it does not.
pub fn verdict(
    request: &Request<'_>,
    role: Role,
    before: &Survey,
    after: &Result<Survey, Rejected>,
) -> (Vec<Goal>, Vec<Lost>) {
    let wanted = Wanted::of(before);
    let goals = match role {
        Role::TaskManager => &[Goal::Heap, Goal::Managed, Goal::Store, Goal::Process][..],
        Role::JobManager => &[Goal::Heap, Goal::Process][..],
    };
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for goal in goals.iter().copied() {
        match after {
            Ok(after) if wanted.is_kept(goal, after) => kept.push(goal),
            Ok(after) => lost.push(Lost {
                goal,
                before: size(goal, before),
                after: size(goal, after),
                why: why(request, &wanted, goal, before, after),
            }),
            Err(rejected) => lost.push(Lost {
                goal,
                before: size(goal, before),
                after: None,
                why: format!("Flink {} refuses it: {}", request.to.version(), rejected.rejection),
            }),
        }
    }
    (kept, lost)
}

fn size(goal: Goal, survey: &Survey) -> Option<Bytes> {
    let budget = &survey.plan.budget;
    match goal {
        Goal::Heap => Some(budget.heap()),
        Goal::Managed => Some(budget.size(Component::Managed)),
        Goal::Process => Some(budget.total_process().bytes),
        Goal::Store => store_of(survey).first().map(|(_, amount)| Bytes::new(amount.get())),
    }
}

/// The sum that is larger than what it had to fit in, or what else stands in the way.
fn why(request: &Request<'_>, wanted: &Wanted, goal: Goal, before: &Survey, after: &Survey) -> String {
    let (from, to) = (request.from.version(), request.to.version());
    if goal == Goal::Store {
        let [none_before, none_after] = [before, after].map(|survey| store_of(survey).is_empty());
        if none_before && !none_after {
            return format!("Flink {from} refuses it when a job starts, or has it for another backend");
        }
        return match store_of(after).first() {
            None => format!("Flink {to} refuses it when a job starts, or has it for another backend"),
            Some((Measure::Pool(_), _)) if store_of(before).iter().any(|(m, _)| matches!(m, Measure::Pool(_))) => {
                format!("Flink {to} shares managed memory out by other weights than Flink {from}")
            }
            _ => format!("Flink {from} and Flink {to} do not bound it in the same way"),
        };
    }
    if is_cut_off(request.to, after.plan.budget.role()) {
        return format!("Flink {to} takes a cut-off or nothing off one total, and has no options for the parts");
    }
    let budget = &after.plan.budget;
    let rest: Vec<(Component, Bytes)> = budget
        .parts()
        .iter()
        .filter(|(component, _)| !component.is_heap() && *component != Component::Managed)
        .map(|(component, figure)| (*component, figure.bytes))
        .collect();
    let mut named = vec![("JVM Heap", wanted.heap)];
    if budget.part(Component::Managed).is_some() {
        named.push(("Managed Memory", wanted.managed));
    }
    named.extend(rest.iter().map(|(component, bytes)| (component.label(), *bytes)));
    let sum = Bytes::new(named.iter().fold(0u64, |sum, (_, bytes)| sum.saturating_add(bytes.get())));
    let parts: Vec<String> = named
        .iter()
        .filter(|(_, bytes)| *bytes > Bytes::ZERO)
        .map(|(name, bytes)| format!("{name} {}", bytes))
        .collect();
    let total = wanted.process;
    match before.plan.mode {
        Mode::StartScript => format!(
            "the start script of Flink {from} divides {total} and plans nothing else; Flink {to} plans {}, together {}",
            parts.join(" + "),
            sum
        ),
        _ if sum > wanted.process => {
            format!("{} is {}, and the container has {total}", parts.join(" + "), sum)
        }
        _ => format!("the options that are set leave no way to have {total} of {} in Flink {to}", parts.join(" + ")),
    }
}
