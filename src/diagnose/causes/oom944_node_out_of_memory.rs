use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::model::{Area, Killer};

cause! {
    /// The machine had no free memory, and the kernel killed the process it thought worth most; its container may be
    /// innocent.
    ///
    /// ### What is seen
    /// The kernel's log has "Out of memory: Killed process" without "Memory cgroup", "global_oom" or `CONSTRAINT_NONE`,
    /// and a table of all processes of the machine. The victim is who has most memory by `oom_score_adj`: on Kubernetes
    /// best-effort pods first, then those far above their request; without containers a TaskManager nearly always, as
    /// the largest.
    ///
    /// ### What it is not
    /// - A container at its own limit (OOM940): "Memory cgroup out of memory", and a limit in the report.
    /// - The kubelet's eviction (OOM945), which comes before it and asks the process to end.
    /// - A `SystemOOM` event alone: the kubelet writes that for kills in a container's group too.
    ///
    /// ### How to prove it
    /// `dmesg -T | grep -A 120 'invoked oom-killer'` on the node: the table's rss column is in pages; add up who had
    /// most. `kubectl describe node NODE`: are the limits of all pods above what can be allocated?
    ///
    /// ### Cure
    /// Make the sum fit the node: requests equal to limits (`kubernetes.taskmanager.memory.limit-factor: 1.0`), fewer
    /// TaskManagers a node, memory kept for the system (kubelet's `--system-reserved`, `--kube-reserved`). Standalone:
    /// the sum of all `taskmanager.memory.process.size` and whatever else runs there below the machine's memory, and a
    /// lower `oom_score_adj` for what has to live.
    ///
    /// ### Sources
    /// - Linux, mm/oom_kill.c (`oom_badness`, `select_bad_process`); proc(5), `oom_score_adj`.
    /// - Kubernetes, Node-pressure Eviction: node out of memory behaviour.
    "OOM944" "node-out-of-memory" {
        late: Some(Late {
            required: |case| marks::killed(case, &KILLER),
            supporting: marks::borne_out,
            weight: Weight::Bounds,
            area: |case| marks::area_by(case, &KILLER, Area::Container),
            title,
            decides: Some(Decides {
                evidence: "who had most of the machine's memory: the table of processes in the kernel's report",
                command: "dmesg -T | grep -A 120 'invoked oom-killer'",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::KernelGlobal];

fn title(case: &Case<'_>) -> String {
    let had = match case.death.as_ref().and_then(|told| told.usage()) {
        Some(usage) => format!(", which had {} resident", super::mib(usage)),
        None => String::new(),
    };
    format!("the machine ran out of memory, and the kernel killed {}{had}", marks::victim(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::model::Bytes;

    #[test]
    fn a_machine_without_memory_is_bounded_and_its_victim_told() {
        let verdict = Left::killed_by(Killer::KernelGlobal, Area::Container).usage(Bytes::mib(9017)).verdict();
        assert_eq!((verdict.code, verdict.area), (Some("OOM944"), Area::Container));
        assert!(verdict.summary.contains("process 4711, which had 9017.0 MiB resident"), "{}", verdict.summary);
    }

    #[test]
    fn a_containers_limit_and_an_eviction_are_not() {
        assert!(!Left::killed_by(Killer::KernelMemcg, Area::Container).codes().contains(&"OOM944"));
        assert!(!Left::killed_by(Killer::KubeletEvict, Area::Container).codes().contains(&"OOM944"));
    }
}
