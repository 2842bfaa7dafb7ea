//! How much room is left under the container's limit for what cannot be reclaimed.

use super::{mib, span};
use crate::diagnose::cause::Outlook;
use crate::diagnose::over_time::OverTime;
use crate::diagnose::trend::Forecast;
use crate::model::{Bytes, Measure, Pool};

/// The group whose limit is met first, and what it holds that no reclaim gives back: anonymous memory, tmpfs, and what
/// of the kernel's own memory it does not call reclaimable. Page cache is not among it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Room<'e> {
    /// The group.
    pub group: &'e str,
    /// Its limit.
    pub limit: Bytes,
    /// What cannot be reclaimed.
    pub held: Bytes,
    /// Its anonymous part.
    pub anon: Bytes,
    /// Its tmpfs.
    pub shmem: Bytes,
    /// The kernel's part, where the kernel says it.
    pub kernel: Option<Bytes>,
    /// What counts against the limit in all.
    pub usage: Option<Bytes>,
}

impl<'e> Room<'e> {
    /// That of a process; nothing where there is no limit, or where the kernel does not say how much is anonymous.
    pub fn of(outlook: &Outlook<'e>) -> Option<Room<'e>> {
        let (group, limit) = outlook.now.sample.cgroup.as_ref().ok()?.tightest()?;
        let stat = &group.stat;
        let anon = stat.anon?;
        // A kernel that shows `anon` and no `shmem` (version 1 before 4.18) counts tmpfs as cache: the sum is a lower bound.
        let shmem = stat.shmem.unwrap_or(Bytes::ZERO);
        let kernel = stat.kernel.map(|kernel| {
            let reclaimable = stat.slab_reclaimable.unwrap_or(Bytes::ZERO);
            kernel.checked_sub(reclaimable).unwrap_or(Bytes::ZERO)
        });
        let held = Bytes::checked_sum([anon, shmem].into_iter().chain(kernel))?;
        Some(Room { group: &group.path, limit, held, anon, shmem, kernel, usage: group.usage })
    }

    /// What may still come.
    pub fn left(&self) -> Bytes {
        self.limit.checked_sub(self.held).unwrap_or(Bytes::ZERO)
    }

    /// When the process's growth uses that up: nothing where nobody looked more than once, or where the two numbers are
    /// not seen.
    pub fn forecast(&self, before: &OverTime) -> Option<Forecast> {
        let trend = before.trend(Measure::CgroupAnon).or_else(|| before.trend(Measure::RssAnon))?;
        Some(trend.time_to(trend.level.checked_add(self.left().get())?))
    }

    /// The numbers, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut parts = vec![format!("anonymous {}", mib(self.anon)), format!("tmpfs {}", mib(self.shmem))];
        match self.kernel {
            Some(kernel) => parts.push(format!("kernel {}", mib(kernel))),
            None => parts.push("the kernel's own was not seen".to_owned()),
        }
        vec![
            format!("limit of {}: {}", self.group, mib(self.limit)),
            format!("cannot be reclaimed: {} ({})", mib(self.held), parts.join(", ")),
        ]
    }
}

/// What grows most, with what it grows by in an hour.
pub(super) fn grower(before: &OverTime) -> Option<(Pool, Bytes)> {
    let growing = before.trends.iter().filter_map(|(measure, trend)| match measure {
        // File pages grow to the limit by design.
        Measure::Pool(Pool::PageCache | Pool::MappedFiles) => None,
        Measure::Pool(pool) if trend.is_growing() => Some((*pool, trend.slope?.per_second)),
        _ => None,
    });
    let (pool, per_second) = growing.max_by(|one, other| one.1.total_cmp(&other.1))?;
    Some((pool, Bytes::new((per_second * 3600.0).max(0.0) as u64)))
}

/// When a limit is reached, as an end to a sentence; nothing where there is nothing to say.
pub(super) fn when(forecast: &Forecast) -> Option<String> {
    match forecast {
        Forecast::Between { earliest, latest: Some(latest) } => {
            Some(format!("in {} to {}, if nothing changes", span(*earliest), span(*latest)))
        }
        Forecast::Between { earliest, latest: None } => {
            Some(format!("in {} at the earliest, if nothing changes", span(*earliest)))
        }
        Forecast::Reached | Forecast::Beyond { .. } | Forecast::Never { .. } => None,
    }
}
