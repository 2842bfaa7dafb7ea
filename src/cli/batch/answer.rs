//! One line of the batch protocol, as it is answered.

mod components;
mod proposal_answer;
mod store_answer;

use std::collections::BTreeMap;
use std::sync::Arc;

use components::Components;
use serde::Serialize;

use super::question::{Ask, LegacyTotal, Question, Role};
use crate::config::layers::{FileText, Layers, Offset};
use crate::config::{Config, FileKind, load};
use crate::flink::profile::{Match, Profile};
use crate::flink::{Version, fraction, java, keys, memory_size};
use crate::model::{self, Bytes, Component, Place, Source};
use crate::plan::rejection::{Exception, ExceptionClass, Rejection};
use crate::plan::settings::{Notice, Settings};
use crate::plan::store::{self, Scope, Store, StoreMemory};
use crate::plan::{self, Deployment, Plan, Rejected, Slots, cutoff, network};

/// Any answer; what does not apply is left out.
#[derive(Serialize)]
pub struct Answer {
    id: serde_json::Value,
    #[serde(flatten)]
    body: Body,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body {
    Process(Box<Process>),
    Changes(Box<proposal_answer::Changes>),
    Files {
        ok: bool,
        read: BTreeMap<String, String>,
        taskmanager: Box<Process>,
    },
    Size {
        ok: bool,
        bytes: u64,
        human: String,
    },
    Products {
        ok: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        multiplied: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        inverse_multiplied: Option<u64>,
    },
    Pool(store_answer::Sizes),
    Unreadable {
        ok: bool,
        line: u64,
        error: InputError,
    },
}

#[derive(Serialize, Default)]
struct Process {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    components: Option<Components>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jvm_args: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dynamic_properties: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notices: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slots: Option<SlotShares>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_buffers: Option<Buffers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumers: Option<BTreeMap<&'static str, Consumer>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumers_error: Option<Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rocksdb: Option<store_answer::Store>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container_error: Option<Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cures: Option<Vec<proposal_answer::Cure>>,
}

#[derive(Serialize)]
struct SlotShares {
    count: u32,
    task_heap: u64,
    task_off_heap: u64,
    network: u64,
    managed: u64,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Buffers {
    Known { count: u64, page_size: u64 },
    Refused { error: Error },
}

#[derive(Serialize)]
struct Consumer {
    fraction: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Error>,
}

#[derive(Serialize)]
struct Container {
    #[serde(skip_serializing_if = "Option::is_none")]
    cutoff_mb: Option<i64>,
    heap_mb: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    direct_mb: Option<i64>,
    jvm_args: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_error: Option<Error>,
}

#[derive(Serialize)]
struct Error {
    class: &'static str,
    message: String,
    causes: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct InputError {
    class: &'static str,
    message: String,
}

impl From<&Rejection> for Error {
    fn from(rejection: &Rejection) -> Error {
        let causes = rejection.causes.iter().map(|Exception { class, message }| (class.name(), message.clone()));
        Error {
            class: rejection.exception.class.name(),
            message: rejection.exception.message.clone(),
            causes: causes.collect(),
        }
    }
}

impl Answer {
    /// The answer to a line that is no question.
    pub fn unreadable(line: u64, reason: String) -> Answer {
        let error = InputError { class: "UnreadableLine", message: reason };
        Answer { id: serde_json::Value::Null, body: Body::Unreadable { ok: false, line, error } }
    }

    /// The answer to a question that stands in this line.
    pub fn to(question: Question, line: u64) -> Answer {
        let id = question.id.clone();
        let body = answer(question).unwrap_or_else(|message| Body::Unreadable {
            ok: false,
            line,
            error: InputError { class: "UnreadableQuestion", message },
        });
        Answer { id, body }
    }
}

fn answer(question: Question) -> Result<Body, String> {
    let (profile, planned_as) = match &question.flink {
        None => (Profile::newest(), Some(Profile::newest().version().to_string())),
        Some(text) => {
            let version: Version = text.parse().map_err(|e| format!("{e}"))?;
            let (profile, found) = Profile::of(version).map_err(|e| e.to_string())?;
            (profile, (found == Match::NewestKnown).then(|| profile.version().to_string()))
        }
    };
    if let Some(ask) = question.ask {
        return arithmetic(ask, &question, profile);
    }
    let mut body = match &question.files {
        Some(files) => from_files(files, &question, profile),
        None => {
            let mut config = Config::new();
            for (key, setting) in question.config.iter().flatten() {
                config.set(key.clone(), setting.0.clone(), Place::of(Source::Caller));
            }
            set_dynamic(&mut config, &question);
            if let Some(wants) = &question.want {
                return proposal_answer::changes(&config, &question, wants, profile, planned_as);
            }
            Body::Process(Box::new(process(&config, &question, profile)))
        }
    };
    match &mut body {
        Body::Process(process) => process.planned_as = planned_as,
        Body::Files { taskmanager, .. } => taskmanager.planned_as = planned_as,
        _ => {}
    }
    Ok(body)
}

fn set_dynamic(config: &mut Config, question: &Question) {
    for (key, setting) in &question.dynamic {
        config.set(key.clone(), setting.0.clone(), Place::of(Source::DynamicProperty));
    }
}

/// The directory is printed as `$DIR`.
fn from_files(files: &BTreeMap<String, String>, question: &Question, profile: &'static Profile) -> Body {
    let kind = FileKind::read_by(profile, files.contains_key(FileKind::Legacy.file_name()));
    let refused = |rejection: Box<Rejection>| {
        let error = Some(Error::from(&*rejection));
        Body::Process(Box::new(Process { ok: false, notices: Some(Vec::new()), error, ..Process::default() }))
    };
    let Some(text) = files.get(kind.file_name()) else {
        return refused(Rejection::illegal_configuration(load::missing_message("$DIR", kind, profile)));
    };
    let source = Source::File(Arc::from(kind.file_name()));
    let layers = Layers {
        file: Some(FileText { source, kind, text: text.clone(), offset: Offset::default() }),
        ..Layers::default()
    };
    let mut config = match layers.assemble(profile) {
        Ok(assembled) => assembled.config,
        Err(_) => {
            return refused(Rejection::new(ExceptionClass::Runtime, "Error parsing YAML configuration."));
        }
    };
    set_dynamic(&mut config, question);
    let read = config.iter().map(|(key, s)| (key.to_owned(), s.value.flink_text().into_owned())).collect();
    Body::Files { ok: true, read, taskmanager: Box::new(process(&config, question, profile)) }
}

fn process(config: &Config, question: &Question, profile: &'static Profile) -> Process {
    let role = role(question);
    if plan::is_cut_off(profile, role) {
        return container(config, role, profile);
    }
    let asked = asked(question);
    match plan::plan(config, profile, &asked) {
        Ok(plan) => accepted(&plan, question),
        Err(Rejected { rejection, notices }) => Process {
            ok: false,
            notices: Some(texts(&notices)),
            error: Some(Error::from(&*rejection)),
            cures: question.cures.then(|| proposal_answer::cures(config, profile, &asked)),
            ..Process::default()
        },
    }
}

/// The question as the planner takes it.
fn asked(question: &Question) -> plan::Question {
    plan::Question {
        role: role(question),
        deployment: match question.legacy_total {
            LegacyTotal::Standalone => Deployment::Standalone,
            LegacyTotal::Container => Deployment::Yarn,
            LegacyTotal::None => Deployment::None,
        },
        consumers: question.consumers.iter().flatten().map(|c| (*c).into()).collect(),
        managed_backend: question.state_backend_managed.unwrap_or(true),
        stores: if question.rocksdb { vec![Store::RocksDb] } else { Vec::new() },
    }
}

fn role(question: &Question) -> model::Role {
    match question.role {
        Role::TaskManager => model::Role::TaskManager,
        Role::JobManager => model::Role::JobManager,
    }
}

fn texts(notices: &[Notice]) -> Vec<String> {
    notices.iter().map(Notice::to_string).collect()
}

fn accepted(plan: &Plan, question: &Question) -> Process {
    let mut process = Process {
        ok: true,
        components: Some(Components::of(plan)),
        jvm_args: Some(plan.jvm_arguments.clone()),
        dynamic_properties: plan.dynamic_properties.clone(),
        notices: Some(texts(&plan.notices)),
        network_buffers: plan.network_buffers.as_ref().map(buffers),
        ..Process::default()
    };
    if let Some(Ok(slots)) = &plan.slots {
        put_slots(&mut process, slots, question, plan.profile);
    }
    process
}

fn buffers(outcome: &Result<network::NetworkBuffers, Box<Rejection>>) -> Buffers {
    match outcome {
        Ok(buffers) => Buffers::Known { count: buffers.count, page_size: buffers.segment.bytes.get() },
        Err(rejection) => Buffers::Refused { error: Error::from(&**rejection) },
    }
}

fn put_slots(process: &mut Process, slots: &Slots, question: &Question, profile: &Profile) {
    let share = |component| slots.share(component).get();
    process.slots = Some(SlotShares {
        count: slots.count,
        task_heap: share(Component::TaskHeap),
        task_off_heap: share(Component::TaskOffHeap),
        network: share(Component::Network),
        managed: share(Component::Managed),
    });
    if question.consumers.is_some() {
        match &slots.consumers {
            Some(Ok(shares)) => {
                let consumer = |share: &plan::consumers::ConsumerShare| Consumer {
                    fraction: share.fraction,
                    bytes: share.share.as_ref().ok().map(|figure| figure.bytes.get()),
                    error: share.share.as_ref().err().map(|rejection| Error::from(&**rejection)),
                };
                process.consumers = Some(shares.iter().map(|s| (s.use_case.name(), consumer(s))).collect());
            }
            Some(Err(rejection)) => process.consumers_error = Some(Error::from(&**rejection)),
            None => {}
        }
    }
    process.rocksdb = slots.stores.first().map(|(_, outcome)| match outcome {
        Ok(memory) => rocksdb(memory, profile),
        Err(rejection) => {
            store_answer::Store { error: Some(Error::from(&**rejection)), ..store_answer::Store::default() }
        }
    });
}

fn rocksdb(memory: &StoreMemory, profile: &Profile) -> store_answer::Store {
    let pool = memory.pool.as_ref().filter(|_| memory.scope != Scope::None);
    store_answer::Store {
        scope: Some(memory.scope.name()),
        write_buffer: Some(memory.write_buffer.bytes.get()),
        total: pool.map(|pool| pool.total.bytes.get()),
        sizes: pool.map(|pool| sizes(&pool.sizes, profile)),
        error: memory.refused.as_ref().map(|rejection| Error::from(&**rejection)),
    }
}

fn sizes(sizes: &store::PoolSizes, profile: &Profile) -> store_answer::Sizes {
    let checked = profile.behaviour.arena_check;
    store_answer::Sizes {
        block_cache: sizes.block_cache,
        write_buffer_manager: sizes.write_buffer_manager,
        arena_block: checked.then_some(sizes.arena_block),
        mutable_limit: checked.then_some(sizes.mutable_limit),
        arena_ok: checked.then_some(sizes.arena_ok),
    }
}

/// The cut-off model: the container of Flink 1.9, and of the JobManager up to 1.10.
fn container(config: &Config, role: model::Role, profile: &'static Profile) -> Process {
    let settings = Settings::new(config, profile);
    let container = match role {
        model::Role::TaskManager => {
            // A total that cannot be read is no matter of the container.
            match cutoff::total_mb(&settings, keys::TM_HEAP_SIZE, keys::TM_HEAP_MB) {
                Err(rejection) => Err((true, rejection)),
                Ok(_) => cutoff::taskmanager_container(&settings).map_err(|e| (false, e)).map(|c| Container {
                    cutoff_mb: Some(c.cutoff_mb),
                    heap_mb: c.heap_mb,
                    direct_mb: Some(c.direct_mb),
                    jvm_args: c.jvm_arguments(),
                    network: Some(c.network),
                    managed_size: c.managed.as_ref().ok().map(|bytes| format!("{bytes}b")),
                    managed_error: c.managed.as_ref().err().map(|rejection| Error::from(&**rejection)),
                }),
            }
        }
        model::Role::JobManager => match cutoff::total_mb(&settings, keys::JM_HEAP_SIZE, keys::JM_HEAP_MB) {
            Err(rejection) => Err((true, rejection)),
            Ok((mb, _)) => cutoff::jobmanager_container(&settings, mb).map_err(|e| (false, e)).map(|c| Container {
                cutoff_mb: None,
                heap_mb: c.heap_mb,
                direct_mb: None,
                jvm_args: c.jvm_arguments(),
                network: None,
                managed_size: None,
                managed_error: None,
            }),
        },
    };
    let notices = Some(texts(&settings.notices()));
    match container {
        Ok(container) => Process { ok: true, notices, container: Some(container), ..Process::default() },
        Err((true, rejection)) => {
            Process { ok: false, notices, error: Some(Error::from(&*rejection)), ..Process::default() }
        }
        Err((false, rejection)) => {
            Process { ok: true, notices, container_error: Some(Error::from(&*rejection)), ..Process::default() }
        }
    }
}

fn arithmetic(ask: Ask, question: &Question, profile: &Profile) -> Result<Body, String> {
    fn asked<T: Clone>(field: &Option<T>, name: &str) -> Result<T, String> {
        field.clone().ok_or_else(|| format!("`ask` needs `{name}`"))
    }
    match ask {
        Ask::MemorySize => Ok(match Bytes::parse_flink(&asked(&question.text, "text")?) {
            Ok(size) => Body::Size { ok: true, bytes: size.get(), human: memory_size::human(size) },
            Err(error) => {
                let rejection = <Box<Rejection>>::from(error);
                let error = Some(Error::from(&*rejection));
                Body::Process(Box::new(Process { ok: false, error, ..Process::default() }))
            }
        }),
        Ask::Fraction => {
            let bytes = Bytes::new(asked(&question.bytes, "bytes")?);
            let text = asked(&question.fraction, "fraction")?;
            let value = f64::from(java::parse_float(&text).map_err(|e| e.to_string())?);
            let product = |x: f64| {
                let multiplier = Some(x).filter(|x| x.is_finite() && *x >= 0.0)?;
                fraction::multiply(bytes, multiplier).ok().map(Bytes::get)
            };
            Ok(Body::Products {
                ok: true,
                multiplied: product(value),
                inverse_multiplied: product(fraction::of_the_rest(value)),
            })
        }
        Ask::Rocksdb => {
            let total = asked(&question.total, "total")?;
            let ratio = asked(&question.ratio, "ratio")?;
            let write_buffer = asked(&question.wbs, "wbs")?;
            Ok(Body::Pool(sizes(&store::pool_sizes(total, ratio, write_buffer), profile)))
        }
    }
}
