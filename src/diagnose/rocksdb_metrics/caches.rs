//! How many block caches stand behind the readings of one TaskManager, and what is in each.
//!
//! A reading names a column family, not its cache. What is certain: all column families of one task are in one slot; two
//! subtasks of a vertex never are; neither are two jobs, nor two slot sharing groups. So there are at least as many caches
//! as the largest vertex of each group has subtasks here, and at most as many as slots are in use.

use std::collections::{BTreeMap, BTreeSet};

use super::Known;
use crate::artefact::flink_rest::{Property, RocksDbReading};
use crate::model::Seen;

/// Who shares a block cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// All of a slot: managed memory (the default since 1.10) or `memory.fixed-per-slot`.
    Slot,
    /// All of a TaskManager: `memory.fixed-per-tm` (since 1.17).
    TaskManager,
    /// Nobody: each column family has its own (`memory.managed: false`, 1.9).
    ColumnFamily,
}

impl Sharing {
    /// What a cluster's configuration says; nothing where it says nothing and the figures must tell. A job may have set
    /// something else.
    pub fn of_configuration(options: &[(String, String)]) -> Option<Sharing> {
        let get = |name: &str| {
            let key = format!("state.backend.rocksdb.memory.{name}");
            options.iter().find(|(known, _)| *known == key).map(|(_, value)| value.trim())
        };
        let managed = get("managed").map(|value| value.eq_ignore_ascii_case("true"));
        match (get("fixed-per-slot"), managed, get("fixed-per-tm")) {
            (Some(_), _, _) | (None, Some(true), _) => Some(Sharing::Slot),
            (None, Some(false), Some(_)) => Some(Sharing::TaskManager),
            (None, Some(false), None) => Some(Sharing::ColumnFamily),
            (None, None, _) => None,
        }
    }
}

/// The number of caches, and how sure it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheCount {
    /// The number that is counted with.
    pub caches: u64,
    /// There are at least so many.
    pub at_least: u64,
    /// There are at most so many.
    pub at_most: u64,
    /// Who shares one.
    pub sharing: Sharing,
    /// How that is known, as the end of a sentence.
    pub how: String,
}

/// One cache: the largest of all readings that are of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cache {
    pub(super) capacity: u64,
    pub(super) usage: Option<u64>,
    pub(super) pinned: Option<u64>,
}

/// All caches of one TaskManager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caches {
    pub(super) each: Vec<Cache>,
    pub(super) count: CacheCount,
}

/// Job and slot sharing group: what may share slots.
type Group<'a> = (Option<&'a str>, Option<&'a str>);

/// The subtasks of one vertex, each with the readings of its column families.
type Tasks = BTreeMap<u32, Vec<Cache>>;

/// Readings of one cache are taken some milliseconds apart, between which a busy one may have changed by so much of its
/// capacity.
const SAME_WITHIN: u64 = 16;

pub(super) fn count(readings: &[RocksDbReading], known: &Known) -> Seen<Caches> {
    let groups = tasks(readings)?;
    let told = known.sharing;
    let (sharing, told_by) = match told {
        _ if !families_agree(&groups) => (Sharing::ColumnFamily, "the column families of one task differ in it"),
        Some(told) => (told, "the configuration says so"),
        None => (Sharing::Slot, "the column families of each task agree in it"),
    };
    let each = match sharing {
        Sharing::ColumnFamily => {
            let families = groups.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values).flatten();
            families.cloned().collect()
        }
        Sharing::TaskManager => {
            let all = groups.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values).flatten();
            all.cloned().reduce(joined).into_iter().collect()
        }
        Sharing::Slot => return Ok(slots(&groups, known, told_by)),
    };
    let caches = u64::try_from(Vec::len(&each)).unwrap_or(u64::MAX);
    let whose = if sharing == Sharing::TaskManager { "all share one" } else { "each column family has its own" };
    let how = format!("{whose}, as {told_by}");
    Ok(Caches { each, count: CacheCount { caches, at_least: caches, at_most: caches, sharing, how } })
}

/// The readings by group, vertex and subtask.
fn tasks<'a>(readings: &'a [RocksDbReading]) -> Seen<BTreeMap<Group<'a>, BTreeMap<&'a str, Tasks>>> {
    type Key<'a> = (Group<'a>, &'a str, u32, &'a str, Option<&'a str>);
    let mut families: BTreeMap<Key<'a>, [Option<u64>; 3]> = BTreeMap::new();
    for reading in readings {
        let slot = match reading.property {
            Property::CacheCapacity => 0,
            Property::CacheUsage => 1,
            Property::CachePinned => 2,
            _ => continue,
        };
        let value = *reading.value.as_ref().map_err(Clone::clone)?;
        let group = (reading.job.as_deref(), reading.sharing_group.as_deref());
        // Where no vertex is known, an operator stands for it: what is certain stays so, only less of it is.
        let vertex = reading.vertex.as_deref().unwrap_or(&reading.operator);
        let key = (group, vertex, reading.subtask, reading.operator.as_str(), reading.column_family.as_deref());
        families.entry(key).or_default()[slot] = Some(value);
    }
    let mut groups: BTreeMap<Group<'a>, BTreeMap<&'a str, Tasks>> = BTreeMap::new();
    for ((group, vertex, subtask, _, _), [capacity, usage, pinned]) in families {
        let capacity = capacity.ok_or_else(|| super::missing(Property::CacheCapacity))?;
        let task = groups.entry(group).or_default().entry(vertex).or_default().entry(subtask).or_default();
        task.push(Cache { capacity, usage, pinned });
    }
    if groups.is_empty() { Err(super::missing(Property::CacheUsage)) } else { Ok(groups) }
}

fn families_agree(groups: &BTreeMap<Group<'_>, BTreeMap<&str, Tasks>>) -> bool {
    let mut tasks = groups.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values);
    tasks.all(|families| {
        families.split_first().is_none_or(|(first, others)| others.iter().all(|other| is_same(first, other)))
    })
}

fn is_same(one: &Cache, other: &Cache) -> bool {
    let near = |one: Option<u64>, other: Option<u64>, capacity: u64| match (one, other) {
        (Some(one), Some(other)) => one.abs_diff(other) <= capacity / SAME_WITHIN,
        _ => true,
    };
    one.capacity == other.capacity
        && near(one.usage, other.usage, one.capacity)
        && near(one.pinned, other.pinned, one.capacity)
}

/// Two sets of readings of one cache.
fn joined(one: Cache, other: Cache) -> Cache {
    Cache {
        capacity: one.capacity.max(other.capacity),
        usage: one.usage.max(other.usage),
        pinned: one.pinned.max(other.pinned),
    }
}

/// By what caches are told apart.
fn mark(cache: &Cache) -> (u64, u64) {
    (cache.capacity, cache.usage.unwrap_or_default().saturating_add(cache.pinned.unwrap_or_default()))
}

fn slots(groups: &BTreeMap<Group<'_>, BTreeMap<&str, Tasks>>, known: &Known, told_by: &str) -> Caches {
    let length = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let largest = |vertices: &BTreeMap<&str, Tasks>| vertices.values().map(BTreeMap::len).max().unwrap_or_default();
    let at_least = length(groups.values().map(largest).sum());
    let tasks = length(groups.values().flat_map(BTreeMap::values).map(BTreeMap::len).sum());
    // A job that was just restarted elsewhere may still have readings: then what is certain is not.
    let slots = known.slots_in_use.filter(|slots| *slots >= at_least);
    let in_logs = known.caches_in_logs.filter(|caches| *caches >= at_least && *caches <= tasks);
    let at_most = in_logs.or(slots).unwrap_or(u64::MAX).min(tasks);
    let mut each = Vec::new();
    let mut spare = at_most.saturating_sub(at_least);
    for vertices in groups.values() {
        each.extend(of_group(vertices, &mut spare));
    }
    let caches = length(each.len());
    // Databases that are alike may be of several caches: then the LOG files know more than the figures tell.
    let at_least = if in_logs == Some(caches) { caches } else { at_least };
    let how = if at_least == at_most {
        match (in_logs, slots) {
            (Some(_), _) => "the databases' LOG files name as many".to_owned(),
            (None, Some(_)) => format!("each slot has one, and {at_most} are in use"),
            (None, None) => "each slot has one, and no two of these tasks can share one".to_owned(),
        }
    } else {
        let alike = "readings that are alike are taken for one";
        format!("each slot has one, which its tasks share, as {told_by}; there may be {at_least} to {at_most}, {alike}")
    };
    Caches { each, count: CacheCount { caches, at_least, at_most, sharing: Sharing::Slot, how } }
}

/// The caches of the tasks that may share slots: the vertex with the most subtasks has one each; each other task takes the
/// most alike that no task of its vertex has, or a new one where none is alike and there may be more.
fn of_group(vertices: &BTreeMap<&str, Tasks>, spare: &mut u64) -> Vec<Cache> {
    let mut by_size: Vec<&Tasks> = vertices.values().collect();
    by_size.sort_by_key(|tasks| std::cmp::Reverse(tasks.len()));
    let mut caches: Vec<Cache> = Vec::new();
    for tasks in by_size {
        let mut of_tasks: Vec<Cache> =
            tasks.values().filter_map(|families| families.iter().cloned().reduce(joined)).collect();
        of_tasks.sort_by_key(mark);
        let mut free: BTreeSet<((u64, u64), usize)> = caches.iter().map(mark).zip(0..).collect();
        for task in of_tasks {
            let here = (mark(&task), 0);
            let nearest = [free.range(here..).next(), free.range(..here).next_back()];
            let nearest = nearest.into_iter().flatten().copied();
            let distance = |((capacity, amount), _): &((u64, u64), usize)| {
                (capacity.abs_diff(here.0.0), amount.abs_diff(here.0.1))
            };
            let found = nearest.min_by_key(distance);
            let like = found.filter(|(_, index)| caches.get(*index).is_some_and(|cache| is_same(cache, &task)));
            match (like, found) {
                (Some(found), _) => take(found, task, &mut caches, &mut free),
                (None, Some(found)) if *spare == 0 => take(found, task, &mut caches, &mut free),
                (None, found) => {
                    *spare = spare.saturating_sub(u64::from(found.is_some()));
                    caches.push(task);
                }
            }
        }
    }
    caches
}

fn take(found: ((u64, u64), usize), task: Cache, caches: &mut [Cache], free: &mut BTreeSet<((u64, u64), usize)>) {
    free.remove(&found);
    if let Some(cache) = caches.get_mut(found.1) {
        *cache = joined(cache.clone(), task);
    }
}
