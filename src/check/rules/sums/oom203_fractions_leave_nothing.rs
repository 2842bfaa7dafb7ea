use super::share::is_remainder;
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector, Written};
use crate::model::{Bytes, Component, Place, Role, Severity};

rule! {
    /// The other parts of a TaskManager leave task heap nothing, or next to nothing.
    ///
    /// ### Why
    /// Task heap is what framework memory, managed memory, network memory and task off-heap leave of total Flink memory. Flink
    /// accepts what they leave, down to 0 bytes: the process then starts with the framework's heap alone, and user code,
    /// records in flight and state on the heap live in the 128 MiB that Flink needs for itself.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.fraction: 0.8
    /// taskmanager.memory.network.fraction: 0.12
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.fraction: 0.6
    /// taskmanager.memory.network.fraction: 0.12
    /// ```
    ///
    /// ### Sources
    /// - `TaskExecutorFlinkMemoryUtils.deriveFromTotalFlinkMemory`, Flink 1.10 to 2.3: the check is that the sum is not
    ///   larger.
    /// - Our measurement, Flink 1.20.5: with 25.6 MiB of task heap beside 128 MiB of framework heap a job with its state on
    ///   the heap stops without a word about memory.
    "OOM203" "fractions-leave-nothing" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        check: check,
    }
}

/// What somebody may have set so that task heap is little.
const PARTS: [(&str, Component); 8] = [
    ("managed.size", Component::Managed),
    ("managed.fraction", Component::Managed),
    ("network.min", Component::Network),
    ("network.fraction", Component::Network),
    ("task.off-heap.size", Component::TaskOffHeap),
    ("framework.off-heap.size", Component::FrameworkOffHeap),
    ("framework.heap.size", Component::FrameworkHeap),
    ("jvm-metaspace.size", Component::JvmMetaspace),
];

/// Task heap and where the parts that take the rest are set; nothing where it is large enough, or where only the total is
/// to blame.
pub fn left_nothing(case: &Case<'_>) -> Option<(Bytes, Vec<(Place, String)>)> {
    let budget = &case.survey(Role::TaskManager)?.plan.budget;
    let task_heap = budget.part(Component::TaskHeap)?;
    if !is_remainder(task_heap) || task_heap.bytes >= case.policy.size(&threshold::TASK_HEAP_MIN) {
        return None;
    }
    let places: Vec<_> = PARTS
        .iter()
        .filter_map(|(name, component)| {
            let written = case.find(&format!("taskmanager.memory.{name}")).filter(Written::is_own)?;
            Some((written.place().clone(), format!("{component} is {}", budget.size(*component))))
        })
        .collect();
    (!places.is_empty()).then_some((task_heap.bytes, places))
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (Some((left, places)), Some(survey)) = (left_nothing(case), case.survey(Role::TaskManager)) else { return };
    let budget = &survey.plan.budget;
    let flink = budget.total_flink().bytes;
    let (title, severity) = match left == Bytes::ZERO {
        true => (format!("Nothing of {} total Flink memory is left for task heap", flink), Severity::Error),
        false => (format!("Only {} of {} total Flink memory is left for task heap", left, flink), Severity::Warning),
    };
    let mut draft = found.find(title).severity(severity);
    for (place, text) in places {
        draft = draft.at(&place, text);
    }
    let others: Vec<String> = budget
        .parts()
        .iter()
        .filter(|(component, _)| component.is_flink_memory() && *component != Component::TaskHeap)
        .map(|(component, figure)| format!("{component} {}", figure.bytes))
        .collect();
    draft
        .note(format!("task heap is {left} of {flink}"))
        .note(format!("the others take {}", others.join(" + ")))
        .note(format!("-Xmx is {}, of which {} is Flink's own", budget.heap(), budget.size(Component::FrameworkHeap)))
        .help("make one of these parts smaller, or the total larger; oomph plan --want task.heap=1g shows how");
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    #[test]
    fn nothing_at_all_is_an_error() {
        // Of 1 GiB, 256 MiB are the framework's.
        let text = "taskmanager.memory.flink.size: 1g\ntaskmanager.memory.managed.size: 704m\n\
                    taskmanager.memory.network.min: 64m\ntaskmanager.memory.network.max: 64m\n";
        let finding = find("OOM203", "config.yaml", text);
        assert_eq!(finding.severity, Severity::Error);
        assert!(finding.title.starts_with("Nothing of 1 GiB"), "{finding:?}");
        assert!(!codes("config.yaml", text).contains(&"OOM204"));
    }

    #[test]
    fn task_heap_that_is_set_is_meant() {
        let text = "taskmanager.memory.flink.size: 1g\ntaskmanager.memory.managed.size: 600m\n\
                    taskmanager.memory.task.heap.size: 100m\n";
        assert!(!codes("config.yaml", text).contains(&"OOM203"));
    }
}
