//! What Kubernetes, the kubelet and container runtimes say of how containers and pods ended.
//!
//! Read are `kubectl describe`, pods as JSON or YAML (alone and in lists, whole and cut), events in tables and in JSON,
//! `kubectl get pods`, the kubelet's log, containerd's and docker's events, and `docker inspect`. A status is read
//! field by field, by the names of its fields and not by the braces or the indentation around them: those are what is
//! lost first. The messages are those of `pkg/kubelet/eviction/helpers.go`, `pkg/kubelet/oom` and `pkg/kubelet/prober`
//! of 1.6 to 1.36.

mod messages;
mod pods;

#[cfg(test)]
mod tests;

pub use messages::{Message, Using};
pub use pods::{Limit, Pod, Terminated};

/// The words by which a reader of a long log finds what is read here.
pub const ANCHORS: &[&str] =
    &["OOMKilled", "node was low on ", "viction manager: ", "ystem OOM encountered", "TaskOOM", "ness probe"];

/// All that a text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Pods and containers with how they ended, in order. Where a text names no pod, it is one without a name.
    pub pods: Vec<Pod>,
    /// Messages of the kubelet, of controllers and of runtimes, each with where it starts, in order.
    pub messages: Vec<(usize, Message)>,
}

/// Reads a text.
pub fn read(text: &str) -> Status {
    Status { pods: pods::pods(text), messages: messages::messages(text) }
}
