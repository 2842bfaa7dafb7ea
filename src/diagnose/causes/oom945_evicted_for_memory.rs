use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::{Area, Killer};

cause! {
    /// The kubelet evicted the pod because its node was short of memory; the pod may be below its own limit.
    ///
    /// ### What is seen
    /// Pod status `Evicted`, "The node was low on resource: memory", exit code 137 with the reason
    /// `ContainerStatusUnknown` or an end by SIGTERM; node condition `MemoryPressure`. The kubelet ranks pods by how
    /// far they are above their request: one with a request of 0, or with limits far above requests, goes first. No
    /// `oom_kill` is counted anywhere.
    ///
    /// ### What it is not
    /// - A container at its limit (OOM940): the kernel kills it without asking the kubelet.
    /// - An eviction for `ephemeral-storage`, inodes or pids (OOM965, OOM966): the word behind "resource:" tells.
    /// - A preemption by the scheduler (OOM966).
    ///
    /// ### How to prove it
    /// `kubectl get events --field-selector reason=Evicted`, `kubectl describe node NODE` (conditions and the sum of
    /// requests and limits). The kubelet counts the working set, in which active page cache is: see `memory.stat` of
    /// the node's root group before blaming processes.
    ///
    /// ### Cure
    /// Requests equal to limits (class Guaranteed): Flink sets both to `taskmanager.memory.process.size` unless
    /// `kubernetes.taskmanager.memory.limit-factor` is above 1. Give online and batch work nodes of their own
    /// (`kubernetes.taskmanager.node-selector`, `kubernetes.taskmanager.tolerations`), and reserve memory for the
    /// system.
    ///
    /// ### Sources
    /// - Kubernetes, pkg/kubelet/eviction/helpers.go (`nodeLowMessageFmt`, `rankMemoryPressure`); Node-pressure
    ///   Eviction.
    /// - [kubernetes#138372](https://github.com/kubernetes/kubernetes/issues/138372): evictions while reclaimable cache
    ///   is left.
    "OOM945" "evicted-for-memory" {
        late: Some(Late {
            required: |case| marks::killed(case, &KILLER),
            supporting: marks::borne_out,
            weight: Weight::Bounds,
            area: |case| marks::area_by(case, &KILLER, Area::Container),
            title,
            decides: Some(Decides {
                evidence: "requests and use of all pods of the node at that time",
                command: "kubectl describe node NODE",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::KubeletEvict];

fn title(case: &Case<'_>) -> String {
    let told = case.death.as_ref();
    let pod = told.and_then(|told| told.unit()).map_or_else(|| "a pod".to_owned(), |unit| format!("pod {unit}"));
    let used = match told.and_then(|told| told.usage()) {
        Some(usage) => format!(", which used {}", super::mib(usage)),
        None => String::new(),
    };
    format!("the kubelet evicted {pod}{used}, because its node was short of memory")
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::{Bytes, Confidence};

    #[test]
    fn an_eviction_for_memory_is_bounded() {
        let evicted = || Left::killed_by(Killer::KubeletEvict, Area::Container).usage(Bytes::mib(4292));
        let verdict = evicted().verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM945"), Area::Container));
        assert!(verdict.summary.contains("which used 4292.0 MiB"), "{}", verdict.summary);
        assert_eq!(evicted().ended(137).verdict().confidence, Confidence::High);
    }

    #[test]
    fn an_eviction_for_the_disk_and_a_kill_by_the_kernel_are_not() {
        let disk = Left::default().other_reason("evicted for ephemeral-storage", true);
        assert!(!disk.codes().contains(&"OOM945"));
        assert!(!Left::killed_by(Killer::KernelMemcg, Area::Container).codes().contains(&"OOM945"));
    }
}
