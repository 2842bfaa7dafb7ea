//! The containers and volumes of a pod.

use std::rc::Rc;

use super::Manifest;
use crate::artefact::command_line::dynamic_parts;
use crate::config::Value;
use crate::config::environment::{self, Variable};
use crate::config::inlay::Inlay;
use crate::config::layers::Remark;
use crate::config::subject::{MemoryVolume, Placed, Pod, Sidecar, Written};
use crate::config::yaml::Node;
use crate::model::{Bytes, Position};

/// The name of Flink's container in a pod template (`Constants.MAIN_CONTAINER_NAME`).
pub const MAIN: &str = "flink-main-container";

/// What stands beside Flink's container in a pod's specification.
pub fn beside(manifest: &Manifest<'_>, spec: &Node, main: &str, remarks: &mut Vec<Remark>) -> Pod {
    let mut pod = Pod::default();
    let containers = spec.get("containers").map_or(&[][..], |containers| containers.items());
    for container in containers.iter().filter(|container| name(container) != main) {
        pod.sidecars.push(Sidecar { name: name(container), limit: limit(manifest, container, remarks) });
    }
    for volume in spec.get("volumes").map_or(&[][..], |volumes| volumes.items()) {
        if volume.text_at(&["emptyDir", "medium"]).as_deref() == Some("Memory") {
            let limit = volume.at(&["emptyDir", "sizeLimit"]);
            let limit = limit.and_then(|node| size(manifest, node, remarks));
            pod.memory_volumes.push(MemoryVolume { name: name(volume), limit });
        }
    }
    pod
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
