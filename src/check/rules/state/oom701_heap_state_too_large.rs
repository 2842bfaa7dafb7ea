use super::super::jobmanager::heap_share::{about, percent, times};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::workload::StateHome;
use crate::model::{Component, Confidence, Role, Severity};
use crate::plan::Backend;

rule! {
    /// The state is larger than the heaps that are to hold it.
    ///
    /// ### Why
    /// The backends `hashmap`, `filesystem` and `jobmanager` keep all state as objects on the task heap of the TaskManagers,
    /// and so does a job without a backend. What a checkpoint counts is serialised; as objects with hash entries it is larger,
    /// about 2.5 times, and while a checkpoint is written, what changes is copied. When the heap is full, the TaskManager
    /// collects garbage until it misses its heartbeat. RocksDB and ForSt keep state on disk.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 state-size=200g parallelism=8
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.numberOfTaskSlots: 4
    /// taskmanager.memory.managed.size: 0
    /// state.backend.type: hashmap
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 state-size=1g parallelism=8
    /// taskmanager.memory.process.size: 8g
    /// taskmanager.numberOfTaskSlots: 4
    /// taskmanager.memory.managed.size: 0
    /// state.backend.type: hashmap
    /// ```
    ///
    /// ### Sources
    /// - `HashMapStateBackend` and `CopyOnWriteStateMap`, Flink 1.9 to 2.3.
    /// - Flink's page on state backends: the heap of the cluster bounds the state of `HashMapStateBackend`.
    "OOM701" "heap-state-too-large" {
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(state) = case.told.workload.state_size else { return };
    let told_elsewhere = case.told.workload.backend.is_some_and(|home| home != StateHome::Heap);
    let is_heap = match case.backend() {
        Backend::Heap => true,
        Backend::Unset => super::checkpointing::is_absent(case, &["state.backend.type", "state.backend"]),
        _ => false,
    };
    if !is_heap || told_elsewhere {
        return;
    }
    let (Some(survey), Some(slots), Some(parallelism)) =
        (case.survey(Role::TaskManager), case.slots(), case.parallelism())
    else {
        return;
    };
    let budget = &survey.plan.budget;
    let Some(heap) = budget.heap().checked_sub(budget.size(Component::FrameworkHeap)) else { return };
    let taskmanagers = parallelism.div_ceil(slots.max(1)).max(1);
    let room = times(heap, taskmanagers.into());
    let needed = percent(state, case.policy.count(&threshold::HEAP_STATE_PERCENT));
    if needed <= room {
        return;
    }
    let mut draft = found
        .find(format!("{state} of state do not fit the task heap of {taskmanagers} TaskManagers"))
        .severity(if state > room { Severity::Error } else { Severity::Warning });
    if let Some(written) = case.backend_setting() {
        draft = draft.at(written.place(), "state on the heap");
    } else if let Some(total) = case.settings().find(|written| written.key.starts_with("taskmanager.memory.")) {
        draft = draft.at(total.place(), "no backend is set: state goes to the heap");
    }
    draft
        .note(format!(
            "parallelism {parallelism} in {slots} slots is {taskmanagers} TaskManagers with a task heap of {} each: {}",
            about(heap),
            about(room)
        ))
        .note(format!("as objects the state is about {}", about(needed)))
        .help("set state.backend.type: rocksdb (state.backend before Flink 1.17), or run more TaskManagers with more heap");
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    fn text(state: &str, backend: &str) -> String {
        format!(
            "# oomph: flink=1.20 state-size={state} parallelism=4\ntaskmanager.memory.process.size: 8g\n\
             taskmanager.numberOfTaskSlots: 4\n{backend}"
        )
    }

    #[test]
    fn what_fits_serialised_and_not_as_objects_is_a_warning() {
        let finding = find("OOM701", "config.yaml", &text("2g", ""));
        assert_eq!(finding.severity, Severity::Warning, "{finding:?}");
        assert_eq!(find("OOM701", "config.yaml", &text("20g", "")).severity, Severity::Error);
        assert!(!codes("config.yaml", &text("512m", "")).contains(&"OOM701"));
    }

    #[test]
    fn rocksdb_and_what_is_not_told_are_silent() {
        let rocksdb = text("200g", "state.backend.type: rocksdb\n");
        assert!(!codes("config.yaml", &rocksdb).contains(&"OOM701"));
        let hidden = text("200g", "state.backend.type: ${BACKEND}\n");
        assert!(!codes("config.yaml", &hidden).contains(&"OOM701"));
        let unknown = text("200g", "").replace("state-size=200g ", "");
        assert!(!codes("config.yaml", &unknown).contains(&"OOM701"));
    }
}
