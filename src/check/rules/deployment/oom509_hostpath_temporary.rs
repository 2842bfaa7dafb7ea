use super::temporary_directories::{self, volume_of};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::VolumeKind;
use crate::model::{Role, Severity};

rule! {
    /// Temporary files or state lie on a directory of the node.
    ///
    /// ### Why
    /// Flink removes its temporary files when it ends in order. A killed container does not, and a `hostPath` outlives the
    /// pod: shuffle files, spilled data and RocksDB's files stay on the node, pod after pod, until the disk is full and
    /// every pod of the node suffers. Nothing limits its size, and no request counts it.
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
    ///     hostPath:
    ///       path: /mnt/disk1
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
    /// - Batch shuffle in Kubernetes at Xiaohongshu: files on hostPath volumes outlived killed pods and filled the disk.
    /// - https://kubernetes.io/docs/concepts/storage/volumes/#hostpath: its use is not counted as ephemeral storage.
    "OOM509" "hostpath-temporary" {
        severity: Severity::Warning,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let mut told = Vec::new();
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(pod) = case.pod(role).filter(|pod| !pod.volumes.is_empty()) else { continue };
        for directory in temporary_directories::of(case, role) {
            let Some((mount, volume)) = volume_of(pod, &directory.path) else { continue };
            let VolumeKind::HostPath(host) = &volume.kind else { continue };
            let what = (directory.option.clone(), &volume.place);
            if told.contains(&what) {
                continue;
            }
            told.push(what);
            let mut draft = found
                .find(format!("{} lies on the node's own {host}, which outlives the pod", directory.option))
                .at(&volume.place, "hostPath")
                .at(&mount.place, format!("holds {}", directory.path));
            if let Some(place) = &directory.place {
                draft = draft.at(place, directory.option.clone());
            }
            draft.note("what a killed TaskManager or JobManager leaves there is removed by nobody").help(
                "use an emptyDir with a sizeLimit, or a generic ephemeral volume on a storage class of local disks",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{checked, codes};

    fn pod(properties: &str, path: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  volumes:\n  - {{name: v, hostPath: {{path: /mnt/a}}}}\n  \
             containers:\n  - name: flink\n    image: flink:1.20.5\n    args: [taskmanager]\n    env:\n    - name: \
             FLINK_PROPERTIES\n      value: \"{properties}\"\n    volumeMounts: [{{name: v, mountPath: {path}}}]\n"
        )
    }

    #[test]
    fn the_default_directory_and_the_working_directory_count() {
        assert!(codes("p.yaml", &pod("rest.port: 8081", "/tmp")).contains(&"OOM509"));
        assert!(codes("p.yaml", &pod("process.working-dir: /work/a", "/work/")).contains(&"OOM509"));
    }

    #[test]
    fn each_of_several_directories_is_looked_at() {
        let found = checked("p.yaml", &pod("io.tmp.dirs: /d1,/v/a|/v/b", "/v")).findings;
        assert_eq!(found.iter().filter(|finding| finding.code == "OOM509").count(), 1, "{found:?}");
    }

    #[test]
    fn a_template_of_both_roles_is_told_once() {
        let text = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: c}\nspec:\n  flinkVersion: \
                    v1_20\n  podTemplate:\n    spec:\n      volumes: [{name: v, hostPath: {path: /mnt/a}}]\n      containers:\n      \
                    - {name: flink-main-container, volumeMounts: [{name: v, mountPath: /tmp}]}\n";
        let found = codes("c.yaml", text);
        assert_eq!(found.iter().filter(|code| **code == "OOM509").count(), 1, "{found:?}");
    }

    #[test]
    fn another_directory_of_the_node_is_no_matter() {
        assert!(!codes("p.yaml", &pod("io.tmp.dirs: /database", "/data")).contains(&"OOM509"));
    }
}
