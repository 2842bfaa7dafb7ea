//! Other people's advice: a size that a VPA, krr or Flink's autoscaler proposes, laid beside what Flink needs at least
//! and what was measured. Those tools look at the container's working set; page cache is in it, and `-Xmx` does not
//! follow it.

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::change::{Change, applied};
use super::cure::{Patient, least_heap};
use super::{mib, option};
use crate::config::yaml::{self, Kind, Node};
use crate::model::{Budget, Bytes, Component, Deployment};
use crate::plan;

/// Sizes beyond this are not looked at for the least that Flink takes.
const MOST_FLOOR: u64 = 1 << 16;

/// Who proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A `VerticalPodAutoscaler`: `status.recommendation`.
    Vpa,
    /// krr's JSON: `scans`.
    Krr,
    /// The operator's autoscaler, or anybody who writes keys of Flink's.
    Keys,
}

impl Origin {
    /// The name in a sentence.
    pub fn label(self) -> &'static str {
        match self {
            Origin::Vpa => "the VPA",
            Origin::Krr => "krr",
            Origin::Keys => "the proposal",
        }
    }
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Who proposes.
    pub origin: Origin,
    /// Of which container, where it is one's.
    pub container: Option<String>,
    /// Its memory.
    pub memory: Option<Bytes>,
    /// Keys of Flink's.
    pub changes: Vec<Change>,
}

/// Why a text is no proposal.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProposalError {
    /// No YAML or JSON.
    #[error("the proposal is neither YAML nor JSON: {0}")]
    Unread(String),
    /// Nothing in it proposes memory.
    #[error("nothing in it proposes memory: neither a VPA's status.recommendation, krr's scans, nor keys of Flink's")]
    Nothing,
}

/// What is to be said of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    /// Whether it may be followed.
    pub allowed: bool,
    /// The least total that Flink takes with the rest of the configuration as it is.
    pub floor: Option<Bytes>,
    /// What stands against it, or what has to be done beside it, a sentence each.
    pub reasons: Vec<String>,
    /// What has to change with it, so that Flink follows.
    pub changes: Vec<Change>,
}

/// Reads what a tool proposes.
///
/// # Errors
/// [`ProposalError`] where nothing in the text is a proposal.
pub fn read(text: &str) -> Result<Vec<Proposal>, ProposalError> {
    let root = yaml::parse(text).map_err(|error| ProposalError::Unread(error.to_string()))?;
    let root = root.ok_or(ProposalError::Nothing)?;
    let mut found = of_vpa(&root);
    found.extend(of_krr(&root));
    if found.is_empty() {
        found.extend(of_keys(&root));
    }
    if found.is_empty() { Err(ProposalError::Nothing) } else { Ok(found) }
}

fn get<'n>(node: &'n Node, path: &[&str]) -> Option<&'n Node> {
    path.iter().try_fold(node, |node, key| {
        let Kind::Mapping(entries) = &node.kind else { return None };
        let named = |entry: &&yaml::KeyValue| scalar(&entry.0).as_deref() == Some(*key);
        entries.iter().find(named).map(|(_, value)| &**value)
    })
}

fn scalar(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar(value) => Some(value.java_text().into_owned()),
        _ => None,
    }
}

fn items(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    let items = match node.map(|node| &node.kind) {
        Some(Kind::Sequence(items)) => items.as_slice(),
        _ => &[],
    };
    items.iter().map(|item| &**item)
}

fn of_vpa(root: &Node) -> Vec<Proposal> {
    let containers = items(get(root, &["status", "recommendation", "containerRecommendations"]));
    let proposal = |container: &Node| {
        let memory = scalar(get(container, &["target", "memory"])?)?;
        Some(Proposal {
            origin: Origin::Vpa,
            container: get(container, &["containerName"]).and_then(scalar),
            memory: Some(Bytes::parse_k8s(&memory).ok()?),
            changes: Vec::new(),
        })
    };
    containers.filter_map(proposal).collect()
}

fn of_krr(root: &Node) -> Vec<Proposal> {
    let proposal = |scan: &Node| {
        let limit = get(scan, &["recommended", "limits", "memory"]);
        let memory = limit.or_else(|| get(scan, &["recommended", "requests", "memory"]))?;
        let memory = scalar(get(memory, &["value"]).unwrap_or(memory))?;
        // A whole number of bytes, which JSON may write as a float.
        let memory = memory.split_once(".0").filter(|(_, rest)| rest.is_empty()).map_or(memory.as_str(), |(n, _)| n);
        Some(Proposal {
            origin: Origin::Krr,
            container: get(scan, &["object", "container"]).and_then(scalar),
            memory: Some(Bytes::parse_k8s(memory).ok()?),
            changes: Vec::new(),
        })
    };
    items(get(root, &["scans"])).filter_map(proposal).collect()
}

fn of_keys(root: &Node) -> Option<Proposal> {
    let spec = get(root, &["spec", "flinkConfiguration"]).unwrap_or(root);
    let Kind::Mapping(entries) = &spec.kind else { return None };
    let change = |(key, value): &yaml::KeyValue| {
        let key = scalar(key).filter(|key| key.starts_with("taskmanager.") || key.starts_with("jobmanager."))?;
        Some(match scalar(value).filter(|value| value != "null") {
            Some(value) => Change::set(key, value),
            None => Change::remove(key),
        })
    };
    let changes: Vec<Change> = entries.iter().filter_map(change).collect();
    (!changes.is_empty()).then_some(Proposal { origin: Origin::Keys, container: None, memory: None, changes })
}

/// Whether a proposal may be followed: Flink takes it, and what was measured fits into it.
pub fn judge(proposal: &Proposal, patient: &Patient<'_>) -> Opinion {
    let frame = option::frame(patient.role);
    let floor = floor(patient);
    let mut opinion = Opinion { allowed: true, floor, reasons: Vec::new(), changes: proposal.changes.clone() };
    let against = |opinion: &mut Opinion, why: String| {
        opinion.allowed = false;
        opinion.reasons.push(why);
    };
    let before = plan::plan(patient.config, patient.profile, patient.question).ok();
    if let Some(memory) = proposal.memory {
        if let Some(planned) = before.as_ref().map(|plan| plan.budget.total_process().bytes).filter(|p| *p != memory) {
            let follows = match patient.question.deployment {
                Deployment::Kubernetes => "a pod's own limit",
                _ => "a limit",
            };
            opinion.reasons.push(format!(
                "{follows} of {} alone does not change Flink, which plans {} and starts its JVM with that: {} has to \
                 be set with it",
                mib(memory),
                mib(planned),
                frame.process.name()
            ));
        }
        opinion.changes.push(Change::set(frame.process.name(), format!("{}m", memory.whole_mib())));
        if patient.config.get(frame.flink.name()).is_some() {
            opinion.changes.push(Change::remove(frame.flink.name()));
        }
        if let Some(floor) = floor.filter(|floor| memory < *floor) {
            let who = proposal.origin.label();
            against(
                &mut opinion,
                format!("{who} proposes {}, and Flink takes no less than {} here", mib(memory), mib(floor)),
            );
        }
        if let Some(usage) = patient.usage.filter(|usage| *usage > memory) {
            against(&mut opinion, format!("{} were in use, {} are proposed", mib(usage), mib(memory)));
        }
    }
    match plan::plan(&applied(patient.config, &opinion.changes), patient.profile, patient.question) {
        Err(rejected) => against(&mut opinion, format!("Flink refuses it: {}", rejected.rejection)),
        Ok(plan) => {
            for why in starved(patient, &plan.budget) {
                against(&mut opinion, why);
            }
        }
    }
    opinion
}

/// What was measured and does not fit into a budget.
fn starved(patient: &Patient<'_>, budget: &Budget) -> Vec<String> {
    let seen = &patient.evidence;
    let live = seen.heap_live.map(least_heap);
    let heap = live
        .filter(|need| *need > budget.heap())
        .map(|need| format!("the heap would be {}, and what lives in it needs {}", mib(budget.heap()), mib(need)));
    let parts = [(Component::JvmMetaspace, seen.metaspace_used), (Component::Network, seen.network_need)];
    let part = |(part, used): (Component, Option<Bytes>)| {
        let is = budget.part(part)?.bytes;
        used.filter(|used| *used > is).map(|used| format!("{part} would be {}, and {} are in use", mib(is), mib(used)))
    };
    heap.into_iter().chain(parts.into_iter().filter_map(part)).collect()
}

/// The least total in whole mebibytes that Flink takes with the rest as it is.
fn floor(patient: &Patient<'_>) -> Option<Bytes> {
    let frame = option::frame(patient.role);
    let takes = |mib: u64| {
        let mut changes = vec![Change::set(frame.process.name(), format!("{mib}m"))];
        if patient.config.get(frame.flink.name()).is_some() {
            changes.push(Change::remove(frame.flink.name()));
        }
        plan::plan(&applied(patient.config, &changes), patient.profile, patient.question).is_ok()
    };
    if !takes(MOST_FLOOR) || plan::is_cut_off(patient.profile, patient.role) {
        return None;
    }
    let (mut refused, mut taken) = (0, MOST_FLOOR);
    while taken - refused > 1 {
        let middle = refused + (taken - refused) / 2;
        match takes(middle) {
            true => taken = middle,
            false => refused = middle,
        }
    }
    Bytes::mib(1).checked_mul(taken)
}
