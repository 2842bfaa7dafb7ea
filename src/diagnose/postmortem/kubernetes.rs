//! What Kubernetes, the kubelet and container runtimes say of an end.

use super::kernel::{LOOK_BACK, signal, unit};
use super::signal::{Death, Ended, Origin, Says, Signal, Strain};
use crate::artefact::excerpt::Excerpt;
use crate::artefact::kubernetes_status::{self, Message, Pod, Terminated, Using};
use crate::model::{Area, Bytes, Killer};

#[cfg(test)]
mod tests;

/// What an excerpt says.
pub fn signals(excerpt: &Excerpt) -> Vec<Signal> {
    let text = excerpt.text();
    let status = kubernetes_status::read(text);
    let mut all: Vec<(usize, Origin, Says)> = Vec::new();
    // Of an evicted pod the message says of what, and its status whose it is.
    let explained = |message: &Message| matches!(message, Message::Evicted { .. } | Message::Storage { .. });
    let explained = status.messages.iter().any(|(_, message)| explained(message));
    for pod in &status.pods {
        of_pod(pod, explained, &mut all);
    }
    let mut owners: Vec<(usize, &str)> =
        status.pods.iter().filter_map(|pod| Some((pod.reason.as_ref()?.0, pod.name.as_deref()?))).collect();
    owners.sort_unstable();
    let mut evictions = Evictions::of(&status.messages, text);
    for (at, message) in &status.messages {
        let mut says = evictions.says(message).or_else(|| of_message(message));
        if let Some(Says::Death(death)) = &mut says
            && death.unit.is_none()
        {
            death.unit = owner(&owners, *at).map(str::to_owned);
        }
        all.extend(says.map(|says| (*at, Origin::Kubernetes, says)));
    }
    all.sort_by_key(|(at, ..)| *at);
    let mut signals: Vec<Signal> = Vec::new();
    for (at, origin, says) in all {
        // A status, an event and a log tell one end three times.
        match signals.iter_mut().rev().take(LOOK_BACK).find(|known| told(&known.says, &says)) {
            Some(known) => complete(&mut known.says, says),
            None => signals.push(signal(excerpt, origin, at, says)),
        }
    }
    signals
}

/// The pod whose reason for its failure stands nearest, within the few lines of a status.
fn owner<'t>(owners: &[(usize, &'t str)], at: usize) -> Option<&'t str> {
    let after = owners.partition_point(|(reason, _)| *reason < at);
    let near = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|index| owners.get(index));
    let nearest = near.min_by_key(|(reason, _)| reason.abs_diff(at))?;
    (nearest.0.abs_diff(at) < 2000).then_some(nearest.1)
}

/// Whether an end is told already.
fn told(known: &Says, again: &Says) -> bool {
    let units = |one: &Option<String>, other: &Option<String>| one == other || one.is_none() || other.is_none();
    match (known, again) {
        (Says::Death(known), Says::Death(again)) => {
            let usage = known.usage == again.usage || known.usage.is_none() || again.usage.is_none();
            known.killer == again.killer && known.pid == again.pid && units(&known.unit, &again.unit) && usage
        }
        (Says::Ended(known), Says::Ended(again)) => known == again,
        (Says::OtherReason { .. } | Says::Strain(_), _) => known == again,
        _ => false,
    }
}

fn complete(known: &mut Says, again: Says) {
    if let (Says::Death(known), Says::Death(again)) = (known, again) {
        known.limit = known.limit.or(again.limit);
        known.usage = known.usage.or(again.usage);
        known.unit = known.unit.take().or(again.unit);
        if known.because.is_empty() {
            known.because = again.because;
        }
    }
}

fn of_pod(pod: &Pod, explained: bool, all: &mut Vec<(usize, Origin, Says)>) {
    for limit in &pod.limits {
        let says = Says::Given { key: "resources.limits.memory".to_owned(), value: limit.text.clone() };
        all.push((limit.at, Origin::Given, says));
    }
    for end in &pod.ended {
        all.extend(of_end(pod, end).map(|says| (end.at, Origin::Kubernetes, says)));
    }
    let Some((at, reason)) = &pod.reason else { return };
    let says = match reason.as_str() {
        "Evicted" if !explained => {
            let ended = Ended { exit: None, pid: None, unit: pod.name.clone() };
            all.push((*at, Origin::Kubernetes, Says::Ended(ended)));
            return;
        }
        // The message beside it says of what.
        "Evicted" | "Terminated" | "OutOfmemory" | "DeadlineExceeded" => return,
        "NodeLost" => "lost with its node",
        "Shutdown" | "NodeShutdown" => "ended since its node shut down",
        "Preempting" | "Preempted" => "preempted for another pod",
        _ => "refused by its node",
    };
    all.push((*at, Origin::Kubernetes, Says::OtherReason { reason: says.to_owned(), ends: true }));
}

fn of_end(pod: &Pod, end: &Terminated) -> Option<Says> {
    let unit = pod.name.clone();
    match end.reason.as_deref() {
        Some("OOMKilled") => {
            let limit = pod.limit(end.container.as_deref());
            let because = match (&end.container, limit) {
                (Some(container), Some(limit)) => format!("the container {container} may use {}", limit.text),
                (None, Some(limit)) => format!("the container may use {}", limit.text),
                _ => String::new(),
            };
            Some(Says::Death(Death {
                area: Some(Area::Container),
                because,
                limit: limit.map(|limit| limit.bytes),
                exact: true,
                unit,
                ..Death::by(Killer::KernelMemcg)
            }))
        }
        Some("Completed") => None,
        Some("DeadlineExceeded") => Some(Says::OtherReason { reason: "beyond its deadline".to_owned(), ends: true }),
        Some("ContainerCannotRun" | "StartError") => {
            Some(Says::OtherReason { reason: "not started by its runtime".to_owned(), ends: true })
        }
        _ if end.exit == Some(0) => None,
        _ => Some(Says::Ended(Ended { exit: end.exit, pid: None, unit })),
    }
}

/// Evictions, of which the kubelet's log tells the resource and the pod in different lines.
struct Evictions<'t> {
    /// What the kubelet last looked for.
    resource: Option<&'t str>,
    /// Whether a volume of the text lies in memory.
    in_memory: bool,
}

impl<'t> Evictions<'t> {
    fn of(messages: &'t [(usize, Message)], text: &str) -> Evictions<'t> {
        // The line that names the resource may have been taken from behind the eviction.
        let resource = messages.iter().find_map(|(_, message)| match message {
            Message::Reclaiming { resource } => Some(resource.as_str()),
            Message::Evicted { resource: Some(resource), .. } => Some(resource.as_str()),
            _ => None,
        });
        let memory = ["medium: Memory", "\"medium\": \"Memory\"", "\"medium\":\"Memory\"", "Medium:     Memory"];
        Evictions { resource, in_memory: memory.iter().any(|words| text.contains(words)) }
    }

    fn says(&mut self, message: &'t Message) -> Option<Says> {
        match message {
            Message::Reclaiming { resource } => {
                self.resource = Some(resource);
                None
            }
            Message::Evicted { pod, resource, threshold, using } => {
                Some(evicted(pod.as_deref(), resource.as_deref(), *threshold, using))
            }
            Message::PodEvicted { pod } => Some(match self.resource {
                Some(resource) => evicted(pod.as_deref(), Some(resource), None, &[]),
                None => Says::Ended(Ended { exit: None, pid: None, unit: pod.clone() }),
            }),
            Message::Storage { volume: true, limit } if self.in_memory => Some(Says::Death(Death {
                area: Some(Area::Tmpfs),
                because: "a volume in memory has outgrown its limit".to_owned(),
                limit: *limit,
                exact: true,
                ..Death::by(Killer::KubeletEvict)
            })),
            Message::Storage { .. } => {
                Some(Says::OtherReason { reason: "evicted since it filled the disk".to_owned(), ends: true })
            }
            _ => None,
        }
    }
}

fn evicted(pod: Option<&str>, resource: Option<&str>, threshold: Option<(Bytes, Bytes)>, using: &[Using]) -> Says {
    let unit = pod.map(str::to_owned);
    let Some(resource) = resource else { return Says::Ended(Ended { exit: None, pid: None, unit }) };
    if !(resource == "memory" || resource.starts_with("memory.") || resource.contains("MemoryPressure")) {
        return Says::OtherReason { reason: format!("evicted for want of {resource}, not of memory"), ends: true };
    }
    let largest = using.iter().max_by_key(|using| using.used);
    let mut because = match threshold {
        Some((quantity, available)) => {
            format!("the node was to keep {} MiB free and had {} MiB", quantity.whole_mib(), available.whole_mib())
        }
        None => "the node was short of memory".to_owned(),
    };
    if let Some(Using { container, used, request }) = largest {
        because.push_str(&format!("; the container {container} used {} MiB", used.whole_mib()));
        if let Some(request) = request {
            because.push_str(&format!(" and had asked for {} MiB", request.whole_mib()));
        }
    }
    Says::Death(Death {
        area: Some(Area::Container),
        because,
        usage: largest.map(|using| using.used),
        exact: true,
        unit,
        ..Death::by(Killer::KubeletEvict)
    })
}

fn of_message(message: &Message) -> Option<Says> {
    Some(match message {
        Message::SystemOom { pid, process, constraint, group } => {
            let killer = match constraint.as_deref() {
                Some("CONSTRAINT_MEMCG") => Killer::KernelMemcg,
                Some("CONSTRAINT_NONE") => Killer::KernelGlobal,
                // It stands for kills in a cgroup as well as for those of a machine without memory.
                _ => {
                    return Some(Says::Ended(Ended {
                        exit: Some(137),
                        pid: *pid,
                        unit: group.as_deref().and_then(unit),
                    }));
                }
            };
            Says::Death(Death {
                area: Some(Area::Container),
                pid: *pid,
                process: process.clone(),
                unit: group.as_deref().and_then(unit),
                ..Death::by(killer)
            })
        }
        Message::TaskOom { container } => Says::Death(Death {
            area: Some(Area::Container),
            unit: container.clone(),
            ..Death::by(Killer::KernelMemcg)
        }),
        Message::Reclaiming { resource } if resource == "memory" => node_pressure(),
        Message::NodePressure => node_pressure(),
        Message::Other { reason, ends } => Says::OtherReason { reason: (*reason).to_owned(), ends: *ends },
        _ => return None,
    })
}

fn node_pressure() -> Says {
    Says::Strain(Strain {
        name: "node-memory-pressure",
        area: None,
        text: "the kubelet was short of memory on its node".to_owned(),
        usage: None,
        limit: None,
    })
}
