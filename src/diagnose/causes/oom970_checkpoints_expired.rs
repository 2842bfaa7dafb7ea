use super::marks::{self, Other};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::Area;

cause! {
    /// Checkpoints expired or failed, and the job restarted for it; nothing shows memory at fault.
    ///
    /// ### What is seen
    /// "Checkpoint N of job … expired before completing", "Exceeded checkpoint tolerable failure threshold". Barriers
    /// wait behind records: a slow sink or source, skewed keys, RocksDB that holds writes back. Offsets are committed
    /// late or never.
    ///
    /// ### What it is not
    /// - A full heap (OOM963, OOM947): there full collections come first, and the checkpoint is only what is noticed.
    /// - A lost TaskManager: checkpoints in flight are then declined, not expired.
    /// - A RocksDB that stalls (OOM930), where its LOG says so: that is the reason then.
    ///
    /// ### How to prove it
    /// `grep -c 'expired before completing' jobmanager.log`; in the web interface a checkpoint's alignment and its
    /// start delay show which operator the barrier waited for. `jstat -gcutil PID 1000` on that TaskManager rules
    /// collections out.
    ///
    /// ### Cure
    /// What is slow first. Then `execution.checkpointing.unaligned.enabled: true` (up to 1.17
    /// `execution.checkpointing.unaligned`), a longer `execution.checkpointing.timeout`,
    /// `execution.checkpointing.tolerable-failed-checkpoints`, incremental checkpoints (`state.backend.incremental`),
    /// and less in flight (`taskmanager.network.memory.buffer-debloat.enabled`).
    ///
    /// ### Sources
    /// - Flink, `CheckpointCoordinator` (`CheckpointFailureReason.CHECKPOINT_EXPIRED`), `CheckpointFailureManager`.
    "OOM970" "checkpoints-expired" {
        late: Some(Late {
            required,
            contradicting: marks::heap_signs,
            weight: Weight::NotMemory,
            area: |_| Area::Other,
            title,
            decides: Some(Decides {
                evidence: "whether the TaskManagers collected all the time: their GC logs at that time",
                command: "jstat -gcutil PID 1000 10",
            }),
            ..Late::UNMARKED
        }),
    }
}

/// Where memory ended the process, checkpoints that expire are its consequence.
fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    if !marks::death(case).is_empty() {
        return Vec::new();
    }
    let mut found = marks::others(case, Other::Checkpoints);
    found.extend(marks::strained(case, &["checkpoint-expired"]));
    found
}

fn title(case: &Case<'_>) -> String {
    let said = case.strains(&["checkpoint-expired"]).into_iter().map(|(_, strain)| strain.text.as_str());
    match said.into_iter().find(|text| !text.is_empty()).or(marks::reason(case, Other::Checkpoints)) {
        Some(text) => format!("memory was not seen at fault: {}", text.trim_end_matches('.')),
        None => "checkpoints expired, and memory was not seen at fault".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Confidence, Killer};

    fn expired(left: Left) -> Left {
        left.other_reason("checkpoints that expired", false).strain(Origin::Flink, "checkpoint-expired", None)
    }

    #[test]
    fn expired_checkpoints_alone_are_not_memory() {
        let verdict = expired(Left::default()).verdict();
        assert_eq!((verdict.code, verdict.killer), (Some("OOM970"), Killer::NotOom));
        assert_eq!(verdict.confidence, Confidence::Medium);
    }

    #[test]
    fn full_collections_speak_against_it_and_a_full_heap_is_the_reason() {
        let collected = expired(Left::default()).strain(Origin::GcLog, "full-collections", Some(Area::Heap));
        let confidence = collected.with_judged(|judged| {
            judged.suspects.iter().find(|suspect| suspect.cause.code == "OOM970").map(|suspect| suspect.confidence)
        });
        assert_eq!(confidence, Some(Confidence::Low));
        let died = expired(Left::killed_by(Killer::Jvm, Area::Heap));
        assert!(!died.codes().contains(&"OOM970"));
        assert_eq!(died.first(), Some("OOM947"));
    }
}
