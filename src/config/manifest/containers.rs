//! The containers and volumes of a pod.

use std::rc::Rc;

use super::Manifest;
use crate::config::environment;
use crate::config::layers::Remark;
use crate::config::subject::{MemoryVolume, Mount, Pod, Sidecar, Stated, Variable, Volume, VolumeKind, Written};
use crate::config::yaml::Node;
use crate::model::Bytes;

/// The name of Flink's container in a pod template (`Constants.MAIN_CONTAINER_NAME`).
pub const MAIN: &str = "flink-main-container";

/// What stands beside Flink's container in a pod's specification.
pub fn beside(manifest: &Manifest<'_>, spec: &Node, main: &str, remarks: &mut Vec<Remark>) -> Pod {
    let mut pod = Pod::default();
    let containers = spec.get("containers").map_or(&[][..], |containers| containers.items());
    for container in containers.iter().filter(|container| name(container) != main) {
        pod.sidecars.push(Sidecar {
            name: name(container),
            limit: limit(manifest, container, remarks),
            place: manifest.place(container),
        });
    }
    for volume in spec.get("volumes").map_or(&[][..], |volumes| volumes.items()) {
        if volume.text_at(&["emptyDir", "medium"]).as_deref() == Some("Memory") {
            let limit = volume.at(&["emptyDir", "sizeLimit"]);
            let limit = limit.and_then(|node| size(manifest, node, remarks));
            pod.memory_volumes.push(MemoryVolume { name: name(volume), limit, place: manifest.place(volume) });
        }
        pod.volumes.push(Volume {
            name: name(volume),
            kind: volume_kind(manifest, volume),
            place: manifest.place(volume),
        });
    }
    pod
}

fn volume_kind(manifest: &Manifest<'_>, volume: &Node) -> VolumeKind {
    if let Some(empty) = volume.get("emptyDir") {
        let limit = empty.get("sizeLimit").and_then(|node| size(manifest, node, &mut Vec::new()));
        return VolumeKind::EmptyDir { memory: empty.text_at(&["medium"]).as_deref() == Some("Memory"), limit };
    }
    match volume.text_at(&["hostPath", "path"]) {
        Some(path) => VolumeKind::HostPath(path),
        None if volume.get("persistentVolumeClaim").is_some() || volume.get("ephemeral").is_some() => VolumeKind::Claim,
        None => VolumeKind::Other,
    }
}

/// What a pod says of Flink's own container, beside its limit.
pub fn of_main(manifest: &Manifest<'_>, container: &Node, pod: &mut Pod) {
    let stated = |node: &Rc<Node>| Some(Stated { text: node.text()?.into_owned(), place: manifest.place(node) });
    pod.image = container.get("image").and_then(stated).or(pod.image.take());
    pod.cpu_limit = container.at(&["resources", "limits", "cpu"]).and_then(stated).or(pod.cpu_limit.take());
    for entry in container.get("env").map_or(&[][..], |env| env.items()) {
        let value = entry.text_at(&["value"]);
        pod.variables.push(Variable { name: name(entry), value, place: manifest.place(entry) });
    }
    for mount in container.get("volumeMounts").map_or(&[][..], |mounts| mounts.items()) {
        let Some(path) = mount.text_at(&["mountPath"]) else { continue };
        pod.mounts.push(Mount { volume: name(mount), path, place: manifest.place(mount) });
    }
}

/// The memory that a container asks for.
pub fn request(manifest: &Manifest<'_>, container: &Node) -> Option<Written> {
    container.at(&["resources", "requests", "memory"]).and_then(|node| size(manifest, node, &mut Vec::new()))
}

/// A container's or volume's name.
pub fn name(node: &Node) -> String {
    node.text_at(&["name"]).unwrap_or_else(|| "(without a name)".to_owned())
}

/// The memory that a container may take at most.
pub fn limit(manifest: &Manifest<'_>, container: &Node, remarks: &mut Vec<Remark>) -> Option<Written> {
    container.at(&["resources", "limits", "memory"]).and_then(|node| size(manifest, node, remarks))
}

fn size(manifest: &Manifest<'_>, node: &Rc<Node>, remarks: &mut Vec<Remark>) -> Option<Written> {
    let text = node.text()?;
    match Bytes::parse_k8s(&text) {
        Ok(bytes) => Some(Written { bytes, place: manifest.place(node) }),
        Err(error) => {
            remarks.push(manifest.remark(node, error.to_string()));
            None
        }
    }
}

/// The variables of a container that have a bearing on memory.
pub fn variables(manifest: &Manifest<'_>, container: &Node, remarks: &mut Vec<Remark>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in container.get("env").map_or(&[][..], |env| env.items()) {
        let name = name(entry);
        if !environment::VARIABLES.contains(&name.as_str()) {
            continue;
        }
        match entry.text_at(&["value"]) {
            Some(value) => found.push((name, value)),
            None => remarks.push(manifest.remark(
                entry,
                format!("{name} comes from elsewhere and is not known here; give it with --env {name}=..."),
            )),
        }
    }
    found
}

/// Everything that a container is started with, word by word: an argument of `bash -c` is a line of its own.
pub fn words(container: &Node, keys: [&str; 2]) -> Vec<String> {
    let texts = keys.into_iter().filter_map(|key| container.get(key)).flat_map(|node| match node.items() {
        [] => node.text().map(|text| text.into_owned()).into_iter().collect::<Vec<_>>(),
        items => items.iter().filter_map(|item| item.text()).map(|text| text.into_owned()).collect(),
    });
    texts.flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}
