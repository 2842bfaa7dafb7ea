//! `oomph.yaml`: what a team decides for all its files.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use super::policy::Policy;
use crate::config::workload::{self, Workload};

/// What stands in an `oomph.yaml`; every field may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Team {
    /// The Flink version of files that name none.
    pub flink: Option<String>,
    /// Who starts the processes, where a file does not tell: `standalone`, `yarn` or `kubernetes`.
    pub deployment: Option<String>,
    /// Codes, beginnings of codes, or names of the rules that run; all where none is named.
    pub select: Vec<String>,
    /// Those that do not run.
    pub ignore: Vec<String>,
    /// The least severity that fails a run: `note`, `warning`, `error` or `never`.
    pub fail_on: Option<String>,
    /// Severities of rules: `OOM206: error`, or `off`.
    pub severity: BTreeMap<String, String>,
    /// Thresholds by name, as `oomph rules --thresholds` lists them.
    pub thresholds: BTreeMap<String, serde_yaml::Value>,
    /// What is known of the jobs: fields as in a workload file.
    pub workload: BTreeMap<String, serde_yaml::Value>,
    /// Files that are looked at and files that are not, in the manner of `.gitignore`.
    pub paths: Paths,
    /// What holds for some files only; a later entry wins.
    pub overrides: Vec<Override>,
}

/// Files, in the manner of `.gitignore`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Paths {
    /// Only these, where any is named.
    pub include: Vec<String>,
    /// None of these.
    pub exclude: Vec<String>,
}

/// What holds for some files only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Override {
    /// Which, in the manner of `.gitignore`.
    pub paths: Vec<String>,
    /// Their Flink version.
    pub flink: Option<String>,
    /// Who starts them.
    pub deployment: Option<String>,
    /// `taskmanager` or `jobmanager`: each is that role's whole configuration.
    pub role: Option<String>,
    /// Rules that do not run on them.
    pub ignore: Vec<String>,
    /// What is known of their jobs.
    pub workload: BTreeMap<String, serde_yaml::Value>,
}

/// An `oomph.yaml` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct TeamError(String);

impl Team {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Team, TeamError> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Team::default());
        }
        serde_yaml::from_str(text).map_err(|error| TeamError(error.to_string()))
    }

    /// The thresholds in force.
    pub fn policy(&self) -> Result<Policy, TeamError> {
        let mut policy = Policy::default();
        for (name, value) in &self.thresholds {
            policy.set(name, &text(value)).map_err(|reason| TeamError(format!("thresholds: {name} {reason}")))?;
        }
        Ok(policy)
    }

    /// What is known of all jobs.
    pub fn workload(&self) -> Result<Workload, TeamError> {
        workload_of(&self.workload)
    }
}

impl Override {
    /// What is known of these jobs.
    pub fn workload(&self) -> Result<Workload, TeamError> {
        workload_of(&self.workload)
    }
}

fn text(value: &serde_yaml::Value) -> String {
    match value {
        serde_yaml::Value::String(text) => text.clone(),
        other => serde_yaml::to_string(other).unwrap_or_default().trim().to_owned(),
    }
}

fn workload_of(fields: &BTreeMap<String, serde_yaml::Value>) -> Result<Workload, TeamError> {
    if fields.is_empty() {
        return Ok(Workload::default());
    }
    let yaml = serde_yaml::to_string(fields).map_err(|error| TeamError(format!("workload: {error}")))?;
    workload::parse(&yaml).map_err(|error| TeamError(format!("workload: {}", error.reason)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::model::Bytes;

    #[test]
    fn every_field_is_read() {
        let text = "flink: '1.20'\ndeployment: kubernetes\nselect: [OOM4]\nignore: [OOM401]\nfail-on: warning\n\
                    severity: {OOM206: error}\nthresholds: {jobmanager-heap-min: 512mb}\nworkload: {states: 4, state-size: 2g}\n\
                    paths: {exclude: [vendor/]}\noverrides:\n- paths: [legacy/**]\n  flink: '1.18'\n  role: taskmanager\n";
        let team = Team::parse(text).unwrap();
        assert_eq!(team.flink.as_deref(), Some("1.20"));
        let threshold = &super::super::policy::threshold::JOBMANAGER_HEAP_MIN;
        assert_eq!(team.policy().unwrap().size(threshold), Bytes::mib(512));
        assert_eq!(team.workload().unwrap().states, Some(4));
        assert_eq!(team.overrides[0].flink.as_deref(), Some("1.18"));
    }

    #[rstest]
    #[case("flnk: 1.20\n", "flnk")]
    #[case("select: OOM4\n", "sequence")]
    #[case("thresholds: {no-such: 1}\n", "no-such is no threshold")]
    #[case("workload: {sates: 1}\n", "sates")]
    fn what_is_wrong_is_named(#[case] text: &str, #[case] expected: &str) {
        let error = Team::parse(text).and_then(|team| team.policy().map(|_| team)).and_then(|team| team.workload());
        let message = error.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn an_empty_file_decides_nothing() {
        assert!(Team::parse("# nothing yet\n").unwrap().select.is_empty());
    }
}
