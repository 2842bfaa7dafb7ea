//! The keys that a quantity may be set by.

use crate::model::{Component, Quantity, Role};

/// The keys that set a quantity of a role, the strongest first; nothing for what is only ever derived.
pub fn keys_of(quantity: Quantity, role: Role) -> Vec<String> {
    let (prefix, heap) = match role {
        Role::TaskManager => ("taskmanager.memory.", "taskmanager.heap."),
        Role::JobManager => ("jobmanager.memory.", "jobmanager.heap."),
    };
    let names: &[&str] = match quantity {
        Quantity::TotalProcess => &["process.size"],
        Quantity::TotalFlink => &["flink.size"],
        Quantity::JvmHeap if role == Role::JobManager => &["heap.size"],
        Quantity::Part(component) => match component {
            Component::FrameworkHeap => &["framework.heap.size"],
            Component::TaskHeap => &["task.heap.size"],
            Component::FrameworkOffHeap => &["framework.off-heap.size"],
            Component::TaskOffHeap => &["task.off-heap.size"],
            Component::Network => &["network.min", "network.max", "network.fraction"],
            Component::Managed => &["managed.size", "managed.fraction"],
            Component::Heap => &["heap.size"],
            Component::OffHeap => &["off-heap.size"],
            Component::JvmMetaspace => &["jvm-metaspace.size"],
            Component::JvmOverhead => &["jvm-overhead.min", "jvm-overhead.max", "jvm-overhead.fraction"],
            Component::CutOffHeap | Component::CutOff => &[],
        },
        _ => &[],
    };
    let mut keys: Vec<String> = names.iter().map(|name| format!("{prefix}{name}")).collect();
    if matches!(quantity, Quantity::TotalProcess | Quantity::TotalFlink | Quantity::Part(Component::Heap)) {
        // Up to 1.20 these stand in for a total.
        keys.extend(["size", "mb"].map(|unit| format!("{heap}{unit}")));
    }
    keys
}
