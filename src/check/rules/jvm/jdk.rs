//! Which JDK runs a process, where the text names one.

use std::borrow::Cow;

use crate::check::Case;
use crate::model::{Place, Role};

/// A JDK that the text names.
#[derive(Clone, Debug, PartialEq)]
pub struct Jdk {
    /// The feature release: 8, 11, 17.
    pub release: u16,
    /// The update of a JDK 8.
    pub update: Option<u16>,
    /// Where it is named, unless it is the tag of an image.
    pub place: Option<Place>,
}

/// The JDK of a role: as a variable of the container, as `env.java.home`, or as an image's tag names it.
pub fn named(case: &Case<'_>, role: Role) -> Option<Jdk> {
    let variables = match role {
        Role::TaskManager => ["containerized.taskmanager.env.JAVA_HOME", "env.java.home"],
        Role::JobManager => ["containerized.master.env.JAVA_HOME", "env.java.home"],
    };
    let of = |text: &str, place: &Place| {
        let (release, update) = of_home(text)?;
        Some(Jdk { release, update, place: Some(place.clone()) })
    };
    let mut pod = case.pod(role).into_iter().flat_map(|pod| &pod.variables);
    let home = pod
        .find(|variable| variable.name == "JAVA_HOME")
        .and_then(|variable| of(variable.value.as_deref()?, &variable.place))
        .or_else(|| {
            let written = variables.into_iter().find_map(|key| case.exactly(key))?;
            of(&written.text(), written.place())
        });
    home.or_else(|| {
        let release = of_images(case.text_of_input())?;
        Some(Jdk { release, update: None, place: None })
    })
}

/// The release and update in a path such as `/usr/lib/jvm/java-11-openjdk` or `/opt/jdk1.8.0_192`.
fn of_home(path: &str) -> Option<(u16, Option<u16>)> {
    let path = path.to_lowercase();
    let number = |text: &str| -> Option<u16> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    for old in ["1.8.0_", "1.8.0-", "jdk-8u", "jdk8u", "jre8u"] {
        if let Some((_, rest)) = path.split_once(old) {
            return Some((8, number(rest)));
        }
    }
    if path.contains("1.8") {
        return Some((8, None));
    }
    let names = ["openjdk", "jdk", "jre", "java", "zulu", "temurin", "corretto"];
    let release = names.into_iter().find_map(|name| {
        path.match_indices(name).find_map(|(at, _)| number(path[at + name.len()..].trim_start_matches(['-', '_'])))
    });
    release.filter(|release| (8..100).contains(release)).map(|release| (release, None))
}

/// The release in the tags of all images of Flink that a text names, where they agree: `flink:1.20-java17`.
fn of_images(text: &str) -> Option<u16> {
    let mut found = None;
    for (at, mark) in text.match_indices("-java") {
        let digits = &text[at + mark.len()..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let Ok(release) = digits[..end].parse::<u16>() else { continue };
        let line = text[..at].rsplit('\n').next().map_or(Cow::Borrowed(""), |line| line.to_lowercase().into());
        if !line.contains("image") && !line.trim_start().starts_with("from ") || line.trim_start().starts_with('#') {
            continue;
        }
        if found.is_some_and(|known| known != release) {
            return None;
        }
        found = Some(release);
    }
    found
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/usr/lib/jvm/java-11-openjdk-amd64", Some((11, None)))]
    #[case("/usr/java/jdk1.8.0_192", Some((8, Some(192))))]
    #[case("/usr/lib/jvm/java-1.8.0-openjdk", Some((8, None)))]
    #[case("/opt/jdk8u202-b08", Some((8, Some(202))))]
    #[case("/usr/lib/jvm/java-1.8.0-openjdk-1.8.0.292.b10-1.el7_9.x86_64", Some((8, None)))]
    #[case("/opt/jdk-17.0.2", Some((17, None)))]
    #[case("/opt/java/openjdk", None)]
    #[case("/usr/lib/jvm/default", None)]
    fn a_path_may_name_the_release(#[case] path: &str, #[case] expected: Option<(u16, Option<u16>)>) {
        assert_eq!(of_home(path), expected);
    }

    #[rstest]
    #[case("spec:\n  image: flink:1.20-scala_2.12-java17\n", Some(17))]
    #[case("image: flink:1.20-java17\nimage: flink:1.20-java11\n", None)]
    #[case("# image: flink:1.20-java17\n", None)]
    #[case("FROM flink:1.20-java11\n", Some(11))]
    #[case("jarURI: local:///opt/job-java8.jar\n", None)]
    fn tags_of_images_name_the_release_where_they_agree(#[case] text: &str, #[case] expected: Option<u16>) {
        assert_eq!(of_images(text), expected);
    }
}
