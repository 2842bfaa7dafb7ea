use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Confidence, Role, Severity};

rule! {
    /// A pod template states memory or properties for Flink's container, and Flink replaces them.
    ///
    /// ### Why
    /// Flink writes requests and limits of its main container itself, from the process size it plans: what the template
    /// states there is overwritten. `FLINK_PROPERTIES` belongs to the image's own scripts; under the operator the whole
    /// configuration is mounted, and the variable changes nothing. Whoever raises the one or the other sees no effect.
    ///
    /// ### Bad
    /// ```yaml orders.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   image: flink:1.20.5
    ///   flinkVersion: v1_20
    ///   taskManager:
    ///     resource:
    ///       memory: 4g
    ///       cpu: 2
    ///     podTemplate:
    ///       spec:
    ///         containers:
    ///         - name: flink-main-container
    ///           resources:
    ///             limits:
    ///               memory: 6Gi
    /// ```
    ///
    /// ### Good
    /// ```yaml orders.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   image: flink:1.20.5
    ///   flinkVersion: v1_20
    ///   taskManager:
    ///     resource:
    ///       memory: 6g
    ///       cpu: 2
    /// ```
    ///
    /// ### Sources
    /// - `InitTaskManagerDecorator`, `InitJobManagerDecorator` and `KubernetesUtils.getResourceRequirements`, Flink 1.13 to
    ///   2.3: memory and cpu are put over the template's.
    /// - `docker-entrypoint.sh` of the official image: `FLINK_PROPERTIES` is written behind the image's own file.
    "OOM515" "resource-in-podtemplate" {
        severity: Severity::Warning,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let mut told = Vec::new();
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(pod) = case.pod(role) else { continue };
        let planned = case.survey(role).map(|survey| survey.plan.budget.total_process().bytes);
        for stated in &pod.replaced {
            // The same number twice misleads nobody.
            let same = Bytes::parse_k8s(&stated.text).is_ok_and(|size| Some(size) == planned);
            if same || told.contains(&&stated.place) {
                continue;
            }
            told.push(&stated.place);
            let mut draft = found
                .find(format!("Memory of {} in the pod template has no effect", stated.text))
                .at(&stated.place, "Flink puts its own size here");
            if let Some(planned) = planned {
                draft = draft.note(format!("the {role}'s container asks for {planned}, as Flink plans the process"));
            }
            draft.help("set spec.taskManager.resource.memory or spec.jobManager.resource.memory instead");
        }
        if !case.subject().name.as_deref().is_some_and(|name| name.contains("FlinkDeployment ")) {
            continue;
        }
        for variable in pod.variables.iter().filter(|variable| variable.name == "FLINK_PROPERTIES") {
            if told.contains(&&variable.place) {
                continue;
            }
            told.push(&variable.place);
            found
                .find("FLINK_PROPERTIES has no effect under the operator")
                .confidence(Confidence::Medium)
                .at(&variable.place, "the mounted configuration stays as it is")
                .help("write its lines in spec.flinkConfiguration");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{checked, codes};

    fn cluster(container: &str) -> String {
        format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  flinkVersion: \
             v1_20\n  taskManager: {{resource: {{memory: 4g, cpu: 2}}}}\n  podTemplate:\n    spec:\n      containers:\n      \
             - {container}\n"
        )
    }

    #[test]
    fn a_template_of_both_roles_is_told_once_for_each_line() {
        let text = cluster("{name: flink-main-container, resources: {limits: {memory: 6Gi}, requests: {memory: 5Gi}}}");
        let found = checked("c.yaml", &text).findings;
        assert_eq!(found.iter().filter(|finding| finding.code == "OOM515").count(), 2, "{found:?}");
    }

    #[test]
    fn properties_in_the_environment_are_told_too() {
        let text = cluster("{name: flink-main-container, env: [{name: FLINK_PROPERTIES, value: 'a.b: c'}]}");
        assert!(codes("c.yaml", &text).contains(&"OOM515"));
    }

    #[test]
    fn a_sidecars_resources_and_a_plain_pods_are_its_own() {
        let text = cluster("{name: shipper, resources: {limits: {memory: 1Gi}}}");
        assert!(!codes("c.yaml", &text).contains(&"OOM515"));
        let pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: f\n    image: flink:1.20.5\n    args: \
                   [taskmanager]\n    env: [{name: FLINK_PROPERTIES, value: 'rest.port: 8081'}]\n    resources: {limits: \
                   {memory: 4Gi}}\n";
        assert!(!codes("p.yaml", pod).contains(&"OOM515"));
    }
}
