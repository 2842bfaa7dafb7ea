//! docker-compose files: services that run a TaskManager or JobManager of the official image.

use std::rc::Rc;

use super::containers::Started;
use super::{IMAGE_TAG, Manifest, ManifestError, version_in_tag, workload};
use crate::config::environment::{self, Variable};
use crate::config::inlay::Inlay;
use crate::config::layers::Remark;
use crate::config::subject::{ContainerVariable, Fleet, Mount, Pod, Stated, Subject, Volume, VolumeKind, Written};
use crate::config::yaml::Node;
use crate::model::{Bytes, Deployment};

/// The Flink processes among the services.
pub fn subjects(manifest: &Manifest<'_>, document: &Rc<Node>) -> Result<Vec<Subject>, ManifestError> {
    let services = document.get("services").map_or(&[][..], |services| services.entries());
    let mut found = Vec::new();
    for (key, service) in services {
        let service = &service.with_merges();
        let started = Started::of(manifest, service, ["entrypoint", "command"]);
        let Some(role) = workload::role(&started.words()) else { continue };
        let mut remarks = Vec::new();
        let name = key.text().unwrap_or_default();
        let limit = limit(manifest, service, &mut remarks);
        if let Some(node) = service.get("env_file") {
            let text = "the variables of this file are not looked at; give those that matter with --env";
            remarks.push(manifest.remark(node, text));
        }
        let version = service.text_at(&["image"]).as_deref().and_then(version_in_tag);
        let replicas = [&["deploy", "replicas"][..], &["scale"][..]].into_iter().find_map(|path| service.text_at(path));
        found.push(Subject {
            name: Some(format!("service {name}")),
            shipped: true,
            arguments: started.dynamic_properties(),
            environment: variables(manifest, service, &mut remarks),
            version: version.map(|version| (version, IMAGE_TAG.to_owned())),
            deployment: Some(Deployment::Standalone),
            role: Some(role),
            pods: vec![(role, pod(manifest, service, limit))],
            fleet: Fleet { replicas: replicas.and_then(|text| text.parse().ok()), ..Fleet::default() },
            remarks,
            ..Subject::default()
        });
    }
    Ok(found)
}

/// What a service says of its container.
fn pod(manifest: &Manifest<'_>, service: &Node, limit: Option<Written>) -> Pod {
    let stated = |node: &Rc<Node>| Some(Stated { text: node.text()?.into_owned(), place: manifest.place(node) });
    let mut pod = Pod { limit, image: service.get("image").and_then(stated), ..Pod::default() };
    let cpus = service.at(&["deploy", "resources", "limits", "cpus"]).or_else(|| service.get("cpus"));
    pod.cpu_limit = cpus.and_then(stated);
    if let Some(node) = service.get("environment") {
        for (key, value) in node.entries() {
            let Some(name) = key.text() else { continue };
            let value_of = value.text().map(|text| text.into_owned());
            pod.variables.push(ContainerVariable {
                name: name.into_owned(),
                value: value_of,
                place: manifest.place(value),
            });
        }
        for item in node.items() {
            let Some(text) = item.text() else { continue };
            let (name, value) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (&*text, None),
            };
            pod.variables.push(ContainerVariable { name: name.to_owned(), value, place: manifest.place(item) });
        }
    }
    let tmpfs = service.get("tmpfs");
    let one = tmpfs.filter(|node| node.text().is_some()).into_iter();
    for node in one.chain(tmpfs.map_or(&[][..], |node| node.items())) {
        let Some(text) = node.text() else { continue };
        let path = text.split(':').next().unwrap_or_default().to_owned();
        let place = manifest.place(node);
        let kind = VolumeKind::EmptyDir { memory: true, limit: None };
        pod.volumes.push(Volume { name: path.clone(), kind, place: place.clone() });
        pod.mounts.push(Mount { volume: path.clone(), path, place });
    }
    pod
}

/// A variable of a service, with its value where the file gives one.
struct Given<'a> {
    name: String,
    value: Option<(String, Inlay)>,
    node: &'a Rc<Node>,
}

/// The environment, which may be a map or a list of `NAME=value`.
fn variables(manifest: &Manifest<'_>, service: &Node, remarks: &mut Vec<Remark>) -> Vec<Variable> {
    let Some(node) = service.get("environment") else { return Vec::new() };
    let mut all: Vec<Given<'_>> = Vec::new();
    let merged = node.with_merges();
    for (key, value) in merged.entries() {
        let Some(name) = key.text() else { continue };
        all.push(Given { name: name.into_owned(), value: manifest.inlaid(value), node: value });
    }
    for item in node.items() {
        let Some((text, inlay)) = manifest.inlaid(item) else { continue };
        let given = match text.split_once('=') {
            Some((name, value)) => {
                let inlay = inlay.from(&text, name.len() + 1);
                Given { name: name.to_owned(), value: Some((value.to_owned(), inlay)), node: item }
            }
            None => Given { name: text, value: None, node: item },
        };
        all.push(given);
    }
    let mut known = Vec::new();
    for Given { name, value, node } in all {
        if !environment::VARIABLES.contains(&name.as_str()) {
            continue;
        }
        match value {
            Some((text, inlay)) => known.push(Variable { name, text, inlay: Some(inlay) }),
            None => {
                let text = format!("{name} is taken from the shell and not known here; give it with --env {name}=...");
                remarks.push(manifest.remark(node, text));
            }
        }
    }
    known
}

/// `deploy.resources.limits.memory` or `mem_limit`, in Docker's units.
fn limit(manifest: &Manifest<'_>, service: &Node, remarks: &mut Vec<Remark>) -> Option<Written> {
    let node = service.at(&["deploy", "resources", "limits", "memory"]).or_else(|| service.get("mem_limit"))?;
    match Bytes::parse_docker(&node.text()?) {
        Ok(bytes) => Some(Written { bytes, place: manifest.place(node) }),
        Err(error) => {
            remarks.push(manifest.remark(node, error.to_string()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Subject;
    use crate::config::manifest::subjects;
    use crate::model::{Bytes, Role, Source};

    fn services(text: &str) -> Vec<Subject> {
        subjects(&Source::Stdin, &format!("services:\n{text}")).unwrap()
    }

    #[test]
    fn services_that_run_flink_are_found_and_others_passed_over() {
        let text = "  kafka: {image: kafka}\n  tm:\n    image: flink:1.20.1\n    command: taskmanager\n    mem_limit: 1.5gb\n    \
                    scale: 3\n    environment: ['FLINK_PROPERTIES=a.b: 1', TZ]\n";
        let found = services(text);
        assert_eq!(found.len(), 1);
        let tm = &found[0];
        assert_eq!((tm.role, tm.shipped, tm.fleet.replicas), (Some(Role::TaskManager), true, Some(3)));
        assert_eq!((tm.environment[0].name.as_str(), tm.environment[0].text.as_str()), ("FLINK_PROPERTIES", "a.b: 1"));
        assert_eq!(tm.pod(Role::TaskManager).unwrap().limit.as_ref().unwrap().bytes, Bytes::mib(1536));
    }

    #[test]
    fn anchors_merges_and_folded_commands_are_followed() {
        let text = "x-flink: &flink\n  image: flink:1.19\n  environment: &env\n    FLINK_PROPERTIES: |\n      a.b: 1\n      c: \
                    2\n\nservices:\n  tm:\n    <<: *flink\n    command: >\n      taskmanager\n      -D x.y=3\n    env_file: [.env]\n    \
                    environment:\n      <<: [*env]\n      TASK_MANAGER_NUMBER_OF_TASK_SLOTS: 4\n  jm:\n    <<: *flink\n    command: \
                    jobmanager\n";
        let found = subjects(&Source::Stdin, text).unwrap();
        let (tm, jm) = (&found[0], &found[1]);
        assert_eq!(tm.version.as_ref().map(|version| version.0.as_str()), Some("1.19"));
        let names: Vec<_> = tm.environment.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["TASK_MANAGER_NUMBER_OF_TASK_SLOTS", "FLINK_PROPERTIES"]);
        assert_eq!(jm.environment[0].whole().position.map(|p| p.line), Some(5));
        assert_eq!(
            (tm.arguments[0].key.as_str(), tm.arguments[0].place.to_string().as_str()),
            ("x.y", "<stdin>:13:14")
        );
        assert!(tm.remarks[0].text.contains("--env"), "{:?}", tm.remarks);
    }

    #[test]
    fn what_the_shell_gives_is_said_to_be_unknown() {
        let text = "  jm:\n    image: flink\n    command: [standalone-job]\n    mem_limit: lots\n    environment: \
                    [FLINK_PROPERTIES]\n";
        let remarks: Vec<_> = services(text).remove(0).remarks.into_iter().map(|remark| remark.text).collect();
        assert!(remarks.iter().any(|text| text.contains("taken from the shell")), "{remarks:?}");
        assert!(remarks.iter().any(|text| text.contains("no size of Docker's")), "{remarks:?}");
    }
}
