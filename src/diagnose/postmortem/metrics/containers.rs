//! Containers as cAdvisor and the kubelet measure them (`/metrics/cadvisor`, `/metrics/resource`).

use std::collections::BTreeMap;

use super::{Found, is_nearly, label};
use crate::artefact::prometheus::Sample;
use crate::diagnose::postmortem::signal::{Death, Says, Strain};
use crate::model::{Area, Bytes, Killer};

/// A Prometheus server has the containers of all nodes.
const MOST: usize = 100_000;

/// Containers by namespace, pod and name; outside Kubernetes by name alone.
#[derive(Debug, Default)]
pub(super) struct Containers {
    all: BTreeMap<[String; 3], Container>,
}

/// A metric's value and where it stands.
type Metric = Option<(u64, usize)>;

#[derive(Debug, Default)]
struct Container {
    usage: Metric,
    working_set: Metric,
    anonymous: Metric,
    cache: Metric,
    limit: Metric,
    limit_hits: Metric,
    kills: Metric,
}

impl Containers {
    pub fn take(&mut self, sample: &Sample<'_>, value: u64, at: usize) {
        let name = sample.name.strip_prefix("container_").unwrap_or_default();
        let mut container = label(sample, &["container", "container_name"]);
        let pod = label(sample, &["pod", "pod_name"]);
        if container == "POD" {
            // The pause container, which holds the pod's network.
            return;
        }
        if pod.is_empty() && container.is_empty() {
            // Without Kubernetes the container has a name; a cgroup that has none is a node's or a service's.
            container = label(sample, &["name"]);
            if container.is_empty() {
                return;
            }
        }
        let namespace = label(sample, &["namespace"]);
        let key = [namespace.to_owned(), pod.to_owned(), container.to_owned()];
        if self.all.len() >= MOST && !self.all.contains_key(&key) {
            return;
        }
        let known = self.all.entry(key).or_default();
        let slot = match name {
            "memory_usage_bytes" => &mut known.usage,
            "memory_working_set_bytes" => &mut known.working_set,
            "memory_rss" => &mut known.anonymous,
            "memory_cache" => &mut known.cache,
            "spec_memory_limit_bytes" => &mut known.limit,
            "memory_failcnt" | "memory_failcnt_total" | "memory_events_max_total" => &mut known.limit_hits,
            "oom_events_total" => &mut known.kills,
            _ => return,
        };
        // Of several times the last one counts, whatever their order in the text.
        *slot = Some((value, at));
    }

    pub fn tell(&self, found: &mut Found<'_>) {
        for ([namespace, pod, name], container) in &self.all {
            // The pod's own series are the sum of its containers'.
            let next = self.all.range([namespace.clone(), pod.clone(), "\u{1}".to_owned()]..).next();
            let is_sum = name.is_empty() && next.is_some_and(|([space, of, _], _)| (space, of) == (namespace, pod));
            if !is_sum {
                let unit = if pod.is_empty() { name } else { pod };
                container.tell(name, unit, found);
            }
        }
    }
}

impl Container {
    /// The limit, where there is one: cAdvisor writes 0 for none, and cgroup v1 half of all addresses.
    fn limit(&self) -> Option<u64> {
        self.limit.map(|(limit, _)| limit).filter(|limit| *limit > 0 && *limit < 1 << 52)
    }

    /// Whether most of what is charged are pages of files, and how much of each.
    fn cached(&self) -> Option<(u64, u64)> {
        let (cache, _) = self.cache?;
        let (anonymous, _) = self.anonymous?;
        (cache > anonymous).then_some((cache, anonymous))
    }

    fn tell(&self, name: &str, unit: &str, found: &mut Found<'_>) {
        let name = if name.is_empty() { unit } else { name };
        let limit = self.limit();
        if let Some((kills, at)) = self.kills.filter(|(kills, _)| *kills > 0) {
            let death = Death {
                area: Some(Area::Container),
                because: format!("the kernel killed {kills} times in container {name} for want of memory"),
                limit: limit.map(Bytes::new),
                // What is used is measured after the kill.
                usage: None,
                exact: limit.is_some(),
                unit: Some(unit.to_owned()),
                ..Death::by(Killer::KernelMemcg)
            };
            found.push(at, Says::Death(death));
        }
        let Some(limit) = limit else { return };
        let size = Bytes::new(limit);
        if let Some((used, at)) = self.working_set.filter(|(used, _)| is_nearly(*used, limit)) {
            let used_size = Bytes::new(used);
            match self.cached() {
                Some((cache, anonymous)) => {
                    let text = format!(
                        "the working set of {name} is {used_size} of {size}, but {} of it are pages of files and only \
                         {} anonymous: the kernel takes them back before it kills",
                        Bytes::new(cache.min(used)),
                        Bytes::new(anonymous)
                    );
                    found.strain(at, "cache-heavy", Area::PageCache, text, Some((used, limit)));
                }
                None => {
                    let text = format!("the working set of {name} is {used_size} of {size}");
                    found.strain(at, "near-limit", Area::Container, text, Some((used, limit)));
                }
            }
        } else if let Some((used, at)) = self.usage.filter(|(used, _)| is_nearly(*used, limit)) {
            // Usage is the working set and the pages that nobody has used for a while.
            let (area, why) = match (self.working_set, self.cached()) {
                (_, Some(_)) | (Some(_), None) => {
                    (Area::PageCache, ", most of it pages of files that can be taken back")
                }
                (None, None) => (Area::Container, ""),
            };
            let text = format!("{name} is charged {} of {size}{why}", Bytes::new(used));
            found.strain(at, "near-limit", area, text, Some((used, limit)));
        }
        if let Some((hits, at)) = self.limit_hits.filter(|(hits, _)| *hits > 0) {
            let area = if self.cached().is_some() { Area::PageCache } else { Area::Container };
            let text = format!("{name} met its limit of {size} {hits} times");
            let strain = Strain { name: "limit-hit", area: Some(area), text, usage: None, limit: Some(size) };
            found.push(at, Says::Strain(strain));
        }
    }
}
