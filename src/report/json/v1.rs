//! Version 1 of the JSON of `oomph plan`. Its schema is `docs/schema/plan-v1.json`, which a test keeps equal to these
//! types. Sizes are bytes; what does not apply is left out or null.

mod figure;
mod network_need;
mod pod;
mod rejection;
mod slots;
mod workload_need;

use figure::{FigureV1, PlaceV1, ReadingV1};
use network_need::NetworkNeedV1;
use pod::PodV1;
use rejection::RejectionV1;
use serde::Serialize;
use slots::SlotsV1;
use workload_need::WorkloadNeedV1;

use crate::model::Limit;
use crate::plan::container;
use crate::plan::jvm::Share;
use crate::plan::python::Python;
use crate::plan::rejection::{Outcome, Rejection};
use crate::plan::{Backend, Mode, Survey};
use crate::report::Sheet;

/// The name and version of this format.
pub const SCHEMA: &str = "oomph.plan/1";

/// Everything a run says.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.plan/1`.
    schema: &'static str,
    /// One for each configuration, in the order of the arguments.
    plans: Vec<Plan>,
}

/// One configuration.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Plan {
    /// The file or directory as given.
    source: Option<String>,
    /// Which part of it, where it holds several: `FlinkDeployment orders`.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `taskmanager` or `jobmanager`.
    role: &'static str,
    /// `standalone`, `yarn`, `kubernetes` or `none`.
    deployment: &'static str,
    flink: Flink,
    /// Where the configuration was inferred from a command line: what fits and what does not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    inferred: Vec<String>,
    /// What stands beside Flink's container in its pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<PodV1>,
    /// Whether Flink starts with this configuration.
    accepted: bool,
    /// What Flink says where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<RejectionV1>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    process: Option<Process>,
    /// What a job needs in network buffers, where one was told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_need: Option<NetworkNeedV1>,
    /// What a workload will take of RocksDB's memory, where one was told of.
    #[serde(skip_serializing_if = "Option::is_none")]
    workload_need: Option<WorkloadNeedV1>,
    /// What Flink logs while it derives the memory.
    notices: Vec<String>,
    /// What in the input has no effect, or not the one it seems to have.
    remarks: Vec<Remark>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Flink {
    /// The version the plan is of.
    version: String,
    /// The version that was asked for or found.
    asked: String,
    /// Why this version.
    reason: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Process {
    /// What the derivation started from: `fine_grained`, `total_flink`, `total_process`, `cut_off` or `start_script`.
    mode: &'static str,
    total_process: FigureV1,
    total_flink: FigureV1,
    /// `-Xmx`.
    jvm_heap: u64,
    /// `-XX:MaxDirectMemorySize`, where it is set.
    jvm_direct: Option<u64>,
    components: Vec<ComponentV1>,
    jvm_arguments: String,
    dynamic_properties: Option<String>,
    container: Option<ContainerV1>,
    slots: Option<SlotsV1>,
    jvm: Jvm,
    unbudgeted: Vec<UnbudgetedV1>,
    python: Option<PythonV1>,
    state_backend: StateBackend,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ComponentV1 {
    name: &'static str,
    /// Who keeps the component within its figure.
    kept_by: &'static str,
    #[serde(flatten)]
    figure: FigureV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ContainerV1 {
    /// Null where nothing limits the process.
    limit: Option<u64>,
    request: Option<u64>,
    why: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Jvm {
    jdk: Believed<u16>,
    cores: Believed<u32>,
    collector: Believed<String>,
    /// The heap as the JVM takes it.
    heap: ReadingV1,
    /// What the JVM takes besides.
    shares: Vec<JvmShare>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Believed<T> {
    value: T,
    why: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct JvmShare {
    what: &'static str,
    at_most: ReadingV1,
    /// On a live TaskManager.
    seen: Option<u64>,
    why: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UnbudgetedV1 {
    what: String,
    size: ReadingV1,
    remark: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PythonV1 {
    /// `managed`, `task_off_heap` or `unplanned`.
    paid_by: &'static str,
    bytes: Option<u64>,
    rejection: Option<RejectionV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StateBackend {
    /// `rocksdb`, `forst`, `heap`, a class, or null where it is not configured.
    configured: Option<String>,
    takes_managed_memory: bool,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Remark {
    place: PlaceV1,
    text: String,
}

/// The document of a run.
pub fn document(sheets: &[Sheet]) -> Document {
    Document { schema: SCHEMA, plans: sheets.iter().map(plan).collect() }
}

fn plan(sheet: &Sheet) -> Plan {
    let (process, rejection, notices) = match &sheet.outcome {
        Ok(survey) => (Some(process(sheet, survey)), None, &survey.plan.notices),
        Err(rejected) => {
            (None, Some(RejectionV1::of(&rejected.rejection).with_cures(sheet.cures.as_deref())), &rejected.notices)
        }
    };
    Plan {
        source: sheet.source.clone(),
        name: sheet.name.clone(),
        role: sheet.question.role.key(),
        deployment: sheet.deployment().key(),
        flink: Flink {
            version: sheet.planned_version().to_string(),
            asked: sheet.choice.version.to_string(),
            reason: sheet.choice.reason.to_string(),
        },
        inferred: sheet.inferred.clone(),
        pod: sheet.pod.as_ref().map(PodV1::of),
        accepted: sheet.outcome.is_ok(),
        rejection,
        process,
        network_need: sheet.network_need.as_ref().map(NetworkNeedV1::of),
        workload_need: sheet.workload_need.as_ref().map(WorkloadNeedV1::of),
        notices: notices.iter().map(ToString::to_string).collect(),
        remarks: sheet.remarks.iter().map(|r| Remark { place: PlaceV1::of(&r.place), text: r.text.clone() }).collect(),
    }
}

fn process(sheet: &Sheet, survey: &Survey) -> Process {
    let plan = &survey.plan;
    let components = plan.budget.parts().iter().map(|(component, figure)| ComponentV1 {
        name: component.key(),
        kept_by: container::enforcer(*component, plan, &survey.backend).label(),
        figure: FigureV1::of(sheet, figure),
    });
    let footprint = &survey.footprint;
    Process {
        mode: match plan.mode {
            Mode::FineGrained => "fine_grained",
            Mode::TotalFlink => "total_flink",
            Mode::TotalProcess => "total_process",
            Mode::CutOff => "cut_off",
            Mode::StartScript => "start_script",
        },
        total_process: FigureV1::of(sheet, plan.budget.total_process()),
        total_flink: FigureV1::of(sheet, plan.budget.total_flink()),
        jvm_heap: plan.budget.heap().get(),
        jvm_direct: plan.direct.map(|bytes| bytes.get()),
        components: components.collect(),
        jvm_arguments: plan.jvm_arguments.clone(),
        dynamic_properties: plan.dynamic_properties.clone(),
        container: survey.container.as_ref().ok().map(|container| ContainerV1 {
            limit: match container.limit {
                Limit::AtMost(bytes) => Some(bytes.get()),
                Limit::Unlimited => None,
            },
            request: container.request.map(|bytes| bytes.get()),
            why: container.why.clone(),
        }),
        slots: plan.slots.as_ref().map(|slots| slots::slots(sheet, survey, slots)),
        jvm: Jvm {
            jdk: Believed { value: footprint.jdk.value, why: footprint.jdk.why },
            cores: Believed { value: footprint.cores.value, why: footprint.cores.why },
            collector: Believed { value: footprint.collector.value.label().to_owned(), why: footprint.collector.why },
            heap: ReadingV1::of(&footprint.heap),
            shares: footprint.shares.iter().map(jvm_share).collect(),
        },
        unbudgeted: survey
            .unbudgeted
            .iter()
            .map(|item| UnbudgetedV1 {
                what: item.what.clone(),
                size: ReadingV1::of(&item.size),
                remark: item.remark.clone(),
            })
            .collect(),
        python: survey.python.as_ref().map(python),
        state_backend: StateBackend {
            configured: match &survey.backend {
                Backend::Embedded(store) => Some(store.label().to_lowercase()),
                Backend::Heap => Some("heap".to_owned()),
                Backend::Other(class) => Some(class.clone()),
                Backend::Unset => None,
            },
            takes_managed_memory: survey.backend.takes_managed_memory(),
        },
    }
}

fn jvm_share(share: &Share) -> JvmShare {
    JvmShare {
        what: share.what,
        at_most: ReadingV1::of(&share.at_most),
        seen: share.seen.map(|bytes| bytes.get()),
        why: share.why.clone(),
    }
}

fn python(python: &Outcome<Python>) -> PythonV1 {
    let of = |paid_by, bytes, rejection: Option<&Rejection>| PythonV1 {
        paid_by,
        bytes,
        rejection: rejection.map(RejectionV1::of),
    };
    match python {
        Ok(Python::Managed(Ok(bytes))) => of("managed", Some(bytes.get()), None),
        Ok(Python::Managed(Err(rejection))) => of("managed", None, Some(rejection)),
        Ok(Python::TaskOffHeap { required, refused }) => of("task_off_heap", Some(required.get()), refused.as_deref()),
        Ok(Python::Unplanned) => of("unplanned", None, None),
        Err(rejection) => of("unplanned", None, Some(rejection)),
    }
}
