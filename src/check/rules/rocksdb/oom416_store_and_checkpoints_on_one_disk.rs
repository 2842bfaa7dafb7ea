use super::local_directories::{self, Directory};
use crate::check::case::Written;
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::VolumeKind;
use crate::model::Deployment;

rule! {
    /// The store's files and its checkpoints fill one disk.
    ///
    /// ### Why
    /// A checkpoint is a copy of the store's files. Where `file:` puts it beside them, each retained checkpoint, each savepoint
    /// and each upload takes the room that RocksDB's compaction needs, and a full disk ends every task on the machine. A
    /// directory that only one container or machine sees is also gone with it, and a restart elsewhere finds no checkpoint.
    ///
    /// ### Bad
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.localdir: /data/flink
    /// execution.checkpointing.dir: file:///data/flink/checkpoints
    /// ```
    ///
    /// ### Good
    /// ```yaml config.yaml
    /// # oomph: flink=1.20
    /// state.backend.type: rocksdb
    /// state.backend.rocksdb.localdir: /data/flink
    /// execution.checkpointing.dir: s3://flink/checkpoints
    /// ```
    ///
    /// ### Sources
    /// - `EmbeddedRocksDBStateBackend.lazyInitializeForJob`, Flink 1.9 to 2.3: where the store's files go.
    /// - `CheckpointingOptions.CHECKPOINTS_DIRECTORY`, Flink 1.9 to 2.3: its path must be accessible from all TaskManagers and
    ///   JobManagers.
    /// - Kubernetes, emptyDir: https://kubernetes.io/docs/concepts/storage/volumes/#emptydir.
    "OOM416" "store-and-checkpoints-on-one-disk" {
        check: check,
    }
}

/// What is written beside the store's files, and what it is called.
const WRITTEN: [(&str, &str); 5] = [
    ("execution.checkpointing.dir", "checkpoints"),
    ("state.checkpoints.dir", "checkpoints"),
    ("execution.checkpointing.savepoint-dir", "savepoints"),
    ("state.savepoints.dir", "savepoints"),
    ("high-availability.storageDir", "the JobManager's storage for high availability"),
];

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    let (Some(store), Some(backend)) = (case.store(), case.backend_setting()) else { return };
    let scheme = case.value("fs.default-scheme").filter(|scheme| !scheme.is_empty());
    let mut directories: Option<Vec<Directory<'_>>> = None;
    for (option, what) in WRITTEN {
        let Some(written) = case.find(option).filter(Written::is_own) else { continue };
        let Some(path) = local_directories::local(&written.text(), scheme.as_deref()) else { continue };
        let directories = directories.get_or_insert_with(|| local_directories::of_store(case, store));
        let Some((directory, shared)) =
            directories.iter().find_map(|directory| Some((directory, shared(case, &directory.path, &path)?)))
        else {
            continue;
        };
        let mut draft = found
            .find(format!("{} and {what} fill one disk: both lie in {shared}", store.label()))
            .at(written.place(), what);
        draft = match &directory.written {
            Some(of_store) => draft.at(of_store.place(), format!("the files of {}", store.label())),
            None => draft.at(backend.place(), "keeps its files in /tmp unless told otherwise"),
        };
        if let Some(lost) = lost(case, &path) {
            draft = draft.note(lost);
        }
        draft
            .note("each checkpoint that is kept holds a copy of files which RocksDB's next compaction replaces")
            .help(format!("set {} to a file system that every machine reaches, such as s3:// or hdfs://", written.key));
    }
}

/// The directory or mount that holds both.
fn shared(case: &Case<'_>, store: &str, other: &str) -> Option<String> {
    let outer = if store.len() <= other.len() { store } else { other };
    let mounts = [store, other].map(|path| local_directories::mount(case, path).map(|mount| mount.path.as_str()));
    match mounts {
        [Some(one), Some(two)] => (one == two).then(|| one.to_owned()),
        [None, None] => {
            let nested = local_directories::is_under(store, other) || local_directories::is_under(other, store);
            nested.then(|| outer.to_owned())
        }
        _ => None,
    }
}

/// Why a local directory does not outlive its container.
fn lost(case: &Case<'_>, path: &str) -> Option<String> {
    let container = match case.deployment? {
        Deployment::Kubernetes => "pod",
        Deployment::Yarn => return Some("a container that YARN starts on another node does not see it".to_owned()),
        Deployment::Standalone | Deployment::None => return None,
    };
    match local_directories::mount(case, path).map(|mount| local_directories::volume(case, mount)) {
        None => Some(format!("no volume is mounted there: what is written is gone with the {container}")),
        Some(Some(volume)) if matches!(volume.kind, VolumeKind::EmptyDir { .. }) => {
            Some(format!("an emptyDir is gone with the {container}"))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};

    #[rstest]
    #[case("state.backend.rocksdb.localdir: /data\nstate.savepoints.dir: file:/data/savepoints", true)]
    #[case("state.backend.rocksdb.localdir: /data/db\nexecution.checkpointing.dir: file:///data", true)]
    #[case("state.backend.rocksdb.localdir: /data/db\nexecution.checkpointing.dir: /data/db/chk", true)]
    #[case("state.backend.rocksdb.localdir: /data/db\nexecution.checkpointing.dir: file:///data/chk", false)]
    #[case("state.backend.rocksdb.localdir: /a,/b\nhigh-availability.storageDir: file:///b/ha", true)]
    #[case("execution.checkpointing.dir: file:///tmp/checkpoints", true)]
    #[case("io.tmp.dirs: /data\nexecution.checkpointing.dir: file:///tmp/checkpoints", false)]
    #[case("fs.default-scheme: hdfs://n:8020\nexecution.checkpointing.dir: /tmp/checkpoints", false)]
    #[case("execution.checkpointing.dir: hdfs:///tmp/checkpoints", false)]
    fn one_directory_holds_both(#[case] lines: &str, #[case] expected: bool) {
        let text = format!("# oomph: flink=1.20\nstate.backend.type: rocksdb\n{lines}\n");
        assert_eq!(codes("config.yaml", &text).contains(&"OOM416"), expected);
    }

    #[test]
    fn state_on_the_heap_has_no_files() {
        let text =
            "# oomph: flink=1.20\nstate.backend.type: hashmap\nexecution.checkpointing.dir: file:///tmp/checkpoints\n";
        assert!(!codes("config.yaml", text).contains(&"OOM416"));
    }

    fn cluster(checkpoints: &str, volume: &str) -> String {
        format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  \
             flinkVersion: v1_20\n  flinkConfiguration:\n    state.backend.type: rocksdb\n    \
             state.backend.rocksdb.localdir: /work/db\n    execution.checkpointing.dir: file://{checkpoints}\n  \
             podTemplate:\n    spec:\n      volumes:\n      - name: work\n        {volume}\n      - {{name: other, \
             persistentVolumeClaim: {{claimName: c}}}}\n      containers:\n      - name: flink-main-container\n        \
             volumeMounts:\n        - {{name: work, mountPath: /work}}\n        - {{name: other, mountPath: /work/other}}\n"
        )
    }

    #[test]
    fn one_mount_is_one_disk_and_another_is_another() {
        let finding = find("OOM416", "deployment.yaml", &cluster("/work/chk", "emptyDir: {}"));
        assert!(finding.title.ends_with("/work") && finding.notes[0].contains("emptyDir"), "{finding:?}");
        let kept = find("OOM416", "deployment.yaml", &cluster("/work/chk", "persistentVolumeClaim: {claimName: w}"));
        assert_eq!(kept.notes.len(), 1);
        assert!(!codes("deployment.yaml", &cluster("/work/other/chk", "emptyDir: {}")).contains(&"OOM416"));
    }
}
