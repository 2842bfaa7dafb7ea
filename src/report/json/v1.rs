//! Version 1 of the JSON of `oomph plan`. Its schema is `docs/schema/plan-v1.json`, which a test keeps equal to these
//! types. Sizes are bytes; what does not apply is left out or null.

use serde::Serialize;

use crate::model::{Derivation, Figure, Held, Limit, Place, Position, Provenance, Reading, Role, Term};
use crate::plan::container;
use crate::plan::jvm::Share;
use crate::plan::python::Python;
use crate::plan::rejection::{Exception, Outcome, Reason, Rejection};
use crate::plan::store::StoreMemory;
use crate::plan::{Backend, Deployment, Mode, Slots, Survey};
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
    /// `taskmanager` or `jobmanager`.
    role: &'static str,
    /// `standalone`, `yarn`, `kubernetes` or `none`.
    deployment: &'static str,
    flink: Flink,
    /// Whether Flink starts with this configuration.
    accepted: bool,
    /// What Flink says where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<RejectionV1>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    process: Option<Process>,
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
    /// What the derivation started from: `fine_grained`, `total_flink`, `total_process` or `cut_off`.
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
struct FigureV1 {
    bytes: u64,
    provenance: ProvenanceV1,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ComponentV1 {
    name: &'static str,
    bytes: u64,
    /// Who keeps the component within its figure.
    kept_by: &'static str,
    provenance: ProvenanceV1,
}

/// Where a number comes from.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum ProvenanceV1 {
    /// Written by the user.
    Set { key: &'static str, place: PlaceV1, overrides: Vec<PlaceV1> },
    /// The default of this version.
    Default { key: &'static str, source: &'static str },
    /// Computed from other numbers.
    Derived {
        formula: &'static str,
        inputs: Vec<Input>,
        /// The fraction or ratio in the formula.
        ratio: Option<f64>,
        /// The product before a bound took effect.
        unbounded: Option<u64>,
        /// `minimum` or `maximum` where one took effect.
        held_at: Option<&'static str>,
        /// The formula in words, where it has no name of its own.
        words: Option<String>,
    },
    /// Measured.
    Measured { from: &'static str },
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Input {
    name: &'static str,
    bytes: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PlaceV1 {
    source: String,
    line: Option<u32>,
    column: Option<u32>,
    /// First byte of the value.
    start: Option<usize>,
    /// Byte behind its last.
    end: Option<usize>,
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
struct SlotsV1 {
    count: Option<u32>,
    shares: Vec<ShareV1>,
    network_buffers: Option<Buffers>,
    consumers: Vec<Consumer>,
    stores: Vec<StoreV1>,
    /// Why Flink refuses the slots, the buffers, the weights or the backend once it has started.
    errors: Vec<RejectionV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ShareV1 {
    component: &'static str,
    bytes: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Buffers {
    count: u64,
    segment: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Consumer {
    name: &'static str,
    fraction: f64,
    bytes: Option<u64>,
}

/// RocksDB's or ForSt's memory.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct StoreV1 {
    store: &'static str,
    scope: &'static str,
    write_buffer: u64,
    total: Option<u64>,
    block_cache: Option<i64>,
    write_buffer_manager: Option<i64>,
    mutable_limit: Option<i64>,
    /// As Flink computes it for its warning.
    arena_block: Option<i64>,
    /// As the RocksDB of this version does it.
    real_arena_block: Option<u64>,
    /// Whether Flink warns of constant flushing.
    flink_warns_of_flushing: Option<bool>,
    /// Whether RocksDB really flushes with every write.
    flushes_constantly: Option<bool>,
    /// How many column families can hold an arena block each before they flush each other.
    column_families_without_thrashing: Option<u64>,
    /// What one column family may take where there is no pool.
    column_family_bound: Option<u64>,
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

/// A size, or why it is not known.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum ReadingV1 {
    Bytes(u64),
    Unknown(String),
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct UnbudgetedV1 {
    what: &'static str,
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
struct RejectionV1 {
    class: &'static str,
    message: String,
    causes: Vec<Cause>,
    /// The value that cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<BadValueV1>,
    /// The sum that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Sum>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Cause {
    class: &'static str,
    message: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct BadValueV1 {
    key: String,
    value: String,
    place: PlaceV1,
    accepted: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Sum {
    parts: Vec<Input>,
    /// What they must fit in, or add up to.
    whole: Input,
    /// The range that what is left must lie in.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<[u64; 2]>,
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
        Err(rejected) => (None, Some(rejected_v1(&rejected.rejection)), &rejected.notices),
    };
    Plan {
        source: sheet.source.clone(),
        role: match sheet.question.role {
            Role::TaskManager => "taskmanager",
            Role::JobManager => "jobmanager",
        },
        deployment: match sheet.deployment() {
            Deployment::Standalone => "standalone",
            Deployment::Yarn => "yarn",
            Deployment::Kubernetes => "kubernetes",
            Deployment::None => "none",
        },
        flink: Flink {
            version: sheet.planned_version().to_string(),
            asked: sheet.choice.version.to_string(),
            reason: sheet.choice.reason.to_string(),
        },
        accepted: sheet.outcome.is_ok(),
        rejection,
        process,
        notices: notices.iter().map(ToString::to_string).collect(),
        remarks: sheet.remarks.iter().map(|r| Remark { place: place(&r.place), text: r.text.clone() }).collect(),
    }
}

fn process(sheet: &Sheet, survey: &Survey) -> Process {
    let plan = &survey.plan;
    let figure_v1 = |figure: &Figure| FigureV1 { bytes: figure.bytes.get(), provenance: provenance(sheet, figure) };
    let components = plan.budget.parts().iter().map(|(component, figure)| ComponentV1 {
        name: component.key(),
        bytes: figure.bytes.get(),
        kept_by: container::enforcer(*component, plan, &survey.backend).label(),
        provenance: provenance(sheet, figure),
    });
    let footprint = &survey.footprint;
    Process {
        mode: match plan.mode {
            Mode::FineGrained => "fine_grained",
            Mode::TotalFlink => "total_flink",
            Mode::TotalProcess => "total_process",
            Mode::CutOff => "cut_off",
        },
        total_process: figure_v1(plan.budget.total_process()),
        total_flink: figure_v1(plan.budget.total_flink()),
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
        slots: plan.slots.as_ref().map(|slots| slots_v1(survey, slots)),
        jvm: Jvm {
            jdk: Believed { value: footprint.jdk.value, why: footprint.jdk.why },
            cores: Believed { value: footprint.cores.value, why: footprint.cores.why },
            collector: Believed { value: footprint.collector.value.label().to_owned(), why: footprint.collector.why },
            heap: reading(&footprint.heap),
            shares: footprint.shares.iter().map(jvm_share).collect(),
        },
        unbudgeted: survey
            .unbudgeted
            .iter()
            .map(|item| UnbudgetedV1 { what: item.what, size: reading(&item.size), remark: item.remark.clone() })
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

fn slots_v1(survey: &Survey, slots: &Outcome<Slots>) -> SlotsV1 {
    let mut all = SlotsV1 {
        count: None,
        shares: Vec::new(),
        network_buffers: None,
        consumers: Vec::new(),
        stores: Vec::new(),
        errors: Vec::new(),
    };
    match &survey.plan.network_buffers {
        Some(Ok(buffers)) => {
            all.network_buffers = Some(Buffers { count: buffers.count, segment: buffers.segment.bytes.get() });
        }
        Some(Err(rejection)) => all.errors.push(rejected_v1(rejection)),
        None => {}
    }
    let slots = match slots {
        Ok(slots) => slots,
        Err(rejection) => {
            all.errors.push(rejected_v1(rejection));
            return all;
        }
    };
    all.count = Some(slots.count);
    let share = |(component, figure): &(crate::model::Component, Figure)| ShareV1 {
        component: component.key(),
        bytes: figure.bytes.get(),
    };
    all.shares = slots.shares.iter().map(share).collect();
    match &slots.consumers {
        Some(Ok(shares)) => {
            for share in shares {
                let bytes = share.share.as_ref().ok().map(|figure| figure.bytes.get());
                all.consumers.push(Consumer { name: share.use_case.name(), fraction: share.fraction, bytes });
                all.errors.extend(share.share.as_ref().err().map(|rejection| rejected_v1(rejection)));
            }
        }
        Some(Err(rejection)) => all.errors.push(rejected_v1(rejection)),
        None => {}
    }
    for (_, outcome) in &slots.stores {
        match outcome {
            Ok(memory) => {
                all.errors.extend(memory.refused.as_ref().map(|rejection| rejected_v1(rejection)));
                all.stores.push(store(memory, survey));
            }
            Err(rejection) => all.errors.push(rejected_v1(rejection)),
        }
    }
    all
}

fn store(memory: &StoreMemory, survey: &Survey) -> StoreV1 {
    let pool = memory.pool.as_ref();
    let checked = survey.plan.profile.behaviour.arena_check;
    StoreV1 {
        store: memory.store.label(),
        scope: memory.scope.name(),
        write_buffer: memory.write_buffer.bytes.get(),
        total: pool.map(|p| p.total.bytes.get()),
        block_cache: pool.map(|p| p.sizes.block_cache),
        write_buffer_manager: pool.map(|p| p.sizes.write_buffer_manager),
        mutable_limit: pool.map(|p| p.sizes.mutable_limit),
        arena_block: pool.map(|p| p.sizes.arena_block),
        real_arena_block: pool.map(|p| p.real_arena_block.get()),
        flink_warns_of_flushing: pool.map(|p| checked && !p.sizes.arena_ok),
        flushes_constantly: pool.map(|p| p.flushes_constantly),
        column_families_without_thrashing: pool.map(|p| p.column_families_without_thrashing()),
        column_family_bound: memory.column_family.as_ref().map(|family| family.bound.get()),
    }
}

fn jvm_share(share: &Share) -> JvmShare {
    JvmShare {
        what: share.what,
        at_most: reading(&share.at_most),
        seen: share.seen.map(|bytes| bytes.get()),
        why: share.why.clone(),
    }
}

fn reading(reading: &Reading) -> ReadingV1 {
    match reading {
        Reading::Seen(bytes) => ReadingV1::Bytes(bytes.get()),
        Reading::Unseen(why) => ReadingV1::Unknown(why.clone()),
    }
}

fn python(python: &Outcome<Python>) -> PythonV1 {
    let of = |paid_by, bytes, rejection: Option<&Rejection>| PythonV1 {
        paid_by,
        bytes,
        rejection: rejection.map(rejected_v1),
    };
    match python {
        Ok(Python::Managed(Ok(bytes))) => of("managed", Some(bytes.get()), None),
        Ok(Python::Managed(Err(rejection))) => of("managed", None, Some(rejection)),
        Ok(Python::TaskOffHeap { required, refused }) => of("task_off_heap", Some(required.get()), refused.as_deref()),
        Ok(Python::Unplanned) => of("unplanned", None, None),
        Err(rejection) => of("unplanned", None, Some(rejection)),
    }
}

fn provenance(sheet: &Sheet, figure: &Figure) -> ProvenanceV1 {
    match &figure.provenance {
        Provenance::Set { key, place: at } => ProvenanceV1::Set {
            key,
            place: place(at),
            overrides: sheet.overridden(&figure.provenance).iter().map(place).collect(),
        },
        Provenance::Default { key, source } => ProvenanceV1::Default { key, source },
        Provenance::Measured { from } => ProvenanceV1::Measured { from },
        Provenance::Derived(derivation) => derived(derivation),
    }
}

fn derived(derivation: &Derivation) -> ProvenanceV1 {
    let input = |term: &Term| Input { name: term.quantity.label(), bytes: term.bytes.get() };
    let of = |formula, inputs| ProvenanceV1::Derived {
        formula,
        inputs,
        ratio: None,
        unbounded: None,
        held_at: None,
        words: None,
    };
    let held_at = |held: &Held| match held {
        Held::Free => None,
        Held::AtMinimum => Some("minimum"),
        Held::AtMaximum => Some("maximum"),
    };
    match derivation {
        Derivation::Share { whole, ratio, product, held, .. } => ProvenanceV1::Derived {
            formula: "whole x ratio, held in its range",
            inputs: vec![input(whole)],
            ratio: Some(ratio.value),
            unbounded: Some(product.get()),
            held_at: held_at(held),
            words: None,
        },
        Derivation::ShareOfUnknown { rest, ratio, product, held, .. } => ProvenanceV1::Derived {
            formula: "rest x ratio / (1 - ratio), held in its range",
            inputs: vec![input(rest)],
            ratio: Some(ratio.value),
            unbounded: Some(product.get()),
            held_at: held_at(held),
            words: None,
        },
        Derivation::Remainder { whole, parts } => {
            of("the first minus all others", std::iter::once(input(whole)).chain(parts.iter().map(input)).collect())
        }
        Derivation::Sum(parts) => of("sum", parts.iter().map(input).collect()),
        Derivation::Buffers { count, segment } => ProvenanceV1::Derived {
            formula: "segment x ratio",
            inputs: vec![Input { name: "memory segment", bytes: segment.bytes.get() }],
            ratio: Some(count.value),
            unbounded: None,
            held_at: None,
            words: None,
        },
        Derivation::Divided { whole, count } => ProvenanceV1::Derived {
            formula: "whole / ratio",
            inputs: vec![input(whole)],
            ratio: Some(*count as f64),
            unbounded: None,
            held_at: None,
            words: None,
        },
        Derivation::Weighted { whole, .. } => of("whole x weight / weights", vec![input(whole)]),
        Derivation::BlockCache { total, ratio } | Derivation::WriteBufferManager { total, ratio } => {
            ProvenanceV1::Derived {
                formula: "a share of the pool",
                inputs: vec![input(total)],
                ratio: Some(ratio.value),
                unbounded: None,
                held_at: None,
                words: None,
            }
        }
        Derivation::ArenaBlock { write_buffer, .. } => {
            of("write buffer / 8", vec![Input { name: "write buffer", bytes: write_buffer.bytes.get() }])
        }
        Derivation::MutableLimit { manager } => of("write-buffer manager x 7 / 8", vec![input(manager)]),
        Derivation::CutOff(text) => ProvenanceV1::Derived {
            formula: "cut-off model",
            inputs: Vec::new(),
            ratio: None,
            unbounded: None,
            held_at: None,
            words: Some(text.clone()),
        },
    }
}

fn place(place: &Place) -> PlaceV1 {
    let at = place.position;
    PlaceV1 {
        source: place.source.to_string(),
        line: at.map(|Position { line, .. }| line),
        column: at.map(|Position { column, .. }| column),
        start: at.map(|Position { start, .. }| start),
        end: at.map(|Position { end, .. }| end),
    }
}

fn rejected_v1(rejection: &Rejection) -> RejectionV1 {
    let input = |term: &Term| Input { name: term.quantity.label(), bytes: term.bytes.get() };
    let mut value = None;
    let mut sum = None;
    match &rejection.reason {
        Some(Reason::BadValue(bad)) => {
            value = Some(BadValueV1 {
                key: bad.key.clone(),
                value: crate::flink::sensitive::shown(&bad.key, &bad.value).to_owned(),
                place: place(&bad.place),
                accepted: bad.accepted,
            });
        }
        Some(Reason::DoesNotFit { parts, whole } | Reason::DoesNotAddUp { parts, whole }) => {
            sum = Some(Sum { parts: parts.iter().map(input).collect(), whole: input(whole), allowed: None });
        }
        Some(Reason::OutOfRange { parts, whole, min, max, .. }) => {
            let allowed = Some([min.bytes.get(), max.bytes.get()]);
            sum = Some(Sum { parts: parts.iter().map(input).collect(), whole: input(whole), allowed });
        }
        Some(Reason::NoTotal { .. }) | None => {}
    }
    let cause = |Exception { class, message }: &Exception| Cause { class: class.name(), message: message.clone() };
    RejectionV1 {
        class: rejection.exception.class.name(),
        message: rejection.exception.message.clone(),
        causes: rejection.causes.iter().map(cause).collect(),
        value,
        sum,
    }
}

#[cfg(test)]
mod tests {
    use super::Document;

    /// Writes the schema anew when `UPDATE_SCHEMA` is set.
    #[test]
    fn the_committed_schema_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/plan-v1.json");
        let schema = serde_json::to_string_pretty(&schemars::schema_for!(Document)).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, &schema).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(committed == schema, "{path} is out of date: UPDATE_SCHEMA=1 cargo test --lib schema");
    }
}
