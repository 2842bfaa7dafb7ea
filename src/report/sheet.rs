//! Everything that a report on one plan may show.

use crate::config::layers::Remark;
use crate::config::load::Choice;
use crate::config::{Config, Fleet, Pod};
use crate::flink::Version;
use crate::flink::profile::Match;
use crate::model::{Place, Provenance};
use crate::plan::rejection::Outcome;
use crate::plan::{Deployment, Question, Rejected, Survey};
use crate::recommend::mend::Cure;
use crate::recommend::network::NetworkAnswer;
use crate::repro::need::WorkloadNeed;
use crate::repro::settings::SettingsError;

/// One configuration, what was asked of it and what came out.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// The file or directory, as it was given; nothing where everything is in arguments.
    pub source: Option<String>,
    /// Which part of it, where it holds several: `FlinkDeployment orders`.
    pub name: Option<String>,
    /// The pod as its manifest describes it.
    pub pod: Option<Pod>,
    /// How many run, and whose they are, as far as the manifest tells.
    pub fleet: Fleet,
    /// Where the configuration was inferred from a command line: what fits and what does not.
    pub inferred: Vec<String>,
    /// The version and why it is this one.
    pub choice: Choice,
    /// What was asked.
    pub question: Question,
    /// Whether the consumers of managed memory were only supposed.
    pub consumers_supposed: bool,
    /// The configuration.
    pub config: Config,
    /// What has no effect.
    pub remarks: Vec<Remark>,
    /// What came out.
    pub outcome: Result<Survey, Rejected>,
    /// What Flink would accept instead, where it refuses and that was looked for.
    pub cures: Option<Vec<Cure>>,
    /// What a job needs in network buffers, where one was told of.
    pub network_need: Option<Outcome<NetworkAnswer>>,
    /// What a workload will take of RocksDB's memory, where one was told of.
    pub workload_need: Option<Result<WorkloadNeed, SettingsError>>,
}

impl Sheet {
    /// The version that the plan is of; another than the one asked for where that is not known.
    pub fn planned_version(&self) -> Version {
        match self.choice.found {
            Match::Line => self.choice.version,
            Match::NewestKnown => self.choice.profile.version(),
        }
    }

    /// What is planned: the part of the input and the input.
    pub fn title(&self) -> Option<String> {
        match (&self.name, &self.source) {
            (Some(name), Some(source)) => Some(format!("{name} in {source}")),
            (name, source) => name.clone().or(source.clone()),
        }
    }

    /// The version and why it is this one, in a line.
    pub fn version_line(&self) -> String {
        let Choice { version, found, reason, .. } = &self.choice;
        match found {
            Match::Line => format!("{version}, {reason}"),
            Match::NewestKnown => format!(
                "{}: {version} ({reason}) is not known to oomph, so the newest known before it stands in",
                self.planned_version()
            ),
        }
    }

    /// Who starts the processes.
    pub fn deployment(&self) -> Deployment {
        self.question.deployment
    }

    /// Who starts the processes, in words.
    pub fn deployment_in_words(&self) -> &'static str {
        match self.deployment() {
            Deployment::Standalone => "standalone",
            Deployment::Yarn => "on YARN",
            Deployment::Kubernetes => "on Kubernetes",
            Deployment::None => "deployment left open",
        }
    }

    /// The places whose values a setting hides.
    pub fn overridden(&self, provenance: &Provenance) -> Vec<&Place> {
        let setting = match provenance {
            Provenance::Set { key, .. } => self.config.get(key),
            _ => None,
        };
        setting.iter().flat_map(|setting| &setting.overridden).map(|lost| &lost.place).collect()
    }
}
