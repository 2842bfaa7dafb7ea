//! One look out of a recording as an examination: what a recording does not hold is unseen, so that every cause can be
//! asked about it.

use crate::artefact::flink_process::FlinkProcess;
use crate::artefact::host::Host;
use crate::artefact::malloc_chunks::Allocator;
use crate::artefact::process_status::ProcessFiles;
use crate::artefact::recording::Header;
use crate::diagnose::account::Account;
use crate::diagnose::container::ContainerAccount;
use crate::diagnose::examination::Examination;
use crate::diagnose::ledger::Ledger;
use crate::diagnose::rocksdb_view;
use crate::diagnose::sample::Sample;
use crate::model::{
    Budget, Bytes, Component, Figure, Measure, Observations, Origin, Pool, Provenance, Role, Seen, Unseen,
};

/// Flink's budget as the header has it; nothing where it has none, or the process is not Flink's.
pub fn budget(header: &Header) -> Option<Budget> {
    let role = header.target.role?;
    let figure = |bytes: Bytes| Figure { bytes, provenance: Provenance::Measured { from: "the recording's header" } };
    let sum = |wanted: &dyn Fn(Component) -> bool| {
        Bytes::checked_sum(header.budget.iter().filter(|(component, _)| wanted(*component)).map(|(_, bytes)| *bytes))
    };
    let parts: Vec<(Component, Figure)> =
        header.budget.iter().map(|(component, bytes)| (*component, figure(*bytes))).collect();
    if parts.is_empty() {
        return None;
    }
    let (flink, process) = (sum(&Component::is_flink_memory)?, sum(&|_| true)?);
    Budget::new(role, parts, figure(flink), figure(process)).ok()
}

impl Examination {
    /// What a recorded look and the recorded budget give. Nothing is found yet that takes time to show.
    pub fn recalled(look: Observations, budget: Option<&Budget>) -> Examination {
        let sample = sample(&look);
        let account = Account::of_observations(&look);
        let container = ContainerAccount::of_observations(&look);
        let ledger = match (&account, budget) {
            (Ok(account), Some(budget)) => Ok(Ledger::of(account, budget)),
            (Err(unseen), _) => Err(unseen.clone()),
            (_, None) => Err(Unseen::because("the recording has no budget of Flink's")),
        };
        let rocksdb = rocksdb_view::view(&sample, None);
        let planned = not_held();
        Examination {
            sample,
            planned,
            account,
            ledger,
            container,
            configured: None,
            rocksdb,
            observations: look,
            findings: Vec::new(),
        }
    }
}

fn not_held<T>() -> Seen<T> {
    Err(Unseen::because("a recording does not hold it"))
}

fn sample(look: &Observations) -> Sample {
    let target = &look.target;
    let walked = |one: &crate::model::Observation| {
        one.measure == Measure::Pool(Pool::AllocatorRetained) && one.origin == Origin::HeapWalk && one.value.is_ok()
    };
    let flink =
        |role: Role| FlinkProcess { role, deployment: None, main_class: "", resource_id: Some(target.name.clone()) };
    Sample {
        at: look.at,
        pid: target.pid,
        flink: target.role.map(flink),
        program: target.name.clone(),
        files: ProcessFiles {
            started: target.started.ok_or_else(|| Unseen::because("it was not seen when the process started")),
            status: not_held(),
            command: not_held(),
            smaps: not_held(),
            limits: not_held(),
            allocator_variables: not_held(),
            threads: not_held(),
        },
        cgroup: not_held(),
        host: Host {
            memory: not_held(),
            available: not_held(),
            swap: not_held(),
            huge_pages: not_held(),
            max_mappings: not_held(),
        },
        jvm: not_held(),
        // glibc's chunks are the only ones that can be walked.
        allocator: if look.all.iter().any(walked) { Allocator::Glibc } else { Allocator::Static },
        heap: not_held(),
        nmt: not_held(),
        rest: not_held(),
        rocksdb: not_held(),
    }
}
