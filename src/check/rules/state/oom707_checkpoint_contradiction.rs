use super::checkpointing::{self, INTERVAL, UNALIGNED};
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::Severity;

rule! {
    /// Two options of checkpoints contradict each other.
    ///
    /// ### Why
    /// Unaligned checkpoints cannot be written by two at a time: Flink refuses the job, with `maxConcurrentCheckpoints can't
    /// be > 1 if UnalignedCheckpoints enabled`. With the mode AT_LEAST_ONCE they are switched off with a warning in the log,
    /// and what is expected of them under back-pressure does not happen. An interval below the pause between checkpoints is
    /// raised to the pause.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.unaligned.enabled: true
    /// execution.checkpointing.max-concurrent-checkpoints: 2
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.unaligned.enabled: true
    /// execution.checkpointing.max-concurrent-checkpoints: 1
    /// ```
    ///
    /// ### Sources
    /// - `CheckpointCoordinatorConfiguration`, Flink 1.11 to 2.3; tried with 1.20.5 and 2.3.0.
    /// - `StreamingJobGraphGenerator` and FLINK-18403, AT_LEAST_ONCE: https://github.com/apache/flink/pull/12739.
    /// - The constructor of `CheckpointCoordinator`, which takes the larger of interval and pause, Flink 1.9 to 2.3.
    "OOM707" "checkpoint-contradiction" {
        severity: Severity::Error,
        since: Some((1, 10)),
        check: check,
    }
}

const CONCURRENT: &str = "execution.checkpointing.max-concurrent-checkpoints";
const MODE: &str = "execution.checkpointing.mode";
const PAUSE: &str = "execution.checkpointing.min-pause";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let own = |name: &str| case.find(name).filter(Written::is_own);
    let unaligned = checkpointing::find(case, &UNALIGNED);
    if let Some(unaligned) = unaligned.filter(|_| checkpointing::flag(case, &UNALIGNED) == Some(true)) {
        if let Some(concurrent) = own(CONCURRENT)
            && case.int(CONCURRENT).is_some_and(|count| count > 1)
        {
            found
                .find("No job starts with unaligned checkpoints and more than one at a time")
                .at(concurrent.place(), "more than one")
                .at(unaligned.place(), "unaligned")
                .note("maxConcurrentCheckpoints can't be > 1 if UnalignedCheckpoints enabled")
                .help(format!("take {CONCURRENT} out: the default is 1"));
        }
        if let Some(mode) = own(MODE).filter(|mode| mode.text().eq_ignore_ascii_case("at_least_once")) {
            found
                .find("Unaligned checkpoints are switched off by AT_LEAST_ONCE")
                .at(mode.place(), "wins")
                .at(unaligned.place(), "has no effect")
                .note("Flink only logs a warning when the job is submitted")
                .help(format!("take {MODE} out: the default is EXACTLY_ONCE, or take {} out", unaligned.key))
                .severity(Severity::Warning);
        }
    }
    if let (Some((interval, every)), Some(pause)) = (checkpointing::interval(case), own(PAUSE))
        && let Some(least) = case.millis(PAUSE)
        && least > every
    {
        found
            .find(format!("Checkpoints start every {}, not every {}", words(least), words(every)))
            .at(pause.place(), "the longer one counts")
            .at(interval.place(), "never so often")
            .help(format!("set {INTERVAL} to what is wanted, at least {}", words(least)))
            .severity(Severity::Note);
    }
}

fn words(millis: u64) -> String {
    checkpointing::in_words(millis)
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[test]
    fn at_least_once_switches_unaligned_off() {
        let text = "# oomph: flink=1.13\nexecution.checkpointing.unaligned: true\n\
                    execution.checkpointing.mode: AT_LEAST_ONCE\n";
        assert_eq!(find("OOM707", "flink-conf.yaml", text).severity, Severity::Warning);
    }

    #[test]
    fn a_pause_beyond_the_interval_is_the_interval() {
        let text = |pause: &str| {
            format!("execution.checkpointing.interval: 1 min\nexecution.checkpointing.min-pause: {pause}\n")
        };
        let finding = find("OOM707", "config.yaml", &text("5 min"));
        assert_eq!(finding.title, "Checkpoints start every 5 min, not every 1 min");
        assert!(!codes("config.yaml", &text("60 s")).contains(&"OOM707"));
    }

    #[test]
    fn aligned_checkpoints_may_be_several() {
        let text =
            "execution.checkpointing.max-concurrent-checkpoints: 2\nexecution.checkpointing.mode: AT_LEAST_ONCE\n";
        assert!(!codes("config.yaml", text).contains(&"OOM707"));
    }
}
