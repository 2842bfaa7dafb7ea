//! What the kernel counts against the container's limit beside the process's own memory, and whether its page cache
//! matters.

use crate::artefact::cgroup::{Cgroup, MemoryStat};
use crate::model::{Bytes, Limit, Measure, Observations, Pool, Seen, Unseen};

/// The container's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerAccount {
    /// What counts against the limit now.
    pub usage: Option<Bytes>,
    /// The limit that is met first; nothing where there is none, and where none could be seen ([`Cgroup::limit`]).
    pub limit: Option<Bytes>,
    /// The group that has it, where that can be seen.
    pub limited_by: Option<String>,
    /// Usage of that group: more than the container's own where the limit is the pod's.
    pub usage_there: Option<Bytes>,
    /// What the kubelet goes by.
    pub working_set: Option<Bytes>,
    /// Memory beside the process, by pool.
    pub beside: Vec<(Pool, Bytes)>,
    /// What to think of the page cache.
    pub page_cache: Seen<PageCache>,
}

/// The page cache, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCache {
    /// File pages, tmpfs left out.
    pub file: Bytes,
    /// Those of them that are not written yet, or are being written.
    pub unwritten: Bytes,
    /// tmpfs and shared memory.
    pub shmem: Bytes,
    /// Whether anything is to be done.
    pub verdict: PageCacheVerdict,
}

/// Whether the page cache is a danger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCacheVerdict {
    /// It can be reclaimed at once: nothing is to be done, however full the container looks.
    NoAction,
    /// So much of it is not written that reclaiming waits for the disk: the container may be killed in between, on
    /// kernels before 5.x with version 1, or slowed down.
    Unwritten,
    /// What looks like cache is tmpfs: it stays until it is deleted.
    Tmpfs,
}

impl PageCacheVerdict {
    /// All of them.
    pub const ALL: [PageCacheVerdict; 3] =
        [PageCacheVerdict::NoAction, PageCacheVerdict::Unwritten, PageCacheVerdict::Tmpfs];

    /// The name in JSON and metrics.
    pub fn key(self) -> &'static str {
        match self {
            PageCacheVerdict::NoAction => "no_action",
            PageCacheVerdict::Unwritten => "unwritten",
            PageCacheVerdict::Tmpfs => "tmpfs",
        }
    }
}

/// A tenth of the limit: less that is unwritten or in tmpfs does not decide anything.
const MATTERS: u64 = 10;

impl ContainerAccount {
    /// The books of the group that a process is in, as the kernel has them now.
    pub fn of(cgroup: &Cgroup) -> ContainerAccount {
        let own = &cgroup.own;
        let limit = match cgroup.limit() {
            Ok(Limit::AtMost(bytes)) => Some(bytes),
            Ok(Limit::Unlimited) | Err(_) => None,
        };
        // None of those that can be seen has a limit that only the kernel knows.
        let tightest = cgroup.tightest().filter(|(_, bound)| Some(*bound) == limit);
        let shmem = own.stat.shmem.unwrap_or(Bytes::ZERO);
        let file = own.stat.file.map(|file| file.checked_sub(shmem).unwrap_or(Bytes::ZERO));
        let others = Bytes::checked_sum(cgroup.others.iter().filter_map(|other| other.rss_anon));
        let beside = [
            (Pool::PageCache, file),
            (Pool::Tmpfs, own.stat.shmem),
            (Pool::OtherProcesses, others),
            (Pool::Kernel, own.stat.kernel),
        ];
        ContainerAccount {
            usage: own.usage,
            limit,
            limited_by: tightest.map(|(group, _)| group.path.clone()),
            usage_there: match (tightest, limit) {
                (Some((group, _)), _) => group.usage,
                (None, Some(_)) => None,
                (None, None) => own.usage,
            },
            working_set: own.working_set(),
            beside: beside.into_iter().filter_map(|(pool, bytes)| Some((pool, bytes?))).collect(),
            page_cache: page_cache(stat_of(&cgroup.own.stat), limit),
        }
    }

    /// The books as a look has them: of the container itself, whatever lies above it.
    pub fn of_observations(look: &Observations) -> Seen<ContainerAccount> {
        let bytes = |measure: Measure| look.value(measure).map(Bytes::new);
        let Some(usage) = bytes(Measure::CgroupUsage) else {
            let why = look.all.iter().find(|one| one.measure == Measure::CgroupUsage).map(|one| one.value.clone());
            return Err(why.and_then(Result::err).unwrap_or_else(|| Unseen::because("the look does not have it")));
        };
        let limit = bytes(Measure::CgroupLimit);
        let beside = Pool::ALL.into_iter().filter(|pool| !pool.is_resident());
        let files = FilePages {
            file: bytes(Measure::CgroupFile),
            shmem: bytes(Measure::CgroupShmem),
            unwritten: [bytes(Measure::CgroupDirty), bytes(Measure::CgroupWriteback)],
        };
        Ok(ContainerAccount {
            usage: Some(usage),
            limit,
            limited_by: None,
            usage_there: Some(usage),
            working_set: bytes(Measure::CgroupWorkingSet),
            beside: beside.filter_map(|pool| Some((pool, bytes(Measure::Pool(pool))?))).collect(),
            page_cache: page_cache(files, limit),
        })
    }

    /// What a pool beside the process holds.
    pub fn beside(&self, pool: Pool) -> Option<Bytes> {
        self.beside.iter().find(|(known, _)| *known == pool).map(|(_, bytes)| *bytes)
    }
}

/// What the kernel says of a container's file pages.
struct FilePages {
    file: Option<Bytes>,
    shmem: Option<Bytes>,
    /// Dirty, and being written.
    unwritten: [Option<Bytes>; 2],
}

fn stat_of(stat: &MemoryStat) -> FilePages {
    FilePages { file: stat.file, shmem: stat.shmem, unwritten: [stat.dirty, stat.writeback] }
}

fn page_cache(pages: FilePages, limit: Option<Bytes>) -> Seen<PageCache> {
    let Some(all) = pages.file else {
        return Err(Unseen::because("memory.stat of the process's cgroup does not say how much is page cache"));
    };
    let shmem = pages.shmem.unwrap_or(Bytes::ZERO);
    let file = all.checked_sub(shmem).unwrap_or(Bytes::ZERO);
    let unwritten = Bytes::checked_sum(pages.unwritten.into_iter().flatten()).unwrap_or(Bytes::ZERO);
    // Without a limit nothing is reclaimed for this container's sake.
    let matters = |bytes: Bytes| {
        limit.is_some_and(|limit| bytes.get().saturating_mul(MATTERS) > limit.get()) && bytes > Bytes::ZERO
    };
    let verdict = if matters(shmem) {
        PageCacheVerdict::Tmpfs
    } else if matters(unwritten) {
        PageCacheVerdict::Unwritten
    } else {
        PageCacheVerdict::NoAction
    };
    Ok(PageCache { file, unwritten, shmem, verdict })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;
    use crate::artefact::cgroup::{Companion, Group, Version};

    fn group(path: &str, limit: Limit, stat: MemoryStat) -> Group {
        struct None_;
        impl crate::artefact::cgroup::Files for None_ {
            fn text(&self, _: &str) -> Option<String> {
                None
            }
        }
        let usage = Some(Bytes::mib(950));
        Group { limit: Some(limit), usage, stat, ..Group::read(Version::V2, path, &None_) }
    }

    fn cgroup(stat: MemoryStat) -> Cgroup {
        let pod = group("/pod", Limit::AtMost(Bytes::mib(1000)), MemoryStat::default());
        let worker = Companion {
            pid: 7,
            command: "python".to_owned(),
            is_python_worker: true,
            rss: Ok(Bytes::mib(120)),
            rss_anon: Some(Bytes::mib(100)),
        };
        let own = group("/pod/flink", Limit::Unlimited, stat);
        Cgroup { own, above: vec![pod], tasks: None, others: vec![worker] }
    }

    fn verdict(file: u32, shmem: u32, dirty: u32) -> PageCacheVerdict {
        let mib = |n: u32| Some(Bytes::mib(n));
        let stat = MemoryStat { file: mib(file), shmem: mib(shmem), dirty: mib(dirty), ..MemoryStat::default() };
        ContainerAccount::of(&cgroup(stat)).page_cache.unwrap().verdict
    }

    #[test]
    fn clean_cache_is_no_danger_however_much_of_it_there_is() {
        assert_eq!(verdict(700, 0, 5), PageCacheVerdict::NoAction);
        assert_eq!(verdict(700, 0, 300), PageCacheVerdict::Unwritten);
        assert_eq!(verdict(700, 300, 0), PageCacheVerdict::Tmpfs);
    }

    #[test]
    fn the_limit_may_be_the_pods_and_others_count() {
        let account = ContainerAccount::of(&cgroup(MemoryStat { file: Some(Bytes::mib(9)), ..MemoryStat::default() }));
        assert_eq!((account.limit, account.limited_by.as_deref()), (Some(Bytes::mib(1000)), Some("/pod")));
        assert_eq!(account.beside(Pool::OtherProcesses), Some(Bytes::mib(100)));
        assert_eq!(account.beside(Pool::Tmpfs), None);
    }
}
