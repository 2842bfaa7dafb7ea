//! What options are called in a version, and how a process gets a variable or a flag where it runs.

use super::Step;
use super::proof::Case;
use crate::flink::Version;
use crate::flink::keys;
use crate::model::{Deployment, Role};

/// The first of these that the version has; the last where it has none.
fn first<'n>(case: &Case<'_>, names: &[&'n str]) -> &'n str {
    names.iter().find(|name| case.has(name)).or(names.last()).copied().unwrap_or_default()
}

/// The state backend (`StateBackendOptions.STATE_BACKEND`, `CheckpointingOptions.STATE_BACKEND` up to 1.16).
pub(super) fn state_backend(case: &Case<'_>) -> &'static str {
    first(case, &[keys::STATE_BACKEND.name(), keys::STATE_BACKEND_UNTIL_1_16.name()])
}

/// Incremental checkpoints.
pub(super) fn incremental(case: &Case<'_>) -> &'static str {
    first(case, &["execution.checkpointing.incremental", "state.backend.incremental"])
}

/// Unaligned checkpoints; nothing before 1.11.
pub(super) fn unaligned(case: &Case<'_>) -> Option<&'static str> {
    ["execution.checkpointing.unaligned.enabled", "execution.checkpointing.unaligned"]
        .into_iter()
        .find(|key| case.has(key))
}

/// Compression of blocking shuffles; nothing where it cannot be switched.
pub(super) fn shuffle_compression(case: &Case<'_>) -> Option<&'static str> {
    [
        "taskmanager.network.batch-shuffle.compression.enabled",
        "taskmanager.network.blocking-shuffle.compression.enabled",
    ]
    .into_iter()
    .find(|key| case.has(key))
}

/// A variable in the process's environment: YARN's containers and Kubernetes' pods get it by a key of Flink's
/// (`ResourceManagerOptions.CONTAINERIZED_TASK_MANAGER_ENV_PREFIX`, `CONTAINERIZED_MASTER_ENV_PREFIX`).
pub(super) fn variable(case: &Case<'_>, name: &str, value: &str) -> Step {
    let prefix = match case.patient.role {
        Role::TaskManager => "containerized.taskmanager.env.",
        Role::JobManager => "containerized.master.env.",
    };
    match case.patient.question.deployment {
        Deployment::Yarn | Deployment::Kubernetes => Step::set(&format!("{prefix}{name}"), value),
        Deployment::Standalone | Deployment::None => {
            Step::Environment { name: name.to_owned(), value: value.to_owned() }
        }
    }
}

/// A flag of the JVM, behind those that the role has.
pub(super) fn java_flag(case: &Case<'_>, flag: &str) -> Step {
    let key = match case.patient.role {
        Role::TaskManager => keys::JAVA_OPTS_TM.name(),
        Role::JobManager => keys::JAVA_OPTS_JM.name(),
    };
    let value = match case.value(key) {
        Some(others) if !others.trim().is_empty() => format!("{} {flag}", others.trim()),
        _ => flag.to_owned(),
    };
    Step::set(key, value)
}

/// Whether a version is of this minor line or a later one.
pub(super) fn since(version: Version, major: u16, minor: u16) -> bool {
    version.line() >= (major, minor)
}
