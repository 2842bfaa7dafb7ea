//! Who died: configuration, version and deployment, from `--conf` or from what the artefacts themselves show.

use std::path::Path;
use std::sync::Arc;

use crate::artefact::excerpt::Excerpt;
use crate::cli::plan::gather::{Asked, Request};
use crate::config::FileKind;
use crate::config::load::{self, Choice, Input, LoadError, Reason, TextInput};
use crate::config::template::Templates;
use crate::diagnose::postmortem::Judged;
use crate::diagnose::postmortem::identity;
use crate::diagnose::postmortem::signal::{Says, Signal};
use crate::flink::Version;
use crate::flink::profile::Profile;
use crate::model::{Area, Bytes, Deployment, Killer, Place, Role, Source};
use crate::plan::Survey;
use crate::recommend::cure::{Advice, Evidence, Patient, cure};
use crate::report::Sheet;

/// What the process was planned from.
pub struct Found {
    /// Its configuration and plan.
    pub sheet: Sheet,
    /// Whether it is the user's own file.
    pub whole: bool,
    /// Where it is from, an end to the sentence "the budget is that of".
    pub from: String,
}

impl Found {
    /// The plan, where Flink takes the configuration.
    pub fn survey(&self) -> Option<&Survey> {
        self.sheet.outcome.as_ref().ok()
    }
}

/// What is told on the command line of the process that died.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    pub version: Option<Version>,
    pub role: Option<Role>,
    pub deployment: Option<Deployment>,
}

impl Told {
    /// The same with what is left in the place of what nobody told: the version that an artefact names, or that alone
    /// gives the flags, and who started the process. A configuration file tells neither.
    pub fn or_left(self, judged: &Judged<'_>, signals: &[Signal], excerpts: &[(String, Excerpt)], role: Role) -> Told {
        let sheet = shown(excerpts, Told::default(), role).map(|found| found.sheet);
        let by_start = || match sheet.as_ref()?.choice {
            Choice { version, reason: Reason::Told(_), .. } => Some(version),
            _ => None,
        };
        // One that oomph cannot plan with is no reason to say nothing of the file.
        let known = |version: &Version| Profile::of(*version).is_ok();
        let by_killer = match judged.verdict.killer {
            Killer::YarnPmem | Killer::YarnVmem | Killer::YarnElastic => Some(Deployment::Yarn),
            Killer::KubeletEvict => Some(Deployment::Kubernetes),
            _ => None,
        };
        // Standalone is what it is taken for where nothing tells.
        let deployed = sheet.as_ref().map(|sheet| sheet.question.deployment);
        let deployed = deployed.filter(|deployment| *deployment != Deployment::Standalone);
        Told {
            version: self.version.or_else(|| version_of(signals).or_else(by_start).filter(known)),
            role: self.role,
            deployment: self.deployment.or(by_killer).or(deployed),
        }
    }
}

/// The configuration that the user gives.
pub fn configured(conf: &Path, told: Told, role: Role) -> Result<Found, LoadError> {
    let input = Input::Path(conf.to_owned());
    let loaded = load::load(&input, told.version)?;
    let mut fitting = loaded.into_iter().filter(|loaded| loaded.subject.role.is_none_or(|known| known == role));
    let Some(loaded) = fitting.next() else {
        let place = Place::of(Source::File(Arc::from(conf.display().to_string().as_str())));
        return Err(LoadError::Untold { place, reason: format!("it holds no configuration of a {role}") });
    };
    let asked = Asked { role: Some(role), deployment: told.deployment, ..Asked::default() };
    let sheet = Request::default().sheet_of(&asked, &input, loaded)?;
    Ok(Found { sheet, whole: true, from: conf.display().to_string() })
}

/// The configuration that an artefact shows: a startup block, a command line with memory flags. The first that can be
/// planned counts.
pub fn shown(excerpts: &[(String, Excerpt)], told: Told, role: Role) -> Option<Found> {
    let mut refused = None;
    for (name, excerpt) in excerpts {
        let input = TextInput {
            source: Source::File(Arc::from(name.as_str())),
            text: excerpt.text().to_owned(),
            kind_by_name: None,
            distribution: None,
            templates: Templates::Refused,
        };
        if !is_start(&input.text) {
            continue;
        }
        let Ok(loaded) = load::interpret(input, told.version) else { continue };
        for loaded in loaded {
            if loaded.subject.role.is_some_and(|known| known != role) {
                continue;
            }
            let asked = Asked { role: Some(role), deployment: told.deployment, ..Asked::default() };
            let Ok(sheet) = Request::default().sheet_of(&asked, &Input::Path(name.into()), loaded) else { continue };
            let found = Found { sheet, whole: false, from: name.clone() };
            if found.survey().is_some() {
                return Some(found);
            }
            refused.get_or_insert(found);
        }
    }
    refused
}

/// Whether a file that was named is Flink's configuration itself.
pub fn is_configuration(name: &str) -> bool {
    let name = name.rsplit(['/', ':']).next().unwrap_or(name);
    matches!(name, "flink-conf.yaml" | "config.yaml")
}

/// Whether a text shows how a process was started: nothing else is to be taken for a configuration.
fn is_start(text: &str) -> bool {
    ["Memory configuration:", "-Xmx", "jvm_params", "taskmanager.memory.", "jobmanager.memory."]
        .iter()
        .any(|word| text.contains(word))
}

/// What signals say was set, as a configuration: what is left where no text can be planned from.
pub fn pieced_together(signals: &[Signal], told: Told, role: Role) -> Option<Found> {
    let mut lines = String::new();
    for signal in signals {
        if let Says::Given { key, value } = &signal.says
            && !key.starts_with('-')
            && key.contains('.')
            && !key.contains(char::is_whitespace)
            && !value.contains(['\n', '\r'])
        {
            lines += &format!("{key}: {value}\n");
        }
    }
    let input = TextInput {
        source: Source::Caller,
        text: lines,
        kind_by_name: Some(FileKind::Legacy),
        distribution: None,
        templates: Templates::Refused,
    };
    let version = told.version.or_else(|| version_of(signals));
    let loaded = load::interpret(input, version).ok()?.pop()?;
    let asked = Asked { role: Some(role), deployment: told.deployment, ..Asked::default() };
    let sheet = Request::default().sheet_of(&asked, &Input::Nothing, loaded).ok()?;
    Some(Found { sheet, whole: false, from: "what is left".to_owned() })
}

/// The version that an artefact names.
fn version_of(signals: &[Signal]) -> Option<Version> {
    signals.iter().find_map(|signal| match &signal.says {
        Says::Given { key, value } if key == identity::VERSION => value.parse().ok(),
        _ => None,
    })
}

/// What to change, and what not.
pub fn advice(judged: &Judged<'_>, found: &Found) -> Advice {
    patient(judged, found).map_or_else(Advice::default, |patient| cure(&patient))
}

/// Who is to be cured; nobody where no cause is known.
fn patient<'f>(judged: &Judged<'_>, found: &'f Found) -> Option<Patient<'f>> {
    judged.verdict.code.map(|code| of_cause(judged, found, code))
}

/// The same for a proposal, which needs no cause.
pub fn patient_of<'f>(judged: &Judged<'_>, found: &'f Found) -> Patient<'f> {
    of_cause(judged, found, judged.verdict.code.unwrap_or_default())
}

fn of_cause<'f>(judged: &Judged<'_>, found: &'f Found, code: &'static str) -> Patient<'f> {
    let sheet = &found.sheet;
    let verdict = &judged.verdict;
    let shortfall = match (verdict.usage, verdict.limit) {
        (Some(usage), Some(limit)) => usage.checked_sub(limit).filter(|over| *over > Bytes::ZERO),
        _ => None,
    };
    Patient {
        role: sheet.question.role,
        config: &sheet.config,
        whole: found.whole,
        profile: sheet.choice.profile,
        version: sheet.choice.version,
        question: &sheet.question,
        cause: code,
        limit: verdict.limit,
        usage: verdict.usage,
        shortfall,
        evidence: evidence(judged, sheet),
    }
}

fn evidence(judged: &Judged<'_>, sheet: &Sheet) -> Evidence {
    let case = &judged.case;
    let set = |key: &str| {
        let value = sheet.config.get(key).map(|setting| setting.value.java_text().into_owned());
        value.or_else(|| case.given(key).map(|(_, value)| value.to_owned())).map(|value| value.trim().to_lowercase())
    };
    let is = |key: &str, wanted: &str| set(key).is_some_and(|value| value == wanted);
    let backend = set("state.backend.type").or_else(|| set("state.backend"));
    let told = |words: &[&str]| !case.told_with(words).is_empty();
    let area = judged.verdict.area;
    let usage = judged.verdict.usage;
    Evidence {
        rocksdb: !case.shows_rocksdb().is_empty()
            || backend.as_deref().is_some_and(|backend| backend.contains("rocksdb")),
        rocksdb_unmanaged: is("state.backend.rocksdb.memory.managed", "false"),
        leak: !case.strains(&["leak"]).is_empty(),
        glibc: case.given(identity::ALLOCATOR).map(|(_, allocator)| allocator == "glibc"),
        python: case.signals.iter().any(|signal| signal.origin == crate::diagnose::postmortem::signal::Origin::Python)
            || told(&["python"])
            || !case.strains(&["python-workers"]).is_empty(),
        python_used: case.strains(&["python-workers"]).into_iter().filter_map(|(_, strain)| strain.usage).max(),
        batch: is("execution.runtime-mode", "batch")
            || told(&["BatchShuffleReadBufferPool", "SortMergeResultPartition"]),
        latency_tracking: set("metrics.latency.interval").is_some_and(|value| value != "0" && value != "0 ms"),
        heap_state: backend
            .as_deref()
            .is_some_and(|backend| matches!(backend, "hashmap" | "filesystem" | "jobmanager" | "memory")),
        direct_is_flinks: (area == Area::Direct)
            .then(|| {
                told(&[
                    "BatchShuffleReadBufferPool",
                    "NettyShuffle",
                    "NetworkBufferPool",
                    "org.apache.flink.runtime.io.network",
                ])
            })
            .filter(|known| *known),
        heap_live: usage.filter(|_| area == Area::Heap),
        metaspace_used: usage.filter(|_| area == Area::Metaspace),
        direct_used: usage.filter(|_| area == Area::Direct),
        network_need: usage.filter(|_| area == Area::Network),
    }
}
