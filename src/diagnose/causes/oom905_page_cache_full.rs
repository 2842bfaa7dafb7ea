use super::room::Room;
use super::{marks, mib, oom904_container_limit_near, permille};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::container::PageCacheVerdict;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Bytes, Confidence, Finding, Killer, Severity};

cause! {
    /// The container looks full, and page cache is what fills it: clean cache is no danger, cache that is not written yet is.
    ///
    /// ### What is seen
    /// Usage stands at the limit for hours, `memory.failcnt` or `max` in `memory.events` counts up, the working set in
    /// dashboards looks alarming, and nothing happens. Files that RocksDB, shuffles or checkpoints read and write stay in
    /// memory until something else needs the place. Only pages that are not written yet cannot go at once: on a slow disk
    /// a batch shuffle makes them faster than the disk takes them, and the container is throttled, or killed by kernels that
    /// do not throttle writers of a version 1 group.
    ///
    /// ### What it is not
    /// - Memory near the limit: there it is anonymous memory, tmpfs and the kernel's that fill it (OOM904).
    /// - tmpfs: it is counted as cache and stays (OOM906).
    ///
    /// ### How to prove it
    /// `memory.stat` of the container: `file` less `shmem` is the cache, `file_dirty` + `file_writeback` what is not written
    /// of it. `oom_kill` in `memory.events` stays 0.
    ///
    /// ### Cure
    /// Nothing is to be done about clean cache; watch anonymous memory in its place. Where much is unwritten: a faster
    /// disk for `io.tmp.dirs`, or fewer TaskManagers a node that write to the same one.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.stat`, writeback), cgroup-v1/memory.rst (2.5 reclaim).
    /// - [kubernetes#43916](https://github.com/kubernetes/kubernetes/issues/43916),
    ///   [cadvisor#1529](https://github.com/google/cadvisor/issues/1529): the working set counts active file pages.
    /// - Measured: a batch shuffle in 1000 MiB met its limit 153 489 times, read 4.1 GB again, and finished
    ///   (`testdata/series/failures`).
    "OOM905" "page-cache-full" {
        early: early,
        late: Some(Late {
            required,
            supporting: marks::borne_out,
            weight: Weight::Explains,
            area: |_| Area::PageCache,
            title,
            decides: Some(Decides {
                evidence: "how much of the cache was not written yet",
                command: "grep -e file_dirty -e file_writeback -e shmem /sys/fs/cgroup/memory.stat",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// The container looks full from this share of the limit on, in thousandths: what dashboards and alerts commonly warn of.
const LOOKS_FULL: u64 = 900;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let room = Room::of(outlook)?;
    let container = outlook.now.container.as_ref().ok()?;
    let cache = container.page_cache.as_ref().ok()?;
    let usage = container.usage_there?;
    let full = permille(usage.get(), room.limit.get())? >= LOOKS_FULL;
    let held = permille(room.held.get(), room.limit.get())? >= oom904_container_limit_near::NEAR;
    if !full || held {
        return None;
    }
    let finding = match cache.verdict {
        PageCacheVerdict::NoAction => CAUSE
            .finding(
                Severity::Note,
                Confidence::High,
                format!("the container is full of page cache, {} of it, which goes when it is needed", mib(cache.file)),
            )
            .help("nothing is to be done: watch what cannot be reclaimed instead of usage or the working set"),
        PageCacheVerdict::Unwritten => CAUSE
            .finding(
                Severity::Warning,
                Confidence::Medium,
                format!("the container is full, and {} of its page cache are not written yet", mib(cache.unwritten)),
            )
            .help("put io.tmp.dirs on a faster disk, or run fewer TaskManagers on one"),
        PageCacheVerdict::Tmpfs => return None,
    };
    let mut finding = finding.note(format!("usage of {}: {} of {}", room.group, mib(usage), mib(room.limit)));
    finding = finding.note(format!("cannot be reclaimed: {}", mib(room.held)));
    if cache.unwritten > Bytes::ZERO {
        finding = finding.note(format!("not written yet: {}", mib(cache.unwritten)));
    }
    Some(finding)
}

const KILLERS: [Killer; 1] = [Killer::KernelMemcg];
const STRAINS: [&str; 3] = ["limit-hit", "cache-heavy", "near-limit"];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.death.is_some() {
        return marks::told_of(case, &KILLERS, &[Area::PageCache]);
    }
    let looks_full = case.strains(&STRAINS).into_iter();
    looks_full.filter(|(_, strain)| strain.area == Some(Area::PageCache)).map(|(signal, _)| signal).collect()
}

fn title(case: &Case<'_>) -> String {
    if case.death.is_some() {
        let because = marks::because(case, &KILLERS);
        return format!(
            "page cache filled the container at {}, and {} was killed{because}",
            marks::its_limit(case),
            marks::victim(case)
        );
    }
    let said = case.strains(&STRAINS).into_iter().find(|(_, strain)| strain.area == Some(Area::PageCache));
    let said = said.map_or(String::new(), |(_, strain)| format!(": {}", strain.text.trim_end_matches('.')));
    format!("the container looks full of page cache, which goes when it is needed{said}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;

    #[test]
    fn clean_cache_is_a_note_and_unwritten_cache_a_warning() {
        let full = || Tried::taskmanager().contained(1728, 1720, 1100, 0);
        assert_eq!(full().finding(&CAUSE).severity, Severity::Note);
        let unwritten = full().cgroup(|cgroup| cgroup.own.stat.dirty = Some(Bytes::mib(400)));
        assert_eq!(unwritten.finding(&CAUSE).severity, Severity::Warning);
    }

    #[test]
    fn a_container_with_room_and_one_full_of_anonymous_memory_have_none() {
        assert!(Tried::taskmanager().contained(1728, 1400, 1100, 0).finds(&CAUSE).is_empty());
        assert!(Tried::taskmanager().contained(1728, 1728, 1700, 0).finds(&CAUSE).is_empty());
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }

    #[test]
    fn a_kill_whose_counters_show_page_cache_is_explained_and_a_full_cache_alone_kills_nobody() {
        let left = Left::killed_by(Killer::KernelMemcg, Area::PageCache).limit(Bytes::mib(1000));
        let verdict = left.because("pages of files are 900 of 1000 MiB").verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM905"), Area::PageCache));
        assert!(verdict.summary.contains("its limit of 1000.0 MiB"), "{}", verdict.summary);
        let hits = Left::default().strain(Origin::Counters, "limit-hit", Some(Area::PageCache)).verdict();
        assert_eq!((hits.code, hits.killer), (Some("OOM905"), Killer::NotOom));
    }

    #[test]
    fn tmpfs_and_memory_of_processes_are_not_page_cache() {
        for area in [Area::Tmpfs, Area::Container, Area::Other] {
            assert!(!Left::killed_by(Killer::KernelMemcg, area).codes().contains(&"OOM905"), "{area:?}");
        }
        let hits = Left::default().strain(Origin::Counters, "limit-hit", Some(Area::Container));
        assert!(!hits.codes().contains(&"OOM905"));
    }
}
