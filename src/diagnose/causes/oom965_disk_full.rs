use super::marks::{self, Other};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::Area;

cause! {
    /// A disk was full, or its share for the pod was used up: the process or its task ended for that, not for memory.
    ///
    /// ### What is seen
    /// "No space left on device", an eviction with "The node was low on resource: ephemeral-storage" or "exceeds the
    /// total limit of containers", "Usage of EmptyDir volume … exceeds the limit", YARN's bad local directories (exit
    /// status -101; a disk above 90 % counts as bad). Exit codes are the same as for kills by memory.
    ///
    /// ### What it is not
    /// - An eviction for memory (OOM945): the word behind "low on resource:" is the difference.
    /// - tmpfs (OOM906): an `emptyDir` with `medium: Memory` is memory, and its limit too.
    ///
    /// ### How to prove it
    /// `df -h -i` on what `io.tmp.dirs` and `state.backend.rocksdb.localdir` name; `du -xsh /tmp/flink-* | sort -h`;
    /// `kubectl describe pod POD` for its limits of ephemeral-storage.
    ///
    /// ### Cure
    /// Put `io.tmp.dirs` and `state.backend.rocksdb.localdir` on volumes that are large enough; on Kubernetes an
    /// `emptyDir`, which goes with its pod, not a `hostPath`, where the directories of killed processes stay. Logs:
    /// roll and bound them. Smaller state on disk: compression, TTL with compaction filter, more TaskManagers. Heap
    /// dumps: a directory of their own.
    ///
    /// ### Sources
    /// - Kubernetes, pkg/kubelet/eviction/eviction_manager.go, helpers.go; Local ephemeral storage.
    /// - Hadoop, `LocalDirsHandlerService`, `ContainerExitStatus.DISKS_FAILED` (-101).
    "OOM965" "disk-full" {
        late: Some(Late {
            required: |case| marks::others(case, Other::Disk),
            supporting: |case| marks::exits(case, &[137, 143]),
            contradicting: marks::death,
            weight: Weight::NotMemory,
            area: |_| Area::Other,
            title,
            decides: Some(Decides {
                evidence: "which file system was full, and of what",
                command: "df -h -i",
            }),
        }),
    }
}

fn title(case: &Case<'_>) -> String {
    let reason = marks::reason(case, Other::Disk).unwrap_or("no space left on a disk");
    format!("the reason was a disk, not memory: {reason}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Killer;

    #[test]
    fn a_full_disk_is_not_memory() {
        for reason in [
            "evicted for want of disk space, not of memory",
            "no space left on a disk",
            "stopped for bad disks of its node",
        ] {
            let verdict = Left::default().other_reason(reason, true).ended(137).verdict();
            assert_eq!((verdict.code, verdict.killer), (Some("OOM965"), Killer::NotOom), "{reason}");
            assert!(verdict.summary.contains(reason), "{}", verdict.summary);
        }
    }

    #[test]
    fn an_eviction_for_memory_and_other_reasons_are_not() {
        assert!(!Left::killed_by(Killer::KubeletEvict, Area::Container).codes().contains(&"OOM965"));
        let preempted = Left::default().other_reason("preempted by Kubernetes for another pod", true);
        assert!(!preempted.codes().contains(&"OOM965"));
        let crash = Left::default()
            .other_reason("a crash of the JVM by SIGBUS: a mapped file was cut, or its disk is full", true);
        assert_eq!(crash.first(), Some("OOM969"));
    }

    #[test]
    fn a_death_for_memory_beside_it_comes_first() {
        let both = Left::killed_by(Killer::KernelMemcg, Area::Container).other_reason("no space left on a disk", false);
        assert_eq!(both.first(), Some("OOM940"));
    }
}
