//! The setting that a role's memory starts from.

use crate::check::{Case, Written};
use crate::model::Role;

/// The total of a role that somebody wrote, the one that outranks the others first.
pub fn total<'a>(case: &Case<'a>, role: Role) -> Option<Written<'a>> {
    let keys = match role {
        Role::TaskManager => [
            "taskmanager.memory.flink.size",
            "taskmanager.memory.process.size",
            "taskmanager.heap.size",
            "taskmanager.heap.mb",
        ],
        Role::JobManager => [
            "jobmanager.memory.flink.size",
            "jobmanager.memory.process.size",
            "jobmanager.heap.size",
            "jobmanager.heap.mb",
        ],
    };
    keys.iter().filter_map(|key| case.find(key)).find(Written::is_own)
}

/// How the keys of a role's memory begin.
pub fn prefix(role: Role) -> &'static str {
    match role {
        Role::TaskManager => "taskmanager.memory.",
        Role::JobManager => "jobmanager.memory.",
    }
}
