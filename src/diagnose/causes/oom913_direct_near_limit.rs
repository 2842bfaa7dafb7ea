use super::{flags, marks, mib, percent, permille, room};
use crate::diagnose::cause::{Outlook, Told, cause};
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::diagnose::trend::Forecast;
use crate::model::{Area, Bytes, Confidence, Finding, Measure, Role, Severity};

cause! {
    /// Direct memory beside the network buffers is near what is left of its bound: OutOfMemoryError: Direct buffer memory.
    ///
    /// ### What is seen
    /// The JVM's direct buffers come close to -XX:MaxDirectMemorySize, which Flink sets to framework off-heap, task off-heap
    /// and network memory together. Network buffers are all allocated at the start, so what may still move is the rest.
    /// Netty, Kafka, gRPC and S3 clients, and batch shuffles that read many partitions at once use it up: "Direct buffer
    /// memory", "Cannot reserve 4194304 bytes of direct buffer memory", "Can't allocate enough direct buffer for batch
    /// shuffle read buffer pool".
    ///
    /// ### What it is not
    /// - A container that is too small (OOM904): direct memory has a bound of its own and fails with an exception.
    /// - Native memory of JNI libraries, zlib or RocksDB: no bound of the JVM holds that (OOM918).
    ///
    /// ### How to prove it
    /// `Status.JVM.Memory.Direct.MemoryUsed` of Flink's REST, less `Status.Shuffle.Netty.TotalMemory`, against the two
    /// off-heap sizes. The stack of the exception names who asked.
    ///
    /// ### Cure
    /// `taskmanager.memory.task.off-heap.size` for connectors and user code, `taskmanager.memory.framework.off-heap.size` for
    /// Flink's own (batch shuffle: with `taskmanager.memory.framework.off-heap.batch-shuffle.size`), `jobmanager.memory.off-heap.size`
    /// for a JobManager, whose bound is only set with `jobmanager.memory.enable-jvm-direct-memory-limit`.
    ///
    /// ### Sources
    /// - JDK, `java.nio.Bits.reserveMemory`, `jdk.internal.misc.VM.maxDirectMemory`.
    /// - [FLINK-14631](https://issues.apache.org/jira/browse/FLINK-14631), Netty in framework off-heap;
    ///   [FLINK-15962](https://issues.apache.org/jira/browse/FLINK-15962), its chunks of 4 MiB.
    /// - Measured: Flink 1.20.5, a batch shuffle with 8 MiB of framework off-heap fails, with 128 MiB it finishes.
    "OOM913" "direct-near-limit" {
        early: early,
        late: Some(Late {
            required,
            weight: Weight::Beside,
            area: |_| Area::Direct,
            title,
            decides: Some(Decides {
                evidence: "whose direct buffers they are",
                command: "jcmd PID Thread.print",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Near, in thousandths of what is left beside the network buffers: three Netty chunks of 4 MiB are a tenth of the default
/// 128 MiB (`TaskManagerOptions.FRAMEWORK_OFF_HEAP_MEMORY`).
const NEAR: u64 = 900;
/// At the bound: no chunk of 4 MiB fits any more.
const AT: u64 = 970;

fn early(outlook: &Outlook<'_>) -> Vec<Finding> {
    finding(outlook).into_iter().collect()
}

fn finding(outlook: &Outlook<'_>) -> Option<Finding> {
    let sample = &outlook.now.sample;
    let metrics = &sample.rest.as_ref().ok()?.metrics;
    let used = *metrics.direct.used.as_ref().ok()?;
    let told = flags::size(sample, flags::MAX_DIRECT).map(|told| told.bytes);
    let max = told.or_else(|| outlook.now.planned.as_ref().ok()?.plan.direct)?;
    let is_taskmanager = sample.flink.as_ref().is_some_and(|flink| flink.role == Role::TaskManager);
    let network = match is_taskmanager {
        // A TaskManager whose network memory nobody knows is not judged: the pool is full by design.
        true => *metrics.network.total.as_ref().ok()?,
        false => Bytes::ZERO,
    };
    let (beside, room) = (used.checked_sub(network)?, max.checked_sub(network)?);
    let share = permille(beside.get(), room.get())?;
    let forecast =
        outlook.before.and_then(|before| before.trend(Measure::DirectUsed)).map(|trend| trend.time_to(max.get()));
    let soon = matches!(forecast, Some(Forecast::Between { latest: Some(_), .. }));
    let severity = match share {
        AT.. => Severity::Error,
        _ if soon => Severity::Error,
        NEAR.. => Severity::Warning,
        _ => return None,
    };
    let when = forecast.as_ref().and_then(room::when).map(|when| format!("; it is full {when}")).unwrap_or_default();
    let mut finding = CAUSE.finding(
        severity,
        if told.is_some() { Confidence::High } else { Confidence::Medium },
        format!(
            "direct memory beside the network buffers is {} used: {} of {}{when}",
            percent(share),
            mib(beside),
            mib(room)
        ),
    );
    finding =
        finding.note(format!("direct memory in all: {} of {}, network buffers {}", mib(used), mib(max), mib(network)));
    Some(finding.help(match is_taskmanager {
        true => {
            "raise taskmanager.memory.task.off-heap.size for connectors, taskmanager.memory.framework.off-heap.size for batch \
             shuffles"
        }
        false => "raise jobmanager.memory.off-heap.size",
    }))
}

const STRAINS: [&str; 1] = ["batch-read-timeout"];

/// What is short, and nobody says that it failed.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if case.told_of(&[Area::Direct]).is_empty() { marks::strained(case, &STRAINS) } else { Vec::new() }
}

fn title(case: &Case<'_>) -> String {
    format!("direct memory was short, and nothing says that it failed{}", marks::in_words(case, &STRAINS))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::super::tried::Tried;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::Killer;

    const MIB: u64 = 1 << 20;
    const USED: &str = "Status.JVM.Memory.Direct.MemoryUsed";
    const NETWORK: &str = "Status.Shuffle.Netty.TotalMemory";

    fn used(beside: u64) -> Tried {
        Tried::taskmanager().metrics(&[(USED, (128 + beside) * MIB), (NETWORK, 128 * MIB)])
    }

    #[test]
    fn what_is_beside_the_network_buffers_is_judged_alone() {
        assert!(used(9).finds(&CAUSE).is_empty());
        assert_eq!(used(118).finding(&CAUSE).severity, Severity::Warning);
        let sure = used(126).command(&["java", "-XX:MaxDirectMemorySize=268435458"]).finding(&CAUSE);
        assert_eq!((sure.severity, sure.confidence), (Severity::Error, Confidence::High));
    }

    #[test]
    fn without_the_networks_size_nothing_is_said() {
        assert!(Tried::taskmanager().metrics(&[(USED, 255 * MIB)]).finds(&CAUSE).is_empty());
        assert!(Tried::taskmanager().finds(&CAUSE).is_empty());
    }

    #[test]
    fn a_jobmanager_has_no_network_buffers() {
        let tried = Tried::jobmanager().metrics(&[(USED, 126 * MIB)]);
        let tried = tried.command(&["java", "-XX:MaxDirectMemorySize=134217728"]);
        assert!(tried.finding(&CAUSE).help.unwrap_or_default().contains("jobmanager.memory.off-heap.size"));
    }

    #[test]
    fn short_direct_memory_is_told_beside() {
        let short = |left: Left| left.strain(Origin::Metrics, "batch-read-timeout", Some(Area::Direct));
        assert_eq!(short(Left::default()).first(), Some("OOM913"));
        assert!(!short(Left::killed_by(Killer::Jvm, Area::Direct)).codes().contains(&"OOM913"));
    }
}
