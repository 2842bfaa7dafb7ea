//! The setting that says how large a process is.

use crate::check::{Case, Written};
use crate::model::Role;

/// What the total of a role is written as: the process, what Flink divides up in it, or the container of old versions.
pub fn of<'a>(case: &Case<'a>, role: Role) -> Option<Written<'a>> {
    let keys = match role {
        Role::TaskManager => [
            "taskmanager.memory.process.size",
            "taskmanager.memory.flink.size",
            "taskmanager.heap.size",
            "taskmanager.heap.mb",
        ],
        Role::JobManager => [
            "jobmanager.memory.process.size",
            "jobmanager.memory.flink.size",
            "jobmanager.heap.size",
            "jobmanager.heap.mb",
        ],
    };
    keys.into_iter().find_map(|key| case.find(key).or_else(|| case.exactly(key))).filter(Written::is_own)
}
