//! Options that hold a size where it was: the smallest set of them that keeps what is to be kept, found by planning.

use super::names::{has_managed_rocksdb, size_of};
use super::sizes::{Goal, Wanted};
use super::{Draft, Request, planned};
use crate::config::{Config, Value};
use crate::flink::key::{Key, Size};
use crate::flink::keys;
use crate::flink::memory_size::written;
use crate::flink::profile::Profile;
use crate::model::{Bytes, Component, Place, Role, Source, UseCase};
use crate::plan::compare::compare;
use crate::plan::{Survey, is_cut_off};

/// Options that hold one size together.
struct Pin {
    options: Vec<(&'static str, String)>,
    why: String,
}

impl Pin {
    fn size(key: Key<Size>, bytes: Bytes, why: impl Into<String>) -> Pin {
        Pin { options: vec![(key.name(), written(bytes))], why: why.into() }
    }
}

/// The options of a role.
struct RoleKeys {
    process: Key<Size>,
    metaspace: Key<Size>,
    overhead_min: Key<Size>,
    overhead_max: Key<Size>,
}

fn keys_of(role: Role) -> RoleKeys {
    match role {
        Role::TaskManager => RoleKeys {
            process: keys::TM_PROCESS,
            metaspace: keys::TM_METASPACE,
            overhead_min: keys::TM_OVERHEAD_MIN,
            overhead_max: keys::TM_OVERHEAD_MAX,
        },
        Role::JobManager => RoleKeys {
            process: keys::JM_PROCESS,
            metaspace: keys::JM_METASPACE,
            overhead_min: keys::JM_OVERHEAD_MIN,
            overhead_max: keys::JM_OVERHEAD_MAX,
        },
    }
}

/// Puts the options into the draft that keep the old plan's sizes, where they move without.
pub fn restore(request: &Request<'_>, role: Role, before: &Survey, draft: &mut Draft) {
    if is_cut_off(request.to, role) {
        // The same model with the same keys: nothing can move, and there are no options to hold it with.
        return;
    }
    let wanted = Wanted::of(before);
    if role == Role::TaskManager && is_cut_off(request.from, role) {
        without_managed(request, before, &wanted, draft);
    }
    let pins = pins(request, role, before, &wanted, &draft.config);
    // Fewest options first; the sets with the same number of them in a fixed order.
    let mut sets: Vec<u32> = (0..1u32 << pins.len()).collect();
    let chosen =
        |set: u32| pins.iter().enumerate().filter(move |(index, _)| set & (1 << index) != 0).map(|(_, pin)| pin);
    let size = |set: &u32| chosen(*set).map(|pin| pin.options.len()).sum::<usize>();
    sets.sort_by_key(|set| (size(set), *set));
    let mut planned_sets: Vec<(u32, Survey)> = Vec::new();
    let mut next = 0;
    for goals in wanted.goals() {
        let goals: Vec<Goal> = match role {
            Role::TaskManager => goals,
            Role::JobManager => goals.into_iter().filter(|goal| matches!(goal, Goal::Heap | Goal::Process)).collect(),
        };
        let keeps = |survey: &Survey| goals.iter().all(|goal| wanted.is_kept(*goal, survey));
        let mut found = planned_sets.iter().find(|(_, survey)| keeps(survey)).map(|(set, _)| *set);
        while found.is_none() && next < sets.len() {
            let set = sets[next];
            next += 1;
            if let Ok(survey) = planned(request, &pinned(&draft.config, chosen(set)), request.to, role) {
                found = keeps(&survey).then_some(set);
                planned_sets.push((set, survey));
            }
        }
        let Some(first) = found else { continue };
        // Of the sets with as few options, the one that moves least besides.
        let fewest = size(&first);
        let mut alike: Vec<u32> = vec![first];
        for set in sets.iter().copied().filter(|set| size(set) == fewest && *set != first) {
            let survey = match planned_sets.iter().find(|(known, _)| *known == set) {
                Some((_, survey)) => Some(survey.clone()),
                None => planned(request, &pinned(&draft.config, chosen(set)), request.to, role).ok(),
            };
            if let Some(survey) = survey.filter(|survey| keeps(survey)) {
                alike.push(set);
                planned_sets.push((set, survey));
            }
        }
        let moved = |set: &u32| {
            let survey = planned_sets.iter().find(|(known, _)| known == set).map(|(_, survey)| survey);
            survey.map_or(usize::MAX, |survey| {
                compare(before, survey).rows.iter().filter(|row| row.difference().is_some_and(|n| n != 0)).count()
            })
        };
        if let Some(best) = alike.iter().copied().min_by_key(moved) {
            for pin in chosen(best) {
                for (key, value) in &pin.options {
                    draft.put(key, value.clone(), pin.why.clone());
                }
            }
        }
        return;
    }
}

/// Who takes managed memory in the new version and finds none, because the old one had it on the heap.
fn without_managed(request: &Request<'_>, before: &Survey, wanted: &Wanted, draft: &mut Draft) {
    if before.plan.budget.part(Component::Managed).is_some() || wanted.managed() > Bytes::ZERO {
        return;
    }
    let (from, to) = (request.from.version(), request.to.version());
    let python = keys::PYTHON_MANAGED.name();
    let takes_managed = request.to.option(python).is_some_and(|row| row.default == Some("true"));
    let consumers = if takes_managed { "batch operators and Python workers" } else { "batch operators" };
    draft.notes.push(format!(
        "Flink {from} kept managed memory on the heap; Flink {to} has it off the heap only, and {consumers} find none \
         there. The heap keeps its size: for jobs with any of them, move some of \
         taskmanager.memory.task.heap.size to taskmanager.memory.managed.size."
    ));
    if takes_managed && request.question.consumers.contains(&UseCase::Python) && draft.config.get(python).is_none() {
        draft.put(python, "false", format!("Python workers take what they took in Flink {from}, out of the overhead"));
    }
}

fn pinned<'a>(config: &Config, pins: impl Iterator<Item = &'a Pin>) -> Config {
    let mut config = config.clone();
    for (key, value) in pins.flat_map(|pin| &pin.options) {
        config.set((*key).to_owned(), Value::text(value), Place::of(Source::Proposed));
    }
    config
}

fn pins(request: &Request<'_>, role: Role, before: &Survey, wanted: &Wanted, config: &Config) -> Vec<Pin> {
    let to = request.to;
    let from_version = request.from.version();
    let old_model = is_cut_off(request.from, role);
    let keys = keys_of(role);
    let budget = &before.plan.budget;
    // Of two sets alike the one that stands first counts: a default made explicit follows another container size.
    let mut pins: Vec<Pin> = default_bound(request, role, config).into_iter().collect();
    if let Some(process) = wanted.process() {
        pins.push(Pin::size(keys.process, process, format!("the whole process as in Flink {from_version}")));
    }
    let heap_why = format!("the JVM heap of Flink {from_version}");
    match role {
        Role::TaskManager => task_heap(config, to, wanted, &heap_why, &mut pins),
        Role::JobManager => pins.push(Pin::size(keys::JM_HEAP, wanted.heap(), heap_why)),
    }
    if role == Role::TaskManager {
        let why = match (old_model, wanted.managed()) {
            (true, Bytes::ZERO) => format!("Flink {from_version} had no managed memory off the heap"),
            _ => format!("managed memory as in Flink {from_version}"),
        };
        pins.push(Pin::size(keys::MANAGED_SIZE, wanted.managed(), why));
        pins.push(network(request, before));
    }
    if old_model {
        if let Some(rest) = rest_for_overhead(request, role, before, wanted, config, &keys) {
            let why = format!("what the parts leave of the process was for nobody in Flink {from_version} either");
            pins.push(Pin::size(keys.overhead_max, rest, why));
        }
        if role == Role::TaskManager && has_managed_rocksdb(to) && !has_managed_rocksdb(request.from) {
            pins.push(Pin {
                options: vec![(keys::ROCKSDB.managed.name(), "false".to_owned())],
                why: format!(
                    "RocksDB takes what it took in Flink {from_version}, out of the overhead; without this line, and \
                     with some managed memory, it is bounded"
                ),
            });
        }
    } else {
        let why = format!("JVM overhead as in Flink {from_version}");
        let overhead = written(budget.size(Component::JvmOverhead));
        let options = [keys.overhead_min.name(), keys.overhead_max.name()].map(|key| (key, overhead.clone()));
        pins.push(Pin { options: options.to_vec(), why });
        if size_of(config, to, keys.metaspace) != Some(budget.size(Component::JvmMetaspace)) {
            let why = format!("JVM metaspace as in Flink {from_version}");
            pins.push(Pin::size(keys.metaspace, budget.size(Component::JvmMetaspace), why));
        }
    }
    pins
}

/// The heap is framework and task heap: the first stays as it is in the new version, the second is set. Only a heap that
/// is smaller than the framework's default is all the framework's.
fn task_heap(config: &Config, to: &'static Profile, wanted: &Wanted, why: &str, pins: &mut Vec<Pin>) {
    let framework = size_of(config, to, keys::FRAMEWORK_HEAP).unwrap_or(Bytes::ZERO);
    pins.push(match wanted.heap().checked_sub(framework) {
        Some(task) => {
            let why = format!("{why}: {} with {}", written(wanted.heap()), keys::FRAMEWORK_HEAP.name());
            Pin::size(keys::TASK_HEAP, task, why)
        }
        None => Pin {
            options: vec![
                (keys::FRAMEWORK_HEAP.name(), written(wanted.heap())),
                (keys::TASK_HEAP.name(), written(Bytes::ZERO)),
            ],
            why: format!("{why}, which is less than the framework has by default"),
        },
    });
}

/// Network memory by its size.
fn network(request: &Request<'_>, before: &Survey) -> Pin {
    let size = written(before.plan.budget.size(Component::Network));
    let options = [keys::NETWORK_MIN.name(), keys::NETWORK_MAX.name()].map(|key| (key, size.clone()));
    Pin { options: options.to_vec(), why: format!("network memory as in Flink {}", request.from.version()) }
}

/// Network memory by the bound that it had by default, where that is another one now and none is set.
fn default_bound(request: &Request<'_>, role: Role, config: &Config) -> Option<Pin> {
    let key = keys::NETWORK_MAX.name();
    let default = |profile: &Profile, key: &str| {
        profile.option(key).and_then(|row| row.default).and_then(|text| Bytes::parse_flink(text).ok())
    };
    let old = default(request.from, key).or_else(|| default(request.from, keys::NETWORK_MAX_1_9.name()))?;
    let moved = default(request.to, key).is_some_and(|new| new != old);
    let why = format!("the bound that network memory has by default in Flink {}", request.from.version());
    let applies = role == Role::TaskManager && moved && config.get(key).is_none();
    applies.then(|| Pin::size(keys::NETWORK_MAX, old, why))
}

/// What the parts of the old plan and the new version's metaspace and off-heap memory leave of the container.
fn rest_for_overhead(
    request: &Request<'_>,
    role: Role,
    before: &Survey,
    wanted: &Wanted,
    config: &Config,
    keys: &RoleKeys,
) -> Option<Bytes> {
    let of = |key| size_of(config, request.to, key).unwrap_or(Bytes::ZERO);
    let mut parts = vec![wanted.heap(), of(keys.metaspace)];
    match role {
        Role::TaskManager => {
            let network = before.plan.budget.size(Component::Network);
            parts.extend([wanted.managed(), network, of(keys::FRAMEWORK_OFF_HEAP), of(keys::TASK_OFF_HEAP)]);
        }
        Role::JobManager => parts.push(of(keys::JM_OFF_HEAP)),
    }
    wanted.process()?.checked_sub(Bytes::checked_sum(parts)?)
}
