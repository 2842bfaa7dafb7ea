//! A ConfigMap that holds Flink's configuration file, as the Helm charts and Flink's own deployments write it.

use std::rc::Rc;
use std::sync::Arc;

use super::{Manifest, ManifestError, title};
use crate::config::FileKind;
use crate::config::layers::{FileText, Offset, Remark};
use crate::config::subject::Subject;
use crate::config::yaml::Node;
use crate::model::{Deployment, Place, Source};

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
    let text = node.text()?.into_owned();
    let (source, offset) = match literal_start(manifest.text, node) {
        Some(offset) => (manifest.source.clone(), offset),
        None => (Source::File(Arc::from(format!("{}, data.{kind}", manifest.source))), Offset::default()),
    };
    Some(FileText { source, kind: *kind, text, offset })
}

/// The other of two configuration files in a ConfigMap.
pub fn passed_over(manifest: &Manifest<'_>, document: &Node) -> Option<(FileKind, Place)> {
    let files = files(document);
    let (kind, node) = files.get(1)?;
    Some((*kind, manifest.place(node)))
}

/// How far the lines of a literal block (`|`) stand from where they stand in the manifest.
fn literal_start(text: &str, node: &Node) -> Option<Offset> {
    // The node's place is its indicator's or its first line's, which the parser decides.
    let line_of = |number: usize| text.lines().nth(number.checked_sub(1)?);
    let at = usize::try_from(node.position.line).ok()?;
    let is_header = |line: &str| line.split_whitespace().next_back().is_some_and(|word| word.starts_with('|'));
    let header = [Some(at), at.checked_sub(1)].into_iter().flatten().find(|n| line_of(*n).is_some_and(is_header))?;
    let inner = node.text()?;
    // The first line that is not blank tells the indentation.
    let (index, own) = inner.lines().enumerate().find(|(_, line)| !line.trim().is_empty())?;
    let indent = line_of(header + 1 + index)?.chars().count().checked_sub(own.chars().count())?;
    Some(Offset { lines: u32::try_from(header).ok()?, columns: u32::try_from(indent).ok()? })
}

/// A ConfigMap that no pod of the text mounts.
pub fn unmounted(manifest: &Manifest<'_>, document: &Rc<Node>) -> Result<Option<Subject>, ManifestError> {
    let name = document.text_at(&["metadata", "name"]);
    let mounted = name.is_some_and(|name| manifest.documents.iter().any(|other| mounts(other, &name)));
    if mounted || files(document).is_empty() {
        return Ok(None);
    }
    let mut subject =
        Subject { name: Some(title(document)), deployment: Some(Deployment::Kubernetes), ..Subject::default() };
    subject.file = file(manifest, document, &mut subject.remarks);
    subject.passed_over = passed_over(manifest, document);
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
