use super::{marks, mib};
use crate::artefact::hsperfdata::CollectorKind;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Bytes, Confidence, Finding, Killer, Limit, Severity};

cause! {
    /// Files in tmpfs count against the container's limit and stay until they are deleted.
    ///
    /// ### What is seen
    /// `shmem` of the container is large, and no process has mapped it: state, spilled data or logs lie in a tmpfs. That is
    /// `/dev/shm`, a `/tmp` that is a tmpfs, or an `emptyDir` with `medium: Memory`. In tables it looks like page cache, and
    /// unlike it nothing reclaims it without swap. RocksDB's files then take the container's memory a second time, beside
    /// its blocks.
    ///
    /// ### What it is not
    /// - Page cache, which goes by itself (OOM905).
    /// - A Java heap in shared memory: ZGC before JDK 21 maps it so, and the process's own shared memory is as large.
    ///
    /// ### How to prove it
    /// `findmnt -t tmpfs` and `du -sh` on what `io.tmp.dirs` and `state.backend.rocksdb.localdir` name; `shmem` in
    /// `memory.stat` falls by what is deleted there.
    ///
    /// ### Cure
    /// Put `io.tmp.dirs` and `state.backend.rocksdb.localdir` on a disk. Where they are to stay in memory, the container
    /// needs that memory beside `taskmanager.memory.process.size`.
    ///
    /// ### Sources
    /// - Linux, Documentation/filesystems/tmpfs.rst; Documentation/admin-guide/cgroup-v2.rst (`shmem`).
    /// - Kubernetes, Volumes, emptyDir: what is written with `medium: Memory` counts to the container that wrote it.
    "OOM906" "tmpfs-counts" {
        early: early,
        late: Some(Late {
            required,
            supporting: marks::borne_out,
            weight: Weight::Explains,
            area: |_| Area::Tmpfs,
            title,
            decides: Some(Decides {
                evidence: "which files lie in memory, and how large they are",
                command: "df -h -t tmpfs",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// From this part of the limit on: a tenth is what Flink's JVM overhead has by default, and nothing plans for tmpfs.
const PART: u64 = 10;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let sample = &outlook.now.sample;
    let cgroup = sample.cgroup.as_ref().ok()?;
    let (_, limit) = cgroup.tightest()?;
    let shmem = cgroup.own.stat.shmem?;
    let mapped = match &sample.files.status {
        Ok(status) => status.rss_shmem,
        Err(_) => None,
    };
    // A heap may be all of it.
    let may_be_heap = !matches!(
        sample.jvm.as_ref().ok().and_then(|jvm| jvm.collector),
        Some(CollectorKind::G1 | CollectorKind::Parallel | CollectorKind::Serial | CollectorKind::Cms)
    );
    if mapped.is_none() && may_be_heap {
        return None;
    }
    let files = shmem.checked_sub(mapped.unwrap_or(Bytes::ZERO))?;
    if files.get().saturating_mul(PART) <= limit.get() {
        return None;
    }
    let swaps = matches!(cgroup.own.swap_limit, Some(Limit::AtMost(bytes)) if bytes > Bytes::ZERO);
    let mut finding = CAUSE.finding(
        Severity::Warning,
        if swaps || mapped.is_none() { Confidence::Medium } else { Confidence::High },
        format!("{} lie in tmpfs and count against the container's limit of {}", mib(files), mib(limit)),
    );
    let databases = sample.rocksdb.as_ref().map(|databases| databases.instances.as_slice()).unwrap_or_default();
    if let Some(instance) = databases.iter().find(|instance| instance.directory.starts_with("/dev/shm")) {
        finding = finding.note(format!("a RocksDB lies in {}", instance.directory.display()));
    }
    finding = finding.note("tmpfs is reclaimed by deleting files only, or by swap");
    Some(
        finding.help(
            "put io.tmp.dirs and state.backend.rocksdb.localdir on a disk, or raise the limit by what lies there",
        ),
    )
}

const KILLERS: [Killer; 4] = [Killer::KernelMemcg, Killer::KernelGlobal, Killer::KubeletEvict, Killer::SystemdOomd];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told_of(case, &KILLERS, &[Area::Tmpfs])
}

fn title(case: &Case<'_>) -> String {
    let because = marks::because(case, &KILLERS);
    format!(
        "files in memory (tmpfs, /dev/shm) filled it to {}, and {} was killed{because}",
        marks::its_limit(case),
        marks::victim(case)
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;

    #[test]
    fn what_no_process_has_mapped_is_files() {
        let tried = || Tried::taskmanager().contained(1728, 1500, 900, 400);
        let finding = tried().status(|status| status.rss_shmem = Some(Bytes::mib(1))).finding(&CAUSE);
        assert_eq!((finding.severity, finding.confidence), (Severity::Warning, Confidence::High));
        assert!(finding.title.starts_with("399.0 MiB lie in tmpfs"), "{}", finding.title);
    }

    #[test]
    fn a_heap_in_shared_memory_is_no_file_and_what_may_be_one_is_not_told() {
        let tried = || Tried::taskmanager().contained(1728, 1500, 900, 400);
        assert!(tried().status(|status| status.rss_shmem = Some(Bytes::mib(390))).finds(&CAUSE).is_empty());
        assert!(tried().finds(&CAUSE).is_empty());
        assert_eq!(tried().jvm(|jvm| jvm.collector = Some(CollectorKind::G1)).finds(&CAUSE).len(), 1);
    }

    #[test]
    fn a_little_tmpfs_is_none() {
        let little = Tried::taskmanager().contained(1728, 1500, 900, 64);
        assert!(little.status(|status| status.rss_shmem = Some(Bytes::ZERO)).finds(&CAUSE).is_empty());
    }

    #[test]
    fn a_kill_whose_counters_show_shared_memory_is_explained() {
        let left = Left::killed_by(Killer::KernelMemcg, Area::Tmpfs).limit(Bytes::mib(1728));
        let verdict = left.because("shared memory is 1200 of 1728 MiB").verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM906"), Area::Tmpfs));
        for area in [Area::PageCache, Area::Container] {
            assert!(!Left::killed_by(Killer::KernelMemcg, area).codes().contains(&"OOM906"), "{area:?}");
        }
    }
}
