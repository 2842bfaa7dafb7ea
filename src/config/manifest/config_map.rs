//! A ConfigMap that holds Flink's configuration file, as the Helm charts and Flink's own deployments write it.

use std::collections::HashSet;
use std::rc::Rc;

use super::{Manifest, ManifestError, title};
use crate::config::layers::{FileText, Offset, Remark};
use crate::config::subject::Subject;
use crate::config::template;
use crate::config::yaml::Node;
use crate::config::{FileKind, standard};
use crate::model::{Deployment, Place};

/// The files of Flink's in a ConfigMap.
fn files(document: &Node) -> Vec<(FileKind, &Rc<Node>)> {
    let Some(data) = document.get("data") else { return Vec::new() };
    let own = [FileKind::Legacy, FileKind::Standard].into_iter();
    let own: Vec<_> = own.filter_map(|kind| Some((kind, data.get(kind.file_name())?))).collect();
    if !own.is_empty() {
        return own;
    }
    // Named for who puts it in place: flink-conf-override.yaml.
    let is_like_it = |name: &str| name.starts_with("flink-conf") && name.ends_with(".yaml");
    let like_it = data.entries().iter().find(|(name, _)| name.text().is_some_and(|name| is_like_it(&name)));
    like_it.map(|(_, node)| (FileKind::Legacy, node)).into_iter().collect()
}

/// Whether a `config.yaml` that nobody mounts is some other program's: no configuration of Flink's by form or by words.
fn is_anothers(file: &FileText) -> bool {
    file.kind == FileKind::Standard
        && !["taskmanager", "jobmanager", "flink"].iter().any(|word| file.text.contains(word))
        && standard::parse(&file.text).is_err()
}

/// The configuration file in a ConfigMap; of two, the one that versions which know both read.
pub fn file(
    manifest: &Manifest<'_>,
    document: &Node,
    remarks: &mut Vec<Remark>,
) -> Result<Option<FileText>, ManifestError> {
    let files = files(document);
    let Some((kind, node)) = files.first() else { return Ok(None) };
    if let [_, (other, passed_over)] = files.as_slice() {
        let text = format!("both {kind} and {other} are here; {kind} is planned, which 1.19 and 1.20 read first");
        remarks.push(manifest.remark(passed_over, text));
    }
    let Some((text, inlay)) = manifest.inlaid(node).filter(|(text, _)| !template::is_hidden(text)) else {
        return Ok(None);
    };
    manifest.takes(text.len(), node)?;
    let offset = Offset::of(inlay, &text);
    Ok(Some(FileText { source: manifest.source.clone(), kind: *kind, text, offset }))
}

/// The other of two configuration files in a ConfigMap.
pub fn passed_over(manifest: &Manifest<'_>, document: &Node) -> Option<(FileKind, Place)> {
    let files = files(document);
    let (kind, node) = files.get(1)?;
    Some((*kind, manifest.place(node)))
}

/// Whether the configuration file is all that a template replaces.
pub fn is_hidden(document: &Node) -> bool {
    files(document).first().and_then(|(_, node)| node.text()).is_some_and(|text| template::is_hidden(&text))
}

/// A ConfigMap that no pod of the text mounts.
pub fn unmounted(
    manifest: &Manifest<'_>,
    document: &Rc<Node>,
    mounted: &HashSet<String>,
) -> Result<Option<Subject>, ManifestError> {
    let name = document.text_at(&["metadata", "name"]);
    if name.is_some_and(|name| mounted.contains(&name)) || files(document).is_empty() {
        return Ok(None);
    }
    let mut subject = Subject {
        name: Some(title(document)),
        deployment: Some(Deployment::Kubernetes),
        open: is_hidden(document),
        ..Subject::default()
    };
    subject.file = file(manifest, document, &mut subject.remarks)?;
    if subject.file.as_ref().is_some_and(is_anothers) {
        return Ok(None);
    }
    subject.passed_over = passed_over(manifest, document);
    subject.fleet.labels = super::flink_deployment::labels(document);
    subject.fleet.namespace = document.text_at(&["metadata", "namespace"]);
    Ok(Some(subject))
}

/// The names of the ConfigMaps that workloads which run Flink mount.
pub fn mounted(manifest: &Manifest<'_>) -> HashSet<String> {
    let specs = manifest.documents.iter().filter_map(|document| super::workload::pod_spec(document));
    let of_flink =
        specs.filter(|spec| config_maps(spec).next().is_some() && super::workload::runs_flink(manifest, spec));
    of_flink.flat_map(|spec| config_maps(spec)).collect()
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

#[cfg(test)]
mod tests {
    use crate::config::manifest::subjects;
    use crate::model::Source;

    fn count(text: &str) -> usize {
        subjects(&Source::Stdin, text).map_or(0, |subjects| subjects.len())
    }

    const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n";

    #[test]
    fn a_file_named_after_flinks_own_is_read() {
        assert_eq!(count(&format!("{MAP}  flink-conf-override.yaml: 'a: 1'\n")), 1);
        assert_eq!(count(&format!("{MAP}  other.yaml: 'a: 1'\n")), 0);
    }

    #[test]
    fn another_programs_config_yaml_is_passed_over() {
        assert_eq!(count(&format!("{MAP}  config.yaml: '[a, b]'\n")), 0);
        assert_eq!(count(&format!("{MAP}  config.yaml: '[flink]'\n")), 1);
        assert_eq!(count(&format!("{MAP}  config.yaml: 'a: 1'\n")), 1);
    }

    #[test]
    fn a_file_that_only_another_program_mounts_is_a_subject_of_its_own() {
        let pod = |args: &str| {
            format!(
                "{MAP}  config.yaml: 'a: 1'\n---\napiVersion: v1\nkind: Pod\nspec:\n  containers: [{{name: x, args: \
                 [{args}]}}]\n  volumes: [{{name: v, configMap: {{name: c}}}}]\n"
            )
        };
        let names = |args| {
            let subjects = subjects(&Source::Stdin, &pod(args)).unwrap();
            subjects.into_iter().map(|subject| subject.name.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(names("taskmanager"), ["Pod"]);
        assert_eq!(names("nginx"), ["ConfigMap c"]);
    }
}
