//! The kubelet's view of a container, as cAdvisor writes it (`/metrics/cadvisor`).

use std::collections::BTreeMap;

use super::Sample;
use crate::artefact::flink_rest::whole;
use crate::model::{Bytes, Limit, Seen, Unseen};

/// A node has 110 pods of a few containers; a Prometheus server has those of all nodes.
const MOST: usize = 100_000;

/// One container, or with an empty name the cgroup of a whole pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerMetrics {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container's name.
    pub container: String,
    /// Its cgroup.
    pub cgroup: String,
    /// `container_memory_working_set_bytes`: usage without inactive file pages. The kubelet evicts by it.
    pub working_set: Seen<Bytes>,
    /// `container_memory_usage_bytes`: all that is charged.
    pub usage: Seen<Bytes>,
    /// `container_memory_rss`: anonymous pages (`anon` or `total_rss`), not the resident set of `ps`.
    pub anonymous: Seen<Bytes>,
    /// `container_memory_cache`: file pages, tmpfs and shared memory.
    pub cache: Seen<Bytes>,
    /// `container_memory_swap`.
    pub swap: Seen<Bytes>,
    /// `container_memory_max_usage_bytes`.
    pub peak: Seen<Bytes>,
    /// `container_spec_memory_limit_bytes`; cAdvisor writes 0 for "none".
    pub limit: Seen<Limit>,
    /// `container_oom_events_total`.
    pub oom_events: Seen<u64>,
    /// `container_memory_failcnt`: how often the limit was met.
    pub limit_hits: Seen<u64>,
}

/// Gathers cAdvisor's samples; a sample of anything else is passed over.
#[derive(Debug, Default)]
pub struct ContainerView {
    all: BTreeMap<[String; 4], BTreeMap<&'static str, String>>,
    left_out: u64,
}

/// What is kept of `container_…`.
const KEPT: [&str; 9] = [
    "memory_working_set_bytes",
    "memory_usage_bytes",
    "memory_rss",
    "memory_cache",
    "memory_swap",
    "memory_max_usage_bytes",
    "spec_memory_limit_bytes",
    "oom_events_total",
    "memory_failcnt",
];

impl ContainerView {
    /// All samples of a text.
    pub fn of_text(text: &str) -> ContainerView {
        let mut view = ContainerView::default();
        for sample in super::samples(text) {
            view.take(&sample);
        }
        view
    }

    /// One sample more.
    pub fn take(&mut self, sample: &Sample<'_>) {
        let Some(rest) = sample.name.strip_prefix("container_") else { return };
        let Some(name) = KEPT.into_iter().find(|name| *name == rest) else { return };
        // Before Kubernetes 1.16 the labels were `pod_name` and `container_name`.
        let label =
            |new: &str, old: &str| sample.label(new).or_else(|| sample.label(old)).unwrap_or_default().to_owned();
        let key = [
            label("namespace", "namespace"),
            label("pod", "pod_name"),
            label("container", "container_name"),
            label("id", "id"),
        ];
        if self.all.len() >= MOST && !self.all.contains_key(&key) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.all.entry(key).or_default().insert(name, sample.value.to_owned());
    }

    /// The containers that were told of.
    pub fn containers(&self) -> Vec<ContainerMetrics> {
        let all = self.all.iter().map(|([namespace, pod, container, cgroup], values)| {
            let count = |name: &str| {
                let value = values
                    .get(name)
                    .ok_or_else(|| Unseen::because(format!("the text has no container_{name} of this container")))?;
                whole(value)
            };
            let bytes = |name: &str| count(name).map(Bytes::new);
            ContainerMetrics {
                namespace: namespace.clone(),
                pod: pod.clone(),
                container: container.clone(),
                cgroup: cgroup.clone(),
                working_set: bytes("memory_working_set_bytes"),
                usage: bytes("memory_usage_bytes"),
                anonymous: bytes("memory_rss"),
                cache: bytes("memory_cache"),
                swap: bytes("memory_swap"),
                peak: bytes("memory_max_usage_bytes"),
                limit: bytes("spec_memory_limit_bytes").map(limit),
                oom_events: count("oom_events_total"),
                limit_hits: count("memory_failcnt"),
            }
        });
        all.collect()
    }

    /// Samples that were too many to keep.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}

/// Half of all addresses is no limit: cgroup v1 writes 9223372036854771712 where there is none.
fn limit(bytes: Bytes) -> Limit {
    if bytes == Bytes::ZERO || bytes.get() >= 1 << 62 { Limit::Unlimited } else { Limit::AtMost(bytes) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]

    use super::*;

    #[test]
    fn the_kubelets_values_are_gathered_by_container() {
        let text = "\
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container=\"flink-main-container\",id=\"/kubepods/x\",namespace=\"f\",pod=\"tm-1\"} 1.811939328e+09 1795249565392
container_memory_rss{container=\"flink-main-container\",id=\"/kubepods/x\",namespace=\"f\",pod=\"tm-1\"} 1.7e+09
container_spec_memory_limit_bytes{container=\"flink-main-container\",id=\"/kubepods/x\",namespace=\"f\",pod=\"tm-1\"} 2.147483648e+09
container_spec_memory_limit_bytes{container=\"\",id=\"/kubepods\",namespace=\"\",pod=\"\"} 0
container_oom_events_total{container=\"flink-main-container\",id=\"/kubepods/x\",namespace=\"f\",pod=\"tm-1\"} 3
container_cpu_usage_seconds_total{container=\"flink-main-container\",id=\"/kubepods/x\",namespace=\"f\",pod=\"tm-1\"} 9
";
        let containers = ContainerView::of_text(text).containers();
        let [root, task_manager] = containers.as_slice() else { unreachable!("{containers:?}") };
        assert_eq!(root.limit, Ok(Limit::Unlimited));
        assert_eq!(task_manager.working_set, Ok(Bytes::new(1_811_939_328)));
        assert_eq!(task_manager.limit, Ok(Limit::AtMost(Bytes::gib(2))));
        assert_eq!(task_manager.oom_events, Ok(3));
        assert!(task_manager.cache.as_ref().unwrap_err().why.contains("container_memory_cache"));
    }
}
