use super::temporary_directories;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::model::{Bytes, Component, Confidence, Limit, Role, Severity};

rule! {
    /// A volume in memory has more room than Flink's container leaves.
    ///
    /// ### Why
    /// Files in an `emptyDir` of medium `Memory` are memory: each page counts towards the container that wrote it, and no
    /// reclaim takes it back. Flink plans the whole container for its process, so such files have no more room than JVM
    /// overhead and what the limit has beyond the process. Without a `sizeLimit` nothing stops them below the container's
    /// own limit.
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
    ///         memory: 4Gi
    ///     volumeMounts:
    ///     - name: models
    ///       mountPath: /models
    ///   volumes:
    ///   - name: models
    ///     emptyDir:
    ///       medium: Memory
    ///       sizeLimit: 2Gi
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
    ///         memory: 6Gi
    ///     volumeMounts:
    ///     - name: models
    ///       mountPath: /models
    ///   volumes:
    ///   - name: models
    ///     emptyDir:
    ///       medium: Memory
    ///       sizeLimit: 2Gi
    /// ```
    ///
    /// ### Sources
    /// - https://kubernetes.io/docs/concepts/storage/volumes/#emptydir: what is written counts against the memory limit of
    ///   the container that wrote it.
    /// - The kernel's cgroup documentation: `shmem` of `memory.stat` is charged and not reclaimed without swap.
    "OOM504" "memory-volume" {
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let mut told = Vec::new();
    for role in [Role::TaskManager, Role::JobManager] {
        let Some(pod) = case.pod(role).filter(|pod| !pod.memory_volumes.is_empty()) else { continue };
        let Some(survey) = case.survey(role) else { continue };
        let Ok(container) = &survey.container else { continue };
        let Limit::AtMost(limit) = container.limit else { continue };
        let budget = &survey.plan.budget;
        let overhead = budget.size(Component::JvmOverhead);
        let beyond = limit.checked_sub(budget.total_process().bytes).unwrap_or_default();
        let Some(room) = overhead.checked_add(beyond) else { continue };
        let directories = temporary_directories::of(case, role);
        for volume in &pod.memory_volumes {
            let Some(mount) = pod.mounts.iter().find(|mount| mount.volume == volume.name) else { continue };
            // Temporary files and state in memory are another matter, and another rule's.
            let is_temporary = |directory: &temporary_directories::Directory| {
                temporary_directories::volume_of(pod, &directory.path)
                    .is_some_and(|(_, holder)| holder.name == volume.name)
            };
            if directories.iter().any(is_temporary) || volume.limit.as_ref().is_some_and(|size| size.bytes <= room) {
                continue;
            }
            // A template that both roles share holds it once.
            if told.contains(&&volume.place) {
                continue;
            }
            told.push(&volume.place);
            let title = match &volume.limit {
                Some(size) => {
                    format!("Volume {} may hold {} of the {role}'s {limit}", volume.name, size.bytes)
                }
                None => format!("Volume {} may fill the {role}'s container of {limit}", volume.name),
            };
            let place = volume.limit.as_ref().map_or(&volume.place, |size| &size.place);
            found
                .find(title)
                .at(place, if volume.limit.is_some() { "in memory" } else { "in memory, without sizeLimit" })
                .at(&mount.place, "in Flink's container")
                .note(format!("beside the process there is room for {room}: {beyond} beyond it and JVM overhead of {overhead}"))
                .help(match room {
                    Bytes::ZERO => "use a volume on disk".to_owned(),
                    room => format!(
                        "set sizeLimit to at most {}Mi, raise the container's limit beyond the process, or use a volume on \
                         disk",
                        room.whole_mib()
                    ),
                });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tried::{codes, find};

    fn pod(volume: &str, path: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  volumes:\n  - {{name: v, emptyDir: {{{volume}}}}}\n  \
             containers:\n  - name: flink\n    image: flink:1.20.5\n    args: [taskmanager]\n    env:\n    - name: \
             FLINK_PROPERTIES\n      value: \"taskmanager.memory.process.size: 4g\"\n    volumeMounts: [{{name: v, \
             mountPath: {path}}}]\n    resources: {{limits: {{memory: 4Gi}}}}\n"
        )
    }

    #[test]
    fn jvm_overhead_is_the_room_there_is() {
        assert!(!codes("p.yaml", &pod("medium: Memory, sizeLimit: 409Mi", "/m")).contains(&"OOM504"));
        let finding = find("OOM504", "p.yaml", &pod("medium: Memory, sizeLimit: 410Mi", "/m"));
        assert!(finding.help.as_deref().unwrap().contains("at most 409Mi"), "{finding:?}");
    }

    #[test]
    fn without_a_size_it_may_fill_the_container() {
        let finding = find("OOM504", "p.yaml", &pod("medium: Memory", "/m"));
        assert!(finding.title.contains("container of 4 GiB"), "{finding:?}");
    }

    #[test]
    fn a_disk_and_temporary_files_are_not_its_matter() {
        assert!(!codes("p.yaml", &pod("", "/m")).contains(&"OOM504"));
        assert!(!codes("p.yaml", &pod("medium: Memory", "/tmp")).contains(&"OOM504"));
    }
}
