//! `--explain-limits`: what was not looked at, and what it would have shown.

use std::collections::BTreeSet;

use super::Report;
use crate::diagnose::postmortem::signal::Origin;
use crate::report::table::hanging;

/// What each origin would show, and how it is had.
const ORIGINS: &[(Origin, &str, &str)] = &[
    (
        Origin::Kernel,
        "the kernel's report: whether it killed, whom, and the counters of the cgroup",
        "dmesg -T on the node, as root",
    ),
    (
        Origin::Kubernetes,
        "the reason of the last termination and the node's pressure",
        "kubectl get pod POD -o json; kubectl describe pod POD",
    ),
    (
        Origin::Yarn,
        "the NodeManager's message with the process tree",
        "the NodeManager's log, or yarn application -status",
    ),
    (Origin::Jvm, "OutOfMemoryErrors and crash reports", "the TaskManager's log and .out, hs_err_pid*.log"),
    (Origin::GcLog, "what lived on the heap after each collection", "-Xlog:gc* (JDK 9 on), -Xloggc (JDK 8)"),
    (Origin::Flink, "the startup block, lost workers, expired checkpoints", "the logs of JobManager and TaskManager"),
    (Origin::RocksDb, "caches, memtables and stalls", "the RocksDB LOG below the TaskManager's log directory"),
    (Origin::Metrics, "use over time before the death", "Flink's and cAdvisor's metrics of the last hour"),
    (
        Origin::Jcmd,
        "the JVM's own books of its native memory",
        "jcmd PID VM.native_memory, with -XX:NativeMemoryTracking=summary",
    ),
];

/// The section of the page.
pub fn text(report: &Report<'_, '_>, width: usize) -> String {
    let seen: BTreeSet<Origin> = report
        .cases
        .iter()
        .flat_map(|judged| {
            let told = judged.case.told().map(|(signal, _)| signal.origin);
            told.chain(judged.case.signals.iter().map(|signal| signal.origin)).collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<_> = ORIGINS.iter().filter(|(origin, ..)| !seen.contains(origin)).collect();
    if missing.is_empty() {
        return "\nEvery kind of artefact was among what was read.\n".to_owned();
    }
    let mut out = "\nNot looked at, since nothing of it was given\n".to_owned();
    for (_, shows, how) in missing {
        out += &hanging(&format!("  {shows}"), width, "    ");
        out += &hanging(&format!("    {how}"), width, "    ");
    }
    out
}
