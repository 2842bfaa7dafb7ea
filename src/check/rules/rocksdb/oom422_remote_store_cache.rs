use super::local_directories::{self, Memory};
use crate::check::rule::rule;
use crate::check::{Case, Collector};
use crate::config::VolumeKind;
use crate::model::{Bytes, Severity};
use crate::plan::store::Store;

rule! {
    /// ForSt's cache of files outgrows what it lies in.
    ///
    /// ### Why
    /// ForSt keeps its files with the checkpoints and copies those that are read into a local cache. By default the cache
    /// grows until 256 MB are left on the disk; on a node's disk that is far more than the `sizeLimit` of an `emptyDir`, and
    /// Kubernetes evicts a pod whose volume exceeds its limit. In a volume of memory the cache counts as the container's
    /// memory.
    ///
    /// ### Bad
    /// ```yaml deployment.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   flinkVersion: v2_2
    ///   flinkConfiguration:
    ///     state.backend.type: forst
    ///     state.backend.forst.cache.dir: /cache
    ///   podTemplate:
    ///     spec:
    ///       containers:
    ///         - name: flink-main-container
    ///           volumeMounts:
    ///             - name: cache
    ///               mountPath: /cache
    ///       volumes:
    ///         - name: cache
    ///           emptyDir:
    ///             sizeLimit: 10Gi
    /// ```
    ///
    /// ### Good
    /// ```yaml deployment.yaml
    /// apiVersion: flink.apache.org/v1beta1
    /// kind: FlinkDeployment
    /// metadata:
    ///   name: orders
    /// spec:
    ///   flinkVersion: v2_2
    ///   flinkConfiguration:
    ///     state.backend.type: forst
    ///     state.backend.forst.cache.dir: /cache
    ///     state.backend.forst.cache.size-based-limit: 8 gb
    ///   podTemplate:
    ///     spec:
    ///       containers:
    ///         - name: flink-main-container
    ///           volumeMounts:
    ///             - name: cache
    ///               mountPath: /cache
    ///       volumes:
    ///         - name: cache
    ///           emptyDir:
    ///             sizeLimit: 10Gi
    /// ```
    ///
    /// ### Sources
    /// - `ForStOptions.CACHE_SIZE_BASE_LIMIT`, `CACHE_RESERVED_SIZE` and `CACHE_DIRECTORY`, with `SizeBasedCacheLimitPolicy`
    ///   and `SpaceBasedCacheLimitPolicy`, Flink 2.0 to 2.3.
    /// - Kubernetes, emptyDir: https://kubernetes.io/docs/concepts/storage/volumes/#emptydir.
    "OOM422" "remote-store-cache" {
        since: Some((2, 0)),
        check: check,
    }
}

fn check(case: &Case<'_>, found: &mut Collector<'_>) {
    if case.store() != Some(Store::ForSt) || case.is_hidden("state.backend.forst.cache.dir") {
        return;
    }
    let Some(backend) = case.backend_setting() else { return };
    let own = case.find("state.backend.forst.cache.dir");
    let path = match own {
        Some(written) => local_directories::local(&written.text(), None),
        None => local_directories::of_store(case, Store::ForSt).first().map(|directory| directory.path.clone()),
    };
    let Some(path) = path else { return };
    let place = own.unwrap_or(backend).place();
    // A store whose whole directory is memory is another rule's matter.
    if own.is_some()
        && let Some(memory) = local_directories::memory(case, &path)
    {
        let mut draft = found
            .find(format!("ForSt's cache of files is kept in memory: {path} is a tmpfs"))
            .severity(Severity::Error)
            .at(place, "in memory");
        if let Memory::Volume(mount, volume) = memory {
            draft = draft.at(&mount.place, "mounted here").at(&volume.place, "lives in memory");
        }
        draft
            .note("what is cached counts as the container's memory; ForSt's block cache holds the hot blocks already")
            .help("put state.backend.forst.cache.dir on a disk");
        return;
    }
    let Some(mount) = local_directories::mount(case, &path) else { return };
    let Some(volume) = local_directories::volume(case, mount) else { return };
    let VolumeKind::EmptyDir { memory: false, limit: Some(limit) } = &volume.kind else { return };
    let option = "state.backend.forst.cache.size-based-limit";
    if case.is_hidden(option) {
        return;
    }
    let bound = case.size(option).filter(|bound| *bound > Bytes::ZERO);
    if bound.is_some_and(|bound| bound <= limit.bytes) {
        return;
    }
    let mut draft = match (bound, case.find(option)) {
        (Some(bound), Some(written)) => found
            .find(format!("ForSt's cache may take {bound} of a volume that may hold {}", limit.bytes))
            .at(written.place(), "more than the volume"),
        _ => found
            .find(format!("ForSt's cache has no bound in a volume that may hold {}", limit.bytes))
            .at(place, "no size-based-limit"),
    };
    draft = draft.at(&limit.place, "the volume's limit");
    if let Some(left) = case.size("state.backend.forst.cache.reserve-size") {
        draft =
            draft.note(format!("it grows until {left} are left on the disk, which is the node's, not the volume's"));
    }
    draft
        .note("Kubernetes evicts a pod whose emptyDir exceeds its limit")
        .help(format!("set {option} below {}, with room for ForSt's other files", limit.bytes));
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::check::tried::{codes, find};
    use crate::model::Severity;

    fn cluster(settings: &str, volume: &str) -> String {
        format!(
            "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: c}}\nspec:\n  \
             flinkVersion: v2_2\n  flinkConfiguration: {{state.backend.type: forst, {settings}}}\n  podTemplate:\n    \
             spec:\n      containers:\n      - name: flink-main-container\n        volumeMounts: [{{name: v, mountPath: \
             /cache}}]\n      volumes: [{{name: v, {volume}}}]\n"
        )
    }

    #[rstest]
    #[case("state.backend.forst.cache.size-based-limit: 20 gb", "emptyDir: {sizeLimit: 10Gi}", true)]
    #[case("state.backend.forst.cache.size-based-limit: 10 gb", "emptyDir: {sizeLimit: 10Gi}", false)]
    #[case("state.backend.forst.cache.size-based-limit: 0 bytes", "emptyDir: {sizeLimit: 10Gi}", true)]
    #[case("a: b", "emptyDir: {}", false)]
    #[case("a: b", "persistentVolumeClaim: {claimName: c}", false)]
    fn a_bound_must_fit_the_volume(#[case] setting: &str, #[case] volume: &str, #[case] expected: bool) {
        let text = cluster(&format!("state.backend.forst.cache.dir: /cache, {setting}"), volume);
        assert_eq!(codes("deployment.yaml", &text).contains(&"OOM422"), expected);
    }

    #[test]
    fn a_cache_in_memory_is_an_error() {
        let text = cluster("state.backend.forst.cache.dir: /cache/x", "emptyDir: {medium: Memory}");
        let finding = find("OOM422", "deployment.yaml", &text);
        assert!(finding.severity == Severity::Error && finding.labels.len() == 3, "{finding:?}");
    }

    #[test]
    fn without_a_directory_of_its_own_the_cache_lies_in_the_stores() {
        let text = cluster("state.backend.forst.local-dir: /cache", "emptyDir: {sizeLimit: 10Gi}");
        assert!(codes("deployment.yaml", &text).contains(&"OOM422"));
        let memory = cluster("state.backend.forst.local-dir: /cache", "emptyDir: {medium: Memory}");
        let found = codes("deployment.yaml", &memory);
        assert!(found.contains(&"OOM415") && !found.contains(&"OOM422"), "{found:?}");
    }
}
