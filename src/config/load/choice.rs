//! Which Flink version a configuration is read with, and why.

use std::fmt;
use std::sync::Arc;

use super::{LoadError, Loaded};
use crate::config::layers::Remark;
use crate::config::manifest::IMAGE_TAG;
use crate::config::{FileKind, Subject, template};
use crate::flink::Version;
use crate::flink::profile::{Match, Profile};
use crate::model::{Place, Source};

/// A Flink version, its profile, and why it is this one.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The version.
    pub version: Version,
    /// What oomph knows of it.
    pub profile: &'static Profile,
    /// Whether the profile is of the very line.
    pub found: Match,
    /// Why this version.
    pub reason: Reason,
}

/// Why a version was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The caller named it.
    Asked,
    /// The configuration belongs to a distribution, whose jar names it.
    Distribution(String),
    /// The input itself names it, as these words say.
    Told(String),
    /// Nothing names it: the newest that reads this kind of file.
    NewestReading(FileKind),
    /// Nothing names it and there is no file: the newest.
    Newest,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Asked => f.write_str("as asked"),
            Reason::Told(words) => f.write_str(words),
            Reason::Distribution(jar) => write!(f, "of the distribution it lies in, {jar}"),
            Reason::NewestReading(kind) => write!(f, "the newest that reads a {kind}; name another with --flink"),
            Reason::Newest => f.write_str("the newest; name another with --flink"),
        }
    }
}

/// The version of what is read from no file.
pub fn version(asked: Option<Version>) -> Result<Choice, LoadError> {
    match asked {
        Some(version) => choose("the configuration", version, Reason::Asked),
        None => choose("the configuration", Profile::newest().version(), Reason::Newest),
    }
}

pub(super) fn choose(path: &str, version: Version, reason: Reason) -> Result<Choice, LoadError> {
    let (profile, found) =
        Profile::of(version).map_err(|source| LoadError::Version { path: path.to_owned(), source })?;
    Ok(Choice { version, profile, found, reason })
}

/// Decides on the version of a manifest's or log's subject.
pub(super) fn choose_for(path: &str, mut subject: Subject, asked: Option<Version>) -> Result<Loaded, LoadError> {
    let told = subject.version.take().and_then(|(text, words)| match text.parse() {
        // The tag of somebody's own image may count that image's versions.
        Ok(version) if words == IMAGE_TAG && Profile::of(version).is_err() => {
            let text = format!("the image's tag names {text}, which is no Flink version that oomph knows");
            subject.remarks.push(Remark { place: Place::of(Source::File(Arc::from(path))), text });
            None
        }
        Ok(version) => Some((version, Reason::Told(words))),
        Err(_) if template::is_hidden(&text) => None,
        Err(_) => {
            let text = format!("`{text}` is no Flink version");
            subject.remarks.push(Remark { place: Place::of(Source::File(Arc::from(path))), text });
            None
        }
    });
    let choice = match (asked, told, &subject.file) {
        (Some(version), _, _) => choose(path, version, Reason::Asked)?,
        (None, Some((version, reason)), _) => choose(path, version, reason)?,
        (None, None, Some(file)) => choose(path, newest_reading(file.kind), Reason::NewestReading(file.kind))?,
        (None, None, None) => choose(path, Profile::newest().version(), Reason::Newest)?,
    };
    Ok(Loaded { subject, choice })
}

pub(super) fn newest_reading(kind: FileKind) -> Version {
    Profile::newest_where(|p| kind.is_read_by(p)).unwrap_or(Profile::newest()).version()
}
