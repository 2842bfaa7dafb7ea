use super::local_directories::{self, Memory};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::VolumeKind;
use crate::model::{Role, Severity};

rule! {
    /// The store keeps its files in memory.
    ///
    /// ### Why
    /// RocksDB and ForSt are there for state that is larger than memory. A tmpfs, as `/dev/shm` or an `emptyDir` of medium
    /// `Memory`, is memory: every page of a file counts towards the container that wrote it, can only go to swap under
    /// pressure, and stands in no part of Flink's budget. The container is killed when state has grown to what it has left.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.localdir: /dev/shm/rocksdb
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.localdir: /data/rocksdb
    /// ```
    ///
    /// ### Sources
    /// - Kernel, tmpfs and cgroup v2: `shmem` of `memory.stat` counts tmpfs,
    ///   https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v2.html.
    /// - Kubernetes, emptyDir: https://kubernetes.io/docs/concepts/storage/volumes/#emptydir.
    /// - `EmbeddedRocksDBStateBackend.lazyInitializeForJob`, Flink 1.9 to 2.3: which directory is taken.
    "OOM415" "store-dir-in-memory" {
        severity: Severity::Error,
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (Some(store), Some(backend)) = (case.store(), case.backend_setting()) else { return };
    for directory in local_directories::of_store(case, store) {
        let Some(memory) = local_directories::memory(case, &directory.path) else { continue };
        let title = format!("{} keeps its files in memory: {} is a tmpfs", store.label(), directory.path);
        let mut draft = found.find(title);
        draft = match &directory.written {
            Some(written) => draft.at(written.place(), "in memory"),
            None => draft.at(backend.place(), "keeps its files in /tmp unless told otherwise"),
        };
        if let Memory::Volume(mount, volume) = memory {
            draft = draft.at(&mount.place, "mounted here").at(&volume.place, "lives in memory");
            if let VolumeKind::EmptyDir { limit: Some(limit), .. } = &volume.kind {
                draft =
                    draft.note(format!("the volume may take {}, which counts as the container's memory", limit.bytes));
            }
        }
        if let Some(survey) = case.survey(Role::TaskManager) {
            let process = survey.plan.budget.total_process().bytes;
            draft = draft.note(format!("the process alone is planned with {process}; its files come on top"));
        }
        draft.help(format!("set {} to a directory on a disk", local_directories::option(store)));
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("flink=1.20", "state.backend.rocksdb.localdir: /data,/dev/shm", true)]
    #[case("flink=1.20", "io.tmp.dirs: /dev/shm", true)]
    #[case("flink=1.20", "io.tmp.dirs: /dev/shm\nstate.backend.rocksdb.localdir: /data", false)]
    #[case("flink=1.20", "io.tmp.dirs: /dev/shm\nprocess.taskmanager.working-dir: /data", false)]
    #[case("flink=1.20", "process.working-dir: /dev/shm/flink", true)]
    #[case("flink=1.20", "io.tmp.dirs: /dev/shm\nstate.backend.rocksdb.localdir: ${DIR}", false)]
    #[case("flink=1.20", "io.tmp.dirs: /dev/shmem", false)]
    #[case("flink=1.20", "io.tmp.dirs: /run/flink", false)]
    #[case("flink=1.20 deployment=standalone allocator=jemalloc", "io.tmp.dirs: /run/flink", true)]
    fn the_directory_is_the_one_that_flink_takes(#[case] told: &str, #[case] lines: &str, #[case] expected: bool) {
        let text = format!("# oomph: {told}\nstate.backend.type: rocksdb\n{lines}\n");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM415"), expected);
    }

    #[test]
    fn working_directories_do_not_count_before_1_15() {
        let text = "# oomph: flink=1.14\nstate.backend: rocksdb\nprocess.working-dir: /dev/shm/flink\n";
        assert!(!codes("flink-conf.yaml", text).contains(&"OOM415"));
    }

    fn cluster(directory: &str, mount: &str) -> String {
        format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  \
             flinkVersion: v1_20\n  flinkConfiguration: {{state.backend.type: rocksdb{directory}}}\n  \
             taskManager: {{resource: {{memory: 4g, cpu: 2}}}}\n  podTemplate:\n    spec:\n      volumes:\n      - {{name: fast, \
             emptyDir: {{medium: Memory, sizeLimit: 2Gi}}}}\n      - {{name: disk, emptyDir: {{}}}}\n      containers:\n      - \
             name: flink-main-container\n        volumeMounts:\n        - {{name: fast, mountPath: {mount}}}\n        - {{name: \
             disk, mountPath: /fast/disk}}\n"
        )
    }

    #[test]
    fn a_volume_in_memory_is_found_also_under_the_default() {
        let text = cluster(", state.backend.rocksdb.localdir: /fast/db", "/fast");
        let finding = find("OOM415", "deployment.yaml", &text);
        assert!(finding.labels.len() == 3 && finding.notes[0].contains("2 GiB"), "{finding:?}");
        assert_eq!(find("OOM415", "deployment.yaml", &cluster("", "/tmp")).labels.len(), 3);
        let below = cluster(", state.backend.rocksdb.localdir: /fast/disk/db", "/fast");
        assert!(!codes("deployment.yaml", &below).contains(&"OOM415"));
    }
}
