//! What metrics in Prometheus' text form say: Flink's own, those of cAdvisor and the kubelet, and those of
//! kube-state-metrics. A gauge kills nobody; what names a death is kube-state-metrics' reason of the last end, and
//! counters of kills.

mod cluster;
mod containers;
mod flink;
#[cfg(test)]
mod tests;

use super::signal::{Origin, Says, Signal, Strain};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::flink_rest::whole;
use crate::artefact::prometheus::{self, Line, Sample};
use crate::model::{Area, Bytes};

/// Words by which a line of these is found in a large text.
pub const ANCHORS: &[&str] =
    &["container_oom_events_total", "_last_terminated_", "container_memory_", "_Status_JVM_Memory_"];

/// A quotation is no longer, in bytes.
const LONGEST_QUOTE: usize = 300;
/// The first words of the names that are read here.
const FAMILIES: [&str; 8] = [
    "container_memory_",
    "container_oom_events",
    "container_spec_memory_",
    "kube_pod_",
    "kube_node_status_condition",
    "kubelet_evictions",
    "flink_taskmanager_",
    "flink_jobmanager_",
];
/// A counter is worth a word from this share of its limit on, in percent.
const NEARLY_FULL: u64 = 90;

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    if !FAMILIES.iter().any(|family| excerpt.text().contains(family)) {
        return Vec::new();
    }
    let mut containers = containers::Containers::default();
    let mut cluster = cluster::Cluster::default();
    let mut flink = flink::Flink::default();
    for line in excerpt.lines() {
        let Some(start) = start(line.text) else { continue };
        let text = line.text.get(start..).unwrap_or_default();
        // `promtool` and the web page of Prometheus write an arrow before the value, and the time behind an `@`.
        let plain = text.contains("} => ").then(|| text.replace("} => ", "} ").replace(" @[", " #["));
        let Ok(Line::Sample(sample)) = prometheus::line(plain.as_deref().unwrap_or(text)) else { continue };
        let at = line.offset + start;
        let Ok(value) = whole(sample.value) else { continue };
        match sample.name.as_ref() {
            name if name.starts_with("container_") => containers.take(&sample, value, at),
            name if name.starts_with("kube") => cluster.take(&sample, value, at),
            _ => flink.take(&sample, value, at),
        }
    }
    let mut found = Found { excerpt, signals: Vec::new() };
    containers.tell(&mut found);
    cluster.tell(&mut found);
    flink.tell(&mut found);
    found.signals
}

/// Where a name of these families starts in a line, whatever a collector put before it. Comments name metrics, too.
fn start(line: &str) -> Option<usize> {
    let at = FAMILIES.iter().filter_map(|family| line.find(family)).min()?;
    let before = line.get(..at)?;
    let is_comment = ["HELP ", "TYPE ", "UNIT "].iter().any(|keyword| before.ends_with(keyword));
    let is_whole =
        !before.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '"' | '(' | '{' | '/' | '.'));
    (!is_comment && is_whole).then_some(at)
}

/// What is found, and where it stands.
struct Found<'e> {
    excerpt: &'e Excerpt,
    signals: Vec<Signal>,
}

impl Found<'_> {
    fn push(&mut self, at: usize, says: Says) {
        let line = self.excerpt.line(at);
        let text = line.text.trim();
        let quote = text.get(..text.floor_char_boundary(LONGEST_QUOTE)).unwrap_or_default().to_owned();
        let time = self.excerpt.at(at);
        self.signals.push(Signal { origin: Origin::Metrics, file: 0, line: line.number, at: time, quote, says });
    }

    fn strain(&mut self, at: usize, name: &'static str, area: Area, text: String, of: Option<(u64, u64)>) {
        let usage = of.map(|(usage, _)| Bytes::new(usage));
        let limit = of.map(|(_, limit)| Bytes::new(limit));
        self.push(at, Says::Strain(Strain { name, area: Some(area), text, usage, limit }));
    }
}

/// A label, of which older versions have another name.
fn label<'s>(sample: &'s Sample<'_>, names: &[&str]) -> &'s str {
    names.iter().find_map(|name| sample.label(name)).unwrap_or_default()
}

fn is_nearly(usage: u64, limit: u64) -> bool {
    limit > 0 && u128::from(usage) * 100 >= u128::from(limit) * u128::from(NEARLY_FULL)
}
