//! What a process is started with: JVM arguments and dynamic properties, character for character
//! (`ProcessMemoryUtils.generateJvmParametersStr`, `generateDynamicConfigsStr`).

use std::borrow::Cow;

use super::external_resources::Resource;
use super::rejection::Outcome;
use super::settings::Settings;
use crate::flink::profile::{DynamicProperties, ExternalResources};
use crate::flink::{hash_order, java, keys};
use crate::model::{Budget, Bytes, Component, Role};

/// `-Xmx… -Xms…` and the other limits, in Flink's order.
pub fn jvm(budget: &Budget, direct: Option<Bytes>) -> String {
    let heap = budget.heap().get();
    let direct = direct.map_or(String::new(), |bytes| format!(" -XX:MaxDirectMemorySize={}", bytes.get()));
    let metaspace = budget.size(Component::JvmMetaspace).get();
    format!("-Xmx{heap} -Xms{heap}{direct} -XX:MaxMetaspaceSize={metaspace}")
}

/// What `-XX:MaxDirectMemorySize` is: for a JobManager only if that is asked for.
pub fn direct_limit(settings: &Settings<'_>, budget: &Budget) -> Outcome<Option<Bytes>> {
    match budget.role() {
        Role::TaskManager => Ok(Bytes::checked_sum(
            [Component::FrameworkOffHeap, Component::TaskOffHeap, Component::Network].map(|c| budget.size(c)),
        )),
        Role::JobManager => {
            let (limited, _) = settings.boolean(keys::JM_DIRECT_LIMIT)?;
            Ok(limited.then(|| budget.size(Component::OffHeap)))
        }
    }
}

/// A TaskManager's dynamic properties.
pub fn taskmanager_properties(
    settings: &Settings<'_>,
    budget: &Budget,
    cores: f64,
    slots: i32,
    resources: &[Resource],
) -> String {
    let behaviour = &settings.profile().behaviour;
    let size = |component| format!("{}b", budget.size(component).get());
    let mut properties: Vec<(Cow<'static, str>, String)> = Vec::with_capacity(16);
    let mut put = |key: &'static str, value: String| properties.push((Cow::Borrowed(key), value));
    put(keys::CPU_CORES.name(), java::double_to_string(cores));
    put(keys::FRAMEWORK_HEAP.name(), size(Component::FrameworkHeap));
    put(keys::FRAMEWORK_OFF_HEAP.name(), size(Component::FrameworkOffHeap));
    put(keys::TASK_HEAP.name(), size(Component::TaskHeap));
    put(keys::TASK_OFF_HEAP.name(), size(Component::TaskOffHeap));
    put(keys::NETWORK_MIN.name(), size(Component::Network));
    put(keys::NETWORK_MAX.name(), size(Component::Network));
    put(keys::MANAGED_SIZE.name(), size(Component::Managed));
    if behaviour.dynamic_properties != DynamicProperties::MemoryOnly {
        put(keys::TM_METASPACE.name(), size(Component::JvmMetaspace));
        put(keys::TM_OVERHEAD_MIN.name(), size(Component::JvmOverhead));
        put(keys::TM_OVERHEAD_MAX.name(), size(Component::JvmOverhead));
    }
    if behaviour.dynamic_properties == DynamicProperties::WithSlots {
        put(keys::SLOTS.name(), slots.to_string());
        let names: Vec<&str> = resources.iter().map(|r| r.name.as_str()).collect();
        let list = match behaviour.external_resources {
            _ if names.is_empty() => "none".to_owned(),
            ExternalResources::Quoted => format!("\"{}\"", names.join(";")),
            _ => names.join(";"),
        };
        put(keys::EXTERNAL_RESOURCES.name(), list);
        let amounts = resources.iter().map(|r| (Cow::Owned(r.amount_key()), r.amount.to_string()));
        properties.extend(amounts);
    }
    let mut text = in_hash_order(&properties);
    if behaviour.dynamic_properties == DynamicProperties::MemoryOnly {
        text.push(' ');
    }
    text
}

/// A JobManager's dynamic properties; nothing in versions that have none.
pub fn jobmanager_properties(settings: &Settings<'_>, budget: &Budget) -> Option<String> {
    let size = |component| format!("{}b", budget.size(component).get());
    let properties = [
        (keys::JM_HEAP.name(), size(Component::Heap)),
        (keys::JM_OFF_HEAP.name(), size(Component::OffHeap)),
        (keys::JM_METASPACE.name(), size(Component::JvmMetaspace)),
        (keys::JM_OVERHEAD_MIN.name(), size(Component::JvmOverhead)),
        (keys::JM_OVERHEAD_MAX.name(), size(Component::JvmOverhead)),
    ]
    .map(|(key, value)| (Cow::Borrowed(key), value));
    settings.profile().behaviour.jobmanager_dynamic_properties.then(|| in_hash_order(&properties))
}

fn in_hash_order(properties: &[(Cow<'static, str>, String)]) -> String {
    let keys: Vec<&str> = properties.iter().map(|(key, _)| &**key).collect();
    let mut out = String::with_capacity(1024);
    for index in hash_order::iteration_order(&keys) {
        let (key, value) = &properties[index];
        let gap = if out.is_empty() { "" } else { " " };
        for part in [gap, "-D ", key, "=", value] {
            out.push_str(part);
        }
    }
    out
}
