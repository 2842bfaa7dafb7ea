use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Role, Severity};
use crate::plan::{self, Mode};

rule! {
    /// What else is set makes Flink pass over this key.
    ///
    /// ### Why
    /// Flink derives a process's memory from what is set, and in each way of doing it some options are never read: a
    /// fraction of managed memory beside its size, a fraction of network memory where network is what the other parts
    /// leave, a fraction of JVM overhead where the process and what is in it are both given. Whoever changes such a number
    /// changes nothing.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 6g
    /// taskmanager.memory.managed.size: 1g
    /// taskmanager.memory.managed.fraction: 0.3
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 6g
    /// taskmanager.memory.managed.fraction: 0.3
    /// ```
    ///
    /// ### Sources
    /// - `TaskExecutorFlinkMemoryUtils.deriveManagedMemoryAbsoluteOrWithFraction` and
    ///   `deriveFromTotalFlinkMemory`, Flink 1.11 to 2.3.
    /// - `ProcessMemoryUtils.deriveJvmMetaspaceAndOverheadFromTotalFlinkMemory`, Flink 1.11 to 2.3; the same in
    ///   `TaskExecutorProcessUtils` of 1.10.
    "OOM107" "ignored-in-mode" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(survey) = case.survey(role).filter(|_| !plan::is_cut_off(case.profile(), role)) else { continue };
        for (fraction, deciding, why) in unread(case, role, survey.plan.mode) {
            let Some(written) = case.find(fraction).filter(Written::is_own) else { continue };
            let default = case.option(fraction).and_then(|row| row.default).and_then(|text| text.parse::<f64>().ok());
            if default.is_some() && written.text().parse::<f64>().ok() == default {
                continue;
            }
            let mut draft =
                found.find(format!("{} has no effect here", written.key)).at(&written.key_place(), "not read");
            for decides in deciding.iter().filter_map(|key| case.find(key)) {
                draft = draft.at(decides.place(), "decides");
            }
            draft.note(why).help(format!("take {} out", written.key)).safe_fix("take it out", case.remove(written));
        }
    }
}

/// Fractions that the way a role is derived does not read: each with the keys that decide, and why.
fn unread(case: &Case<'_>, role: Role, mode: Mode) -> Vec<(&'static str, &'static [&'static str], &'static str)> {
    let set = |key: &str| case.find(key).is_some();
    let mut all: Vec<(&'static str, &'static [&'static str], &'static str)> = Vec::new();
    let overhead_is_left = "the process is given and so is what Flink divides up: JVM overhead is what is left";
    match role {
        Role::TaskManager => {
            let (process, flink) = ("taskmanager.memory.process.size", "taskmanager.memory.flink.size");
            let (heap, managed) = ("taskmanager.memory.task.heap.size", "taskmanager.memory.managed.size");
            if set(managed) {
                let why = "the size of managed memory is given: no share is taken";
                all.push(("taskmanager.memory.managed.fraction", &["taskmanager.memory.managed.size"], why));
            }
            if set(heap) && (mode != Mode::FineGrained || set(flink)) {
                let why = "task heap is given beside a total: network memory is what the other parts leave";
                let decide: &[&str] = match mode {
                    Mode::TotalProcess => &["taskmanager.memory.task.heap.size", "taskmanager.memory.process.size"],
                    _ => &["taskmanager.memory.task.heap.size", "taskmanager.memory.flink.size"],
                };
                all.push(("taskmanager.memory.network.fraction", decide, why));
            }
            if set(process) && mode != Mode::TotalProcess {
                let decide: &[&str] = match mode {
                    Mode::FineGrained => &["taskmanager.memory.process.size", "taskmanager.memory.task.heap.size"],
                    _ => &["taskmanager.memory.process.size", "taskmanager.memory.flink.size"],
                };
                all.push(("taskmanager.memory.jvm-overhead.fraction", decide, overhead_is_left));
            }
        }
        Role::JobManager => {
            if set("jobmanager.memory.process.size") && mode != Mode::TotalProcess {
                let decide: &[&str] = match mode {
                    Mode::FineGrained => &["jobmanager.memory.process.size", "jobmanager.memory.heap.size"],
                    _ => &["jobmanager.memory.process.size", "jobmanager.memory.flink.size"],
                };
                all.push(("jobmanager.memory.jvm-overhead.fraction", decide, overhead_is_left));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::edits::applied;
    use crate::check::tried::{checked, codes, find};
    use crate::config::layers::Layers;
    use crate::config::load::{self, assemble};
    use crate::model::Role;
    use crate::model::UseCase;
    use crate::plan::{self, Deployment, Question};

    const TM_PROCESS: &str = "taskmanager.memory.process.size: 4g\n";
    const TM_FLINK: &str = "taskmanager.memory.flink.size: 3g\n";
    const TM_HEAP: &str = "taskmanager.memory.task.heap.size: 1g\n";
    const TM_MANAGED: &str = "taskmanager.memory.managed.size: 1g\n";
    const NETWORK: &str = "taskmanager.memory.network.max: 2g\n";

    fn budget(text: &str, role: Role) -> String {
        let input = crate::check::tried::input("config.yaml", text);
        let loaded = load::interpret(input, Some("1.20".parse().unwrap())).unwrap().remove(0);
        let config = assemble(&loaded, &Layers::default()).unwrap().config;
        let question = Question {
            role,
            deployment: Deployment::None,
            consumers: vec![UseCase::StateBackend],
            managed_backend: true,
            stores: Vec::new(),
        };
        let plan = plan::plan(&config, loaded.choice.profile, &question).unwrap();
        format!("{} {:?}", plan.jvm_arguments, plan.dynamic_properties)
    }

    #[rstest]
    #[case("taskmanager.memory.managed.fraction", &[TM_PROCESS, TM_MANAGED])]
    #[case("taskmanager.memory.managed.fraction", &[TM_HEAP, TM_MANAGED])]
    #[case("taskmanager.memory.network.fraction", &[TM_PROCESS, TM_HEAP, NETWORK])]
    #[case("taskmanager.memory.network.fraction", &[TM_FLINK, TM_HEAP, TM_MANAGED, NETWORK])]
    #[case("taskmanager.memory.jvm-overhead.fraction", &[TM_PROCESS, TM_FLINK])]
    #[case("taskmanager.memory.jvm-overhead.fraction", &["taskmanager.memory.process.size: 3g\n", TM_HEAP, TM_MANAGED])]
    #[case("jobmanager.memory.jvm-overhead.fraction", &["jobmanager.memory.process.size: 2g\n", "jobmanager.memory.heap.size: 1g\n"])]
    #[case("jobmanager.memory.jvm-overhead.fraction", &["jobmanager.memory.process.size: 2g\n", "jobmanager.memory.flink.size: 1g\n"])]
    fn what_it_reports_changes_no_byte(#[case] key: &str, #[case] others: &[&str]) {
        let role = if key.starts_with("job") { Role::JobManager } else { Role::TaskManager };
        let others = others.concat();
        let others = if role == Role::JobManager {
            others + "jobmanager.memory.jvm-overhead.max: 2g\n"
        } else {
            others + "taskmanager.memory.jvm-overhead.max: 2g\n"
        };
        let bare = budget(&others, role);
        for value in ["0.05", "0.2", "0.33"] {
            let text = format!("# oomph: flink=1.20\n{others}{key}: {value}\n");
            assert_eq!(budget(&text, role), bare, "{text}");
            let finding = find("OOM107", "config.yaml", &text);
            let fixed = applied(&text, &finding.fix.unwrap().edits).unwrap();
            assert!(checked("config.yaml", &fixed).findings.iter().all(|finding| finding.code != "OOM107"));
        }
    }

    #[rstest]
    #[case("taskmanager.memory.managed.fraction: 0.3\n", &[TM_PROCESS])]
    #[case("taskmanager.memory.managed.fraction: 0.4\n", &[TM_PROCESS, TM_MANAGED])]
    #[case("taskmanager.memory.network.fraction: 0.2\n", &[TM_HEAP, TM_MANAGED])]
    #[case("taskmanager.memory.network.fraction: 0.2\n", &[TM_PROCESS])]
    #[case("taskmanager.memory.jvm-overhead.fraction: 0.2\n", &[TM_FLINK])]
    #[case("taskmanager.memory.jvm-overhead.fraction: 0.2\n", &[TM_PROCESS])]
    fn what_is_read_and_what_is_the_default_is_left_alone(#[case] line: &str, #[case] others: &[&str]) {
        let text = format!("# oomph: flink=1.20\n{}{line}", others.concat());
        assert!(!codes("config.yaml", &text).contains(&"OOM107"), "{text}");
    }
}
