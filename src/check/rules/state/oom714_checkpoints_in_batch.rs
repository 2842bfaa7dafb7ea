use super::checkpointing;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::Severity;

rule! {
    /// In batch mode there are no checkpoints, whatever their interval says.
    ///
    /// ### Why
    /// With `execution.runtime-mode: BATCH` Flink switches checkpoints off and only logs it. What relies on a checkpoint to
    /// let go of memory does not get one: sinks that keep the keys or the rows of a checkpoint in a map keep those of the whole
    /// job. The state backend is replaced as well, by one that holds a single key at a time.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.runtime-mode: BATCH
    /// execution.checkpointing.interval: 1 min
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.runtime-mode: STREAMING
    /// execution.checkpointing.interval: 1 min
    /// ```
    ///
    /// ### Sources
    /// - `StreamGraphGenerator`, Flink 1.12 to 2.3: "Disabled Checkpointing. Checkpointing is not supported and not needed when
    ///   executing jobs in BATCH mode."
    /// - Thread, a map that grows without checkpoints: https://github.com/apache/iceberg/issues/5955.
    "OOM714" "checkpoints-in-batch" {
        severity: Severity::Note,
        since: Some((1, 12)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(mode) = case.find("execution.runtime-mode").filter(Written::is_own) else { return };
    let Some((interval, _)) = checkpointing::interval(case).filter(|_| checkpointing::is_batch(case)) else { return };
    found
        .find(format!("{} has no effect in batch mode", interval.key))
        .at(interval.place(), "no checkpoints")
        .at(mode.place(), "switches them off")
        .note("sinks that let go of memory with a checkpoint keep it until the job ends")
        .help(format!("take {} out, or run the job in STREAMING mode", interval.key));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::codes;

    #[test]
    fn automatic_may_be_streaming() {
        let text = "execution.runtime-mode: AUTOMATIC\nexecution.checkpointing.interval: 1 min\n";
        assert!(!codes("config.yaml", text).contains(&"OOM714"));
        let batch = text.replace("AUTOMATIC", "batch");
        assert!(codes("config.yaml", &batch).contains(&"OOM714"));
    }
}
