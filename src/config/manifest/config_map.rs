//! A ConfigMap that holds Flink's configuration file, as the Helm charts and Flink's own deployments write it.

use std::rc::Rc;

use super::{Manifest, ManifestError, title};
use crate::config::FileKind;
use crate::config::layers::{FileText, Offset, Remark};
use crate::config::subject::Subject;
use crate::config::template;
use crate::config::yaml::Node;
use crate::model::Deployment;

/// The files of Flink's in a ConfigMap.
fn files(document: &Node) -> Vec<(FileKind, &Rc<Node>)> {
    let data = document.get("data");
    [FileKind::Legacy, FileKind::Standard]
        .into_iter()
        .filter_map(|kind| Some((kind, data?.get(kind.file_name())?)))
        .collect()
}

/// The configuration file in a ConfigMap; of two, the one that versions which know both read.
pub fn file(manifest: &Manifest<'_>, document: &Node, remarks: &mut Vec<Remark>) -> Option<FileText> {
    let files = files(document);
    let (kind, node) = files.first()?;
    if let [_, (other, passed_over)] = files.as_slice() {
        let text = format!("both {kind} and {other} are here; {kind} is planned, which 1.19 and 1.20 read first");
        remarks.push(manifest.remark(passed_over, text));
    }
    let (text, inlay) = manifest.inlaid(node).filter(|(text, _)| !template::is_hidden(text))?;
    Some(FileText { source: manifest.source.clone(), kind: *kind, text, offset: Offset::of(inlay) })
}

/// Whether the configuration file is all that a template replaces.
pub fn is_hidden(document: &Node) -> bool {
    files(document).first().and_then(|(_, node)| node.text()).is_some_and(|text| template::is_hidden(&text))
}

/// A ConfigMap that no pod of the text mounts.
pub fn unmounted(manifest: &Manifest<'_>, document: &Rc<Node>) -> Result<Option<Subject>, ManifestError> {
    let name = document.text_at(&["metadata", "name"]);
    let mounted = name.is_some_and(|name| manifest.documents.iter().any(|other| mounts(other, &name)));
    if mounted || files(document).is_empty() {
        return Ok(None);
    }
    let mut subject = Subject {
        name: Some(title(document)),
        deployment: Some(Deployment::Kubernetes),
        open: is_hidden(document),
        ..Subject::default()
    };
    subject.file = file(manifest, document, &mut subject.remarks);
    subject.fleet.labels = super::flink_deployment::labels(document);
    subject.fleet.namespace = document.text_at(&["metadata", "namespace"]);
    Ok(Some(subject))
}

/// Whether a workload mounts the ConfigMap of this name.
fn mounts(document: &Node, name: &str) -> bool {
    super::workload::pod_spec(document).is_some_and(|spec| config_maps(spec).any(|mounted| mounted == name))
}

/// The ConfigMaps that a pod mounts.
pub fn config_maps(spec: &Node) -> impl Iterator<Item = String> + '_ {
    let volumes = spec.get("volumes").map_or(&[][..], |volumes| volumes.items());
    volumes.iter().flat_map(|volume| {
        let projected = volume.at(&["projected", "sources"]).map_or(&[][..], |sources| sources.items());
        let own = volume.text_at(&["configMap", "name"]);
        own.into_iter().chain(projected.iter().filter_map(|source| source.text_at(&["configMap", "name"])))
    })
}
