use super::java_options::{JavaOptions, ignores_unknown_flags, pod_cores};
use crate::check::policy::threshold;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Role};

rule! {
    /// A pod of one core gives a large heap to the serial collector.
    ///
    /// ### Why
    /// Where nobody asks for a collector, the JVM takes G1 only on what it holds for a server: at least two processors and
    /// 1792 MB. In a container it counts the limit of the cgroup, so `cpu: 1` means SerialGC, which collects the old
    /// generation on one thread with everything else stopped. On a heap of some gigabytes such a pause lasts seconds, and
    /// beyond `heartbeat.timeout` the JobManager holds the TaskManager for lost.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// taskmanager.memory.process.size: 8g
    /// kubernetes.taskmanager.cpu.amount: 1
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20 deployment=kubernetes
    /// taskmanager.memory.process.size: 8g
    /// kubernetes.taskmanager.cpu.amount: 2
    /// ```
    ///
    /// ### Sources
    /// - HotSpot, `GCConfig::select_gc_ergonomically` and `os::is_server_class_machine`.
    /// - Own measurement, OpenJDK 17.0.15: `-XX:ActiveProcessorCount=1` chooses Serial, 2 chooses G1; a full collection of
    ///   SerialGC over 1.1 GiB of live objects took 4 to 9 seconds on two busy cores.
    /// - Serial chosen in a pod, pauses of eight seconds: https://github.com/camunda/camunda/issues/5700.
    /// - `bin/kubernetes-taskmanager.sh`: G1 is asked for where there are no options up to Flink 1.17, never from 1.18 on.
    "OOM307" "serial-collector" {
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let largest = case.policy.size(&threshold::SERIAL_HEAP_MAX);
    for role in [Role::TaskManager, Role::JobManager] {
        let Some((cores, place)) = pod_cores(case, role).filter(|(cores, _)| *cores < 2) else { continue };
        let Some(heap) = case.survey(role).map(|survey| survey.plan.budget.heap()).filter(|heap| *heap > largest)
        else {
            continue;
        };
        let options = JavaOptions::of_role(case, role);
        let by_script = role == Role::TaskManager && options.is_empty() && !ignores_unknown_flags(case);
        let asked = !options.collectors().is_empty() || options.last(&["-XX:ActiveProcessorCount="]).is_some();
        if by_script || asked || options.hidden {
            continue;
        }
        let key = match role {
            Role::TaskManager => "env.java.opts.taskmanager",
            Role::JobManager => "env.java.opts.jobmanager",
        };
        found
            .find(format!("The JVM chooses SerialGC for a {role} with a heap of {heap}"))
            .at(&place, format!("{cores} core for the JVM, and it wants two"))
            .note("a full collection runs on one thread, with everything else stopped")
            .note(format!("up to {largest} that is let pass (serial-heap-max)"))
            .help(format!("give the pod two cores, or ask for G1: {key}: -XX:+UseG1GC"));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::codes;

    #[rstest]
    #[case("flink=1.20 deployment=kubernetes", "kubernetes.taskmanager.cpu.amount: 0.5\n", true)]
    #[case("flink=1.20 deployment=kubernetes", "kubernetes.taskmanager.cpu.amount: 1.5\n", false)]
    #[case("flink=1.20 deployment=kubernetes", "kubernetes.taskmanager.cpu: 1\n", true)]
    #[case("flink=1.20 deployment=kubernetes", "", false)]
    #[case("flink=1.20 deployment=standalone", "kubernetes.taskmanager.cpu.amount: 1\n", false)]
    #[case("flink=1.16 deployment=kubernetes", "kubernetes.taskmanager.cpu: 1\n", false)]
    #[case("flink=1.16 deployment=kubernetes", "kubernetes.taskmanager.cpu: 1\nenv.java.opts: -Da=b\n", true)]
    fn a_pod_of_one_core_is_no_server(#[case] facts: &str, #[case] more: &str, #[case] expected: bool) {
        let text = format!("# oomph: {facts}\ntaskmanager.memory.process.size: 8g\n{more}");
        assert_eq!(codes("flink-conf.yaml", &text).contains(&"OOM307"), expected);
    }

    #[rstest]
    #[case("env.java.opts.all: -XX:+UseG1GC\n")]
    #[case("env.java.opts.all: ${OPTS}\n")]
    #[case("env.java.opts.all: -XX:ActiveProcessorCount=2\n")]
    #[case("kubernetes.taskmanager.cpu.limit-factor: 2.0\n")]
    fn somebody_else_may_choose(#[case] more: &str) {
        let text = format!(
            "# oomph: flink=1.20 deployment=kubernetes\ntaskmanager.memory.process.size: 8g\n\
             kubernetes.taskmanager.cpu.amount: 1\n{more}"
        );
        assert!(!codes("config.yaml", &text).contains(&"OOM307"));
    }

    #[rstest]
    #[case("900m", true)]
    #[case("\"1\"", true)]
    #[case("2", false)]
    fn the_limit_of_a_pods_container_counts(#[case] cpu: &str, #[case] expected: bool) {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: tm}}\nspec:\n  template:\n    spec:\n      \
             containers:\n      - name: taskmanager\n        image: flink:1.20.1\n        args: [taskmanager]\n        \
             env:\n        - {{name: FLINK_PROPERTIES, value: \"taskmanager.memory.process.size: 8g\"}}\n        \
             resources: {{limits: {{memory: 8Gi, cpu: {cpu}}}}}\n"
        );
        assert_eq!(codes("tm.yaml", &text).contains(&"OOM307"), expected, "{text}");
    }

    #[test]
    fn a_small_heap_is_let_pass() {
        let text = "# oomph: flink=1.20 deployment=kubernetes\ntaskmanager.memory.process.size: 4g\n\
                    kubernetes.taskmanager.cpu.amount: 1\n";
        assert!(!codes("config.yaml", text).contains(&"OOM307"));
    }

    #[test]
    fn a_jobmanager_is_looked_at_too() {
        let text = "# oomph: flink=1.20 deployment=kubernetes\njobmanager.memory.process.size: 8g\n\
                    kubernetes.jobmanager.cpu.amount: 1\n";
        assert!(codes("config.yaml", text).contains(&"OOM307"));
    }
}
