//! `FlinkDeployment` and `FlinkSessionJob` of the Flink Kubernetes operator, as its `FlinkConfigBuilder` turns them into a
//! configuration: `flinkConfiguration` first, then the resources over it.

use std::rc::Rc;

use super::{Manifest, ManifestError, containers, operator_memory, title, version_in_tag};
use crate::config::layers::Remark;
use crate::config::subject::{Fleet, Placed, Pod, Subject};
use crate::config::yaml::{Kind, Node, Walk};
use crate::config::{Value, environment};
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
        flatten(manifest, "", node, &mut Walk::default(), &mut subject.settings)?;
    }
    for (role, field) in ROLES {
        let Some(own) = spec.get(field) else { continue };
        if let Some(node) = own.at(&["resource", "memory"])
            && let Some(text) = node.text()
        {
            let key = match role {
                Role::TaskManager => keys::TM_PROCESS,
                Role::JobManager => keys::JM_PROCESS,
            };
            let size = operator_memory::process_size(&text);
            if Bytes::parse_flink(&size).is_err() {
                let text = format!(
                    "the operator makes {size} of this, which Flink refuses: write a whole number in Flink's units or \
                     Kubernetes', such as 1536m or 1536Mi"
                );
                subject.remarks.push(manifest.remark(node, text));
            }
            put(manifest, &mut subject, key.name(), size, node);
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
        let mut pod = Pod::default();
        for template in templates.into_iter().flatten() {
            let Some(spec) = template.get("spec") else { continue };
            let more = pod_template(manifest, spec, &mut subject.remarks);
            pod.sidecars.extend(more.sidecars);
            pod.memory_volumes.extend(more.memory_volumes);
        }
        subject.pods.push((role, pod));
    }
    // The template that both roles share was looked at twice.
    let mut seen: Vec<Remark> = Vec::new();
    subject.remarks.retain(|remark| {
        let new = !seen.contains(remark);
        seen.push(remark.clone());
        new
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
    subject.settings.push(Placed { key: key.to_owned(), value: Value::text(value), place });
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
        match &value.kind {
            Kind::Mapping(_) => flatten(manifest, &full, value, walk, into)?,
            Kind::Scalar(Value::Null) => {}
            Kind::Scalar(scalar) => {
                let text = Value::text(scalar.java_text().into_owned());
                into.push(Placed { key: full, value: text, place: manifest.place(value) });
            }
            Kind::Sequence(_) => {
                let value_of = walk.value(value)?;
                into.push(Placed { key: full, value: value_of, place: manifest.place(value) });
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
    Some((version_in_tag(&image)?, "as the image's tag says".to_owned()))
}

fn pod_template(manifest: &Manifest<'_>, spec: &Rc<Node>, remarks: &mut Vec<Remark>) -> Pod {
    let pod = containers::beside(manifest, spec, containers::MAIN, remarks);
    let containers = spec.get("containers").map_or(&[][..], |containers| containers.items());
    for main in containers.iter().filter(|container| containers::name(container) == containers::MAIN) {
        let resources = ["limits", "requests"].map(|kind| main.at(&["resources", kind, "memory"]));
        for node in resources.into_iter().flatten() {
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
