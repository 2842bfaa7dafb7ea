//! `FlinkDeployment` and `FlinkSessionJob` of the Flink Kubernetes operator, as its `FlinkConfigBuilder` turns them into a
//! configuration: `flinkConfiguration` first, then the resources over it.

use std::collections::HashSet;
use std::rc::Rc;

use super::{IMAGE_TAG, Manifest, ManifestError, containers, operator_memory, title, version_in_tag};
use crate::config::layers::Remark;
use crate::config::subject::{Fleet, Placed, Pod, Stated, Subject};
use crate::config::yaml::{Kind, Node, Walk};
use crate::config::{Value, environment, is_placeholder, template};
use crate::flink::keys;
use crate::model::{Bytes, Deployment, Role};

const ROLES: [(Role, &str); 2] = [(Role::TaskManager, "taskManager"), (Role::JobManager, "jobManager")];

/// A cluster.
pub fn subject(manifest: &Manifest<'_>, document: &Rc<Node>) -> Result<Subject, ManifestError> {
    let mut subject = Subject {
        name: Some(title(document)),
        deployment: Some(Deployment::Kubernetes),
        version: version(document),
        fleet: fleet(document),
        ..Subject::default()
    };
    let Some(spec) = document.get("spec") else {
        let reason = format!("{} has no spec", title(document));
        return Err(ManifestError { reason, position: Some(document.position) });
    };
    if let Some(node) = spec.get("flinkConfiguration") {
        subject.open |= node.text().is_some_and(|text| template::is_hidden(&text));
        flatten(manifest, "", node, &mut Walk::default(), &mut subject.settings)?;
        let bytes = subject.settings.iter().map(|setting| setting.key.len() + setting.value.java_text().len()).sum();
        manifest.takes(bytes, node)?;
    }
    for setting in &subject.settings {
        if ["${", "$("].iter().any(|open| setting.value.java_text().contains(open)) {
            let text = format!("{} holds a placeholder; here it stands as written", setting.key);
            subject.remarks.push(Remark { place: setting.place.clone(), text });
        }
    }
    for (role, field) in ROLES {
        let Some(own) = spec.get(field) else { continue };
        if let Some((name, node)) = own.get("resource").and_then(|resource| resource.entry("memory"))
            && let Some(text) = node.text()
        {
            let key = match role {
                Role::TaskManager => keys::TM_PROCESS,
                Role::JobManager => keys::JM_PROCESS,
            };
            let hidden = is_placeholder(&text);
            let size = if hidden { text.into_owned() } else { operator_memory::process_size(&text) };
            if !hidden && Bytes::parse_flink(&size).is_err() {
                let text = format!(
                    "the operator makes {size} of this, which Flink refuses: write a whole number in Flink's units or \
                     Kubernetes', such as 1536m or 1536Mi"
                );
                subject.remarks.push(manifest.remark(node, text));
            }
            put(manifest, &mut subject, key.name(), size, node);
            if let Some(setting) = subject.resources.last_mut() {
                setting.written = Some(name.position);
            }
        }
        let cpu = own.at(&["resource", "cpu"]).and_then(|node| Some((node.text()?.into_owned(), node)));
        if let Some((text, node)) = cpu {
            // Named otherwise until 1.16; both are written, and each version reads its own.
            let stem = field.to_lowercase();
            put(manifest, &mut subject, &format!("kubernetes.{stem}.cpu"), text.clone(), node);
            put(manifest, &mut subject, &format!("kubernetes.{stem}.cpu.amount"), text, node);
        }
    }
    let replicas = spec.at(&["taskManager", "replicas"]).and_then(|node| node.text()?.parse().ok());
    subject.fleet.replicas = replicas;
    if let Some(node) = spec.at(&["job", "parallelism"])
        && let Some(text) = node.text()
    {
        subject.fleet.parallelism = text.parse().ok();
        put(manifest, &mut subject, "parallelism.default", text.into_owned(), node);
    }
    for (role, field) in ROLES {
        let templates = [spec.get("podTemplate"), spec.at(&[field, "podTemplate"])];
        let image = spec.get("image");
        let image =
            image.and_then(|node| Some(Stated { text: node.text()?.into_owned(), place: manifest.place(node) }));
        let mut pod = Pod { image, ..Pod::default() };
        for template in templates.into_iter().flatten() {
            let Some(spec) = template.get("spec") else { continue };
            let more = pod_template(manifest, spec, &mut subject.remarks);
            pod.sidecars.extend(more.sidecars);
            pod.memory_volumes.extend(more.memory_volumes);
            // The operator sets kubernetes.container.image, which Flink prefers (`KubernetesUtils.resolveUserDefinedValue`).
            pod.image = pod.image.or(more.image);
            pod.cpu_limit = more.cpu_limit.or(pod.cpu_limit);
            pod.replaced.extend(more.replaced);
            pod.variables.extend(more.variables);
            pod.volumes.extend(more.volumes);
            pod.mounts.extend(more.mounts);
        }
        subject.pods.push((role, pod));
    }
    // The template that both roles share was looked at twice.
    let mut seen = HashSet::new();
    subject.remarks.retain(|remark| {
        let span = remark.place.position.map(|position| (position.start, position.end));
        seen.insert((span, remark.text.clone()))
    });
    Ok(subject)
}

/// A job in a session cluster: its processes are the cluster's, its own configuration counts for the job alone.
pub fn session_job(manifest: &Manifest<'_>, document: &Rc<Node>) -> Result<Subject, ManifestError> {
    let Some(cluster) = document.text_at(&["spec", "deploymentName"]) else {
        let reason = format!("{} names no deploymentName to run in", title(document));
        return Err(ManifestError { reason, position: Some(document.position) });
    };
    let Some(deployment) = manifest.named("FlinkDeployment", &cluster) else {
        let reason = format!(
            "{} runs in the FlinkDeployment {cluster}, which is not in this text: its memory is that cluster's; give \
             both together",
            title(document)
        );
        return Err(ManifestError { reason, position: Some(document.position) });
    };
    let mut subject = subject(manifest, deployment)?;
    subject.name = Some(format!("{} in {}", title(document), title(deployment)));
    let mut own = Vec::new();
    if let Some(node) = document.at(&["spec", "flinkConfiguration"]) {
        flatten(manifest, "", node, &mut Walk::default(), &mut own)?;
    }
    for setting in own {
        if setting.key.starts_with("taskmanager.") || setting.key.starts_with("jobmanager.") {
            let text = format!(
                "{} has no effect here: the processes of {} run already when this job comes",
                setting.key,
                title(deployment)
            );
            subject.remarks.push(Remark { place: setting.place, text });
        } else {
            subject.settings.push(setting);
        }
    }
    subject.fleet.labels = labels(document);
    subject.fleet.replicas = None;
    subject.fleet.in_cluster = Some(cluster);
    subject.fleet.parallelism = document.text_at(&["spec", "job", "parallelism"]).and_then(|text| text.parse().ok());
    Ok(subject)
}

fn put(manifest: &Manifest<'_>, subject: &mut Subject, key: &str, value: String, node: &Node) {
    let place = manifest.place(node);
    subject.resources.push(Placed { key: key.to_owned(), value: Value::text(value), place, written: None });
}

/// `flinkConfiguration`: a flat map of texts; newer operators also take it nested.
fn flatten(
    manifest: &Manifest<'_>,
    prefix: &str,
    node: &Rc<Node>,
    walk: &mut Walk,
    into: &mut Vec<Placed>,
) -> Result<(), ManifestError> {
    walk.enter(node)?;
    for (key, value) in node.entries() {
        let Some(name) = key.text() else { continue };
        let full = if prefix.is_empty() { name.into_owned() } else { format!("{prefix}.{name}") };
        walk.key(&full, value)?;
        match &value.kind {
            Kind::Mapping(_) => flatten(manifest, &full, value, walk, into)?,
            Kind::Scalar(Value::Null) => {}
            Kind::Scalar(scalar) => {
                let text = Value::text(scalar.java_text().into_owned());
                into.push(Placed { key: full, value: text, place: manifest.place(value), written: Some(key.position) });
            }
            Kind::Sequence(_) => {
                let value_of = walk.value(value)?;
                into.push(Placed {
                    key: full,
                    value: value_of,
                    place: manifest.place(value),
                    written: Some(key.position),
                });
            }
        }
    }
    walk.leave();
    Ok(())
}

/// `v1_20` is 1.20; else what the image's tag says.
fn version(document: &Node) -> Option<(String, String)> {
    if let Some(text) = document.text_at(&["spec", "flinkVersion"]) {
        let version = text.trim_start_matches('v').replace('_', ".");
        return Some((version, "as spec.flinkVersion says".to_owned()));
    }
    let image = document.text_at(&["spec", "image"])?;
    Some((version_in_tag(&image)?, IMAGE_TAG.to_owned()))
}

fn pod_template(manifest: &Manifest<'_>, spec: &Rc<Node>, remarks: &mut Vec<Remark>) -> Pod {
    let mut pod = containers::beside(manifest, spec, containers::MAIN, remarks);
    let containers = spec.get("containers").map_or(&[][..], |containers| containers.items());
    for main in containers.iter().filter(|container| containers::name(container) == containers::MAIN) {
        containers::of_main(manifest, main, &mut pod);
        let resources = ["limits", "requests"].map(|kind| main.at(&["resources", kind, "memory"]));
        for node in resources.into_iter().flatten() {
            let stated = node.text().map(|text| Stated { text: text.into_owned(), place: manifest.place(node) });
            pod.replaced.extend(stated);
            let text = "Flink replaces this by the size it plans: it has no effect \
                        (KubernetesUtils.getResourceRequirements)";
            remarks.push(manifest.remark(node, text));
        }
        for entry in main.get("env").map_or(&[][..], |env| env.items()) {
            if containers::name(entry) == environment::FLINK_PROPERTIES {
                let text = "FLINK_PROPERTIES has no effect here: the operator mounts a whole configuration; write it \
                            in spec.flinkConfiguration";
                remarks.push(manifest.remark(entry, text));
            }
        }
    }
    pod
}

/// Who a resource belongs to.
pub fn fleet(document: &Node) -> Fleet {
    Fleet { labels: labels(document), namespace: document.text_at(&["metadata", "namespace"]), ..Fleet::default() }
}

/// A resource's labels.
pub fn labels(document: &Node) -> Vec<(String, String)> {
    let labels = document.at(&["metadata", "labels"]).map_or(&[][..], |labels| labels.entries());
    labels.iter().filter_map(|(key, value)| Some((key.text()?.into_owned(), value.text()?.into_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::manifest::subjects;
    use crate::model::Source;

    const CLUSTER: &str = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: c, labels: {team: \
                           a}}\nspec:\n  flinkVersion: v1_20\n  flinkConfiguration:\n    taskmanager.memory.process.size: 1g\n    \
                           state:\n      backend.type: ${BACKEND}\n  taskManager: {replicas: 2, resource: {memory: 3Gi, cpu: 1.5}}\n  \
                           podTemplate: {spec: {containers: [{name: flink-main-container, resources: {limits: {memory: 9Gi}}}]}}\n";

    fn value(subject: &Subject, key: &str) -> Option<String> {
        subject
            .resources
            .iter()
            .rev()
            .chain(subject.settings.iter().rev())
            .find(|s| s.key == key)
            .map(|s| s.value.java_text().into_owned())
    }

    #[test]
    fn resources_win_over_the_configuration_and_a_template_over_neither() {
        let cluster = subjects(&Source::Stdin, CLUSTER).unwrap().remove(0);
        assert_eq!(value(&cluster, "taskmanager.memory.process.size").as_deref(), Some("3221225472"));
        assert_eq!(value(&cluster, "kubernetes.taskmanager.cpu.amount").as_deref(), Some("1.5"));
        assert_eq!(value(&cluster, "state.backend.type").as_deref(), Some("${BACKEND}"));
        assert_eq!(cluster.version.as_ref().map(|version| version.0.as_str()), Some("1.20"));
        assert_eq!((cluster.fleet.replicas, cluster.fleet.labels.len()), (Some(2), 1));
        let remarks: Vec<_> = cluster.remarks.iter().map(|remark| remark.text.as_str()).collect();
        assert!(remarks.iter().any(|text| text.contains("holds a placeholder")), "{remarks:?}");
        assert_eq!(remarks.iter().filter(|text| text.contains("has no effect")).count(), 1, "{remarks:?}");
        let replaced: Vec<_> =
            cluster.pod(Role::TaskManager).unwrap().replaced.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(replaced, ["9Gi"]);
    }

    #[test]
    fn very_many_placeholders_are_told_in_a_time_that_grows_with_their_number() {
        let settings: String = (0..40_000).map(|number| format!("    k{number}: ${{X}}\n")).collect();
        let text = format!("apiVersion: v1\nkind: FlinkDeployment\nspec:\n  flinkConfiguration:\n{settings}");
        let start = std::time::Instant::now();
        assert_eq!(subjects(&Source::Stdin, &text).unwrap()[0].remarks.len(), 40_000);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn the_resources_own_image_wins_over_the_templates() {
        let text = CLUSTER.replace("  flinkVersion", "  image: flink:1.20.5\n  flinkVersion");
        let text = text.replace("{name: flink-main-container,", "{name: flink-main-container, image: other,");
        let cluster = subjects(&Source::Stdin, &text).unwrap().remove(0);
        let image = |cluster: &Subject| cluster.pod(Role::TaskManager).unwrap().image.clone().unwrap().text;
        assert_eq!(image(&cluster), "flink:1.20.5");
        let alone = subjects(&Source::Stdin, &text.replace("  image: flink:1.20.5\n", "")).unwrap().remove(0);
        assert_eq!(image(&alone), "other");
    }

    #[test]
    fn a_session_job_has_its_clusters_memory_and_its_own_backend() {
        let job = "---\napiVersion: flink.apache.org/v1beta1\nkind: FlinkSessionJob\nmetadata: {name: j}\nspec:\n  \
                   deploymentName: c\n  flinkConfiguration: {taskmanager.memory.process.size: 9g, state.backend.type: rocksdb}\n";
        let found = subjects(&Source::Stdin, &format!("{CLUSTER}{job}")).unwrap();
        let job = &found[1];
        assert_eq!(value(job, "taskmanager.memory.process.size").as_deref(), Some("3221225472"));
        assert_eq!(value(job, "state.backend.type").as_deref(), Some("rocksdb"));
        assert_eq!(job.fleet.in_cluster.as_deref(), Some("c"));
        let error = subjects(&Source::Stdin, "apiVersion: v1\nkind: FlinkSessionJob\nspec: {deploymentName: c}\n");
        assert!(error.unwrap_err().reason.contains("give both together"));
    }

    #[test]
    fn a_fraction_that_the_operator_spoils_is_remarked() {
        let text = CLUSTER.replace("3Gi", "1.5Gi");
        let cluster = subjects(&Source::Stdin, &text).unwrap().remove(0);
        assert!(cluster.remarks.iter().any(|remark| remark.text.contains("1610612736.0")), "{:?}", cluster.remarks);
    }
}
