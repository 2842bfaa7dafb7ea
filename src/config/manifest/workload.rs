//! A pod, or what makes pods, that runs Flink's own image: its command tells the role, its image the version, its
//! environment and ConfigMap the configuration, its limit the container.

use std::rc::Rc;

use super::{Manifest, ManifestError, config_map, containers, flink_deployment, title, version_in_tag};
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
        let Some(role) = role(&containers::command(container)) else { continue };
        let mut remarks = Vec::new();
        let beside = containers::beside(manifest, spec, &containers::name(container), &mut remarks);
        let limit = containers::limit(manifest, container, &mut remarks);
        let environment = containers::variables(manifest, container, &mut remarks);
        let file = config_map::config_maps(spec)
            .filter_map(|name| manifest.named("ConfigMap", &name))
            .find_map(|map| config_map::file(manifest, map, &mut remarks));
        let version = container.text_at(&["image"]).as_deref().and_then(version_in_tag);
        let mut fleet = flink_deployment::fleet(document);
        fleet.replicas = document.text_at(&["spec", "replicas"]).and_then(|text| text.parse().ok());
        found.push(Subject {
            name: Some(title(document)),
            shipped: file.is_none(),
            file,
            environment,
            version: version.map(|version| (version, "as the image's tag says".to_owned())),
            // The limit is written by hand: nothing of Flink's own asks Kubernetes for containers.
            deployment: Some(Deployment::Standalone),
            role: Some(role),
            pods: vec![(role, Pod { limit, ..beside })],
            fleet,
            remarks,
            ..Subject::default()
        });
    }
    Ok(found)
}

/// Whose process a command of the official image starts.
pub fn role(command: &[String]) -> Option<Role> {
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
