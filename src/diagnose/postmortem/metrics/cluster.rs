//! What kube-state-metrics says of pods, and the kubelet of those it evicted.

use std::collections::BTreeMap;

use super::{Found, label};
use crate::artefact::prometheus::Sample;
use crate::diagnose::postmortem::signal::{Death, Ended, Says, Strain};
use crate::model::{Area, Bytes, Killer};

/// A cluster has no more containers.
const MOST: usize = 100_000;

/// What is known of a cluster's pods.
#[derive(Debug, Default)]
pub(super) struct Cluster {
    /// By namespace, pod and container.
    containers: BTreeMap<[String; 3], Container>,
    /// Pods and the reason of their end, and where it stands.
    pods: Vec<(String, String, usize)>,
    /// Pods that the kubelet evicted, by the resource that was short.
    evictions: Vec<(String, u64, usize)>,
    /// Nodes that are short of memory.
    pressure: Vec<(String, usize)>,
}

#[derive(Debug, Default)]
struct Container {
    /// Why it ended, and where that stands.
    reason: Option<(String, usize)>,
    exit: Option<(u64, usize)>,
    limit: Option<u64>,
    restarts: Option<(u64, usize)>,
}

impl Cluster {
    pub fn take(&mut self, sample: &Sample<'_>, value: u64, at: usize) {
        let reason = label(sample, &["reason"]);
        match sample.name.as_ref() {
            "kube_pod_status_reason" if value > 0 => {
                if self.pods.len() < MOST {
                    self.pods.push((label(sample, &["pod"]).to_owned(), reason.to_owned(), at));
                }
                return;
            }
            "kube_node_status_condition" => {
                let is_short =
                    sample.label("condition") == Some("MemoryPressure") && sample.label("status") == Some("true");
                if is_short && value > 0 && self.pressure.len() < MOST {
                    self.pressure.push((label(sample, &["node"]).to_owned(), at));
                }
                return;
            }
            "kubelet_evictions" | "kubelet_evictions_total" => {
                if value > 0 && self.evictions.len() < MOST {
                    self.evictions.push((label(sample, &["eviction_signal"]).to_owned(), value, at));
                }
                return;
            }
            _ => {}
        }
        let Some(container) = self.container(sample) else { return };
        match sample.name.as_ref() {
            "kube_pod_container_status_last_terminated_reason" | "kube_pod_container_status_terminated_reason"
                if value > 0 =>
            {
                container.reason = Some((reason.to_owned(), at));
            }
            "kube_pod_container_status_last_terminated_exitcode" => container.exit = Some((value, at)),
            "kube_pod_container_status_restarts_total" => container.restarts = Some((value, at)),
            // To kube-state-metrics 1.x each resource had a metric of its own.
            "kube_pod_container_resource_limits_memory_bytes" => container.limit = Some(value),
            "kube_pod_container_resource_limits" if sample.label("resource") == Some("memory") => {
                container.limit = Some(value);
            }
            _ => {}
        }
    }

    fn container(&mut self, sample: &Sample<'_>) -> Option<&mut Container> {
        // A scrape that keeps its own labels renames those of the metric.
        let of = |name: &str, exported: &str| label(sample, &[exported, name]).to_owned();
        let key =
            [of("namespace", "exported_namespace"), of("pod", "exported_pod"), of("container", "exported_container")];
        if !sample.name.starts_with("kube_pod_container_") {
            return None;
        }
        let is_known = self.containers.contains_key(&key);
        (is_known || self.containers.len() < MOST).then(|| self.containers.entry(key).or_default())
    }

    pub fn tell(&self, found: &mut Found<'_>) {
        for ([_, pod, name], container) in &self.containers {
            container.tell(pod, name, found);
        }
        let short = self.evictions.iter().find(|(signal, ..)| signal.contains("memory"));
        let mut is_told = false;
        for (pod, reason, at) in &self.pods {
            let says = match reason.as_str() {
                "Evicted" if short.is_some() => {
                    is_told = true;
                    evicted(Some(pod))
                }
                // Of what the node was short is not said.
                "Evicted" => Says::Ended(Ended { exit: None, pid: None, unit: Some(pod.clone()) }),
                "NodeLost" => other("lost with its node"),
                "NodeAffinity" => other("not fit for its node"),
                "Shutdown" | "Terminated" => other("ended with its node, which was shut down"),
                "Preempting" => other("preempted by a pod of higher priority"),
                _ => continue,
            };
            found.push(*at, says);
        }
        for (signal, count, at) in &self.evictions {
            if signal.contains("memory") && !is_told {
                is_told = true;
                found.push(*at, evicted(None));
            } else if !signal.contains("memory") && !signal.is_empty() {
                let says = Says::OtherReason { reason: format!("evicted {count} times for {signal}"), ends: true };
                found.push(*at, says);
            }
        }
        for (node, at) in &self.pressure {
            found.strain(*at, "memory-pressure", Area::Other, format!("node {node} is short of memory"), None);
        }
    }
}

impl Container {
    fn tell(&self, pod: &str, name: &str, found: &mut Found<'_>) {
        let limit = self.limit.filter(|limit| *limit > 0 && *limit < 1 << 52).map(Bytes::new);
        match &self.reason {
            Some((reason, at)) if reason == "OOMKilled" => {
                let held = limit.map_or(String::new(), |limit| format!(", whose limit is {limit}"));
                let death = Death {
                    area: Some(Area::Container),
                    because: format!("Kubernetes calls the last end of container {name}{held} OOMKilled"),
                    limit,
                    exact: limit.is_some(),
                    unit: Some(pod.to_owned()),
                    ..Death::by(Killer::KernelMemcg)
                };
                found.push(*at, Says::Death(death));
            }
            Some((reason, at)) if reason == "Evicted" => {
                found.push(*at, Says::Ended(Ended { exit: self.exit(), pid: None, unit: Some(pod.to_owned()) }));
            }
            Some((reason, at)) if reason == "DeadlineExceeded" => {
                found.push(*at, other("stopped when its time was up"));
            }
            Some((reason, at)) if reason == "ContainerCannotRun" => {
                found.push(*at, other("a container that cannot run"))
            }
            Some((reason, _)) if reason == "Completed" => {}
            _ => {
                if let (Some(exit), Some((_, at))) = (self.exit().filter(|exit| *exit != 0), self.exit) {
                    let unit = Some(pod.to_owned());
                    found.push(at, Says::Ended(Ended { exit: Some(exit), pid: None, unit }));
                }
            }
        }
        if let Some((restarts, at)) = self.restarts.filter(|(restarts, _)| *restarts > 0) {
            let text = format!("container {name} of {pod} was started anew {restarts} times");
            found.push(at, Says::Strain(Strain { name: "restarts", area: None, text, usage: None, limit: None }));
        }
    }

    fn exit(&self) -> Option<i32> {
        self.exit.and_then(|(exit, _)| i32::try_from(exit).ok())
    }
}

fn other(reason: &str) -> Says {
    Says::OtherReason { reason: reason.to_owned(), ends: true }
}

fn evicted(pod: Option<&String>) -> Says {
    Says::Death(Death {
        area: Some(Area::Container),
        because: "the kubelet evicted pods because its node was short of memory".to_owned(),
        unit: pod.cloned(),
        ..Death::by(Killer::KubeletEvict)
    })
}
