//! From a path or standard input to a configuration file's text and the Flink version that reads it: the only part of
//! this room that touches the world.

mod choice;
mod error;
mod kind;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use choice::{Choice, Reason, version};
use choice::{choose, choose_for, newest_reading};
pub use error::LoadError;
use kind::{is_flink_conf_by_name, script_of_name, told_otherwise};

use super::layers::{Assembled, FileText, Layers, Offset, Remark};
use super::manifest;
use super::template::{self, Templates, rendered_name};
use super::{FileKind, Of, Subject};
use crate::flink::Version;
use crate::flink::profile::{ConfigurationFile, MissingFileShows, Profile};
use crate::model::{Bytes, Place, Source};

/// A configuration file is never larger; what is, is something else.
pub const MAX_FILE: Bytes = Bytes::mib(16);

/// So much of a file tells whether it is text.
const BEGINNING: usize = 1024;

/// Where the configuration file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// No file: everything is in arguments.
    Nothing,
    /// Standard input.
    Stdin,
    /// A file, or a configuration directory.
    Path(PathBuf),
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Nothing => f.write_str("the arguments"),
            Input::Stdin => f.write_str("<stdin>"),
            Input::Path(path) => path.display().fmt(f),
        }
    }
}

/// What was read of one cluster or process, with nothing of Flink's own configuration interpreted yet.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says.
    pub subject: Subject,
    /// The Flink version.
    pub choice: Choice,
}

/// A text that was read, and what its name and its folder tell about it.
#[derive(Clone, Debug)]
pub struct TextInput {
    /// Where it comes from.
    pub source: Source,
    /// The text.
    pub text: String,
    /// Which of Flink's files its name says it is.
    pub kind_by_name: Option<FileKind>,
    /// The distribution it lies in: its version and the jar that tells it.
    pub distribution: Option<(Version, String)>,
    /// What to do where it is a template.
    pub templates: Templates,
}

/// Words of which every configuration of Flink's has one.
const FLINKS_WORDS: [&str; 12] = [
    "taskmanager",
    "jobmanager",
    "flink",
    "Flink",
    "FLINK",
    "state.",
    "execution.",
    "parallelism",
    "yarn.",
    "env.java",
    "SET '",
    "kubernetes.",
];

impl TextInput {
    /// Whether a file that nobody named may be Flink's; what is told from one look, so that a large repository is passed
    /// over quickly.
    pub fn may_be_flinks(&self) -> bool {
        FLINKS_WORDS.iter().any(|word| self.text.contains(word)) || self.kind_by_name == Some(FileKind::Legacy)
    }
}

/// Reads one file; what is in it is not looked at.
pub fn read(path: &Path) -> Result<TextInput, LoadError> {
    let text = read_file(path)?;
    Ok(TextInput {
        source: Source::File(Arc::from(path.display().to_string())),
        text,
        kind_by_name: path.file_name().and_then(|n| n.to_str()).map(rendered_name).and_then(FileKind::of_name),
        distribution: path.parent().and_then(distribution_of),
        templates: Templates::Refused,
    })
}

/// Reads standard input.
pub fn read_stdin() -> Result<TextInput, LoadError> {
    let text = bounded_text("<stdin>", &mut io::stdin().lock(), None)?;
    Ok(TextInput { source: Source::Stdin, text, kind_by_name: None, distribution: None, templates: Templates::Refused })
}

/// Reads the input and decides on the version. A configuration file holds one subject, a manifest or a log may hold more;
/// there is always at least one.
pub fn load(input: &Input, asked: Option<Version>) -> Result<Vec<Loaded>, LoadError> {
    match input {
        Input::Nothing => {
            let choice = version(asked)?;
            Ok(vec![Loaded { subject: Subject::default(), choice }])
        }
        Input::Stdin => of_flink(interpret(read_stdin()?, asked)?, input),
        Input::Path(path) if path.is_dir() => from_directory(path, asked).map(|loaded| vec![loaded]),
        Input::Path(path) => of_flink(interpret(read(path)?, asked)?, input),
    }
}

/// What can be planned is Flink's.
fn of_flink(loaded: Vec<Loaded>, input: &Input) -> Result<Vec<Loaded>, LoadError> {
    if loaded.iter().all(|loaded| loaded.subject.of == Of::Flink) {
        return Ok(loaded);
    }
    let reason = "it is Hadoop's and holds no Flink configuration: plan the config.yaml or flink-conf.yaml with \
                  --deployment yarn; oomph check reads this file";
    let place = Place::of(Source::File(Arc::from(input.to_string())));
    Err(LoadError::Untold { place, reason: reason.to_owned() })
}

/// Whether a file is a manifest, by its content; one that cannot be read is none.
pub fn is_manifest(path: &Path) -> bool {
    read_file(path).is_ok_and(|text| manifest::is_manifest(&text))
}

/// The subjects of a text. Its kind is told by its name, else by the version where that reads one kind only, else by its
/// content.
pub fn interpret(input: TextInput, asked: Option<Version>) -> Result<Vec<Loaded>, LoadError> {
    if input.templates == Templates::Masked
        && let Some(masked) = template::mask(&input.text)
    {
        let mut all = told_of(TextInput { text: masked.text, ..input }, asked).map_err(LoadError::of_template)?;
        for loaded in &mut all {
            loaded.subject.templated = true;
            loaded.subject.open |= masked.open;
        }
        return Ok(all);
    }
    told_of(input, asked)
}

fn told_of(input: TextInput, asked: Option<Version>) -> Result<Vec<Loaded>, LoadError> {
    let TextInput { source, text, kind_by_name, distribution, .. } = input;
    let path = source.to_string();
    if kind_by_name.is_none()
        && let Some(subjects) = told_otherwise(&source, &text, script_of_name(&source))
    {
        return subjects?.into_iter().map(|subject| choose_for(&path, subject, asked)).collect();
    }
    let told = match (asked, distribution) {
        (Some(version), _) => Some(choose(&path, version, Reason::Asked)?),
        (None, Some((version, jar))) => Some(choose(&path, version, Reason::Distribution(jar))?),
        (None, None) => None,
    };
    let kind_by_version = told.as_ref().and_then(|c| match c.profile.behaviour.configuration_file {
        ConfigurationFile::LegacyOnly => Some(FileKind::Legacy),
        ConfigurationFile::StandardOnly => Some(FileKind::Standard),
        ConfigurationFile::LegacyElseStandard => None,
    });
    let kind = kind_by_name.or(kind_by_version).unwrap_or_else(|| match is_flink_conf_by_name(&path) {
        true => FileKind::Legacy,
        false => FileKind::of_text(&text),
    });
    let choice = match told {
        Some(choice) => choice,
        None => choose(&path, newest_reading(kind), Reason::NewestReading(kind))?,
    };
    let mut remarks = Vec::new();
    if !kind.is_read_by(choice.profile) {
        let text = format!(
            "Flink {} does not read a {kind}: it is planned as if its keys stood in the {} that it reads",
            choice.version,
            kind.other()
        );
        remarks.push(Remark { place: Place::of(source.clone()), text });
    }
    let file = FileText { source, kind, text, offset: Offset::default() };
    Ok(vec![Loaded { subject: Subject { remarks, ..Subject::of_file(file) }, choice }])
}

/// Puts further layers on top of what was loaded. A standard YAML file that Flink refuses is refused here, with its
/// place.
pub fn assemble(loaded: &Loaded, layers: &Layers) -> Result<Assembled, LoadError> {
    let subject = &loaded.subject;
    let environment = subject.environment.iter().chain(&layers.environment).cloned().collect();
    let layers = Layers {
        shipped: subject.shipped,
        file: subject.file.clone(),
        settings: subject.settings.clone(),
        resources: subject.resources.clone(),
        yarn: subject.yarn.clone(),
        arguments: subject.arguments.clone(),
        environment,
        ..layers.clone()
    };
    layers.assemble(loaded.choice.profile).map_err(|e| {
        let place = subject.file.as_ref().map_or(Place::of(Source::Caller), |file| Place {
            source: file.source.clone(),
            position: Some(file.offset.moved(&file.text, e.position)),
        });
        let error = LoadError::Yaml { place, reason: e.reason, refused: !e.beyond_oomph };
        if subject.templated { error.of_template() } else { error }
    })
}

fn from_directory(directory: &Path, asked: Option<Version>) -> Result<Loaded, LoadError> {
    let name = directory.display().to_string();
    let file = |kind: FileKind| Some(directory.join(kind.file_name())).filter(|path| path.is_file());
    let (legacy, standard) = (file(FileKind::Legacy), file(FileKind::Standard));
    let choice = match (asked, distribution_of(directory)) {
        (Some(version), _) => choose(&name, version, Reason::Asked)?,
        (None, Some((version, jar))) => choose(&name, version, Reason::Distribution(jar))?,
        (None, None) => {
            let kind = if standard.is_none() && legacy.is_some() { FileKind::Legacy } else { FileKind::Standard };
            choose(&name, newest_reading(kind), Reason::NewestReading(kind))?
        }
    };
    let kind = FileKind::read_by(choice.profile, legacy.is_some());
    let (found, passed_over) = match kind {
        FileKind::Legacy => (legacy, standard),
        FileKind::Standard => (standard, legacy),
    };
    let Some(path) = found else {
        return Err(missing(&name, choice.profile, kind, passed_over.is_some()));
    };
    let mut remarks = Vec::new();
    if let Some(passed_over) = passed_over {
        let text = format!("Flink {} reads {} and not this file", choice.version, kind.file_name());
        let source = Source::File(Arc::from(passed_over.display().to_string()));
        remarks.push(Remark { place: Place::of(source), text });
    }
    let source = Source::File(Arc::from(path.display().to_string()));
    let file = FileText { source, kind, text: read_file(&path)?, offset: Offset::default() };
    Ok(Loaded { subject: Subject { remarks, ..Subject::of_file(file) }, choice })
}

fn missing(directory: &str, profile: &Profile, kind: FileKind, other_exists: bool) -> LoadError {
    let inside = Path::new(directory).join("conf");
    let remedy = if other_exists {
        format!("There is a {}, which Flink {} does not read.", kind.other(), profile.version())
    } else if [FileKind::Standard, FileKind::Legacy].iter().any(|kind| inside.join(kind.file_name()).is_file()) {
        format!("There is one in {}.", inside.display())
    } else {
        format!(
            "A configuration directory holds {} or {}; oomph check finds them anywhere below a directory.",
            FileKind::Standard,
            FileKind::Legacy
        )
    };
    LoadError::NoConfiguration {
        directory: directory.to_owned(),
        message: missing_message(directory, kind, profile),
        remedy,
    }
}

/// Flink's message about a configuration directory without its file (`GlobalConfiguration.loadConfiguration`).
pub fn missing_message(directory: &str, kind: FileKind, profile: &Profile) -> String {
    let file = format!("{directory}/{kind}");
    let shown = match profile.behaviour.missing_file_shows {
        MissingFileShows::Directory => directory,
        MissingFileShows::File => &file,
    };
    format!("The Flink config file '{file}' ({shown}) does not exist.")
}

/// The version of the Flink distribution that a configuration directory lies in, told by `../lib/flink-dist*.jar`.
fn distribution_of(directory: &Path) -> Option<(Version, String)> {
    let lib = directory.join("../lib");
    for entry in std::fs::read_dir(&lib).ok()?.flatten() {
        // A name that is no UTF-8 is no jar of Flink's.
        let Ok(name) = entry.file_name().into_string() else { continue };
        // flink-dist-1.20.5.jar, flink-dist_2.12-1.13.6.jar
        let version = name.strip_prefix("flink-dist").and_then(|n| n.strip_suffix(".jar")).and_then(|n| {
            let (_, version) = n.split_once('-')?;
            version.parse().ok()
        });
        if let Some(version) = version {
            return Some((version, lib.join(name).display().to_string()));
        }
    }
    None
}

fn read_file(path: &Path) -> Result<String, LoadError> {
    let name = path.display().to_string();
    let io = |source| LoadError::Io { path: name.clone(), source };
    let mut file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    bounded_text(&name, &mut file, Some(Bytes::new(size)))
}

fn bounded_text(path: &str, reader: &mut dyn Read, size: Option<Bytes>) -> Result<String, LoadError> {
    let too_large = |size: String| LoadError::TooLarge { path: path.to_owned(), size };
    if let Some(size) = size.filter(|size| *size > MAX_FILE) {
        return Err(too_large(format!("it has {} bytes", size.get())));
    }
    let mut bytes = Vec::new();
    let read = reader.take(MAX_FILE.get() + 1).read_to_end(&mut bytes);
    read.map_err(|source| LoadError::Io { path: path.to_owned(), source })?;
    if bytes.len() as u64 > MAX_FILE.get() {
        return Err(too_large(format!("it has more than {} bytes", MAX_FILE.get())));
    }
    if bytes.iter().take(BEGINNING).any(|byte| *byte == 0) {
        return Err(LoadError::NotText { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|e| {
        let valid = e.utf8_error().valid_up_to();
        let bytes = e.as_bytes();
        let before = String::from_utf8_lossy(&bytes[..valid]);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        LoadError::NotUtf8 {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            byte: bytes[valid],
        }
    })
}

#[cfg(test)]
mod tests;
