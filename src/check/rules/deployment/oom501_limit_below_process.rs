use super::{total, visible, yarn_property};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Deployment, Role, Severity};

rule! {
    /// The container is smaller than the process that Flink plans to fill it with.
    ///
    /// ### Why
    /// Outside of Flink's own Kubernetes and YARN deployments nobody derives the container from the configuration, or the
    /// other way round: both are written by hand. Flink gives its JVM flags for the whole process it plans. Where the limit
    /// is lower, the kernel kills the process as soon as it uses what it was planned to have. On YARN the same sum fails
    /// earlier: a container above `yarn.scheduler.maximum-allocation-mb` is not given out, and Flink's client ends.
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
    ///       limits:
    ///         memory: 3Gi
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
    ///       limits:
    ///         memory: 4Gi
    /// ```
    ///
    /// ### Sources
    /// - Threads: https://github.com/lightbend/cloudflow/issues/308,
    ///   https://github.com/GoogleCloudPlatform/flink-on-k8s-operator/pull/95.
    /// - `YarnClusterDescriptor.validateClusterResources`, Flink 1.10 to 2.3: "The cluster does not have the requested
    ///   resources for the TaskManagers available!".
    "OOM501" "limit-below-process" {
        severity: Severity::Error,
        check: check,
    }
}

/// What YARN gives out at most, in one container.
pub const MAXIMUM: &str = "yarn.scheduler.maximum-allocation-mb";

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(survey) = case.survey(role) else { continue };
        let total = survey.plan.budget.total_process().bytes;
        let written = || total::of(case, role);
        // Flink itself asks for whole mebibytes.
        let asked = Bytes::new(total.whole_mib() << 20);
        if let Some(pod) = case.pod(role).filter(|pod| visible::is_known(case, pod))
            && let Some(limit) = &pod.limit
            && limit.bytes < asked
            && let Some(missing) = total.checked_sub(limit.bytes)
        {
            let title = format!("The {role}'s container may take {}, and Flink plans {total} for it", limit.bytes);
            let mut draft = found.find(title).at(&limit.place, "the container");
            if let Some(written) = written() {
                draft = draft.at(written.place(), "the process");
            }
            let heap = survey.plan.budget.heap();
            draft =
                draft.note(format!("{missing} of the process have no room in the container; its heap alone is {heap}"));
            draft.help(format!(
                "set the container's memory limit to {}Mi, or the {role}'s process.size to at most {} bytes",
                total.get().div_ceil(1 << 20),
                limit.bytes.get()
            ));
        }
        if case.deployment == Some(Deployment::Yarn)
            && let Some(yarn) = case.yarn
            && let Some(maximum) = yarn_property::mebibytes(&yarn.config, MAXIMUM)
            && let Some(property) = yarn_property::of(&yarn.config, MAXIMUM)
            && asked > maximum
            && let Some(written) = written()
        {
            let title = format!("YARN gives out {maximum} at most, and the {role} asks for {total}");
            found
                .find(title)
                .at(written.place(), "the process")
                .note(format!("{MAXIMUM} is {} in {}", property.text(), property.place()))
                .help(format!("lower the {role}'s process.size to {}m, or raise {MAXIMUM}", maximum.whole_mib()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{beside_yarn, codes, find};
    use crate::model::Finding;

    fn pod(properties: &str, limit: &str, rest: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers:\n  - name: flink\n    image: \
             flink:1.20.5\n    args: [jobmanager]\n    env:\n    - name: FLINK_PROPERTIES\n      value: \
             \"{properties}\"\n    resources: {{limits: {{memory: {limit}}}}}\n{rest}"
        )
    }

    #[test]
    fn the_jobmanager_counts_too_and_bytes_are_exact() {
        let finding = find("OOM501", "pod.yaml", &pod("jobmanager.memory.process.size: 2g", "2G", ""));
        assert!(finding.notes[0].starts_with("144027 KiB of the process"), "{finding:?}");
        assert_eq!(finding.labels.len(), 2, "{finding:?}");
        assert!(finding.help.unwrap().contains("2048Mi"));
    }

    #[test]
    fn what_the_image_comes_with_counts_where_nothing_is_set() {
        let finding = find("OOM501", "pod.yaml", &pod("rest.port: 8081", "1Gi", ""));
        assert!(finding.title.contains("Flink plans 1600 MiB"), "{finding:?}");
    }

    #[test]
    fn a_configuration_that_is_mounted_from_elsewhere_is_not_guessed() {
        let mounts = "    volumeMounts: [{name: conf, mountPath: /opt/flink/conf}]\n  volumes: [{name: conf, configMap: \
                      {name: elsewhere}}]\n";
        assert!(!codes("pod.yaml", &pod("rest.port: 8081", "1Gi", mounts)).contains(&"OOM501"));
    }

    #[test]
    fn the_part_of_a_mebibyte_that_flink_does_not_ask_for_is_no_matter() {
        let size = "jobmanager.memory.process.size: 1700000000b";
        assert!(!codes("pod.yaml", &pod(size, "1621Mi", "")).contains(&"OOM501"));
        assert!(codes("pod.yaml", &pod(size, "1620Mi", "")).contains(&"OOM501"));
    }

    #[test]
    fn a_compose_service_is_a_container_too() {
        let text = "services:\n  tm:\n    image: flink:1.20.5\n    command: taskmanager\n    mem_limit: 1g\n";
        assert!(codes("docker-compose.yaml", text).contains(&"OOM501"));
        assert!(!codes("docker-compose.yaml", &text.replace("1g", "1728m")).contains(&"OOM501"));
        let mounted = format!("{text}    volumes: ['./conf:/opt/flink/conf']\n");
        assert!(!codes("docker-compose.yaml", &mounted).contains(&"OOM501"));
    }

    #[test]
    fn yarns_largest_container_bounds_the_process() {
        let yarn = "<configuration><property><name>yarn.scheduler.maximum-allocation-mb</name><value>8192</value>\
                    </property></configuration>";
        let tried = |size: &str| -> Vec<Finding> {
            let text = format!("# oomph: flink=1.20 deployment=yarn\ntaskmanager.memory.process.size: {size}\n");
            let all = beside_yarn("config.yaml", &text, yarn);
            all.into_iter().filter(|finding| finding.code == "OOM501").collect()
        };
        assert_eq!(tried("8g"), []);
        let found = tried("10g");
        assert!(found[0].title.contains("8 GiB at most, and the TaskManager asks for 10 GiB"), "{found:?}");
    }
}
