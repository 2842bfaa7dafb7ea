//! Version 1 of the JSON of `oomph attach`. Sizes are bytes; what could not be seen is null and named in `unseen`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diagnose::examination::Examination;
use crate::model::{Finding, Pool, Role, Unseen};

/// The name and version of this format.
pub const SCHEMA: &str = "oomph.attach/1";

/// One process.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.attach/1`.
    schema: &'static str,
    /// When it was looked at, RFC 3339.
    at: String,
    /// The process id.
    pid: u32,
    /// Flink's name for it, else its main class or program.
    name: String,
    /// `taskmanager` or `jobmanager`; null where it is not Flink's.
    role: Option<&'static str>,
    /// The resident set, all pools together.
    rss: Option<u64>,
    /// Resident bytes by pool, each byte once; malloc as a whole.
    pools: Option<BTreeMap<&'static str, u64>>,
    /// What malloc holds, where it could be looked into: resident bytes by pool, each byte once.
    malloc: Option<BTreeMap<&'static str, u64>>,
    /// What Flink planned, by component, with `total_flink` and `total_process`.
    budget: Option<BTreeMap<&'static str, u64>>,
    /// What was found, the worst first.
    findings: Vec<FindingV1>,
    /// What could not be seen, why, and what would show it.
    unseen: Vec<UnseenV1>,
}

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
struct UnseenV1 {
    /// What.
    what: &'static str,
    /// Why.
    why: String,
    /// What would show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<String>,
}

/// The document of one process.
pub fn document(examination: &Examination) -> Document {
    let sample = &examination.sample;
    let account = examination.account.as_ref().ok();
    let is_whole = |pool: &Pool| pool.is_resident() && !pool.is_malloc();
    let pools = account.map(|account| {
        let whole = Pool::ALL.into_iter().filter(is_whole).map(|pool| (pool.key(), account.bytes(pool).get()));
        whole.chain([("malloc", account.malloc().get())]).collect()
    });
    let malloc = account.filter(|_| sample.heap.is_ok()).map(|account| {
        Pool::ALL
            .into_iter()
            .filter(|pool| pool.is_malloc())
            .map(|pool| (pool.key(), account.bytes(pool).get()))
            .collect()
    });
    let budget = examination.planned.as_ref().ok().map(|survey| {
        let budget = &survey.plan.budget;
        let parts = budget.parts().iter().map(|(component, figure)| (component.key(), figure.bytes.get()));
        let totals =
            [("total_flink", budget.total_flink().bytes.get()), ("total_process", budget.total_process().bytes.get())];
        parts.chain(totals).collect()
    });
    Document {
        schema: SCHEMA,
        at: sample.at.to_string(),
        pid: sample.pid,
        name: sample.name(),
        role: sample.flink.as_ref().map(|flink| match flink.role {
            Role::TaskManager => "taskmanager",
            Role::JobManager => "jobmanager",
        }),
        rss: account.map(|account| account.rss().get()),
        pools,
        malloc,
        budget,
        findings: examination.findings.iter().map(FindingV1::of).collect(),
        unseen: examination.unseen().into_iter().map(|(what, unseen)| unseen_v1(what, unseen)).collect(),
    }
}

fn unseen_v1(what: &'static str, unseen: &Unseen) -> UnseenV1 {
    UnseenV1 { what, why: unseen.why.clone(), grant: unseen.grant.clone() }
}
