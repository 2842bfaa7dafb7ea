//! What follows from sizes by addition alone, and where they contradict one another.

use super::Target;
use crate::model::{Bytes, Component, Role};

/// A size in a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addend {
    /// What it is of.
    pub target: Target,
    /// The size.
    pub bytes: Bytes,
    /// Whether it was wanted or follows from what was; what is not, stays as it is.
    pub wanted: bool,
}

/// Sizes that cannot all be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The parts.
    pub parts: Vec<Addend>,
    /// What they must fit in, or, where all of them are there, add up to.
    pub whole: Addend,
}

impl Clash {
    /// What the parts come to.
    pub fn sum(&self) -> Bytes {
        total(&self.parts)
    }
}

fn total(parts: &[Addend]) -> Bytes {
    Bytes::new(parts.iter().fold(0u64, |sum, part| sum.saturating_add(part.bytes.get())))
}

/// A whole and what it is made of.
type Sum = (Target, &'static [Target]);

const TASKMANAGER: &[Sum] = &[
    (Target::Heap, &[Target::Part(Component::FrameworkHeap), Target::Part(Component::TaskHeap)]),
    (
        Target::Direct,
        &[
            Target::Part(Component::FrameworkOffHeap),
            Target::Part(Component::TaskOffHeap),
            Target::Part(Component::Network),
        ],
    ),
    (Target::Flink, &[Target::Heap, Target::Direct, Target::Part(Component::Managed)]),
    PROCESS,
];
const JOBMANAGER: &[Sum] =
    &[(Target::Flink, &[Target::Part(Component::Heap), Target::Part(Component::OffHeap)]), PROCESS];
const PROCESS: Sum =
    (Target::Process, &[Target::Flink, Target::Part(Component::JvmMetaspace), Target::Part(Component::JvmOverhead)]);

/// Sizes that are known, by target.
#[derive(Clone, Debug)]
pub struct Known {
    sums: &'static [Sum],
    sizes: Vec<Addend>,
}

impl Known {
    /// Nothing is known of a role.
    pub fn nothing(role: Role) -> Known {
        let sums = match role {
            Role::TaskManager => TASKMANAGER,
            Role::JobManager => JOBMANAGER,
        };
        Known { sums, sizes: Vec::new() }
    }

    /// The size of a target, where it is known.
    pub fn size(&self, target: Target) -> Option<Bytes> {
        self.get(target).map(|addend| addend.bytes)
    }

    fn get(&self, target: Target) -> Option<Addend> {
        self.sizes.iter().find(|addend| addend.target == target).copied()
    }

    /// Adds what is wanted, and everything that follows from it.
    pub fn want(&mut self, sizes: &[(Target, Bytes)]) -> Result<(), Clash> {
        for &(target, bytes) in sizes {
            let addend = Addend { target, bytes, wanted: true };
            match self.get(target) {
                Some(known) if known.bytes != bytes => return Err(Clash { parts: vec![known], whole: addend }),
                Some(_) => {}
                None => self.sizes.push(addend),
            }
        }
        self.close()
    }

    /// Adds what stays as it is unless it is known already, and everything that follows from it.
    pub fn stay(&mut self, target: Target, bytes: Bytes) -> Result<(), Clash> {
        if self.get(target).is_none() {
            self.sizes.push(Addend { target, bytes, wanted: false });
        }
        self.close()
    }

    fn close(&mut self) -> Result<(), Clash> {
        while let Some(found) = self.sums.iter().find_map(|sum| self.step(*sum).transpose()) {
            self.sizes.push(found?);
        }
        Ok(())
    }

    /// What one sum tells that is not known yet.
    fn step(&self, (whole, parts): Sum) -> Result<Option<Addend>, Clash> {
        let unknown: Vec<Target> = parts.iter().copied().filter(|part| self.get(*part).is_none()).collect();
        let least: Vec<Addend> = parts.iter().flat_map(|part| self.least(*part)).collect();
        let sum = total(&least);
        let wanted = |whole: bool| whole && least.iter().all(|part| part.wanted);
        let Some(whole) = self.get(whole) else {
            return Ok(unknown.is_empty().then_some(Addend { target: whole, bytes: sum, wanted: wanted(true) }));
        };
        match unknown[..] {
            _ if sum > whole.bytes => Err(Clash { parts: least, whole }),
            [] if sum < whole.bytes => Err(Clash { parts: least, whole }),
            [last] => {
                let direct: Vec<Addend> = parts.iter().filter_map(|part| self.get(*part)).collect();
                let bytes = whole.bytes.checked_sub(total(&direct)).unwrap_or_default();
                Ok(Some(Addend { target: last, bytes, wanted: wanted(whole.wanted) }))
            }
            _ => Ok(None),
        }
    }

    /// What is known to be in a target, in parts.
    fn least(&self, target: Target) -> Vec<Addend> {
        if let Some(addend) = self.get(target) {
            return vec![addend];
        }
        let parts = self.sums.iter().find(|(whole, _)| *whole == target).map_or(&[][..], |(_, parts)| parts);
        parts.iter().flat_map(|part| self.least(*part)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(sizes: &[(&str, u32)]) -> Result<Known, Clash> {
        let mut known = Known::nothing(Role::TaskManager);
        let size = |(name, mib): &(&str, u32)| (Target::named(name, Role::TaskManager).unwrap(), Bytes::mib(*mib));
        known.want(&sizes.iter().map(size).collect::<Vec<_>>())?;
        Ok(known)
    }

    #[test]
    fn a_total_follows_from_its_parts_and_the_last_part_from_its_total() {
        let sizes = [("heap", 1000), ("framework.heap", 128), ("direct", 300), ("flink", 2000), ("process", 2500)];
        let known = known(&[&sizes[..], &[("metaspace", 256)]].concat()).unwrap();
        let size = |name| known.size(Target::named(name, Role::TaskManager).unwrap());
        assert_eq!(size("task.heap"), Some(Bytes::mib(872)));
        assert_eq!(size("managed"), Some(Bytes::mib(700)));
        assert_eq!(size("overhead"), Some(Bytes::mib(244)));
        assert_eq!(size("network"), None);
    }

    #[test]
    fn a_part_that_passes_its_total_clashes_however_deep_it_lies() {
        let clash = known(&[("process", 4096), ("heap", 5120)]).unwrap_err();
        assert_eq!(clash.whole.target, Target::Process);
        assert_eq!((clash.sum(), clash.parts.len()), (Bytes::mib(5120), 1));
        let clash = known(&[("flink", 1000), ("task.heap", 600), ("managed", 300), ("network", 200)]).unwrap_err();
        assert_eq!((clash.sum(), clash.parts.len()), (Bytes::mib(1100), 3));
    }

    #[test]
    fn parts_that_are_all_known_must_come_to_their_total() {
        let clash = known(&[("heap", 1000), ("framework.heap", 100), ("task.heap", 800)]).unwrap_err();
        assert_eq!((clash.whole.target, clash.sum()), (Target::Heap, Bytes::mib(900)));
        let totals = [("process", 4096), ("metaspace", 256), ("overhead", 512), ("flink", 3072)];
        let clash = known(&totals).unwrap_err();
        assert_eq!((clash.whole.target, clash.sum()), (Target::Process, Bytes::mib(3840)));
    }
}
