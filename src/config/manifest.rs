//! Kubernetes manifests and docker-compose files: whatever in them configures Flink, as [`Subject`]s with places.
//!
//! Recognised by content. A text may hold many documents, as `helm template` and `kubectl get -o yaml` print them; those
//! that have nothing to do with Flink are passed over.

mod compose;
mod config_map;
mod containers;
mod flink_deployment;
mod operator_memory;
mod workload;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

pub(super) use workload::role;

use super::inlay::Inlay;
use super::layers::Remark;
use super::subject::Subject;
use super::yaml::{self, Node, YamlError};
use crate::model::{Place, Position, Source};

/// A manifest that cannot be planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// What is wrong, and what to do.
    pub reason: String,
    /// Where; nothing where it is about the text as a whole.
    pub position: Option<Position>,
}

impl From<YamlError> for ManifestError {
    fn from(error: YamlError) -> ManifestError {
        ManifestError { reason: error.reason, position: Some(error.position) }
    }
}

/// Whether a text is a manifest or a compose file rather than a configuration of Flink's own.
pub fn is_manifest(text: &str) -> bool {
    // Most texts do not hold the word at all, which takes no look at their lines.
    let has_line =
        |start: &str| text.contains(start) && text.lines().any(|line| line.trim_start_matches("- ").starts_with(start));
    (text.contains("kind:")
        && has_line("apiVersion:")
        && text.lines().any(|line| line.trim_start().starts_with("kind:")))
        || text.trim_start().starts_with('{') && text.contains("\"apiVersion\"")
        || has_line("services:") && (text.contains("image:") || text.contains("build:"))
}

/// Every Flink process that a manifest configures.
pub fn subjects(source: &Source, text: &str) -> Result<Vec<Subject>, ManifestError> {
    if let Some(error) = template(text) {
        return Err(error);
    }
    let mut documents = Vec::new();
    for document in yaml::parse_all(text)? {
        flatten_lists(&document, &mut documents)?;
    }
    let manifest = Manifest::new(source.clone(), text, documents);
    let mut subjects = Vec::new();
    for document in &manifest.documents {
        match document.text_at(&["kind"]).as_deref() {
            Some("FlinkDeployment") => subjects.push(flink_deployment::subject(&manifest, document)?),
            Some("FlinkSessionJob") => subjects.push(flink_deployment::session_job(&manifest, document)?),
            Some("Pod" | "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job") => {
                subjects.extend(workload::subjects(&manifest, document)?);
            }
            Some(_) => {}
            None => subjects.extend(compose::subjects(&manifest, document)?),
        }
    }
    // A ConfigMap is a subject of its own where no pod in the text mounts it.
    let mounted = config_map::mounted(&manifest);
    for document in manifest.of_kind("ConfigMap") {
        subjects.extend(config_map::unmounted(&manifest, document, &mounted)?);
    }
    if subjects.is_empty() {
        let reason = "nothing in it configures Flink: no FlinkDeployment, no ConfigMap with a Flink configuration, no \
                      pod or service that runs a TaskManager or JobManager";
        return Err(ManifestError { reason: reason.to_owned(), position: None });
    }
    Ok(subjects)
}

/// How a version is told by an image.
pub(super) const IMAGE_TAG: &str = "as the image's tag says";

/// More resources than this are no manifest that somebody wrote, but aliases that stand for one another.
const MAX_RESOURCES: usize = 10_000;

/// How much configuration all resources may have: that of a ConfigMap counts for each pod that mounts it, that of a cluster
/// for each of its jobs.
const MAX_TAKEN: usize = 64 << 20;

/// A list, as `kubectl get -o yaml` prints it, stands for its items.
fn flatten_lists(document: &Rc<Node>, into: &mut Vec<Rc<Node>>) -> Result<(), ManifestError> {
    let is_list = document.text_at(&["kind"]).is_some_and(|kind| kind.ends_with("List"));
    let items = match document.get("items").filter(|_| is_list) {
        Some(items) => items.items(),
        None => document.items(),
    };
    if items.is_empty() {
        into.push(Rc::clone(document));
    }
    for item in items {
        if into.len() >= MAX_RESOURCES {
            let reason = format!("more than {MAX_RESOURCES} resources; oomph does not follow further");
            return Err(ManifestError { reason, position: Some(item.position) });
        }
        flatten_lists(item, into)?;
    }
    Ok(())
}

/// The text with its documents.
struct Manifest<'t> {
    source: Source,
    text: &'t str,
    documents: Vec<Rc<Node>>,
    /// Where the first document of a kind and a name is.
    names: HashMap<(String, String), usize>,
    /// The bytes of configuration that its subjects have up to now.
    taken: Cell<usize>,
}

impl Manifest<'_> {
    fn new(source: Source, text: &str, documents: Vec<Rc<Node>>) -> Manifest<'_> {
        let mut names = HashMap::new();
        for (index, document) in documents.iter().enumerate() {
            if let (Some(kind), Some(name)) = (document.text_at(&["kind"]), document.text_at(&["metadata", "name"])) {
                names.entry((kind, name)).or_insert(index);
            }
        }
        Manifest { source, text, documents, names, taken: Cell::new(0) }
    }

    /// Hands out so many bytes of configuration, if that is not too much in all.
    fn takes(&self, bytes: usize, node: &Node) -> Result<(), ManifestError> {
        self.taken.set(self.taken.get() + bytes);
        if self.taken.get() <= MAX_TAKEN {
            return Ok(());
        }
        let reason = format!(
            "its resources have more than {} MiB of configuration; oomph does not follow further",
            MAX_TAKEN >> 20
        );
        Err(ManifestError { reason, position: Some(node.position) })
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Rc<Node>> {
        self.documents.iter().filter(move |document| document.text_at(&["kind"]).as_deref() == Some(kind))
    }

    fn named(&self, kind: &str, name: &str) -> Option<&Rc<Node>> {
        self.documents.get(*self.names.get(&(kind.to_owned(), name.to_owned()))?)
    }

    fn place(&self, node: &Node) -> Place {
        Place { source: self.source.clone(), position: Some(node.position) }
    }

    /// A scalar's text, and where it stands.
    fn inlaid(&self, node: &Node) -> Option<(String, Inlay)> {
        let text = node.text()?.into_owned();
        let raw = self.text.get(node.position.start..).unwrap_or_default();
        let inlay = Inlay::of_scalar(self.source.clone(), raw, node.position, &text);
        Some((text, inlay))
    }

    fn remark(&self, node: &Node, text: impl Into<String>) -> Remark {
        Remark { place: self.place(node), text: text.into() }
    }
}

/// `FlinkDeployment orders`, as a heading names it.
fn title(document: &Node) -> String {
    let kind = document.text_at(&["kind"]).unwrap_or_else(|| "resource".to_owned());
    match document.text_at(&["metadata", "name"]).filter(|name| !name.contains("$$$$$")) {
        Some(name) => format!("{kind} {name}"),
        None => kind,
    }
}

/// What Helm replaces: a text that still holds it is no manifest yet.
fn template(text: &str) -> Option<ManifestError> {
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if let Some(at) = line.find("{{").filter(|at| line[*at..].contains("}}") && !line.trim_start().starts_with('#'))
        {
            let column = line[..at].chars().count() + 1;
            let position = Position {
                line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                column: u32::try_from(column).unwrap_or(u32::MAX),
                start: start + at,
                end: start + at + 2,
            };
            let reason = "a template stands here ({{...}}): render it first, as with `helm template`".to_owned();
            return Some(ManifestError { reason, position: Some(position) });
        }
        start += line.len();
    }
    None
}

/// The version in an image's tag: `flink:1.20.5-java17`, `registry/team/flink:1.18-scala_2.12`.
pub fn version_in_tag(image: &str) -> Option<String> {
    let (_, tag) = image.split('@').next()?.rsplit_once(':')?;
    let end = tag.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(tag.len());
    let version = tag[..end].trim_matches('.');
    let parts: Vec<_> = version.split('.').collect();
    ((2..=3).contains(&parts.len()) && parts.iter().all(|part| part.parse::<u16>().is_ok())).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::config::layers::Layers;

    #[rstest]
    #[case("apiVersion: v1\nkind: Pod\n", true)]
    #[case("- apiVersion: v1\n  kind: Pod\n", true)]
    #[case("services:\n  tm:\n    image: flink\n", true)]
    #[case("taskmanager.memory.process.size: 4g\n", false)]
    #[case("taskmanager:\n  memory: {process.size: 4g}\n", false)]
    #[case("kind: x\n", false)]
    fn manifests_are_recognised_by_content(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_manifest(text), expected);
    }

    #[rstest]
    #[case("flink:1.20.5-java17", Some("1.20.5"))]
    #[case("registry:5000/team/flink:1.18-scala_2.12", Some("1.18"))]
    #[case("flink:2.3.0@sha256:abc", Some("2.3.0"))]
    #[case("flink:latest", None)]
    #[case("flink:1", None)]
    #[case("registry:5000/flink", None)]
    fn an_images_tag_may_name_the_version(#[case] image: &str, #[case] expected: Option<&str>) {
        assert_eq!(version_in_tag(image).as_deref(), expected);
    }

    #[test]
    fn a_template_is_refused_with_its_place() {
        let text = "apiVersion: v1\nkind: ConfigMap\ndata: {{ .Values.x }}\n";
        let error = subjects(&Source::Stdin, text).unwrap_err();
        assert_eq!(error.position.map(|p| (p.line, p.column)), Some((3, 7)));
        assert!(error.reason.contains("helm template"), "{}", error.reason);
    }

    /// Every setting of the first subject: what stands at its key and its value in the text.
    fn typed(text: &str) -> Vec<String> {
        let subject = subjects(&Source::Stdin, text).unwrap().remove(0);
        let layers = Layers {
            file: subject.file,
            settings: subject.settings,
            resources: subject.resources,
            environment: subject.environment,
            arguments: subject.arguments,
            ..Layers::default()
        };
        let config = layers.assemble(crate::flink::profile::Profile::newest()).unwrap().config;
        let line = |position: Position| text.lines().nth(usize::try_from(position.line).unwrap() - 1).unwrap();
        let at = |position: Position| {
            let skipped = usize::try_from(position.column).unwrap() - 1;
            let rest: String = line(position).chars().skip(skipped).collect();
            assert!(text[position.start..].starts_with(&rest), "{position:?}");
            rest[..position.end - position.start].to_owned()
        };
        let typed = config.iter().map(|(_, setting)| {
            assert_eq!(setting.place.source, Source::Stdin);
            let key = setting.written.map_or(String::new(), &at);
            format!("{key}={}", at(setting.place.position.unwrap()))
        });
        typed.collect()
    }

    #[rstest]
    #[case("services:\n  tm:\n    image: flink\n    command: taskmanager\n    environment:\n      - |\n        FLINK_PROPERTIES=\n        \
            é.x: 4 g\n        b: 1\n      - TASK_MANAGER_NUMBER_OF_TASK_SLOTS=3\n", &["b=1", "=3", "é.x=4 g"])]
    #[case("services:\n  tm:\n    image: flink\n    command: taskmanager -D x.y=1 -Dz=2\n    environment:\n      FLINK_PROPERTIES: \
            \"a: 1\\nb: 2g\"\n", &["a=1", "b=2g", "x.y=1", "z=2"])]
    #[case("services:\n  tm:\n    image: flink\n    command: >-\n      taskmanager\n      -Dx=1\n    environment: ['FLINK_PROPERTIES=a: 1']\n",
           &["a=1", "x=1"])]
    #[case("apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: tm\n    args: [taskmanager, \"-Dé.k='1 m'\", -D, k=2]\n    \
            env:\n    - name: FLINK_PROPERTIES\n      value: |-\n        a: 1\n\n        k: 4\n", &["a=1", "k=2"])]
    #[case("apiVersion: v1\nkind: ConfigMap\ndata:\n  config.yaml: \"a:\\n  b: 1\\n\"\n", &["b=1"])]
    #[case("apiVersion: v1\nkind: FlinkDeployment\nspec:\n  flinkConfiguration:\n    a.b: \"1\"\n  taskManager: {resource: {memory: 4g}}\n",
           &["a.b=\"1\"", "memory=4g"])]
    fn every_setting_has_its_place_in_the_file(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(typed(text), expected);
    }

    #[test]
    fn an_argument_wins_over_the_environment() {
        let text = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: tm\n    args: [taskmanager, -Dk=2]\n    env:\n    \
                    - {name: FLINK_PROPERTIES, value: 'k: 4'}\n";
        assert_eq!(typed(text), ["k=2"]);
    }

    #[test]
    fn lists_that_stand_for_one_another_end_in_an_error() {
        let mut text = "apiVersion: v1\nkind: List\nitems:\n- &l0 {kind: Service}\n".to_owned();
        for level in 1..20 {
            let below = level - 1;
            text += &format!("- &l{level} {{kind: List, items: [*l{below}, *l{below}]}}\n");
        }
        let error = subjects(&Source::Stdin, &text).unwrap_err();
        assert!(error.reason.contains("more than 10000 resources"), "{}", error.reason);
    }

    #[test]
    fn very_many_resources_are_read_in_a_time_that_grows_with_their_number() {
        let mut text = String::new();
        for number in 0..4500 {
            text += &format!(
                "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}}}\ndata: {{flink-conf.yaml: 'a: 1'}}\n---\n\
                 kind: Pod\nspec:\n  volumes: [{{configMap: {{name: c{number}}}}}]\n  containers: [{{args: [taskmanager]}}]\n"
            );
        }
        let start = std::time::Instant::now();
        let subjects = subjects(&Source::Stdin, &text).unwrap();
        assert!(subjects.len() == 4500 && subjects.iter().all(|subject| subject.file.is_some()));
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[rstest]
    #[case(
        "kind: ConfigMap\nmetadata: {name: c}\ndata: {flink-conf.yaml: LONG}\n",
        "kind: Pod\nspec: {volumes: [{configMap: {name: c}}], \
            containers: [{args: [taskmanager]}]}\n"
    )]
    #[case(
        "kind: FlinkDeployment\nmetadata: {name: c}\nspec: {flinkConfiguration: {a: LONG}}\n",
        "kind: FlinkSessionJob\nspec: \
            {deploymentName: c}\n"
    )]
    fn one_configuration_for_very_many_ends_in_an_error(#[case] one: &str, #[case] many: &str) {
        let one = one.replace("LONG", &"x".repeat(1 << 20));
        let text = format!("apiVersion: v1\n{one}{}", format!("---\n{many}").repeat(100));
        let error = subjects(&Source::Stdin, &text).unwrap_err();
        assert!(error.reason.contains("more than 64 MiB of configuration"), "{}", error.reason);
    }

    #[test]
    fn a_manifest_without_flink_is_refused() {
        let error = subjects(&Source::Stdin, "apiVersion: v1\nkind: Service\n").unwrap_err();
        assert!(error.reason.contains("nothing in it configures Flink"), "{}", error.reason);
    }
}
