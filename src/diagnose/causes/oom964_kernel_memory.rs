use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// The kernel's own memory filled the container or the machine: dentries and inodes, sockets, page tables, thread
    /// stacks.
    ///
    /// ### What is seen
    /// A kill at the limit while the resident sets of all processes come to much less. The report's counters have the
    /// rest in `slab`, `slab_unreclaimable`, `sock`, `kernel_stack` or `pagetables` (version 1: the line `kmem:
    /// usage`), sometimes with "SLUB: Unable to allocate memory". Millions of small files (checkpoints, SST files),
    /// tens of thousands of connections with full buffers or threads make them.
    ///
    /// ### What it is not
    /// - Page cache (OOM905) and tmpfs (OOM906), which have counters of their own.
    /// - Memory of processes that swapped or exited: those show in `swap` or not at all.
    /// - A leak on kernels before 4.19 whose dead groups keep slab: the group's own `kmem` is small there.
    ///
    /// ### How to prove it
    /// `grep -e slab -e sock -e kernel -e pagetables -e percpu /sys/fs/cgroup/memory.stat` in the container, `slabtop
    /// -o -s c | head` and `ss -s` on the node.
    ///
    /// ### Cure
    /// Fewer small files: `state.storage.fs.memory-threshold` and larger SST files
    /// (`state.backend.rocksdb.compaction.level.target-file-size-base`), fewer retained checkpoints. Fewer connections
    /// or smaller buffers (`net.ipv4.tcp_rmem`, `net.ipv4.tcp_wmem`). Old kernels (3.10, 4.x of version 1 groups) leak
    /// kmem of containers: boot with `cgroup.memory=nokmem` or upgrade. What is needed belongs above
    /// `taskmanager.memory.process.size`.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.stat`: `kernel`, `slab`, `sock`); cgroup-v1/memory.rst
    ///   (2.7 kernel memory extension).
    /// - [tag#129](https://github.com/tigrisdata/tag/issues/129): 1.4 GiB of slab in a pod.
    "OOM964" "kernel-memory" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Other,
            title,
            decides: Some(Decides {
                evidence: "which part of the kernel's memory grows",
                command: "grep -e slab -e sock -e kernel -e pagetables /sys/fs/cgroup/memory.stat",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLERS: [Killer; 2] = [Killer::KernelMemcg, Killer::KernelGlobal];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told_of(case, &KILLERS, &[Area::Other])
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = marks::strained(case, &["kernel-allocation-failed"]);
    found.extend(marks::borne_out(case));
    found
}

fn title(case: &Case<'_>) -> String {
    let because = marks::because(case, &KILLERS);
    format!("the kernel's own memory filled the container, and {} was killed{because}", marks::victim(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    #[test]
    fn kernel_memory_by_the_counters_is_the_cause() {
        let left =
            Left::killed_by(Killer::KernelMemcg, Area::Other).because("the kernel's own memory is 900 of 1000 MiB");
        let verdict = left.verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM964"), Area::Other));
        assert!(verdict.summary.ends_with("900 of 1000 MiB"), "{}", verdict.summary);
    }

    #[test]
    fn memory_of_processes_page_cache_and_an_eviction_are_not() {
        for area in [Area::Container, Area::PageCache, Area::Tmpfs] {
            assert!(!Left::killed_by(Killer::KernelMemcg, area).codes().contains(&"OOM964"), "{area:?}");
        }
        assert!(!Left::killed_by(Killer::KubeletEvict, Area::Other).codes().contains(&"OOM964"));
    }
}
