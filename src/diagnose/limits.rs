//! Limits beside the container's memory that end a process, keep it from growing, or make it stand still: each with what
//! is used of it.

use crate::artefact::host::HugePages;
use crate::model::{Bytes, Limit, Unit};

use super::sample::Sample;

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The name in JSON and metrics; unique among all.
    pub key: &'static str,
    /// The name in tables.
    pub label: &'static str,
    /// What is used of it; nothing where that cannot be told for this process alone.
    pub used: Option<u64>,
    /// How much there may be; nothing where nothing limits it.
    pub at_most: Option<u64>,
    /// Of both.
    pub unit: Unit,
    /// What happens there, in a few words.
    pub then: &'static str,
}

impl Bound {
    /// Used thousandths of the limit; nothing where one of both is not known or the limit is 0.
    pub fn permille(&self) -> Option<u64> {
        let share = (u128::from(self.used?) * 1_000).checked_div(u128::from(self.at_most?))?;
        u64::try_from(share).ok()
    }
}

/// A setting of the kernel that decides how a process ends or grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The name in JSON; unique among all.
    pub key: &'static str,
    /// The name in tables.
    pub label: &'static str,
    /// How it stands.
    pub is: &'static str,
    /// What that does, in a few words.
    pub then: &'static str,
}

/// All that could be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// With numbers.
    pub bounds: Vec<Bound>,
    /// Without.
    pub switches: Vec<Switch>,
}

impl Limits {
    /// The limits of a process.
    pub fn of(sample: &Sample) -> Limits {
        let mut limits = Limits::default();
        limits.of_cgroup(sample);
        limits.of_process(sample);
        limits.of_host(sample);
        limits
    }

    fn of_cgroup(&mut self, sample: &Sample) {
        let Ok(cgroup) = &sample.cgroup else { return };
        let groups = || std::iter::once(&cgroup.own).chain(&cgroup.above);
        // memory.high of a group above stops this process as well: the fullest counts.
        let high = groups().filter_map(|group| Some((group.usage, bytes(group.high?)?)));
        if let Some((usage, high)) = high.min_by_key(|(usage, high)| high.saturating_sub(usage.map_or(0, Bytes::get))) {
            self.bounds.push(Bound {
                key: "memory_high",
                label: "memory.high",
                used: usage.map(Bytes::get),
                at_most: Some(high),
                unit: Unit::Bytes,
                then: "slowed down until it stands still",
            });
        }
        if let Some((limit, tasks)) = cgroup.tasks {
            self.bounds.push(Bound {
                key: "pids_max",
                label: "Tasks of its cgroup",
                used: tasks,
                at_most: bytes(limit),
                unit: Unit::Count,
                then: "no new thread: OutOfMemoryError",
            });
        }
        if let Some(limit) = cgroup.own.swap_limit {
            self.bounds.push(Bound {
                key: "cgroup_swap",
                label: "Swap of its cgroup",
                used: cgroup.own.stat.swap.map(Bytes::get),
                at_most: bytes(limit),
                unit: Unit::Bytes,
                then: "what does not fit is killed",
            });
        }
        if groups().any(|group| group.oom_group == Some(true)) {
            self.switches.push(Switch {
                key: "oom_group",
                label: "memory.oom.group",
                is: "on",
                then: "every process of the group is killed at once",
            });
        }
        if groups().any(|group| group.oom_kill_disabled == Some(true)) {
            self.switches.push(Switch {
                key: "oom_kill_disable",
                label: "oom_kill_disable",
                is: "on",
                then: "at the limit it hangs and is not killed",
            });
        }
    }

    fn of_process(&mut self, sample: &Sample) {
        let status = sample.files.status.as_ref().ok();
        if let Ok(limits) = &sample.files.limits {
            self.bounds.push(Bound {
                key: "processes",
                label: "Threads (ulimit -u)",
                // The limit is the user's, who may have other processes: so many are there at least.
                used: status.and_then(|status| status.threads),
                at_most: bytes(limits.processes),
                unit: Unit::Count,
                then: "the user's; no new thread then",
            });
            self.bounds.push(Bound {
                key: "address_space",
                label: "Addresses (ulimit -v)",
                used: status.and_then(|status| status.virtual_size).map(Bytes::get),
                at_most: bytes(limits.address_space),
                unit: Unit::Bytes,
                then: "mmap fails: OutOfMemoryError or exit",
            });
            self.bounds.push(Bound {
                key: "open_files",
                label: "Open files (ulimit -n)",
                used: None,
                at_most: bytes(limits.open_files),
                unit: Unit::Count,
                then: "RocksDB and sockets fail to open",
            });
        }
        if let Ok(most) = sample.host.max_mappings {
            self.bounds.push(Bound {
                key: "max_map_count",
                label: "Mappings",
                used: sample.files.smaps.as_ref().ok().map(|smaps| smaps.mappings.len() as u64),
                at_most: Some(most),
                unit: Unit::Count,
                then: "mmap fails: OutOfMemoryError or exit",
            });
        }
    }

    fn of_host(&mut self, sample: &Sample) {
        if let Ok(swap) = sample.host.swap {
            let used = sample.files.status.as_ref().ok().and_then(|status| status.swap);
            self.bounds.push(Bound {
                key: "swap",
                label: "Swap of the machine",
                used: used.map(Bytes::get),
                at_most: Some(swap.get()),
                unit: Unit::Bytes,
                then: "collections read it back from disk",
            });
        }
        if let Ok(pages) = &sample.host.huge_pages {
            let (is, then) = match pages {
                HugePages::Always => ("always", "stacks and malloc grow by 2 MiB steps: more resident than used"),
                HugePages::Madvise => ("madvise", "only where a program asks for them"),
                HugePages::Never => ("never", "nothing grows by whole huge pages"),
            };
            self.switches.push(Switch { key: "huge_pages", label: "Huge pages", is, then });
        }
    }
}

fn bytes(limit: Limit) -> Option<u64> {
    match limit {
        Limit::AtMost(bytes) => Some(bytes.get()),
        Limit::Unlimited => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_nothing_and_of_the_unknown_is_not_told() {
        let bound = |used, at_most| Bound { key: "swap", label: "", used, at_most, unit: Unit::Bytes, then: "" };
        assert_eq!(bound(Some(3), Some(4)).permille(), Some(750));
        assert_eq!(bound(Some(u64::MAX), Some(1)).permille(), None);
        assert_eq!((bound(Some(3), Some(0)).permille(), bound(None, Some(1)).permille()), (None, None));
    }
}
