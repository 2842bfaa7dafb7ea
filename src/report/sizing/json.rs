//! `oomph.size/1`: a sizing in JSON. Its schema is `docs/schema/size-v1.json`, which a test keeps equal to these types.

use serde::Serialize;

use crate::recommend::Change;
use crate::recommend::size::{Part, Sizing};

/// A sized TaskManager; sizes are bytes.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Document {
    /// `oomph.size/1`.
    schema: &'static str,
    /// The Flink version.
    flink: String,
    /// What a TaskManager's process takes.
    container: u64,
    slots: u32,
    parallelism: u32,
    /// TaskManagers that the job needs.
    task_managers: u32,
    /// The allocator that JVM overhead is sized for: `glibc` or `jemalloc`.
    allocator: &'static str,
    /// The configuration, in order.
    configuration: Vec<OptionV1>,
    /// What Flink makes of it, by component.
    components: Vec<ComponentV1>,
    /// What JVM overhead is made of.
    overhead: Vec<PartV1>,
    /// Network buffers that the job must have on a TaskManager, and that it has.
    network_buffers_required: u64,
    network_buffers_had: u64,
    /// What the sizes rest on.
    facts: Vec<FactV1>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct OptionV1 {
    key: String,
    value: String,
    reason: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct ComponentV1 {
    name: &'static str,
    bytes: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct PartV1 {
    name: String,
    bytes: u64,
    /// `known` or `assumed`.
    basis: &'static str,
    source: String,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct FactV1 {
    /// `known` or `assumed`.
    basis: &'static str,
    text: String,
    source: String,
}

/// The document of a sizing.
pub fn document(sizing: &Sizing, version: String) -> Document {
    let load = &sizing.load;
    Document {
        schema: "oomph.size/1",
        flink: version,
        container: load.container.get(),
        slots: load.slots,
        parallelism: load.parallelism,
        task_managers: load.task_managers,
        allocator: sizing.allocator(),
        configuration: sizing
            .chosen
            .iter()
            .filter_map(|chosen| match &chosen.change {
                Change::Set { key, value } => {
                    Some(OptionV1 { key: key.clone(), value: value.clone(), reason: chosen.reason.clone() })
                }
                Change::Remove { .. } => None,
            })
            .collect(),
        components: sizing
            .survey
            .plan
            .budget
            .parts()
            .iter()
            .map(|(component, figure)| ComponentV1 { name: component.key(), bytes: figure.bytes.get() })
            .collect(),
        overhead: sizing.overhead.iter().map(part).collect(),
        network_buffers_required: sizing.network.need.required,
        network_buffers_had: sizing.network.need.had,
        facts: sizing
            .facts
            .iter()
            .map(|fact| FactV1 { basis: fact.basis.label(), text: fact.text.clone(), source: fact.source.clone() })
            .collect(),
    }
}

fn part(part: &Part) -> PartV1 {
    PartV1 { name: part.name.clone(), bytes: part.bytes.get(), basis: part.basis.label(), source: part.source.clone() }
}
