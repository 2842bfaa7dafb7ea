//! The container that a process is put into, and who enforces each part of its budget.

use super::rejection::Outcome;
use super::settings::Settings;
use super::store::Store;
use super::{Backend, Deployment, Plan};
use crate::config::Written;
use crate::flink::keys;
use crate::model::{Bytes, Component, Enforcer, Limit, Role};

/// What is asked of YARN or Kubernetes for a process.
#[derive(Clone, Debug, PartialEq)]
pub struct Container {
    /// What the process may take.
    pub limit: Limit,
    /// What is asked for.
    pub request: Option<Bytes>,
    /// How that comes about, for a person.
    pub why: String,
}

/// The container of a process whose total is planned. YARN and Kubernetes are asked for whole mebibytes, the rest
/// dropped, while the JVM's flags keep every byte (`WorkerSpecContainerResourceAdapter`, `KubernetesUtils`).
pub fn container(settings: &Settings<'_>, deployment: Deployment, role: Role, total: Bytes) -> Outcome<Container> {
    let floored = Bytes::new(total.whole_mib() << 20);
    Ok(match deployment {
        Deployment::Standalone | Deployment::None => Container {
            limit: Limit::Unlimited,
            request: None,
            why: "no container: only the machine's memory bounds the process".to_owned(),
        },
        Deployment::Yarn => Container {
            limit: Limit::AtMost(floored),
            request: Some(floored),
            why: "total process memory in whole MiB; YARN rounds up to a multiple of \
                  yarn.scheduler.minimum-allocation-mb, which is not in this configuration"
                .to_owned(),
        },
        Deployment::Kubernetes => {
            let key = match role {
                Role::TaskManager => keys::KUBERNETES_TM_LIMIT_FACTOR,
                Role::JobManager => keys::KUBERNETES_JM_LIMIT_FACTOR,
            };
            let factor = match settings.row(key) {
                Some(_) => settings.double(key)?.map_or(1.0, |ratio| ratio.value),
                None => 1.0,
            };
            let limit = (total.whole_mib() as f64 * factor) as u64;
            let limit = Bytes::mib(1).checked_mul(limit).unwrap_or(Bytes::FLINK_MAX);
            let why = if factor == 1.0 {
                "total process memory in whole MiB, for request and limit alike".to_owned()
            } else {
                format!("request: total process memory in whole MiB; limit: {factor} times that ({})", key.name())
            };
            Container { limit: Limit::AtMost(limit), request: Some(floored), why }
        }
    })
}

/// The container whose limit is written down in a manifest or told by a log.
pub fn written(limit: &Written, total: Bytes) -> Container {
    let Written { bytes, place } = limit;
    let why = match (bytes.checked_sub(total), total.checked_sub(*bytes)) {
        (Some(Bytes::ZERO), _) => format!("stated in {place}; just what Flink plans for the process"),
        (Some(more), _) => format!("stated in {place}; {more} more than Flink plans for the process"),
        (None, Some(less)) => format!(
            "stated in {place}; {less} less than Flink plans for the process, which is killed before it has that"
        ),
        (None, None) => format!("stated in {place}"),
    };
    Container { limit: Limit::AtMost(*bytes), request: None, why }
}

/// Who keeps a component within its figure.
pub fn enforcer(component: Component, plan: &Plan, backend: &Backend) -> Enforcer {
    match component {
        Component::FrameworkHeap | Component::TaskHeap | Component::Heap | Component::CutOffHeap => {
            Enforcer::MaxHeapSize
        }
        Component::FrameworkOffHeap | Component::TaskOffHeap => Enforcer::MaxDirectMemorySize,
        Component::OffHeap if plan.direct.is_some() => Enforcer::MaxDirectMemorySize,
        Component::Network => Enforcer::FlinkPool,
        Component::Managed => match backend {
            Backend::Heap => Enforcer::FlinkPool,
            Backend::Embedded(Store::ForSt) => Enforcer::ForStSoftly,
            Backend::Embedded(Store::RocksDb) | Backend::Other(_) | Backend::Unset => Enforcer::RocksDbSoftly,
        },
        Component::JvmMetaspace => Enforcer::MaxMetaspaceSize,
        Component::OffHeap | Component::JvmOverhead | Component::CutOff => Enforcer::Nobody,
    }
}

/// Who keeps the whole process within its total.
pub fn enforcer_of_total(container: &Outcome<Container>) -> Enforcer {
    match container {
        Ok(Container { limit: Limit::Unlimited, .. }) => Enforcer::Nobody,
        Ok(Container { limit: Limit::AtMost(_), .. }) | Err(_) => Enforcer::Container,
    }
}
