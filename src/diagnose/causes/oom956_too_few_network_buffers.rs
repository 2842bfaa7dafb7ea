use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// A TaskManager had too few network buffers for the channels of its tasks; the job fails while memory is free.
    ///
    /// ### What is seen
    /// `IOException: Insufficient number of network buffers: required N, but only N available. The total number of
    /// network buffers is currently set to N of 32768 bytes each`, or "Timeout triggered when requesting exclusive
    /// buffers", at a job's start, after a rescaling, or with one more job in a session. Each input channel wants two
    /// exclusive buffers, each gate eight floating ones: an exchange of all to all with parallelism p has p² channels,
    /// p of them in each subtask.
    ///
    /// ### What it is not
    /// - Direct memory that the JVM refuses (OOM950): "Could not allocate enough memory segments", "Direct buffer
    ///   memory".
    /// - Missing slots: "Could not acquire the minimum required resources".
    /// - Kafka's `BufferExhaustedException`: a client's own memory.
    ///
    /// ### How to prove it
    /// `grep 'Insufficient number of network buffers' *.log`; `oomph plan conf --job-plan job.json` computes what a job
    /// needs (saved from `/jobs/ID`); the metric `Status.Shuffle.Netty.AvailableMemorySegments` on a job that runs.
    ///
    /// ### Cure
    /// Raise `taskmanager.memory.network.max` and `taskmanager.memory.network.fraction` (up to 1.16 the maximum is 1
    /// GiB by default), or `taskmanager.memory.network.min`. Or need fewer: lower parallelism, fewer slots a
    /// TaskManager (`taskmanager.numberOfTaskSlots`), `taskmanager.network.memory.buffers-per-channel: 0` or a sort
    /// shuffle for batch.
    ///
    /// ### Sources
    /// - Flink, `NetworkBufferPool.createBufferPool`, `NetworkBufferPool.requestUnpooledMemorySegments`.
    /// - [beam#17067](https://github.com/apache/beam/pull/17067),
    ///   [FLINK-29351](https://github.com/apache/flink/pull/20984).
    /// - Measured: Flink 1.20.5 with 320 KiB fails, with 8 MiB the same job runs.
    "OOM956" "too-few-network-buffers" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Network,
            title,
            decides: Some(Decides {
                evidence: "how many buffers the job's graph needs in one TaskManager",
                command: "oomph plan conf --job-plan job.json",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::Flink];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told_of(case, &KILLER, &[Area::Network])
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    case.strained(Area::Network)
}

fn title(case: &Case<'_>) -> String {
    match marks::because(case, &KILLER) {
        because if because.is_empty() => format!("too few network buffers{}", marks::figures(case)),
        because => format!("too few network buffers{because}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Bytes;

    #[test]
    fn too_few_buffers_are_the_cause() {
        let left = Left::killed_by(Killer::Flink, Area::Network).limit(Bytes::new(327_680));
        let verdict = left.clone().because("a task needed 3 network buffers more, and 1 were left of 10").verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM956"), Area::Network));
        assert!(verdict.summary.contains("needed 3 network buffers"), "{}", verdict.summary);
        assert!(left.verdict().summary.contains("(limit 0.3 MiB)"));
    }

    #[test]
    fn direct_memory_missing_slots_and_a_clients_buffer_are_not() {
        assert!(!Left::killed_by(Killer::Jvm, Area::Network).codes().contains(&"OOM956"));
        assert!(!Left::killed_by(Killer::Flink, Area::Config).codes().contains(&"OOM956"));
        assert!(!Left::default().other_reason("no slots were to be had", false).codes().contains(&"OOM956"));
    }
}
