//! A process that grows with one of its parts, so that no other part pays for it.

use super::Patient;
use super::proof::{Case, Room};
use crate::flink::keys;
use crate::model::{Bytes, Component, Role};
use crate::recommend::change::Change;
use crate::recommend::option;

/// So many totals are tried for one that leaves all other parts as large as they are.
const MOST_TOTALS: u64 = 48;

impl Case<'_> {
    /// The keys that give the process its total, with their sizes, as they are written.
    fn totals(&self) -> Vec<(&'static str, Bytes)> {
        let Patient { config, profile, question, .. } = *self.patient;
        let frame = option::frame(self.patient.role);
        let settings = self.settings().unheard();
        let mut totals = Vec::new();
        let of_cut_off = match (self.is_cut_off(), self.patient.role) {
            (false, _) => None,
            (true, Role::TaskManager) => Some(keys::TM_HEAP_SIZE),
            (true, Role::JobManager) => Some(keys::JM_HEAP_SIZE),
        };
        for key in [frame.process, frame.flink, keys::JM_HEAP].into_iter().chain(of_cut_off) {
            if key.name() == keys::JM_HEAP.name() && self.is_taskmanager() {
                continue;
            }
            let names =
                [option::written(config, profile, key), option::stand_ins(config, profile, question, key)].concat();
            let Some(name) = names.first().copied() else { continue };
            let size = option::reading(&settings, key).or_else(|| Bytes::parse_flink(&self.value(name)?).ok());
            if let Some(size) = size {
                totals.push((name, size));
            }
        }
        totals
    }

    /// The changes with a total so much larger that no other part shrinks; managed memory is held at its size where its share
    /// of what is added would be a third and more.
    pub fn with_larger_total(&self, changes: &[Change], room: Room) -> Option<Vec<Change>> {
        let (grows, by) = self.grown(changes, room)?;
        let held = self.managed_held(changes, room).and_then(|held| self.grown(&held, room));
        match held {
            Some((held, less)) if less.get() <= by.get() / 3 * 2 => Some(held),
            _ => Some(grows),
        }
    }

    /// The changes with managed memory at the size it has, where that is a share of what grows.
    fn managed_held(&self, changes: &[Change], room: Room) -> Option<Vec<Change>> {
        let managed = self.size(Room::Part(Component::Managed))?;
        let is_share = changes.iter().all(|change| !change.key().starts_with("taskmanager.memory.managed."))
            && self.reading(keys::MANAGED_SIZE.name()).is_none();
        let is_other = matches!(room, Room::Part(part) if part != Component::Managed);
        if !self.is_taskmanager() || self.is_cut_off() || managed == Bytes::ZERO || !is_share || !is_other {
            return None;
        }
        let size = option::text(managed.round_up_to(Bytes::mib(1))?);
        Some(changes.iter().cloned().chain([Change::set(keys::MANAGED_SIZE.name(), size)]).collect())
    }

    /// The changes with the least total found with which no other part shrinks, and what that adds to the total.
    fn grown(&self, changes: &[Change], room: Room) -> Option<(Vec<Change>, Bytes)> {
        let before = self.size(room).unwrap_or_default();
        let untouched = |key: &str| changes.iter().all(|change| change.key() != key);
        let totals: Vec<_> = self.totals().into_iter().filter(|(key, _)| untouched(key)).collect();
        if totals.is_empty() || totals.iter().any(|(key, _)| key.ends_with(".mb")) {
            return None;
        }
        let first = self.planned(changes, self.patient.profile).ok();
        let grown = first.and_then(|survey| room.size(&survey.plan.budget).checked_sub(before));
        let step = Bytes::new((grown.unwrap_or_default().get() / 16).max(1)).round_up_to(Bytes::mib(64))?;
        let mut sets: Vec<Vec<(&str, Bytes)>> = totals.iter().map(|total| vec![*total]).collect();
        if totals.len() > 1 {
            sets.push(totals.clone());
        }
        for times in 1..=MOST_TOTALS {
            let more = step.checked_mul(times)?;
            for set in &sets {
                let larger = set.iter().map(|(key, size)| {
                    let size = size.checked_add(more)?;
                    Some(Change::set(*key, option::text(size.round_up_to(Bytes::mib(1))?)))
                });
                let all: Option<Vec<Change>> = changes.iter().cloned().map(Some).chain(larger).collect();
                let all = all?;
                let Ok(after) = self.planned(&all, self.patient.profile) else { continue };
                let budget = &after.plan.budget;
                if room.size(budget) > before && !self.shrinks_any(room, budget) {
                    return Some((all, more));
                }
            }
        }
        None
    }

    /// A TaskManager's heap of a size with managed memory held as it is, in the fewest keys; nothing where others
    /// shrink.
    pub fn with_heap_alone(&self, size: Bytes) -> Option<Vec<Change>> {
        let budget = &self.before.as_ref()?.plan.budget;
        let managed = budget.size(Component::Managed);
        if !self.is_taskmanager() || self.is_cut_off() || managed == Bytes::ZERO {
            return None;
        }
        let whole = |bytes: Bytes| bytes.round_up_to(Bytes::mib(1));
        let more = size.checked_sub(budget.heap())?;
        let total = budget.total_process().bytes.checked_add(more)?;
        // Overhead and network memory are shares of what grows.
        (0..MOST_TOTALS).find_map(|times| {
            let process = total.checked_add(Bytes::mib(32).checked_mul(times)?)?.round_up_to(Bytes::mib(64))?;
            let frame = option::frame(self.patient.role);
            let only = self.totals().iter().map(|(key, _)| *key).eq([frame.process.name()]);
            let changes = vec![
                Change::set(frame.process.name(), option::text(process)),
                Change::set(keys::MANAGED_SIZE.name(), option::text(whole(managed)?)),
            ];
            let after = self.with(&changes).filter(|_| only)?;
            let enough = after.plan.budget.heap() >= size;
            (enough && !self.shrinks_any(Room::Heap, &after.plan.budget)).then_some(changes)
        })
    }

    /// The least total with which a part is so large; `exactly` where more than that needs a reason. The others grow
    /// with it.
    pub fn with_larger_total_to(&self, room: Room, size: Bytes, exactly: bool) -> Option<Vec<Change>> {
        let totals = self.totals();
        if totals.is_empty() || totals.iter().any(|(key, _)| key.ends_with(".mb")) {
            return None;
        }
        let before = self.size(room)?;
        let by = size.checked_sub(before)?;
        let step = match exactly {
            true => Bytes::mib(1),
            false => Bytes::mib(64),
        };
        let mut sets: Vec<Vec<(&str, Bytes)>> = totals.iter().map(|total| vec![*total]).collect();
        if totals.len() > 1 {
            sets.push(totals.clone());
        }
        for set in &sets {
            let at = |more: Bytes| -> Option<Vec<Change>> {
                let larger = set.iter().map(|(key, size)| {
                    Some(Change::set(*key, option::text(size.checked_add(more)?.round_up_to(step)?)))
                });
                larger.collect()
            };
            let enough = |more: Bytes| {
                let after = at(more).and_then(|changes| self.with(&changes));
                after.is_some_and(|after| room.size(&after.plan.budget) >= size)
            };
            // The heap is no less than an eighth of what is added to a total by Flink's own shares.
            let Some(most) = by.checked_mul(8).and_then(|most| most.round_up_to(step)) else { continue };
            if !enough(most) {
                continue;
            }
            let (mut low, mut high) = (0, most.get() / step.get());
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                match step.checked_mul(middle).is_some_and(enough) {
                    true => high = middle,
                    false => low = middle,
                }
            }
            return step.checked_mul(high).and_then(at);
        }
        None
    }
}
