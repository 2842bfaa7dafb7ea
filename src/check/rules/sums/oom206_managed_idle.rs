use super::total::total;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Component, Confidence, Role, Severity};
use crate::plan::Backend;

rule! {
    /// State is on the heap, and managed memory is kept for nobody.
    ///
    /// ### Why
    /// Managed memory is 40 % of total Flink memory unless somebody says otherwise. In a streaming job it is for RocksDB and
    /// for Python; with state on the heap nobody takes it, and it is taken from task heap, which is where the state lives.
    /// Flink's own guide says to set it to zero. Batch jobs sort and hash in managed memory, and window aggregations of
    /// SQL buffer in it: where those run, it is not idle.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// state.backend.type: hashmap
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.fraction: 0.05
    /// state.backend.type: hashmap
    /// ```
    ///
    /// ### Sources
    /// - `TaskManagerOptions.MANAGED_MEMORY_FRACTION`, `StateBackendLoader`, Flink 1.10 to 2.3.
    /// - `StreamExecWindowAggregate`: windows of SQL take managed memory as operators, Flink 1.13 to 2.3.
    /// - Flink's guide: https://github.com/apache/flink/pull/10999.
    /// - Thread: https://github.com/apache/amoro/issues/1907.
    "OOM206" "managed-idle" {
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        since: Some((1, 10)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

/// Whether something in the text may take managed memory even so.
fn may_be_used(case: &Case<'_>) -> bool {
    const MODE: &str = "execution.runtime-mode";
    let workload = &case.told.workload;
    let is_streaming =
        !case.is_hidden(MODE) && case.find(MODE).is_none_or(|mode| mode.text().eq_ignore_ascii_case("streaming"));
    let others = ["python.", "table.", "sql-client.", "sql-gateway.", "taskmanager.memory.managed.consumer-weights"];
    !is_streaming
        || workload.batch_shuffle == Some(true)
        || workload.python == Some(true)
        || workload.backend.is_some_and(|backend| backend != crate::config::workload::StateHome::Heap)
        || case.settings().any(|written| others.iter().any(|prefix| written.key.starts_with(prefix)))
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(backend) = case.backend_setting().filter(|_| *case.backend() == Backend::Heap) else { return };
    if !backend.is_own() || may_be_used(case) {
        return;
    }
    let (Some(survey), Some(total)) = (case.survey(Role::TaskManager), total(case, Role::TaskManager)) else { return };
    let budget = &survey.plan.budget;
    let (managed, flink) = (budget.size(Component::Managed), budget.total_flink().bytes);
    // The default share; who set a smaller one has thought of it.
    if managed.get().saturating_mul(5) < flink.get().saturating_mul(2) {
        return;
    }
    let own = |name: &str| case.find(&format!("taskmanager.memory.managed.{name}")).filter(Written::is_own);
    let set = own("size").or_else(|| own("fraction"));
    let title = format!("{} of managed memory is idle: state is on the heap", managed);
    let mut draft = found.find(title).at(backend.place(), "takes none of it");
    if let Some(set) = set {
        draft = draft.at(set.place(), "keeps it");
    }
    let (key, little, edits) = match set {
        Some(set) if set.key.ends_with("fraction") => (set.key, "0.05", case.set(set, "0.05")),
        Some(set) => (set.key, "64m", case.set(set, "64m")),
        None => {
            let key = "taskmanager.memory.managed.fraction";
            (key, "0.05", case.insert_below(total, key, "0.05"))
        }
    };
    draft
        .note(format!("managed memory is {managed} of {flink}, task heap {}", budget.size(Component::TaskHeap)))
        .help(format!("set {key}: {little}: the rest becomes task heap"))
        .unsafe_fix(format!("write {key}: {little}"), edits);
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    const IDLE: &str = "taskmanager.memory.process.size: 4g\nstate.backend: filesystem\n";

    #[test]
    fn the_old_names_of_the_heap_are_the_heap() {
        let finding = find("OOM206", "flink-conf.yaml", &format!("# oomph: flink=1.12\n{IDLE}"));
        assert!(finding.title.starts_with("1372.2 MiB (1438814063 B) of managed memory"), "{finding:?}");
    }

    #[rstest]
    #[case("execution.runtime-mode: BATCH")]
    #[case("execution.runtime-mode: AUTOMATIC")]
    #[case("python.executable: python3")]
    #[case("table.exec.mini-batch.enabled: true")]
    #[case("taskmanager.memory.managed.size: 64m")]
    #[case("taskmanager.memory.managed.fraction: 0.2")]
    fn it_is_silent_where_somebody_may_take_it(#[case] line: &str) {
        assert!(!codes("flink-conf.yaml", &format!("# oomph: flink=1.17\n{IDLE}{line}\n")).contains(&"OOM206"));
    }

    #[test]
    fn a_backend_that_nobody_named_may_be_chosen_by_the_job() {
        assert!(!codes("config.yaml", "taskmanager.memory.process.size: 4g\n").contains(&"OOM206"));
    }
}
