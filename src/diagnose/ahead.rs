//! What a process will meet if nothing changes: each growing measure against the bound above it.

use super::over_time::OverTime;
use super::trend::Forecast;
use crate::model::{Budget, Bytes, Component, Measure};

/// What bounds a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The limit of the container: the kernel kills.
    Container,
    /// What Flink planned for the process in all: what the container should have at least.
    Planned,
    /// A part of that which the JVM enforces.
    Part(Component),
}

impl Bound {
    /// The name in sentences.
    pub fn label(self) -> &'static str {
        match self {
            Bound::Container => "the container's limit",
            Bound::Planned => "what Flink planned in all",
            Bound::Part(component) => component.label(),
        }
    }

    /// The name in JSON.
    pub fn key(self) -> &'static str {
        match self {
            Bound::Container => "limit",
            Bound::Planned => "total_process",
            Bound::Part(component) => component.key(),
        }
    }
}

/// When a measure reaches a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Which measure.
    pub measure: Measure,
    /// Which bound.
    pub bound: Bound,
    /// How much that is.
    pub limit: Bytes,
    /// When.
    pub forecast: Forecast,
}

/// What lies ahead, the container's limit first. The working set counts there: file pages that nobody uses are given back
/// before the kernel kills; where it was not seen, the resident set does.
pub fn ahead(over: &OverTime, budget: Option<&Budget>, limit: Option<Bytes>) -> Vec<Ahead> {
    let in_container = match over.trend(Measure::CgroupWorkingSet) {
        Some(_) => Measure::CgroupWorkingSet,
        None => Measure::Rss,
    };
    let part = |component: Component| budget?.part(component).map(|figure| figure.bytes);
    let bounds = [
        (in_container, Bound::Container, limit),
        (Measure::Rss, Bound::Planned, budget.map(|budget| budget.total_process().bytes)),
        (Measure::MetaspaceCommitted, Bound::Part(Component::JvmMetaspace), part(Component::JvmMetaspace)),
    ];
    let foretold = bounds.into_iter().filter_map(|(measure, bound, limit)| {
        let (limit, trend) = (limit?, over.trend(measure)?);
        Some(Ahead { measure, bound, limit, forecast: trend.time_to(limit.get()) })
    });
    foretold.collect()
}
