use super::visible;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::{Pod, Written};
use crate::model::{Bytes, Confidence, Role, Severity};

rule! {
    /// The pod asks for less memory than its process is planned to use.
    ///
    /// ### Why
    /// The scheduler places pods by what they ask for. A Flink process uses what it is planned to, heap and managed memory
    /// first, so a smaller request puts more pods on a node than fit. When the node runs short, the kubelet first evicts
    /// pods that use more than they asked for: this one always does.
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
    ///     env:
    ///     - name: FLINK_PROPERTIES
    ///       value: "taskmanager.memory.process.size: 4g"
    ///     resources:
    ///       requests:
    ///         memory: 2Gi
    ///       limits:
    ///         memory: 4Gi
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
    ///     env:
    ///     - name: FLINK_PROPERTIES
    ///       value: "taskmanager.memory.process.size: 4g"
    ///     resources:
    ///       requests:
    ///         memory: 4Gi
    ///       limits:
    ///         memory: 4Gi
    /// ```
    ///
    /// ### Sources
    /// - https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/: whether a pod's usage exceeds its
    ///   requests comes first.
    /// - `KubernetesUtils.getResourceRequirements`, Flink 1.10 to 2.3: Flink itself asks for the whole process size.
    "OOM505" "request-below-limit" {
        severity: Severity::Warning,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(pod) = case.pod(role) else { continue };
        let Some(request) = &pod.request else { continue };
        let process = case.survey(role).filter(|_| visible::is_known(case, pod));
        match process.map(|survey| survey.plan.budget.total_process().bytes) {
            Some(total) => of_process(found, role, pod, request, total),
            None => of_limit(found, role, pod, request),
        }
    }
}

/// Where the process is known, the request has to hold it; a limit above both is room for peaks.
fn of_process(found: &mut Collector<'_>, role: Role, pod: &Pod, request: &Written, total: Bytes) {
    let is_limited_to_it = pod.limit.as_ref().is_some_and(|limit| limit.bytes <= request.bytes);
    let Some(missing) = total.checked_sub(request.bytes).filter(|missing| *missing > Bytes::ZERO) else { return };
    if is_limited_to_it {
        return;
    }
    let mut draft = found
        .find(format!("The {role}'s container asks for {}, and Flink plans {total} for it", request.bytes))
        .at(&request.place, "asked for");
    if let Some(limit) = &pod.limit {
        draft = draft.at(&limit.place, "the limit");
    }
    draft
        .note(format!("{missing} of the process are promised to other pods of the node as well"))
        .help(format!("set requests.memory to {}Mi, as Flink's own deployment does", total.get().div_ceil(1 << 20)));
}

fn of_limit(found: &mut Collector<'_>, role: Role, pod: &Pod, request: &Written) {
    let Some(limit) = pod.limit.as_ref().filter(|limit| limit.bytes > request.bytes) else { return };
    found
        .find(format!("The {role}'s container asks for {} and may take {}", request.bytes, limit.bytes))
        .confidence(Confidence::Medium)
        .at(&request.place, "asked for")
        .at(&limit.place, "the limit")
        .note("the process's size is not in this text; usually it is the container's limit")
        .help("set requests.memory to the process's size");
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};
    use crate::model::Confidence;

    fn pod(resources: &str, rest: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: flink\n    image: \
             flink:1.20.5\n    args: [taskmanager]\n    resources: {{{resources}}}\n{rest}"
        )
    }

    #[test]
    fn a_limit_above_a_request_that_holds_the_process_is_room_for_peaks() {
        assert!(!codes("p.yaml", &pod("requests: {memory: 1728Mi}, limits: {memory: 3Gi}", "")).contains(&"OOM505"));
        let finding = find("OOM505", "p.yaml", &pod("requests: {memory: 1Gi}", ""));
        assert!(finding.notes[0].starts_with("704 MiB of the process"), "{finding:?}");
    }

    #[test]
    fn where_the_limit_is_as_small_that_is_the_finding() {
        let found = codes("p.yaml", &pod("requests: {memory: 1Gi}, limits: {memory: 1Gi}", ""));
        assert!(found.contains(&"OOM501") && !found.contains(&"OOM505"), "{found:?}");
    }

    #[test]
    fn where_the_configuration_lies_elsewhere_the_limit_stands_for_the_process() {
        let mounted = "    volumeMounts: [{name: conf, mountPath: /opt/flink/conf}]\n";
        let finding = find("OOM505", "p.yaml", &pod("requests: {memory: 1Gi}, limits: {memory: 4Gi}", mounted));
        assert_eq!(finding.confidence, Confidence::Medium);
        let equal = pod("requests: {memory: 4Gi}, limits: {memory: 4Gi}", mounted);
        assert!(!codes("p.yaml", &equal).contains(&"OOM505"));
    }
}
