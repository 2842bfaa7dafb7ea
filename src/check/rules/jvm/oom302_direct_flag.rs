use super::java_options::{JavaOption, JavaOptions, flink_comes_last, shown};
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Bytes, Component, Role, Severity};

rule! {
    /// The JVM options give direct memory another limit than Flink's plan does.
    ///
    /// ### Why
    /// Flink starts a TaskManager with `-XX:MaxDirectMemorySize`: framework off-heap, task off-heap and network together. An
    /// option of the configuration stands behind it and wins. A lower limit ends the TaskManager as soon as it asks for its
    /// network buffers ("Could not allocate enough memory segments for NetworkBufferPool"), or a connector with "Direct
    /// buffer memory"; a higher one lets direct buffers grow beyond the budget until the container is killed. A JobManager
    /// has no such limit unless `jobmanager.memory.enable-jvm-direct-memory-limit` asks for it, which takes the number from
    /// `jobmanager.memory.off-heap.size`.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// env.java.opts.taskmanager: -XX:MaxDirectMemorySize=2g
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.task.off-heap.size: 256m
    /// ```
    ///
    /// ### Sources
    /// - `ProcessMemoryUtils.generateJvmParametersStr` and `NetworkBufferPool`, Flink 1.10 to 2.3.
    /// - `JobManagerOptions.JVM_DIRECT_MEMORY_LIMIT_ENABLED`, Flink 1.11 to 2.3.
    /// - Which flag comes last: the scripts and classes that OOM301 names.
    "OOM302" "direct-flag" {
        severity: Severity::Error,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for options in JavaOptions::of_roles(case) {
        let Some((option, value)) = options.last(&["-XX:MaxDirectMemorySize="]) else { continue };
        if option.told || flink_comes_last(case) {
            continue;
        }
        let asked = Bytes::parse_jvm(value).ok();
        match options.role {
            Role::TaskManager => of_taskmanager(case, found, option, asked),
            Role::JobManager => of_jobmanager(case, found, option, asked),
        }
    }
}

fn of_taskmanager<'a>(case: &Case<'a>, found: &mut Collector<'_>, option: &JavaOption<'a>, asked: Option<Bytes>) {
    let plan = case.survey(Role::TaskManager).map(|survey| &survey.plan);
    let planned = plan.and_then(|plan| plan.direct);
    if asked.is_some() && asked == planned {
        return;
    }
    let mut draft = found
        .find(format!("{} outranks the limit of direct memory that Flink computes", shown(option)))
        .at(option.place(), "the last one counts");
    if let (Some(asked), Some(planned), Some(plan)) = (asked, planned, plan) {
        let network = plan.budget.size(Component::Network);
        let sum = format!("Flink plans {planned}, of which the network buffers take {network} at the start");
        draft = draft.note(match asked.checked_sub(planned) {
            // HotSpot takes 0 for no limit of its own: as much as the heap.
            _ if asked.get() == 0 => format!("{sum}; with 0 the JVM allows as much as the heap"),
            Some(more) => format!("{sum}; {more} more may be used than the total holds"),
            None if asked < network => format!("{sum}: the TaskManager does not start"),
            None => format!("{sum}; the rest is short of what is planned for it"),
        });
    }
    draft
        .help("take it out; taskmanager.memory.task.off-heap.size raises the limit and the total with it")
        .unsafe_fix("take the flag out", option.remove(case));
}

fn of_jobmanager<'a>(case: &Case<'a>, found: &mut Collector<'_>, option: &JavaOption<'a>, asked: Option<Bytes>) {
    let limited = case.flag("jobmanager.memory.enable-jvm-direct-memory-limit");
    let Some(limited) = limited else { return };
    let planned = case.survey(Role::JobManager).map(|survey| survey.plan.budget.size(Component::OffHeap));
    if asked.is_some() && asked == planned {
        return;
    }
    let title = if limited {
        format!("{} outranks the limit of direct memory that Flink computes", shown(option))
    } else {
        format!("{} limits a JobManager's direct memory beside its budget", shown(option))
    };
    let exceeds = matches!((asked, planned), (Some(asked), Some(planned)) if asked > planned);
    let severity = match (limited, exceeds) {
        (true, _) => Severity::Error,
        (false, true) => Severity::Warning,
        (false, false) => Severity::Note,
    };
    let mut draft = found.find(title).severity(severity).at(option.place(), "of the JobManager");
    if let Some(planned) = planned {
        draft = draft.note(format!("jobmanager.memory.off-heap.size plans {planned}"));
    }
    let text = "take it out, give jobmanager.memory.off-heap.size the size, and set \
                jobmanager.memory.enable-jvm-direct-memory-limit: true";
    draft.help(text).unsafe_fix("take the flag out", option.remove(case));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[rstest]
    #[case("2g", "more may be used")]
    #[case("100m", "does not start")]
    #[case("500m", "short of what is planned")]
    #[case("0", "as much as the heap")]
    fn what_a_limit_leads_to_is_told(#[case] limit: &str, #[case] expected: &str) {
        let text = format!(
            "# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\ntaskmanager.memory.task.off-heap.size: 256m\n\
             env.java.opts.taskmanager: -XX:MaxDirectMemorySize={limit}\n"
        );
        let finding = find("OOM302", "config.yaml", &text);
        assert!(finding.notes[0].contains(expected), "{finding:?}");
    }

    #[rstest]
    #[case("", "64m", Severity::Note)]
    #[case("", "1g", Severity::Warning)]
    #[case("jobmanager.memory.enable-jvm-direct-memory-limit: true\n", "64m", Severity::Error)]
    fn a_jobmanager_may_have_a_limit_on_purpose(#[case] more: &str, #[case] limit: &str, #[case] expected: Severity) {
        let text = format!(
            "# oomph: flink=1.20\njobmanager.memory.process.size: 2g\n{more}\
             env.java.opts.jobmanager: -XX:MaxDirectMemorySize={limit}\n"
        );
        assert_eq!(find("OOM302", "config.yaml", &text).severity, expected);
    }

    #[test]
    fn the_same_limit_as_flinks_is_no_finding() {
        let text = "# oomph: flink=1.20\njobmanager.memory.process.size: 2g\n\
                    env.java.opts.jobmanager: -XX:MaxDirectMemorySize=128m\n";
        assert!(!codes("config.yaml", text).contains(&"OOM302"));
    }
}
