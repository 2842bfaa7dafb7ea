//! What a role's plan can be judged by: the settings that are there, who starts the processes, and whether both are enough.

use super::case::Judged;
use super::engine::Told;
use crate::config::load::Loaded;
use crate::config::{Config, Setting, is_placeholder};
use crate::flink::keys;
use crate::model::{Deployment, Role, Source, UseCase};
use crate::plan::jvm::Machine;
use crate::plan::settings::Settings;
use crate::plan::store::Store;
use crate::plan::{self, Backend, Question, container};

/// Who starts the processes, where that is known.
pub(super) fn deployment_of(loaded: &Loaded, config: &Config, told: &Told) -> Option<Deployment> {
    told.deployment.or(loaded.subject.deployment).or_else(|| deployment(config)).or(told.default_deployment)
}

/// Takes out the settings whose key or value is a placeholder. The JVM's options are a shell's text, and stay.
pub(super) fn take_placeholders(config: &mut Config) -> Vec<(String, Setting)> {
    let held = |key: &str, setting: &Setting| {
        is_placeholder(key) || !key.starts_with("env.") && is_placeholder(&setting.value.java_text())
    };
    let taken: Vec<(String, Setting)> = config
        .iter()
        .filter(|(key, setting)| held(key, setting))
        .map(|(key, setting)| (key.to_owned(), setting.clone()))
        .collect();
    for (key, _) in &taken {
        config.remove(key);
    }
    taken
}

/// Who starts the processes, as far as the configuration tells.
pub(super) fn deployment(config: &Config) -> Option<Deployment> {
    let target = config.get("execution.target").map(|setting| setting.value.java_text().to_lowercase());
    match target {
        Some(target) if target.starts_with("yarn") => Some(Deployment::Yarn),
        Some(target) if target.starts_with("kubernetes") => Some(Deployment::Kubernetes),
        _ => config.get("kubernetes.cluster-id").map(|_| Deployment::Kubernetes),
    }
}

/// Whether a key is about a role's memory.
pub(super) fn is_memory_key(key: &str, role: Role) -> bool {
    match role {
        Role::TaskManager => {
            key.starts_with("taskmanager.memory.")
                || key.starts_with("taskmanager.heap.")
                || key == keys::NETWORK_BUFFERS.name()
                || [keys::NETWORK_FRACTION_1_9.name(), keys::NETWORK_MIN_1_9.name(), keys::NETWORK_MAX_1_9.name()]
                    .contains(&key)
        }
        Role::JobManager => key.starts_with("jobmanager.memory.") || key.starts_with("jobmanager.heap."),
    }
}

/// Whether a key gives a role a total, so that what lies below in another file does not decide.
pub(super) fn is_total(key: &str) -> bool {
    [keys::TM_PROCESS, keys::TM_FLINK, keys::TM_HEAP_SIZE, keys::JM_PROCESS, keys::JM_FLINK, keys::JM_HEAP_SIZE]
        .iter()
        .any(|total| total.name() == key)
        || [keys::TM_HEAP_MB, keys::JM_HEAP_MB].iter().any(|total| total.name() == key)
}

/// A role's plan, where there is enough to judge it by.
pub(super) fn judge(
    loaded: &Loaded,
    config: &Config,
    placeholders: &[(String, Setting)],
    told: &Told,
    deployment: Option<Deployment>,
    role: Role,
) -> Option<Judged> {
    let subject = &loaded.subject;
    let mut own = config.iter().filter(|(_, setting)| setting.place.source != Source::Shipped);
    let wanted = match (told.role, subject.role) {
        (Some(asked), _) => asked == role,
        (None, Some(known)) if !subject.partial => known == role,
        (None, known) => {
            known.is_none_or(|known| known == role)
                && own.any(|(key, _)| is_memory_key(key, role) && (!subject.partial || is_total(key)))
        }
    };
    let decides = |key: &str| {
        is_placeholder(key)
            || key.starts_with("state.backend")
            || match role {
                Role::TaskManager => key.starts_with("taskmanager.") || key.starts_with("kubernetes.taskmanager."),
                Role::JobManager => key.starts_with("jobmanager.") || key.starts_with("kubernetes.jobmanager."),
            }
    };
    // Of a process that is known by its command line alone, the options behind the flags are not here: that the settings
    // that are have no total says nothing of it.
    let is_flags_alone = subject.command.is_some();
    if !wanted || is_flags_alone || placeholders.iter().any(|(key, _)| decides(key)) || subject.open {
        return None;
    }
    let profile = loaded.choice.profile;
    let backend = Backend::of(&Settings::new(config, profile));
    let question = Question {
        role,
        deployment: deployment.unwrap_or_default(),
        consumers: vec![UseCase::StateBackend],
        managed_backend: backend.takes_managed_memory(),
        stores: vec![Store::RocksDb, Store::ForSt],
    };
    let mut outcome = plan::survey(config, profile, &question, Machine::default());
    if let Ok(survey) = &mut outcome
        && let Some(limit) = subject.pod(role).and_then(|pod| pod.limit.as_ref())
    {
        survey.container = Ok(container::written(limit, survey.plan.budget.total_process().bytes));
    }
    Some(Judged { question, outcome })
}
