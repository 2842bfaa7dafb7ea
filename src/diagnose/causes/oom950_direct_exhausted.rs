use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// Direct memory was used up: -XX:MaxDirectMemorySize, which Flink sets to framework, task off-heap and network
    /// memory.
    ///
    /// ### What is seen
    /// `OutOfMemoryError: Direct buffer memory` (JDK 8 and 11), "Cannot reserve N bytes of direct buffer memory
    /// (allocated: N, limit: N)" (17 and later), Netty's `OutOfDirectMemoryError: failed to allocate N byte(s) of
    /// direct memory (used: N, max: N)`, or Flink's "Can't allocate enough direct buffer for batch shuffle read buffer
    /// pool". Network memory is taken in full at the start and counts in the same limit: what is left are 128 MiB by
    /// default, task off-heap being 0.
    ///
    /// ### What it is not
    /// - "Insufficient number of network buffers" (OOM956): a pool that is too small, with memory left.
    /// - Managed memory: allocated outside of this limit (OOM957).
    /// - Kafka's `BufferExhaustedException`: a client's own buffer on the heap.
    ///
    /// ### How to prove it
    /// The stack below the exception names who asks: `grep -A 12 -e 'irect buffer memory' -e OutOfDirectMemoryError
    /// *.log`. Shaded Netty and network stacks are the framework's; gRPC, Kafka, S3 and CDC clients are the task's. On
    /// a successor the metrics of `Status.JVM.Memory.Direct`, less the network pool.
    ///
    /// ### Cure
    /// By the stack: `taskmanager.memory.task.off-heap.size` (0 by default) for connectors and user code,
    /// `taskmanager.memory.framework.off-heap.size` for Flink's own; a batch shuffle needs
    /// `taskmanager.memory.framework.off-heap.batch-shuffle.size` within it. JobManager:
    /// `jobmanager.memory.off-heap.size`. A use that never levels out is a leak: raising it buys time.
    ///
    /// ### Sources
    /// - JDK, `java.nio.Bits.reserveMemory`; Netty, `PlatformDependent.incrementMemoryCounter`.
    /// - Flink, `BatchShuffleReadBufferPool`; [FLINK-15981](https://github.com/apache/flink/pull/15701),
    ///   [chronon#370](https://github.com/zipline-ai/chronon/issues/370).
    /// - Measured: Flink 1.20.5 with 8 MiB of framework off-heap fails in a batch shuffle, with 128 MiB it finishes.
    "OOM950" "direct-exhausted" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |case| marks::area_by(case, &KILLERS, Area::Direct),
            title,
            decides: Some(Decides {
                evidence: "whose buffers they are: the stack below the exception",
                command: "grep -A 12 -e 'irect buffer memory' -e OutOfDirectMemoryError *.log *.out",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Flink's own pools of direct memory say it themselves.
const KILLERS: [Killer; 3] = [Killer::Jvm, Killer::Unknown, Killer::Flink];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told(case, &KILLERS, |_, death| match death.area {
        Some(Area::Direct) => true,
        // The pool of network memory is made of direct buffers, and the JVM is who refuses them.
        Some(Area::Network) => death.killer == Killer::Jvm,
        _ => false,
    })
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = case.strained(Area::Direct);
    found.extend(marks::ended_itself(case));
    found
}

fn title(case: &Case<'_>) -> String {
    let flag = marks::given_as(case, "-XX:MaxDirectMemorySize");
    format!("{} was used up{flag}{}", marks::of_role(case, "direct memory"), marks::figures(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Bytes, Confidence};

    #[test]
    fn used_up_direct_memory_is_the_cause_with_its_numbers() {
        let left = Left::killed_by(Killer::Jvm, Area::Direct).limit(Bytes::mib(136)).usage(Bytes::mib(132));
        let verdict = left.verdict();
        assert_eq!(
            (verdict.code, verdict.area, verdict.confidence),
            (Some("OOM950"), Area::Direct, Confidence::Medium)
        );
        assert!(verdict.summary.contains("(132.0 MiB of 136.0 MiB)"), "{}", verdict.summary);
    }

    #[test]
    fn flinks_own_pool_bears_it_out() {
        let left = Left::killed_by(Killer::Jvm, Area::Direct);
        let quote = "Can't allocate enough direct buffer for batch shuffle read buffer pool";
        let verdict = left.told_too(Origin::Flink, Killer::Flink, Some(Area::Direct), quote).verdict();
        assert_eq!((verdict.killer, verdict.confidence), (Killer::Jvm, Confidence::High));
    }

    #[test]
    fn a_network_pool_that_the_jvm_refuses_keeps_its_area_and_one_that_is_too_small_is_not() {
        let refused = Left::killed_by(Killer::Jvm, Area::Network);
        assert_eq!((refused.first(), refused.verdict().area), (Some("OOM950"), Area::Network));
        for (killer, area) in [(Killer::Flink, Area::Network), (Killer::Jvm, Area::Heap), (Killer::NotOom, Area::Other)]
        {
            assert!(!Left::killed_by(killer, area).codes().contains(&"OOM950"), "{killer} {area:?}");
        }
    }
}
