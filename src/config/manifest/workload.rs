//! A pod, or what makes pods, that runs Flink's own image: its command tells the role, its image the version, its
//! environment and ConfigMap the configuration, its limit the container.

use std::rc::Rc;

use super::containers::Started;
use super::{IMAGE_TAG, Manifest, ManifestError, config_map, containers, flink_deployment, title, version_in_tag};
use crate::config::subject::{Pod, Subject};
use crate::config::yaml::Node;
use crate::model::{Deployment, Role};

/// The specification of the pods that a document makes.
pub fn pod_spec(document: &Node) -> Option<&Rc<Node>> {
    match document.text_at(&["kind"])?.as_str() {
        "Pod" => document.get("spec"),
        _ => document.at(&["spec", "template", "spec"]),
    }
}

/// The Flink processes that a pod runs.
pub fn subjects(manifest: &Manifest<'_>, document: &Rc<Node>) -> Result<Vec<Subject>, ManifestError> {
    let Some(spec) = pod_spec(document) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for container in spec.get("containers").map_or(&[][..], |containers| containers.items()) {
        let started = Started::of(manifest, container, ["command", "args"]);
        let words = started.words();
        let Some(role) = role(&words) else { continue };
        // Flink's own deployment asks Kubernetes for the container; else the limit is written by hand.
        let native = words.iter().any(|word| word.ends_with("kubernetes-taskmanager.sh"));
        let mut remarks = Vec::new();
        let beside = containers::beside(manifest, spec, &containers::name(container), &mut remarks);
        let limit = containers::limit(manifest, container, &mut remarks);
        let mut pod = Pod { limit, request: containers::request(manifest, container), ..beside };
        containers::of_main(manifest, container, &mut pod);
        let environment = containers::variables(manifest, container, &mut remarks);
        let maps: Vec<_> =
            config_map::config_maps(spec).filter_map(|name| manifest.named("ConfigMap", &name)).collect();
        let file = maps.iter().find_map(|map| config_map::file(manifest, map, &mut remarks).transpose()).transpose()?;
        let passed_over = maps.iter().find_map(|map| config_map::passed_over(manifest, map));
        let version = container.text_at(&["image"]).as_deref().and_then(version_in_tag);
        let mut fleet = flink_deployment::fleet(document);
        fleet.replicas = document.text_at(&["spec", "replicas"]).and_then(|text| text.parse().ok());
        found.push(Subject {
            name: Some(title(document)),
            open: file.is_none() && maps.iter().any(|map| config_map::is_hidden(map)),
            shipped: file.is_none() && !native,
            // A configuration that is mounted from elsewhere replaces the image's own.
            partial: file.is_none() && pod.mounts.iter().any(|mount| mount.path.contains("/conf")),
            file,
            passed_over,
            arguments: started.dynamic_properties(),
            environment,
            version: version.map(|version| (version, IMAGE_TAG.to_owned())),
            deployment: Some(if native { Deployment::Kubernetes } else { Deployment::Standalone }),
            role: Some(role),
            pods: vec![(role, pod)],
            fleet,
            remarks,
            ..Subject::default()
        });
    }
    Ok(found)
}

/// Whether any container of a pod runs one of Flink's processes.
pub fn runs_flink(manifest: &Manifest<'_>, spec: &Node) -> bool {
    let containers = spec.get("containers").map_or(&[][..], |containers| containers.items());
    containers.iter().any(|container| {
        let started = Started::of(manifest, container, ["command", "args"]);
        role(&started.words()).is_some()
    })
}

/// Whose process a command of the official image starts.
pub fn role(command: &[&str]) -> Option<Role> {
    command.iter().find_map(|word| {
        let word = word.rsplit('/').next().unwrap_or(word);
        match word {
            "taskmanager" | "taskmanager.sh" | "kubernetes-taskmanager.sh" => Some(Role::TaskManager),
            "jobmanager"
            | "jobmanager.sh"
            | "standalone-job"
            | "standalone-job.sh"
            | "kubernetes-jobmanager.sh"
            | "kubernetes-session.sh" => Some(Role::JobManager),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::manifest::subjects;
    use crate::model::{Bytes, Source};

    #[rstest]
    #[case(&["/docker-entrypoint.sh", "taskmanager"], Some(Role::TaskManager))]
    #[case(&["/opt/flink/bin/standalone-job.sh", "start-foreground"], Some(Role::JobManager))]
    #[case(&["bash", "-c", "kubernetes-taskmanager.sh"], Some(Role::TaskManager))]
    #[case(&["nginx"], None)]
    fn the_command_tells_the_role(#[case] words: &[&str], #[case] expected: Option<Role>) {
        assert_eq!(role(words), expected);
    }

    #[test]
    fn a_pod_with_flink_properties_lies_over_the_images_own_file() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: tm-0}\nspec:\n  containers:\n  - name: flink\n    \
                    image: flink:1.19.1\n    args: [taskmanager]\n    env:\n    - {name: FLINK_PROPERTIES, value: \"a: 1\"}\n    \
                    - {name: FLINK_TM_HEAP, valueFrom: {}}\n    resources: {limits: {memory: 2Gi}}\n  - {name: sidecar}\n";
        let pods = subjects(&Source::Stdin, text).unwrap();
        assert_eq!(pods.len(), 1);
        let pod = &pods[0];
        assert!(pod.shipped && pod.environment.len() == 1 && pod.remarks.len() == 1, "{pod:?}");
        assert_eq!(pod.version.as_ref().map(|version| version.0.as_str()), Some("1.19.1"));
        let beside = pod.pod(Role::TaskManager).unwrap();
        assert_eq!(beside.limit.as_ref().map(|limit| limit.bytes), Some(Bytes::gib(2)));
        assert_eq!((beside.sidecars.len(), beside.sidecars[0].limit.clone()), (1, None));
    }

    #[test]
    fn a_pod_that_flink_itself_asked_for_carries_its_sizes_in_its_arguments() {
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: flink-main-container\n    args:\n    - bash\n    - \
                    -c\n    - kubernetes-taskmanager.sh -D taskmanager.memory.managed.size='64m' \
                    -Dtaskmanager.memory.task.heap.size=32m\n";
        let pod = subjects(&Source::Stdin, text).unwrap().remove(0);
        assert_eq!((pod.deployment, pod.shipped), (Some(Deployment::Kubernetes), false));
        let settings: Vec<_> =
            pod.arguments.iter().map(|setting| format!("{}={}", setting.key, setting.value.java_text())).collect();
        assert_eq!(settings, ["taskmanager.memory.managed.size=64m", "taskmanager.memory.task.heap.size=32m"]);
    }

    #[test]
    fn what_a_pod_mounts_and_says_to_its_container_is_kept() {
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  volumes:\n  - {name: fast, emptyDir: {medium: Memory, sizeLimit: 1Gi}}\n  \
                    - {name: disk, hostPath: {path: /data}}\n  - {name: claim, persistentVolumeClaim: {claimName: c}}\n  \
                    - {name: conf, configMap: {name: c}}\n  containers:\n  - name: flink\n    image: flink:1.20.1\n    \
                    args: [taskmanager]\n    env:\n    - {name: MALLOC_ARENA_MAX, value: '2'}\n    \
                    - {name: KEY, valueFrom: {}}\n    volumeMounts:\n    - {name: fast, mountPath: /state}\n    \
                    resources: {limits: {memory: 2Gi, cpu: 500m}, requests: {memory: 1Gi}}\n";
        let found = subjects(&Source::Stdin, text).unwrap().remove(0);
        let pod = found.pod(Role::TaskManager).unwrap();
        let kinds: Vec<_> = pod.volumes.iter().map(|volume| format!("{:?}", volume.kind)).collect();
        assert!(
            kinds[0].contains("memory: true") && kinds[1..] == ["HostPath(\"/data\")", "Claim", "Other"],
            "{kinds:?}"
        );
        assert_eq!(pod.mounts[0].path, "/state");
        let variables: Vec<_> = pod.variables.iter().map(|v| (v.name.as_str(), v.value.as_deref())).collect();
        assert_eq!(variables, [("MALLOC_ARENA_MAX", Some("2")), ("KEY", None)]);
        let said = (pod.request.as_ref().map(|r| r.bytes), pod.cpu_limit.as_ref().map(|cpu| cpu.text.as_str()));
        assert_eq!(said, (Some(Bytes::gib(1)), Some("500m")));
    }
}
