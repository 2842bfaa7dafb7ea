use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind};
use crate::model::{Component, Confidence, Role, Severity};

rule! {
    /// Python workers take memory that nobody planned for.
    ///
    /// ### Why
    /// PyFlink runs user functions in processes of their own, beside the JVM and inside its container. With
    /// `python.fn-execution.memory.managed: true` Flink sets a share of managed memory aside for them. With `false`, or with
    /// no managed memory to share, what they take is in no part of the budget: it comes out of JVM overhead, and then the
    /// container is killed.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// python.fn-execution.memory.managed: false
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// python.fn-execution.memory.managed: true
    /// ```
    ///
    /// ### Sources
    /// - `PythonOptions.USE_MANAGED_MEMORY`, Flink 1.12 to 2.3; thread: https://github.com/apache/flink/pull/12370.
    /// - FLIP-88: https://cwiki.apache.org/confluence/display/FLINK/FLIP-88:+PyFlink+User-Defined+Function+Resource+Management.
    "OOM516" "python-unbudgeted" {
        severity: Severity::Warning,
        since: Some((1, 12)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

const MANAGED: &str = "python.fn-execution.memory.managed";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    // Inside the JVM there are no workers.
    if case.value("python.execution-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("thread")) {
        return;
    }
    let budget = case.survey(Role::TaskManager).map(|survey| &survey.plan.budget);
    if let Some(written) = case.find(MANAGED).filter(|written| written.text().eq_ignore_ascii_case("false")) {
        let mut draft =
            found.find("Python workers take their memory from nobody's budget").at(written.place(), "no share");
        if let Some(budget) = budget {
            draft = draft.note(format!(
                "all workers of a TaskManager have JVM overhead of {} to share with the JVM itself",
                budget.size(Component::JvmOverhead)
            ));
        }
        draft
            .note("there is at least one worker process for each slot that runs Python functions")
            .help(format!("set {MANAGED} to true, or give task.off-heap.size and JVM overhead what the workers need"))
            .unsafe_fix("give workers a share of managed memory", case.set(written, "true"));
        return;
    }
    let Some(python) = case.settings().find(|written| written.key.starts_with("python.")) else { return };
    if case.is_hidden(MANAGED) || budget.is_none_or(|budget| budget.size(Component::Managed).get() > 0) {
        return;
    }
    let none = ["taskmanager.memory.managed.size", "taskmanager.memory.managed.fraction"];
    let Some(written) = none.iter().find_map(|key| case.find(key)) else { return };
    found
        .find("Python workers have a share of managed memory, and there is none")
        .confidence(Confidence::Medium)
        .at(written.place(), "no managed memory")
        .at(python.place(), "a job with Python functions")
        .help(format!("give {} what the workers of all slots need", written.key));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("python.fn-execution.memory.managed: false\npython.execution-mode: thread", false)]
    #[case("python.files: a.py\ntaskmanager.memory.managed.fraction: 0", true)]
    #[case("python.files: a.py\ntaskmanager.memory.managed.size: 0", true)]
    #[case("python.files: a.py", false)]
    #[case("taskmanager.memory.managed.fraction: 0", false)]
    fn workers_need_a_share_of_something(#[case] lines: &str, #[case] expected: bool) {
        let text = format!("# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\n{lines}\n");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM516"), expected);
    }

    #[test]
    fn the_room_beside_the_jvm_is_told() {
        let text =
            "# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\npython.fn-execution.memory.managed: false\n";
        assert!(find("OOM516", "config.yaml", text).notes[0].contains("JVM overhead of 409.6 MiB (429496736 B)"));
    }

    #[test]
    fn in_1_11_workers_take_off_heap_memory() {
        let text = "# oomph: flink=1.11\npython.fn-execution.memory.managed: false\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM516"));
    }
}
