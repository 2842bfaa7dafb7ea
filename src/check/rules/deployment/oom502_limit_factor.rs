use crate::check::rule::rule;
use crate::check::{Case, Collector, FixKind, policy::threshold};
use crate::model::{Deployment, Severity};

rule! {
    /// A limit factor that Flink refuses, or with which pods overcommit their node.
    ///
    /// ### Why
    /// `kubernetes.taskmanager.memory.limit-factor` times the process size is the container's limit; its request stays the
    /// process size. Below 1 Flink ends with `should be greater or equal to 1`. A large factor lets every pod take a
    /// multiple of what the node was asked for: the first to do so brings the whole node under pressure, and pods that use
    /// more than they asked for are evicted first.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// kubernetes.taskmanager.memory.limit-factor: 0.9
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// taskmanager.memory.process.size: 4g
    /// kubernetes.taskmanager.memory.limit-factor: 1.2
    /// ```
    ///
    /// ### Sources
    /// - `KubernetesTaskManagerParameters.getTaskManagerMemoryLimitFactor`, `KubernetesJobManagerParameters` and
    ///   `KubernetesUtils.getResourceRequirements`, Flink 1.15 to 2.3.
    /// - Thread: https://github.com/apache/flink/pull/17098.
    /// - https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/.
    "OOM502" "limit-factor" {
        severity: Severity::Error,
        since: Some((1, 15)),
        fix: FixKind::Unsafe,
        check: check,
    }
}

const FACTORS: [&str; 2] = ["kubernetes.taskmanager.memory.limit-factor", "kubernetes.jobmanager.memory.limit-factor"];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if !matches!(case.deployment, None | Some(Deployment::Kubernetes)) {
        return;
    }
    let most = case.policy.count(&threshold::KUBERNETES_LIMIT_FACTOR_MAX);
    for key in FACTORS {
        let Some(written) = case.find(key) else { continue };
        let Some(factor) = case.number(key) else { continue };
        let text = written.text();
        if factor < 1.0 || factor.is_nan() {
            found
                .find(format!("Flink refuses {key}: {text}"))
                .at(written.place(), "below 1")
                .note(format!("IllegalArgumentException: {key} should be greater or equal to 1."))
                .help("take the line out, or set a factor of at least 1: it only ever makes the limit larger")
                .unsafe_fix("set the factor to 1", case.set(written, "1.0"));
        } else if factor > most as f64 {
            found
                .find(format!("{key}: {text} lets every pod take {text} times what it asks for"))
                .severity(Severity::Warning)
                .at(written.place(), "limit / request")
                .note(
                    "the scheduler fills a node by requests; what lies above them is promised to several pods at once",
                )
                .note("under pressure the kubelet first evicts pods that use more than they asked for")
                .help(
                    "give the process what it needs with process.size, and keep the factor for short peaks: 1.1 to 1.5",
                );
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{checked, codes};
    use crate::model::Severity;

    #[rstest]
    #[case("1.0", None)]
    #[case("2", None)]
    #[case("0.999", Some(Severity::Error))]
    #[case("NaN", Some(Severity::Error))]
    #[case("2.5", Some(Severity::Warning))]
    fn from_one_to_the_threshold_is_fine(#[case] factor: &str, #[case] expected: Option<Severity>) {
        let text = format!("# oomph: flink=1.20\nkubernetes.jobmanager.memory.limit-factor: {factor}\n");
        let found = checked("flink-conf.yaml", &text).findings;
        let severity = found.iter().find(|finding| finding.code == "OOM502").map(|finding| finding.severity);
        assert_eq!(severity, expected, "{found:?}");
    }

    #[test]
    fn it_is_not_read_on_yarn_nor_before_1_15() {
        for facts in ["flink=1.20 deployment=yarn", "flink=1.14"] {
            let text = format!("# oomph: {facts}\nkubernetes.taskmanager.memory.limit-factor: 0.5\n");
            assert!(!codes("flink-conf.yaml", &text).contains(&"OOM502"), "{facts}");
        }
    }
}
