//! Version 1 of the JSON of `oomph attach`. Its schema is `docs/schema/attach-v1.json`, which a test keeps equal to these
//! types. Sizes are bytes; what could not be seen is null and named in `unseen`.

mod container;
mod finding;
mod jvm;
mod ledger;
mod limits;
mod malloc;
mod rocksdb;

use std::collections::BTreeMap;

use serde::Serialize;

use super::advice::{self, RecommendationV1};
use crate::diagnose::account::Account;
use crate::diagnose::examination::Examination;
use crate::diagnose::limits::Limits;
use crate::model::{Deployment, Pool};
use crate::recommend::from_use::Advice;
use crate::report::json::by_component;

use container::{CompanionV1, ContainerV1};
pub use finding::FindingV1;
use finding::UnseenV1;
use jvm::{JvmV1, NmtCategoryV1};
use ledger::{OutsideV1, RowV1};
use limits::LimitsV1;
use malloc::ArenaV1;
use rocksdb::{CorrectionV1, RocksDbV1};

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
    /// Flink's version: as REST says it, else that of the plan.
    version: Option<String>,
    /// Who started it: `standalone`, `yarn`, `kubernetes`; null where its command line does not say.
    deployment: Option<&'static str>,
    /// Since when the JVM runs, in seconds.
    uptime_seconds: Option<u64>,
    /// The resident set, all pools together.
    rss: Option<u64>,
    /// Resident bytes by pool, each byte once; malloc as a whole.
    pools: Option<BTreeMap<&'static str, u64>>,
    /// What malloc holds, where it could be looked into: resident bytes by pool, each byte once; and, beside these,
    /// `in_use`, `free_resident` and `trimmable`, as the walk summed them up.
    malloc: Option<BTreeMap<&'static str, u64>>,
    /// glibc's arenas, the main one first, where they could be walked.
    arenas: Option<Vec<ArenaV1>>,
    /// What Flink planned, by component, with `total_flink` and `total_process`.
    budget: Option<BTreeMap<&'static str, u64>>,
    /// What is used laid over what was planned.
    ledger: Option<Vec<RowV1>>,
    /// What is resident and no component pays for.
    outside: Option<Vec<OutsideV1>>,
    /// What lies beside it in its container.
    container: Option<ContainerV1>,
    /// The other processes of its cgroup.
    companions: Option<Vec<CompanionV1>>,
    /// What the JVM counts.
    jvm: Option<JvmV1>,
    /// The JVM's own books of its native memory, by category.
    nmt: Option<Vec<NmtCategoryV1>>,
    /// RocksDB.
    rocksdb: RocksDbV1,
    /// Flink's figures that say something else than they seem to.
    corrections: Vec<CorrectionV1>,
    /// Other limits that end a process.
    limits: LimitsV1,
    /// Everything that was measured, by its stable name: bytes, numbers or nanoseconds.
    observations: BTreeMap<&'static str, Option<u64>>,
    /// What was found, the worst first.
    findings: Vec<FindingV1>,
    /// What to change for what it really uses, each proved by planning it.
    recommendations: Vec<RecommendationV1>,
    /// What could not be seen, why, and what would show it: sources first, then single observations.
    unseen: Vec<UnseenV1>,
}

/// Resident bytes by pool, each byte once; malloc as a whole.
pub(super) fn pools(account: &Account) -> BTreeMap<&'static str, u64> {
    let whole = Pool::ALL.into_iter().filter(|pool| pool.is_resident() && !pool.is_malloc());
    let whole = whole.map(|pool| (pool.key(), account.bytes(pool).get()));
    whole.chain([("malloc", account.malloc().get())]).collect()
}

/// The document of one process.
pub fn document(examination: &Examination, advice: Option<&Advice>) -> Document {
    let sample = &examination.sample;
    let account = examination.account.as_ref().ok();
    let jvm = sample.jvm.as_ref().ok();
    let ledger = examination.ledger.as_ref().ok();
    let observations = &examination.observations.all;
    Document {
        schema: SCHEMA,
        at: sample.at.to_string(),
        pid: sample.pid,
        name: sample.name(),
        role: sample.flink.as_ref().map(|flink| flink.role.key()),
        version: version(examination),
        deployment: sample.flink.as_ref().and_then(|flink| flink.deployment).map(Deployment::key),
        uptime_seconds: jvm.and_then(|jvm| jvm.uptime_nanoseconds).map(|uptime| uptime / 1_000_000_000),
        rss: account.map(|account| account.rss().get()),
        pools: account.map(pools),
        malloc: malloc::pools(examination),
        arenas: sample.heap.as_ref().ok().map(malloc::arenas),
        budget: examination.planned.as_ref().ok().map(|survey| by_component(&survey.plan.budget)),
        ledger: ledger.map(|ledger| ledger.rows.iter().map(RowV1::of).collect()),
        outside: ledger.map(|ledger| ledger.outside.iter().map(OutsideV1::of).collect()),
        container: container::container(examination),
        companions: sample.cgroup.as_ref().ok().map(|cgroup| cgroup.others.iter().map(CompanionV1::of).collect()),
        jvm: jvm.map(JvmV1::of),
        nmt: sample.nmt.as_ref().ok().map(|nmt| nmt.categories.iter().map(NmtCategoryV1::of).collect()),
        rocksdb: RocksDbV1::of(examination),
        corrections: examination.rocksdb.corrections.iter().map(CorrectionV1::of).collect(),
        limits: LimitsV1::of(&Limits::of(sample)),
        observations: observations.iter().map(|seen| (seen.measure.key(), seen.value.as_ref().ok().copied())).collect(),
        findings: examination.findings.iter().map(FindingV1::of).collect(),
        recommendations: advice.map(advice::json).unwrap_or_default(),
        unseen: finding::unseen(examination),
    }
}

fn version(examination: &Examination) -> Option<String> {
    let told = examination.sample.rest.as_ref().ok().and_then(|rest| rest.version.as_ref().ok().cloned());
    let planned = examination.planned.as_ref().ok().map(|survey| survey.plan.profile.version().to_string());
    told.or(planned)
}
