use super::total::prefix;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Bytes, Component, Role, Severity};

rule! {
    /// Both the whole process and the memory within it are set.
    ///
    /// ### Why
    /// `flink.size` outranks `process.size`: everything is derived from it, and what `process.size` has above it goes to JVM
    /// overhead, with which Flink starts only while that is within its range, 192 MiB to 1 GiB by default. Whoever raises
    /// `process.size` for a larger container gives neither heap nor RocksDB a byte more, and at 1 GiB of overhead the process
    /// no longer starts. Flink's own comments advise against setting both.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.flink.size: 3g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// ```
    ///
    /// ### Sources
    /// - `ProcessMemoryUtils.deriveJvmMetaspaceAndOverheadFromTotalFlinkMemory`, Flink 1.10 to 2.3.
    /// - Threads: https://github.com/lightbend/cloudflow/issues/308, https://github.com/apache/flink/pull/10860.
    "OOM202" "both-totals" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(survey) = case.survey(role) else { continue };
        let prefix = prefix(role);
        let own = |name: &str| case.find(&format!("{prefix}{name}")).filter(Written::is_own);
        let (Some(process), Some(flink)) = (own("process.size"), own("flink.size")) else { continue };
        let budget = &survey.plan.budget;
        let within = budget.total_flink().bytes.checked_add(budget.size(Component::JvmMetaspace));
        let bound = |which: &str| -> Option<Bytes> {
            within?.checked_add(case.size(&format!("{prefix}jvm-overhead.{which}"))?)
        };
        let title = format!("Both {0} and {1} are set: {0} only decides on JVM overhead", process.key, flink.key);
        let mut draft = found
            .find(title)
            .at(flink.place(), "everything is derived from this")
            .at(process.place(), "this only decides on JVM overhead")
            .note(format!("{} is left for JVM overhead", budget.size(Component::JvmOverhead)));
        if let (Some(least), Some(most)) = (bound("min"), bound("max")) {
            draft =
                draft.note(format!("Flink starts with {} from {least} to {most} and with nothing else", process.key));
        }
        draft
            .help(format!("take {} out: {} then decides on all parts", flink.key, process.key))
            .unsafe_fix(format!("take {} out", flink.key), case.remove(flink));
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn the_range_in_which_flink_starts_is_said() {
        let text = "jobmanager.memory.process.size: 2g\njobmanager.memory.flink.size: 1280m\n";
        let finding = find("OOM202", "config.yaml", text);
        assert!(finding.notes[0].starts_with("512 MiB is left"), "{finding:?}");
        assert!(finding.notes[1].contains("from 1728 MiB to 2560 MiB"), "{finding:?}");
    }

    #[test]
    fn where_flink_refuses_both_that_is_said_instead() {
        let text = "taskmanager.memory.process.size: 4g\ntaskmanager.memory.flink.size: 4g\n";
        assert_eq!(codes("config.yaml", text), ["OOM200"]);
    }
}
