use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Confidence, Role, Severity};

rule! {
    /// A container beside Flink's has no memory limit.
    ///
    /// ### Why
    /// Flink's own container keeps to its limit, the one beside it may take whatever the node has. A log shipper that
    /// buffers while its target is down then brings the node under memory pressure; with a container that has no limit the
    /// pod is not `Guaranteed`, and the kubelet evicts it whole, TaskManager included.
    ///
    /// ### Bad
    /// ```yaml taskmanager.yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata:
    ///   name: taskmanager
    /// spec:
    ///   containers:
    ///   - name: flink
    ///     image: flink:1.20.5
    ///     args: [taskmanager]
    ///   - name: log-shipper
    ///     image: fluent-bit
    /// ```
    ///
    /// ### Good
    /// ```yaml taskmanager.yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata:
    ///   name: taskmanager
    /// spec:
    ///   containers:
    ///   - name: flink
    ///     image: flink:1.20.5
    ///     args: [taskmanager]
    ///   - name: log-shipper
    ///     image: fluent-bit
    ///     resources:
    ///       limits:
    ///         memory: 128Mi
    /// ```
    ///
    /// ### Sources
    /// - https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/.
    /// - https://docs.coreweave.com/support/cks/articles/how-do-kubernetes-qos-classes-work.
    "OOM503" "sidecar-without-limit" {
        severity: Severity::Warning,
        // A LimitRange of the namespace may set one.
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let mut told = Vec::new();
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(pod) = case.pod(role) else { continue };
        for sidecar in pod.sidecars.iter().filter(|sidecar| sidecar.limit.is_none()) {
            // A template that both roles share holds it once.
            if told.contains(&&sidecar.place) {
                continue;
            }
            told.push(&sidecar.place);
            found
                .find(format!("The container {} beside Flink's has no memory limit", sidecar.name))
                .at(&sidecar.place, "may take what the node has")
                .note("the pod is evicted as a whole, so what this container takes costs the Flink process beside it")
                .help(format!("set resources.limits.memory of {}, and the request to the same", sidecar.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{checked, codes};

    const CLUSTER: &str = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: c}\nspec:\n  \
                           flinkVersion: v1_20\n  taskManager: {resource: {memory: 4g, cpu: 2}}\n  podTemplate:\n    \
                           spec:\n      containers:\n      - {name: flink-main-container}\n      - {name: shipper}\n";

    #[test]
    fn a_template_of_both_roles_is_told_once() {
        let found = checked("c.yaml", CLUSTER).findings;
        assert_eq!(found.iter().filter(|finding| finding.code == "OOM503").count(), 1, "{found:?}");
    }

    #[test]
    fn flinks_own_container_is_no_sidecar() {
        let text = CLUSTER.replace("      - {name: shipper}\n", "");
        assert!(!codes("c.yaml", &text).contains(&"OOM503"));
    }
}
