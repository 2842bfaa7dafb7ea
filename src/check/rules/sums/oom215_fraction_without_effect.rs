use super::share::is_remainder;
use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, Written};
use crate::model::{Component, Role, Severity};

rule! {
    /// A fraction, or a number of buffers, is set that another setting overrules.
    ///
    /// ### Why
    /// `managed.size` outranks `managed.fraction`, which is then not even read. Where task heap and a total are set, network
    /// memory is what the others leave, whatever its fraction. `numberOfBuffers` counts only where no size of network memory
    /// is set. Flink starts, and whoever tunes the overruled setting changes nothing.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.size: 1g
    /// taskmanager.memory.managed.fraction: 0.6
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// taskmanager.memory.managed.fraction: 0.6
    /// ```
    ///
    /// ### Sources
    /// - `TaskExecutorFlinkMemoryUtils.deriveManagedMemoryAbsoluteOrWithFraction`, `sanityCheckNetworkMemory` and
    ///   `isUsingLegacyNetworkConfigs`, Flink 1.10 to 2.3.
    /// - Discussion of Flink's own page on fractions as hints: https://github.com/apache/flink-web/pull/328.
    "OOM215" "fraction-without-effect" {
        severity: Severity::Warning,
        since: Some((1, 10)),
        fix: FixKind::Safe,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let Some(survey) = case.survey(Role::TaskManager) else { return };
    let own = |name: &str| case.find(&format!("taskmanager.memory.{name}")).filter(Written::is_own);
    let budget = &survey.plan.budget;
    if let (Some(fraction), Some(size)) = (own("managed.fraction"), own("managed.size")) {
        let title = format!("{}: {} has no effect beside {}", fraction.key, fraction.text(), size.key);
        tell(case, found, &title, fraction, size, &format!("managed memory is {}", budget.size(Component::Managed)));
    }
    let network = budget.part(Component::Network);
    let is_rest = network.is_some_and(is_remainder);
    if let (true, Some(fraction), Some(heap)) = (is_rest, own("network.fraction"), own("task.heap.size")) {
        let title = format!("{}: {} has no effect beside {}", fraction.key, fraction.text(), heap.key);
        let what = format!("network memory is what the others leave, {}", budget.size(Component::Network));
        tell(case, found, &title, fraction, heap, &what);
    }
    let sizes = ["network.min", "network.max", "network.fraction"];
    let buffers = case.find("taskmanager.network.numberOfBuffers").filter(Written::is_own);
    if let (Some(buffers), Some(size)) = (buffers, sizes.iter().find_map(|name| own(name))) {
        let title = format!("{}: {} has no effect beside {}", buffers.key, buffers.text(), size.key);
        let what = format!("network memory is {}", budget.size(Component::Network));
        tell(case, found, &title, buffers, size, &what);
    }
}

fn tell(case: &Case<'_>, found: &mut Collector<'_>, title: &str, idle: Written<'_>, strong: Written<'_>, what: &str) {
    found
        .find(title)
        .at(idle.place(), "has no effect")
        .at(strong.place(), "counts")
        .note(what)
        .help(format!("take {} out, or {} if the other is meant", idle.key, strong.key))
        .safe_fix(format!("take {} out", idle.key), case.remove(idle));
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    #[test]
    fn network_is_the_rest_beside_task_heap() {
        let text = "taskmanager.memory.flink.size: 4g\ntaskmanager.memory.task.heap.size: 2g\n\
                    taskmanager.memory.network.fraction: 0.15\n";
        let finding = find("OOM215", "config.yaml", text);
        // 4096 - 2048 - 2 x 128 - 0.4 x 4096 MiB
        assert!(finding.notes[0].ends_with("what the others leave, 153.6 MiB (161061248 B)"), "{finding:?}");
        assert_eq!(finding.labels[0].place.position.unwrap().line, 3);
    }

    #[test]
    fn buffers_count_alone_and_up_to_1_20() {
        let text =
            "# oomph: flink=1.20\ntaskmanager.memory.process.size: 4g\ntaskmanager.network.numberOfBuffers: 4096\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM215"));
        let both = format!("{text}taskmanager.network.memory.max: 512m\n");
        let finding = find("OOM215", "flink-conf.yaml", &both);
        assert!(finding.title.ends_with("beside taskmanager.network.memory.max"), "{finding:?}");
    }

    #[test]
    fn a_fraction_that_nobody_would_accept_is_not_read() {
        let text = "taskmanager.memory.process.size: 4g\ntaskmanager.memory.managed.size: 1g\n\
                    taskmanager.memory.managed.fraction: lots\n";
        assert_eq!(codes("config.yaml", text).iter().filter(|code| **code == "OOM200").count(), 0);
        assert!(codes("config.yaml", text).contains(&"OOM215"));
    }
}
