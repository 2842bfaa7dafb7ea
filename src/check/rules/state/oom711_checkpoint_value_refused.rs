use crate::check::rule::{FixKind, rule};
use crate::check::{Case, Collector, Written};
use crate::model::Severity;

rule! {
    /// Flink refuses a job with this value of a checkpoint option.
    ///
    /// ### Why
    /// The interval and the timeout of checkpoints are 10 ms at least, also where somebody writes 0 to have none: a number
    /// without a unit is milliseconds, so `interval: 5` is not five seconds. Fewer than one checkpoint at a time, or a negative
    /// number of failures, are refused too. The processes start; each job fails with an IllegalArgumentException while it is
    /// being submitted.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.interval: 5
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// execution.checkpointing.timeout: 5 min
    /// ```
    ///
    /// ### Sources
    /// - `CheckpointConfig` and `CheckpointCoordinatorConfiguration.MINIMAL_CHECKPOINT_TIME`, Flink 1.10 to 2.3; each value was
    ///   tried with `StreamExecutionEnvironment.configure` of 1.12.5, 1.16.3, 1.20.5 and 2.3.0.
    "OOM711" "checkpoint-value-refused" {
        severity: Severity::Error,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// `CheckpointCoordinatorConfiguration.MINIMAL_CHECKPOINT_TIME`, in milliseconds.
const LEAST: u64 = 10;

/// Durations with Flink's message.
const DURATIONS: [(&str, &str); 2] = [
    ("execution.checkpointing.interval", "Checkpoint interval must be larger than or equal to 10 ms"),
    ("execution.checkpointing.timeout", "Checkpoint timeout must be larger than or equal to 10 ms"),
];

/// Numbers, with the least that is accepted and Flink's message.
const COUNTS: [(&str, i64, &str); 2] = [
    (
        "execution.checkpointing.max-concurrent-checkpoints",
        1,
        "The maximum number of concurrent attempts must be at least one.",
    ),
    (
        "execution.checkpointing.tolerable-failed-checkpoints",
        0,
        "The tolerable failure checkpoint number must be non-negative.",
    ),
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for (option, message) in DURATIONS {
        let Some(written) = case.find(option).filter(Written::is_own) else { continue };
        let Some(millis) = case.millis(option).filter(|millis| *millis < LEAST) else { continue };
        let text = written.text();
        let has_no_unit = text.parse::<u64>().is_ok();
        let draft = found
            .find(format!("No job starts with {option}: {}", written.shown()))
            .at(written.place(), format!("{millis} ms"))
            .note(message);
        if millis == 0 {
            draft
                .help(format!("take {option} out: without it Flink takes its default"))
                .unsafe_fix("take the line out", case.remove(written));
        } else if has_no_unit {
            let seconds = format!("{millis} s");
            draft
                .note("a number without a unit is milliseconds")
                .help(format!("write the unit, such as {seconds}"))
                .unsafe_fix("read it as seconds", case.set(written, &seconds));
        } else {
            draft.help(format!("set {option} to a longer time"));
        }
    }
    for (option, least, message) in COUNTS {
        let Some(written) = case.find(option).filter(Written::is_own) else { continue };
        if case.int(option).is_some_and(|count| count < least) {
            found
                .find(format!("No job starts with {option}: {}", written.shown()))
                .at(written.place(), format!("{least} at least"))
                .note(message)
                .help(format!("set {option}: {least}"))
                .unsafe_fix("take the least", case.set(written, &least.to_string()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn zero_is_not_off() {
        let finding = find("OOM711", "flink-conf.yaml", "# oomph: flink=1.16\nexecution.checkpointing.interval: 0\n");
        assert!(finding.help.is_some_and(|help| help.contains("take execution.checkpointing.interval out")));
        assert!(finding.fix.is_some_and(|fix| !fix.safe));
    }

    #[test]
    fn ten_milliseconds_are_enough() {
        for (value, refused) in [("9 ms", true), ("10", false), ("PT0.005S", true), ("5 s", false)] {
            let text = format!("execution.checkpointing.interval: {value}\n");
            assert_eq!(codes("config.yaml", &text).contains(&"OOM711"), refused, "{value}");
        }
    }

    #[test]
    fn counts_have_a_least_value_too() {
        let none = find("OOM711", "config.yaml", "execution.checkpointing.max-concurrent-checkpoints: 0\n");
        assert!(none.notes[0].contains("at least one"));
        let failures = |count: i32| format!("execution.checkpointing.tolerable-failed-checkpoints: {count}\n");
        assert!(codes("config.yaml", &failures(-1)).contains(&"OOM711"));
        assert!(!codes("config.yaml", &failures(0)).contains(&"OOM711"));
    }
}
