use super::temporary_directories::{self, volume_of};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::VolumeKind;
use crate::model::{Confidence, Role, Severity};

rule! {
    /// Temporary files or state lie on an emptyDir that has no size limit.
    ///
    /// ### Why
    /// An `emptyDir` lies below the kubelet's own directory, on the node's system disk unless somebody moved it. Without a
    /// `sizeLimit` one TaskManager may fill it; the kubelet then evicts pods of the node, not only the one that wrote. With
    /// a limit only the pod that exceeds it is evicted, and its message says so.
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
    ///       value: "io.tmp.dirs: /data/flink"
    ///     volumeMounts:
    ///     - name: data
    ///       mountPath: /data
    ///   volumes:
    ///   - name: data
    ///     emptyDir: {}
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
    ///       value: "io.tmp.dirs: /data/flink"
    ///     volumeMounts:
    ///     - name: data
    ///       mountPath: /data
    ///   volumes:
    ///   - name: data
    ///     emptyDir:
    ///       sizeLimit: 50Gi
    /// ```
    ///
    /// ### Sources
    /// - https://kubernetes.io/docs/concepts/storage/ephemeral-storage/.
    /// - Batch shuffle in Kubernetes at Xiaohongshu: emptyDir volumes on the system disk.
    "OOM510" "emptydir-on-system-disk" {
        severity: Severity::Note,
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    // Whoever states ephemeral storage has bounded it for the container as a whole.
    if case.subject().pods.is_empty() || case.text_of_input().contains("ephemeral-storage") {
        return;
    }
    let mut told = Vec::new();
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(pod) = case.pod(role).filter(|pod| !pod.volumes.is_empty()) else { continue };
        for directory in temporary_directories::of(case, role) {
            let Some((mount, volume)) = volume_of(pod, &directory.path) else { continue };
            if volume.kind != (VolumeKind::EmptyDir { memory: false, limit: None }) || told.contains(&&volume.place) {
                continue;
            }
            told.push(&volume.place);
            let mut draft = found
                .find(format!("Volume {} holds {} and may fill the node's disk", volume.name, directory.option))
                .at(&volume.place, "an emptyDir without sizeLimit")
                .at(&mount.place, format!("holds {}", directory.path));
            if let Some(place) = &directory.place {
                draft = draft.at(place, directory.option.clone());
            }
            draft
                .note("it lies below the kubelet's directory, /var/lib/kubelet unless moved, with the node's logs and images")
                .help(
                    "set sizeLimit to what state, spilled data and shuffle files may take, or use a generic ephemeral volume \
                     on a disk of its own",
                );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::codes;

    fn cluster(volume: &str, more: &str) -> String {
        format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  flinkVersion: \
             v1_20\n  flinkConfiguration:\n    state.backend.type: rocksdb\n    state.backend.rocksdb.localdir: \
             /rocksdb\n  taskManager: {{resource: {{memory: 4g, cpu: 2}}}}\n  podTemplate:\n    spec:\n      volumes: \
             [{{name: v, {volume}}}]\n      containers:\n      - name: flink-main-container\n        volumeMounts: \
             [{{name: v, mountPath: /rocksdb}}]\n{more}"
        )
    }

    #[test]
    fn state_on_an_emptydir_is_told_once_for_both_roles() {
        let found = codes("c.yaml", &cluster("emptyDir: {}", ""));
        assert_eq!(found.iter().filter(|code| **code == "OOM510").count(), 1, "{found:?}");
    }

    #[test]
    fn memory_a_limit_and_a_stated_ephemeral_storage_are_other_matters() {
        for volume in ["emptyDir: {medium: Memory}", "emptyDir: {sizeLimit: 1Gi}", "ephemeral: {}"] {
            assert!(!codes("c.yaml", &cluster(volume, "")).contains(&"OOM510"), "{volume}");
        }
        let stated = "        resources: {limits: {ephemeral-storage: 20Gi}}\n";
        assert!(!codes("c.yaml", &cluster("emptyDir: {}", stated)).contains(&"OOM510"));
    }
}
