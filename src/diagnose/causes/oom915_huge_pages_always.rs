use super::{mib, percent, permille};
use crate::artefact::host::HugePages;
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::model::{Bytes, Confidence, Finding, Pool, Severity};

cause! {
    /// The kernel makes huge pages everywhere, so that more is resident than the process has touched.
    ///
    /// ### What is seen
    /// `/sys/kernel/mm/transparent_hugepage/enabled` is `[always]`, and mappings show `AnonHugePages`. The first byte that is
    /// touched of a 2 MiB range makes all of it resident: malloc's arenas, thread stacks and the collector's tables are then
    /// larger than Flink's default JVM Overhead was measured with. What malloc frees goes back in whole huge pages only.
    ///
    /// ### What it is not
    /// - A leak: it levels out once every range was touched.
    /// - Huge pages of the Java heap, which is used as a whole anyhow, and faster with them.
    ///
    /// ### How to prove it
    /// `grep AnonHugePages /proc/PID/smaps | awk '{s+=$2} END {print s}'`; the same process on a node with `madvise` is
    /// smaller.
    ///
    /// ### Cure
    /// `echo madvise > /sys/kernel/mm/transparent_hugepage/enabled` on the node; the heap still has them with
    /// -XX:+UseTransparentHugePages in `env.java.opts.taskmanager`. Else raise `taskmanager.memory.jvm-overhead.min`.
    ///
    /// ### Sources
    /// - Linux, Documentation/admin-guide/mm/transhuge.rst.
    /// - [JDK-8303215](https://bugs.openjdk.org/browse/JDK-8303215), thread stacks in huge pages.
    "OOM915" "huge-pages-always" {
        early: early,
    }
}

/// Huge pages matter from this share of the resident set on, in thousandths. Ours.
const MATTERS: u64 = 100;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let sample = &outlook.now.sample;
    if *sample.host.huge_pages.as_ref().ok()? != HugePages::Always {
        return None;
    }
    let smaps = sample.files.smaps.as_ref().ok()?;
    let huge = smaps.mappings.iter().map(|mapping| mapping.huge).fold(0, u64::saturating_add);
    let heap = outlook.now.account.as_ref().ok()?.bytes(Pool::JavaHeap);
    // At least so many are not the heap's.
    let outside = huge.saturating_sub(heap.get());
    let share = permille(outside, smaps.rss())?;
    if share < MATTERS {
        return None;
    }
    let title = format!(
        "{} of the process outside the Java heap, {} of it, lie in huge pages that are resident as a whole",
        mib(Bytes::new(outside)),
        percent(share)
    );
    let finding = CAUSE.finding(Severity::Warning, Confidence::High, title);
    let finding = finding.note(format!("AnonHugePages of all mappings: {}", mib(Bytes::new(huge))));
    Some(finding.help("set transparent_hugepage/enabled to madvise on the node"))
}

#[cfg(test)]
mod tests {
    use super::super::tried::{self, Tried};
    use super::*;

    fn huge(pages: HugePages, huge_mib: u64) -> Tried {
        let mut mapping = tried::mapping(0, 1000 << 20);
        mapping.huge = huge_mib << 20;
        let tried =
            Tried::taskmanager().uses(&[(Pool::JavaHeap, 400), (Pool::NativeSmall, 600)]).mappings(vec![mapping]);
        tried.with(|sample| sample.host.huge_pages = Ok(pages))
    }

    #[test]
    fn huge_pages_beside_the_heap_count() {
        assert!(huge(HugePages::Always, 700).finding(&CAUSE).title.starts_with("300.0 MiB of the process"));
        assert!(huge(HugePages::Always, 400).finds(&CAUSE).is_empty());
        assert!(huge(HugePages::Madvise, 700).finds(&CAUSE).is_empty());
    }
}
