use super::checkpointing::{self, UNALIGNED};
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::Severity;

rule! {
    /// Checkpoints during recovery take heap without a bound, hang, or are not on at all.
    ///
    /// ### Why
    /// Flink 2.3 can take checkpoints while it still restores records in flight of an unaligned checkpoint. It filters them
    /// first and must not wait for network buffers then: where the pool has none, it allocates each buffer on the heap, as
    /// many as there are records in flight. A later version writes them to disk. The switch does nothing unless output buffers
    /// are recovered downstream, and with unaligned checkpoints off a checkpoint that begins during recovery never ends.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=2.3
    /// execution.checkpointing.during-recovery.enabled: true
    /// execution.checkpointing.unaligned.recover-output-on-downstream.enabled: true
    /// execution.checkpointing.unaligned.enabled: true
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=2.3
    /// execution.checkpointing.unaligned.recover-output-on-downstream.enabled: true
    /// execution.checkpointing.unaligned.enabled: true
    /// ```
    ///
    /// ### Sources
    /// - `RecoveredInputChannel.requestBufferBlocking` and `CheckpointingOptions.isCheckpointingDuringRecoveryEnabled`, Flink
    ///   2.3.0.
    /// - FLINK-40081, which removes the buffers on the heap: https://github.com/apache/flink/pull/28663.
    /// - FLINK-40518, checkpoints that hang without unaligned ones: https://github.com/apache/flink/pull/29055.
    "OOM704" "recovery-on-heap" {
        since: Some((2, 3)),
        until: Some((2, 3)),
        check: check,
    }
}

const DURING: &str = "execution.checkpointing.during-recovery.enabled";
const DOWNSTREAM: &str = "execution.checkpointing.unaligned.recover-output-on-downstream.enabled";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(during) = case.find(DURING).filter(Written::is_own) else { return };
    if case.flag(DURING) != Some(true) {
        return;
    }
    let help = format!("take {DURING} out until a version that keeps these buffers on disk");
    match case.flag(DOWNSTREAM) {
        Some(false) => {
            let mut draft = found
                .find(format!("{DURING}: true does nothing"))
                .at(during.place(), "not read by itself")
                .severity(Severity::Warning);
            if let Some(downstream) = case.find(DOWNSTREAM) {
                draft = draft.at(downstream.place(), "switches both off");
            }
            draft
                .note(format!("Flink 2.3 looks at it where {DOWNSTREAM} is true only"))
                .help(format!("take {DURING} out"));
        }
        Some(true) if checkpointing::flag(case, &UNALIGNED) == Some(false) => {
            found
                .find("A checkpoint that begins during recovery never ends")
                .at(during.place(), "needs unaligned checkpoints")
                .note("unaligned checkpoints are off: the checkpoint waits until it expires, and the job fails and recovers again")
                .help(help)
                .severity(Severity::Error);
        }
        Some(true) => {
            found
                .find("Recovery of records in flight takes heap without a bound")
                .at(during.place(), "buffers on the heap where the network pool is empty")
                .note("each buffer that the pool cannot give is a segment on the heap, until the records are consumed")
                .help(help);
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[test]
    fn by_itself_it_does_nothing() {
        let text = "# oomph: flink=2.3\nexecution.checkpointing.during-recovery.enabled: true\n";
        assert!(find("OOM704", "config.yaml", text).title.ends_with("does nothing"));
        let newest = text.replace("2.3", "2.2");
        assert!(!codes("config.yaml", &newest).contains(&"OOM704"));
    }

    #[test]
    fn without_unaligned_checkpoints_it_hangs() {
        let text = "# oomph: flink=2.3\nexecution.checkpointing.during-recovery.enabled: true\n\
                    execution.checkpointing.unaligned.recover-output-on-downstream.enabled: true\n";
        assert_eq!(find("OOM704", "config.yaml", text).severity, Severity::Error);
    }
}
