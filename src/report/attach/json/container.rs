//! What lies beside the process in its container.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::artefact::cgroup::{Companion, Version};
use crate::diagnose::container::PageCache;
use crate::diagnose::examination::Examination;
use crate::model::{Bytes, Limit};

/// The container's books.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct ContainerV1 {
    /// Of the control groups: 1 or 2.
    cgroup_version: u8,
    /// The group that the process is in.
    path: String,
    /// The smallest limit that it is under; null where there is none.
    limit: Option<u64>,
    /// The group that has that limit: it may be the pod's.
    limited_by: Option<String>,
    /// What counts against that limit: all that is in that group.
    usage_there: Option<u64>,
    /// What counts against a limit of the process's own group.
    usage: Option<u64>,
    /// The largest usage so far.
    peak: Option<u64>,
    /// What the kubelet goes by: usage without inactive file pages.
    working_set: Option<u64>,
    /// Memory beside the process, by pool.
    beside: BTreeMap<&'static str, u64>,
    /// What to think of the page cache.
    page_cache: Option<PageCacheV1>,
    /// Processes that the kernel killed for memory.
    oom_kills: Option<u64>,
    /// How often the limit was met.
    limit_hits: Option<u64>,
    /// File pages that were thrown out and read again.
    refaults: Option<u64>,
    /// `memory.high`; null where it is not set.
    high: Option<u64>,
    /// How often `memory.high` was met.
    high_hits: Option<u64>,
    /// Whether the kernel kills the whole group at once.
    oom_group: Option<bool>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PageCacheV1 {
    /// `no_action` (it can be given back at once), `unwritten` or `tmpfs`.
    verdict: &'static str,
    /// File pages, tmpfs left out.
    file: u64,
    /// Those that are not written yet.
    unwritten: u64,
    /// tmpfs and shared memory.
    shmem: u64,
}

impl PageCacheV1 {
    fn of(cache: &PageCache) -> PageCacheV1 {
        PageCacheV1 {
            verdict: cache.verdict.key(),
            file: cache.file.get(),
            unwritten: cache.unwritten.get(),
            shmem: cache.shmem.get(),
        }
    }
}

pub(super) fn container(examination: &Examination) -> Option<ContainerV1> {
    let account = examination.container.as_ref().ok()?;
    let own = &examination.sample.cgroup.as_ref().ok()?.own;
    let bytes = |size: Option<Bytes>| size.map(Bytes::get);
    Some(ContainerV1 {
        cgroup_version: match own.version {
            Version::V1 => 1,
            Version::V2 => 2,
        },
        path: own.path.clone(),
        limit: bytes(account.limit),
        limited_by: account.limited_by.clone(),
        usage_there: bytes(account.usage_there),
        usage: bytes(account.usage),
        peak: bytes(own.peak),
        working_set: bytes(account.working_set),
        beside: account.beside.iter().map(|(pool, bytes)| (pool.key(), bytes.get())).collect(),
        page_cache: account.page_cache.as_ref().ok().map(PageCacheV1::of),
        oom_kills: own.oom_kills,
        limit_hits: own.limit_hits,
        refaults: own.stat.refaults,
        high: match own.high {
            Some(Limit::AtMost(bytes)) => Some(bytes.get()),
            _ => None,
        },
        high_hits: own.high_hits,
        oom_group: own.oom_group,
    })
}

/// Another process of the same cgroup.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CompanionV1 {
    pid: u32,
    /// Its program and what it was started with, shortened.
    command: String,
    /// Whether it is one of Flink's Python workers.
    is_python_worker: bool,
    /// Its resident set.
    rss: Option<u64>,
    /// The anonymous part: what it adds to the container.
    rss_anon: Option<u64>,
}

impl CompanionV1 {
    pub(super) fn of(other: &Companion) -> CompanionV1 {
        CompanionV1 {
            pid: other.pid,
            command: other.command.clone(),
            is_python_worker: other.is_python_worker,
            rss: other.rss.as_ref().ok().map(|bytes| bytes.get()),
            rss_anon: other.rss_anon.map(Bytes::get),
        }
    }
}
