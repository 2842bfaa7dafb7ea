use super::{mib, percent, permille};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::model::{Bytes, Confidence, Finding, Limit, Severity};

cause! {
    /// Parts of the process are swapped out, and every collection reads them back.
    ///
    /// ### What is seen
    /// `VmSwap` of the process is not 0. What is swapped is missing from the resident set and from every account of it, so
    /// the process looks smaller than it is. A collection touches all of the heap: with a part of it on disk a pause of
    /// milliseconds becomes one of seconds, and heartbeats time out. Where the container's swap is limited as well, that
    /// limit is met next, and then the kernel kills.
    ///
    /// ### What it is not
    /// - A small remainder: pages that nobody needs (start-up code) may stay in swap for ever.
    /// - Page cache that was thrown out, which is counted as `workingset_refault_file`.
    ///
    /// ### How to prove it
    /// `grep VmSwap /proc/PID/status`; `vmstat 1`: columns si and so while it is slow. `Swap:` in `/proc/PID/smaps` says which
    /// mappings.
    ///
    /// ### Cure
    /// Switch swap off on the node, or set `memory.swap.max` to 0 for the container; then give the node or the container
    /// the memory that is needed. `taskmanager.memory.process.size` must fit into memory.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/cgroup-v2.rst (`memory.swap.max`); proc(5), `VmSwap`.
    /// - Kubernetes, Swap memory management: nodes of 1.28 and later may swap Burstable pods.
    "OOM914" "swapped-out" {
        early: early,
    }
}

/// What is swapped matters from this share of what the process has on, in thousandths. Ours: start-up code is less.
const MATTERS: u64 = 20;
/// Less than this never does.
const LITTLE: Bytes = Bytes::mib(16);

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let sample = &outlook.now.sample;
    let status = sample.files.status.as_ref().ok()?;
    let swapped = status.swap.filter(|swapped| *swapped >= LITTLE)?;
    let share = permille(swapped.get(), status.rss?.checked_add(swapped)?.get())?;
    if share < MATTERS {
        return None;
    }
    let in_mappings = sample.files.smaps.as_ref().ok().map(|smaps| Bytes::new(smaps.swap()));
    let agrees = in_mappings.is_some_and(|mapped| mapped >= LITTLE);
    let mut finding = CAUSE.finding(
        Severity::Warning,
        if agrees { Confidence::High } else { Confidence::Medium },
        format!("{} of the process are swapped out, {} of it", mib(swapped), percent(share)),
    );
    let own = sample.cgroup.as_ref().ok().map(|cgroup| &cgroup.own);
    if let Some(Limit::AtMost(limit)) = own.and_then(|own| own.swap_limit) {
        finding = finding.note(format!("the container may swap {}", mib(limit)));
    }
    Some(finding.help("switch swap off for this container and give it the memory it needs"))
}

#[cfg(test)]
mod tests {
    use super::super::tried::{self, Tried};
    use super::*;

    fn swapped(mib: u32) -> Tried {
        Tried::jobmanager().status(|status| (status.rss, status.swap) = (Some(Bytes::mib(900)), Some(Bytes::mib(mib))))
    }

    #[test]
    fn what_is_swapped_is_told_by_two_files() {
        assert_eq!(swapped(200).finding(&CAUSE).confidence, Confidence::Medium);
        let mut mapping = tried::mapping(0, 4096);
        mapping.swap = 200 << 20;
        assert_eq!(swapped(200).mappings(vec![mapping]).finding(&CAUSE).confidence, Confidence::High);
    }

    #[test]
    fn a_little_is_none() {
        assert!(swapped(10).finds(&CAUSE).is_empty());
        assert!(swapped(0).finds(&CAUSE).is_empty());
        assert!(Tried::jobmanager().finds(&CAUSE).is_empty());
    }
}
