//! What was found, and what could not be seen.

use serde::Serialize;

use crate::diagnose::examination::Examination;
use crate::model::{Finding, Unseen};

/// Something that will end the process, or is wrong with it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindingV1 {
    /// The stable code of the cause: `OOM901`.
    code: &'static str,
    /// Its stable name: `allocator-retention`.
    name: &'static str,
    /// `note`, `warning` or `error`.
    severity: &'static str,
    /// `low`, `medium` or `high`.
    confidence: &'static str,
    /// What is wrong, in one sentence.
    title: String,
    /// Facts and numbers.
    notes: Vec<String>,
    /// What to do.
    help: Option<String>,
}

impl FindingV1 {
    /// A finding in this format.
    pub fn of(finding: &Finding) -> FindingV1 {
        FindingV1 {
            code: finding.code,
            name: finding.name,
            severity: finding.severity.name(),
            confidence: finding.confidence.name(),
            title: finding.title.clone(),
            notes: finding.notes.clone(),
            help: finding.help.clone(),
        }
    }
}

/// Something that could not be seen.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct UnseenV1 {
    /// What: a source, or a part of this document such as `observations.threads`.
    what: String,
    /// Why.
    why: String,
    /// What would show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
}

/// All that could not be seen.
pub(super) fn unseen(examination: &Examination) -> Vec<UnseenV1> {
    let of = |what: String, unseen: &Unseen| UnseenV1 { what, why: unseen.why.clone(), grant: unseen.grant.clone() };
    let sources = examination.unseen().into_iter().map(|(what, unseen)| of(what.to_owned(), unseen));
    let metrics = examination.rocksdb.metrics.as_ref().err().map(|unseen| of("rocksdb.metrics".to_owned(), unseen));
    let single = examination.observations.all.iter();
    let single =
        single.filter_map(|seen| Some(of(format!("observations.{}", seen.measure.key()), seen.value.as_ref().err()?)));
    sources.chain(metrics).chain(single).collect()
}
