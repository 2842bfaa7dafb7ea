use super::oom203_fractions_leave_nothing::left_nothing;
use super::total::{prefix, total};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Bytes, Component, Role, Severity};

rule! {
    /// The Java heap that a process is left with is too small to work with.
    ///
    /// ### Why
    /// A total of 1 GiB is not a heap of 1 GiB: metaspace (256 MiB) and overhead (192 MiB) come off first, then off-heap,
    /// network and managed memory. A TaskManager of 1 GiB has a heap of 153.6 MiB, of which 128 MiB are the framework's. With
    /// state on the heap such a TaskManager collects garbage until its heartbeat times out, with no word about memory
    /// in any log. For a JobManager below 128 MiB Flink logs a warning that it may not start.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 1g
    /// ```
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// jobmanager.memory.process.size: 640m
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// jobmanager.memory.process.size: 1600m
    /// taskmanager.memory.process.size: 1728m
    /// ```
    ///
    /// ### Sources
    /// - `JobManagerOptions.MIN_JVM_HEAP_SIZE` and `JobManagerFlinkMemoryUtils`, Flink 1.11 to 2.3: the warning below 128 MiB.
    /// - Our measurement, Flink 1.20.5: a TaskManager of 1024 MiB with state on the heap hangs, and its heartbeat times out.
    /// - Threads: https://github.com/spotify/flink-on-k8s-operator/pull/204,
    ///   https://github.com/GoogleCloudPlatform/flink-on-k8s-operator/issues/288.
    "OOM204" "heap-too-small" {
        severity: Severity::Warning,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(survey) = case.survey(role) else { continue };
        let least = match role {
            Role::TaskManager => case.policy.size(&threshold::TASKMANAGER_HEAP_MIN),
            Role::JobManager => case.policy.size(&threshold::JOBMANAGER_HEAP_MIN),
        };
        let budget = &survey.plan.budget;
        let heap = budget.heap();
        if heap >= least || role == Role::TaskManager && left_nothing(case).is_some() {
            continue;
        }
        let heap_setting = match role {
            Role::TaskManager => "task.heap.size",
            Role::JobManager => "heap.size",
        };
        let part = case.find(&format!("{}{heap_setting}", prefix(role))).filter(Written::is_own);
        let Some(setting) = part.or_else(|| total(case, role)) else { continue };
        let others: Vec<String> = budget
            .parts()
            .iter()
            .filter(|(component, figure)| !component.is_heap() && figure.bytes > Bytes::ZERO)
            .map(|(component, figure)| format!("{component} {}", figure.bytes))
            .collect();
        let mut draft = found
            .find(format!("The {role}'s heap is only {}", heap))
            .at(setting.place(), format!("the process is {}", budget.total_process().bytes))
            .note(format!("of {}, the heap is {heap}, {}", budget.total_process().bytes, others.join(", ")));
        if role == Role::TaskManager && budget.part(Component::FrameworkHeap).is_some() {
            draft = draft.note(format!("{} of the heap is Flink's own", budget.size(Component::FrameworkHeap)));
        }
        draft.help(match part {
            Some(part) => format!("raise {}: a heap below {least} is not enough for Flink itself", part.key),
            None => format!("raise {}: below {least} of heap Flink itself has not enough", setting.key),
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn numbers_are_flinks_own() {
        let finding = find("OOM204", "config.yaml", "taskmanager.memory.process.size: 1g\n");
        assert!(finding.title.ends_with("only 153.6 MiB (161061270 B)"), "{finding:?}");
        assert!(
            finding.notes[0].contains("the heap is 153.6 MiB")
                && finding.notes[0].contains("JVM Metaspace 256 MiB, JVM Overhead 192 MiB"),
            "{finding:?}"
        );
    }

    #[test]
    fn a_part_that_is_set_is_pointed_at() {
        let text = "jobmanager.memory.process.size: 1g\njobmanager.memory.heap.size: 100m\n";
        let finding = find("OOM204", "config.yaml", text);
        assert_eq!(finding.labels[0].place.position.unwrap().line, 2);
    }

    #[test]
    fn the_boundary_of_a_jobmanager_is_flinks() {
        let of = |flink: &str| codes("config.yaml", &format!("jobmanager.memory.flink.size: {flink}\n"));
        assert!(of("255m").contains(&"OOM204"));
        assert!(!of("256m").contains(&"OOM204"));
    }

    #[test]
    fn a_container_of_1_9_counts_its_cut_off() {
        let text = "# oomph: flink=1.9 deployment=yarn\njobmanager.heap.size: 700m\n";
        assert!(codes("flink-conf.yaml", text).contains(&"OOM204"));
        assert!(!codes("flink-conf.yaml", "# oomph: flink=1.9\njobmanager.heap.size: 700m\n").contains(&"OOM204"));
    }
}
