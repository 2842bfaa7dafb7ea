//! Who hands out native memory in a Flink process, as far as a configuration and a manifest tell.

use std::borrow::Cow;

use crate::check::Case;
use crate::check::case::Written;
use crate::config::is_placeholder;
use crate::config::manifest::version_in_tag;
use crate::config::workload;
use crate::flink::Version;
use crate::model::{Deployment, Place, Role};

/// A variable in the environment of a process.
pub struct Variable<'a> {
    /// As it is written: `MALLOC_ARENA_MAX`, or the option that sets it.
    pub key: Cow<'a, str>,
    /// Its value.
    pub value: Cow<'a, str>,
    /// Where the value stands.
    pub place: Place,
}

/// What is known of a variable.
pub enum Known<'a> {
    /// Nobody sets it here.
    Unset,
    /// Its value.
    Set(Variable<'a>),
    /// Something sets it, but not here.
    Elsewhere,
}

/// Who hands out native memory.
pub enum Allocator {
    /// The C library: nothing preloads another one, or this place keeps the image from doing so.
    Glibc(Option<Place>),
    /// jemalloc, preloaded by the image, or by what stands at this place.
    Jemalloc(Option<Place>),
    /// Another one, or it cannot be told.
    Other,
}

/// A variable of a role's process: of the container, or by Flink's options for containers.
pub fn variable<'a>(case: &Case<'a>, role: Role, name: &str) -> Known<'a> {
    let prefixes = match role {
        Role::TaskManager => ["containerized.taskmanager.env.", "yarn.taskmanager.env."],
        Role::JobManager => ["containerized.master.env.", "yarn.application-master.env."],
    };
    for prefix in prefixes {
        let hidden = |key: &str| key.strip_prefix(prefix).is_some_and(|rest| rest == name || is_placeholder(rest));
        if case.placeholders.iter().any(|(key, _)| hidden(key)) {
            return Known::Elsewhere;
        }
        if let Some((key, setting)) = case.config.with_prefix(prefix).find(|(key, _)| key[prefix.len()..] == *name) {
            let written = Written { key, setting };
            let (value, place) = (written.text(), written.place().clone());
            return Known::Set(Variable { key: Cow::Borrowed(key), value, place });
        }
    }
    let Some(variable) =
        case.pod(role).and_then(|pod| pod.variables.iter().rev().find(|variable| variable.name == *name))
    else {
        return Known::Unset;
    };
    match &variable.value {
        Some(value) if !is_placeholder(value) => Known::Set(Variable {
            key: Cow::Borrowed(&variable.name),
            value: Cow::Borrowed(value),
            place: variable.place.clone(),
        }),
        _ => Known::Elsewhere,
    }
}

/// Who hands out native memory in a role's process.
pub fn of(case: &Case<'_>, role: Role) -> Allocator {
    match case.told.workload.allocator {
        Some(workload::Allocator::Glibc) => return Allocator::Glibc(None),
        Some(workload::Allocator::Jemalloc) => return Allocator::Jemalloc(None),
        None => {}
    }
    match variable(case, role, "LD_PRELOAD") {
        Known::Elsewhere => return Allocator::Other,
        Known::Set(preload) if preload.value.contains("jemalloc") => return Allocator::Jemalloc(Some(preload.place)),
        Known::Set(preload) if preload.value.contains("malloc") => return Allocator::Other,
        Known::Set(_) | Known::Unset => {}
    }
    let in_image = case.pod(role).is_some() || case.deployment == Some(Deployment::Kubernetes);
    if in_image {
        return of_image(case, role);
    }
    match case.deployment {
        // YARN can start its containers from an image too, whatever that image does.
        Some(Deployment::Yarn) => match variable(case, role, "YARN_CONTAINER_RUNTIME_DOCKER_IMAGE") {
            Known::Unset => Allocator::Glibc(None),
            _ => Allocator::Other,
        },
        Some(Deployment::Standalone) => Allocator::Glibc(None),
        _ => Allocator::Other,
    }
}

/// What the image's entry point preloads (`maybe_enable_jemalloc` in `docker-entrypoint.sh`, from 1.12 on).
fn of_image(case: &Case<'_>, role: Role) -> Allocator {
    let official = image(case, role).is_none_or(|image| is_official(&image));
    if !case.profile().behaviour.image_jemalloc {
        return if official { Allocator::Glibc(None) } else { Allocator::Other };
    }
    match variable(case, role, "DISABLE_JEMALLOC") {
        // The entry point compares the text with `false`.
        Known::Set(switch) if !switch.value.is_empty() && switch.value != "false" => {
            Allocator::Glibc(Some(switch.place))
        }
        Known::Elsewhere => Allocator::Other,
        Known::Set(_) | Known::Unset if official => Allocator::Jemalloc(None),
        Known::Set(_) | Known::Unset => Allocator::Other,
    }
}

/// The image that a role's container is told to run.
pub fn image<'a>(case: &Case<'a>, role: Role) -> Option<Cow<'a, str>> {
    let of_pod = case.pod(role).and_then(|pod| pod.image.as_ref());
    let of_pod = of_pod.map(|image| Cow::Borrowed(image.text.as_str()));
    of_pod.or_else(|| {
        let options = ["kubernetes.container.image.ref", "kubernetes.container.image"];
        Some(options.into_iter().find_map(|option| case.find(option))?.text())
    })
}

/// Whether an image is Flink's own, also behind a mirror.
pub fn is_official(image: &str) -> bool {
    let bare = image.split('@').next().unwrap_or(image);
    let last = bare.rsplit('/').next().unwrap_or(bare);
    matches!(last.split(':').next(), Some("flink" | "flink-docker"))
}

/// The release that an image's tag names.
pub fn tagged(image: &str) -> Option<Version> {
    version_in_tag(image)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("flink:1.20.4-java17", true)]
    #[case("registry:5000/apache/flink:2.2.1", true)]
    #[case("ghcr.io/apache/flink-docker:2.3-SNAPSHOT", true)]
    #[case("flink@sha256:abc", true)]
    #[case("registry/team/orders:1.20.4", false)]
    #[case("my-flink:1.20", false)]
    fn flinks_own_image_is_known_by_its_name(#[case] image: &str, #[case] expected: bool) {
        assert_eq!(is_official(image), expected);
    }

    #[rstest]
    #[case("flink:1.20.4-java17", Some("1.20.4"))]
    #[case("flink:1.20-scala_2.12", Some("1.20"))]
    #[case("flink:latest", None)]
    #[case("registry:5000/flink", None)]
    fn a_tag_names_a_release(#[case] image: &str, #[case] expected: Option<&str>) {
        assert_eq!(tagged(image).map(|version| version.to_string()).as_deref(), expected);
    }
}
