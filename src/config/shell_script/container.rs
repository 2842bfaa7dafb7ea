//! `docker run` of an image of Flink's.

use super::client::{assignment, base, property};
use super::words::Word;
use crate::config::layers::Remark;
use crate::config::manifest::version_in_tag;
use crate::config::subject::{Placed, Written};
use crate::config::{environment, is_placeholder};
use crate::model::{Bytes, Place, Role};

/// A container that is started.
#[derive(Clone, Debug, Default)]
pub struct Started {
    /// Variables that matter: name, and value where it is given.
    pub variables: Vec<(&'static str, Option<Word>)>,
    /// The version that the image's tag names.
    pub version: Option<String>,
    /// Whose process it is.
    pub role: Option<Role>,
    /// Dynamic properties of its command.
    pub settings: Vec<Placed>,
    /// The memory it may take.
    pub memory: Option<Word>,
}

/// Options of `docker run` without a value.
const ALONE: [&str; 16] = [
    "--detach",
    "--disable-content-trust",
    "--help",
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--privileged",
    "--publish-all",
    "--quiet",
    "--read-only",
    "--rm",
    "--sig-proxy",
    "--tty",
    "--replace",
    "--tls-verify",
];

/// What a command starts, if it is a `docker run` about Flink.
pub fn started(words: &[Word]) -> Option<Started> {
    let words = match words {
        [sudo, rest @ ..] if sudo.text == "sudo" => rest,
        all => all,
    };
    let [engine, rest @ ..] = words else { return None };
    if !["docker", "podman", "nerdctl"].contains(&base(&engine.text)) {
        return None;
    }
    let rest = match rest {
        [word, rest @ ..] if word.text == "container" => rest,
        all => all,
    };
    let [run, rest @ ..] = rest else { return None };
    if !["run", "create"].contains(&run.text.as_str()) {
        return None;
    }
    let mut started = Started::default();
    let mut at = 0;
    while let Some(word) = rest.get(at).filter(|word| word.text.starts_with('-')) {
        at += 1;
        let short = !word.text.starts_with("--");
        let (name, inline) = match word.text.split_once('=').filter(|_| !short) {
            Some((name, value)) => (name, Some(word.behind(word.text.len() - value.len()))),
            _ if short && word.text.len() > 2 && word.text.starts_with("-e") => ("-e", Some(word.behind(2))),
            _ if short && word.text.len() > 2 && word.text.starts_with("-m") => ("-m", Some(word.behind(2))),
            _ => (word.text.as_str(), None),
        };
        let alone =
            inline.is_some() || ALONE.contains(&name) || short && name.chars().skip(1).all(|c| "ditP".contains(c));
        let next = if alone { None } else { rest.get(at) };
        at += usize::from(!alone);
        match name {
            "-e" | "--env" => started.variable(inline.as_ref().or(next)),
            "-m" | "--memory" => started.memory = inline.or(next.cloned()).or(started.memory),
            _ => {}
        }
    }
    let (image, command) = rest.get(at..)?.split_first()?;
    started.role = command.iter().find_map(|word| super::role(base(&word.text)));
    started.settings = dynamic(command);
    started.version = version_in_tag(&image.text);
    let named = image.text.rsplit('/').take(2).any(|part| part.contains("flink"));
    (named || !started.variables.is_empty()).then_some(started)
}

/// The memory that a container may take, in Docker's units; nothing where only a shell knows it.
pub fn limit(word: &Word) -> Result<Option<Written>, Remark> {
    let place = Place { source: word.inlay.source().clone(), position: Some(word.position(&word.text)) };
    match Bytes::parse_docker(&word.text) {
        Ok(bytes) => Ok(Some(Written { bytes, place })),
        Err(_) if is_placeholder(&word.text) => Ok(None),
        Err(error) => Err(Remark { place, text: error.to_string() }),
    }
}

impl Started {
    /// `NAME=value`, or `NAME`.
    fn variable(&mut self, word: Option<&Word>) {
        let Some(word) = word else { return };
        let (name, value) = match assignment(word) {
            Some((name, behind)) => (name, Some(word.behind(behind))),
            None => (word.text.as_str(), None),
        };
        let known = environment::VARIABLES.into_iter().find(|known| *known == name);
        self.variables.extend(known.map(|name| (name, value)));
    }
}

/// `-D key=value` and `-Dkey=value` among the words of a container's command.
pub fn dynamic(words: &[Word]) -> Vec<Placed> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.text.strip_prefix("-D") {
            Some("") => found.extend(words.next().and_then(|word| property(word, 0))),
            Some(_) => found.extend(property(word, 2)),
            None => {}
        }
    }
    found
}
