use super::{percent, permille};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::model::{Confidence, Finding, Severity};

cause! {
    /// The process has nearly as many mappings as the kernel allows one to have.
    ///
    /// ### What is seen
    /// Lines in `/proc/PID/maps` come close to `vm.max_map_count`. The next mmap, munmap or thread then fails with ENOMEM
    /// while memory is free: "Map failed", "unable to create native thread", "failed to mmap" and an abort, each where it
    /// happens to hit. RocksDB with `allow_mmap_reads`, memory-mapped batch shuffles, and ZGC, which maps its heap three
    /// times before JDK 21, need many.
    ///
    /// ### What it is not
    /// - A limit of threads (OOM909), which fails with the same words.
    /// - A limit of memory: nothing of this is resident.
    ///
    /// ### How to prove it
    /// `wc -l /proc/PID/maps` against `sysctl vm.max_map_count`.
    ///
    /// ### Cure
    /// Raise `vm.max_map_count` on the node (Kubernetes: a privileged init container, or the node's own configuration). For
    /// batch jobs: `taskmanager.network.blocking-shuffle.type: file`.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/sysctl/vm.rst (`max_map_count`, 65530 by default); mm/mmap.c.
    /// - `BoundedBlockingSubpartitionType`, Flink 1.9 to 2.3: mmap or file.
    "OOM910" "mappings-near-limit" {
        early: early,
    }
}

/// Near, in thousandths of the limit. Ours: a process of Flink has about 500 mappings, one in a hundred of the default.
const NEAR: u64 = 800;
/// At the limit.
const AT: u64 = 950;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let sample = &outlook.now.sample;
    let mappings = sample.files.smaps.as_ref().ok()?.mappings.len() as u64;
    let limit = *sample.host.max_mappings.as_ref().ok()?;
    let share = permille(mappings, limit)?;
    let severity = match share {
        AT.. => Severity::Error,
        NEAR.. => Severity::Warning,
        _ => return None,
    };
    let title = format!("{mappings} mappings are {} of the {limit} that a process may have", percent(share));
    Some(CAUSE.finding(severity, Confidence::High, title).help("raise vm.max_map_count on the node"))
}

#[cfg(test)]
mod tests {
    use super::super::tried::{self, Tried};
    use super::*;

    fn mapped(count: u64, limit: u64) -> Tried {
        let mappings = (0..count).map(|index| tried::mapping(index << 20, 4096)).collect();
        Tried::taskmanager().mappings(mappings).with(|sample| sample.host.max_mappings = Ok(limit))
    }

    #[test]
    fn many_mappings_are_held_against_the_kernels_limit() {
        assert_eq!(mapped(970, 1000).finding(&CAUSE).severity, Severity::Error);
        assert_eq!(mapped(810, 1000).finding(&CAUSE).severity, Severity::Warning);
        assert!(mapped(500, 65_530).finds(&CAUSE).is_empty());
    }

    #[test]
    fn a_limit_that_was_not_seen_is_none() {
        let mappings = (0..900).map(|index| tried::mapping(index << 20, 4096)).collect();
        assert!(Tried::taskmanager().mappings(mappings).finds(&CAUSE).is_empty());
    }
}
