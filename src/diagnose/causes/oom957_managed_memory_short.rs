use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::{Death, Signal};
use crate::model::{Area, Killer};

cause! {
    /// A task reserved managed memory that its slot no longer had, and failed.
    ///
    /// ### What is seen
    /// `MemoryReservationException` or `MemoryAllocationException`: "Could not allocate N bytes, only N bytes are
    /// remaining" (up to 1.9 in pages), "The fraction of memory to allocate should not be 0", "Too little memory
    /// provided" for a sorter or hash table. Mostly after a failover: the memory of the task before is still held, by a
    /// task that does not end, or until garbage collection frees its segments (Java before 8u72, Flink up to 1.10).
    ///
    /// ### What it is not
    /// - A process that used too much: managed memory is a bookkeeping of what was planned, and the process was not
    ///   killed.
    /// - RocksDB beyond its share (OOM902), which no reservation stops.
    /// - "Insufficient number of network buffers" (OOM956).
    ///
    /// ### How to prove it
    /// `grep -e 'are remaining' -e 'should not be 0' *.log`, and above it whether an earlier attempt of the task was
    /// still cancelling. `oomph plan` shows the share of each consumer in a slot.
    ///
    /// ### Cure
    /// A consumer with no share: `taskmanager.memory.managed.consumer-weights` has to name it (`STATE_BACKEND`,
    /// `OPERATOR`, `PYTHON`). Too small: `taskmanager.memory.managed.fraction` or `taskmanager.memory.managed.size`, or
    /// fewer slots. Held by a task before it: find why it does not end; `task.cancellation.timeout` ends the process
    /// then.
    ///
    /// ### Sources
    /// - Flink, `MemoryManager.allocatePages`, `UnsafeMemoryBudget.reserveMemory`, `MemoryManager.computeMemorySize`.
    /// - [FLINK-20283](https://github.com/apache/flink/pull/14161), the message of a fraction of 0.
    "OOM957" "managed-memory-short" {
        late: Some(Late {
            required,
            weight: Weight::Explains,
            area: |case| marks::area_by(case, &KILLER, Area::Config),
            title,
            decides: Some(Decides {
                evidence: "whether an earlier attempt still held the memory, or the share is too small",
                command: "grep -B 200 'are remaining' taskmanager.log | grep -e CANCELING -e FAILED",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::Flink];
/// In which Flink says that managed memory did not suffice. The sum of a refused configuration names managed memory too.
const WORDS: [&str; 8] = [
    "are remaining",
    "memory to allocate should not be 0",
    "of managed memory were wanted",
    "managed memory did not suffice",
    "consumer of managed memory",
    "too little managed memory",
    "MemoryReservationException",
    "MemoryAllocationException",
];

/// Whether a telling is about a reservation of managed memory.
pub(super) fn is_one(signal: &Signal, death: &Death) -> bool {
    marks::speaks_of(signal, death, &WORDS)
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told(case, &KILLER, |signal, death| match death.area {
        Some(Area::ManagedRocksDb) => true,
        Some(Area::Network | Area::Direct) => false,
        _ => is_one(signal, death),
    })
}

fn title(case: &Case<'_>) -> String {
    let because = marks::because(case, &KILLER);
    format!("a task was refused managed memory{because}")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;

    #[test]
    fn refused_managed_memory_is_the_cause_and_its_area_stays_as_told() {
        for area in [Area::ManagedRocksDb, Area::Config] {
            let quote = "Could not allocate 268435460 bytes, only 0 bytes are remaining.";
            let left = Left::killed_by(Killer::Flink, area).quote(quote);
            let verdict =
                left.because("268435460 bytes of managed memory were wanted, and 0 bytes were left").verdict();
            assert_eq!((verdict.code, verdict.area), (Some("OOM957"), area));
            assert!(verdict.summary.ends_with("and 0 bytes were left"), "{}", verdict.summary);
        }
    }

    #[test]
    fn a_refused_configuration_and_network_buffers_are_not() {
        let refused = Left::killed_by(Killer::Flink, Area::Config).because("Managed Memory 1024.0 MiB does not fit");
        assert!(!refused.codes().contains(&"OOM957"));
        assert!(!Left::killed_by(Killer::Flink, Area::Network).codes().contains(&"OOM957"));
    }
}
