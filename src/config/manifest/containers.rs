//! The containers and volumes of a pod.

use std::rc::Rc;

use super::Manifest;
use crate::artefact::command_line::dynamic_parts;
use crate::config::Value;
use crate::config::environment::{self, Variable};
use crate::config::inlay::Inlay;
use crate::config::layers::Remark;
use crate::config::subject::{
    ContainerVariable, MemoryVolume, Mount, Placed, Pod, Sidecar, Stated, Volume, VolumeKind, Written,
};
use crate::config::yaml::Node;
use crate::model::{Bytes, Position};

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
        pod.variables.push(ContainerVariable { name: name(entry), value, place: manifest.place(entry) });
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
pub fn variables(manifest: &Manifest<'_>, container: &Node, remarks: &mut Vec<Remark>) -> Vec<Variable> {
    let mut found = Vec::new();
    for entry in container.get("env").map_or(&[][..], |env| env.items()) {
        let name = name(entry);
        if !environment::VARIABLES.contains(&name.as_str()) {
            continue;
        }
        match entry.get("value").and_then(|node| manifest.inlaid(node)) {
            Some((text, inlay)) => found.push(Variable { name, text, inlay: Some(inlay) }),
            None => remarks.push(manifest.remark(
                entry,
                format!("{name} comes from elsewhere and is not known here; give it with --env {name}=..."),
            )),
        }
    }
    found
}

/// What a container is started with: the texts of its command and arguments.
pub struct Started {
    texts: Vec<(String, Inlay)>,
}

impl Started {
    /// The texts under these keys, in this order.
    pub fn of(manifest: &Manifest<'_>, container: &Node, keys: [&str; 2]) -> Started {
        let nodes = keys.into_iter().filter_map(|key| container.get(key));
        let texts = nodes.flat_map(|node| match node.items() {
            [] => manifest.inlaid(node).into_iter().collect::<Vec<_>>(),
            items => items.iter().filter_map(|item| manifest.inlaid(item)).collect(),
        });
        Started { texts: texts.collect() }
    }

    /// All of it word by word: an argument of `bash -c` is a line of its own.
    pub fn words(&self) -> Vec<&str> {
        self.texts.iter().flat_map(|(text, _)| text.split_whitespace()).collect()
    }

    /// Flink's dynamic properties among the words.
    pub fn dynamic_properties(&self) -> Vec<Placed> {
        let words: Vec<(&str, &(String, Inlay))> =
            self.texts.iter().flat_map(|text| text.0.split_whitespace().map(move |word| (word, text))).collect();
        let bare: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let parts = dynamic_parts(&bare).into_iter().filter_map(|(number, key, value)| {
            let (_, (text, inlay)) = words.get(number)?;
            let part = |part: &str| {
                let start = part.as_ptr() as usize - text.as_ptr() as usize;
                Position { line: 1, column: 1, start, end: start + part.len() }
            };
            Some(Placed {
                key: key.to_owned(),
                value: Value::text(value),
                place: inlay.place(text, part(value)),
                written: Some(inlay.position(text, part(key))),
            })
        });
        parts.collect()
    }
}
