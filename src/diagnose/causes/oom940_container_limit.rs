use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Killer};

cause! {
    /// The kernel killed the process because its container was at its limit, and nothing that is left shows by what.
    ///
    /// ### What is seen
    /// The kernel's log has "Memory cgroup out of memory: Killed process", the pod's last state is `OOMKilled` with
    /// exit code 137, and the group's counters show memory of processes at the limit. The log of the TaskManager just
    /// ends, in the midst of a normal line; the JobManager says "is no longer reachable" or that a heartbeat timed out.
    ///
    /// ### What it is not
    /// - A full Java heap (OOM947): it is bounded, and its end is an OutOfMemoryError, not signal 9.
    /// - Page cache (OOM905), tmpfs (OOM906) or the kernel's own memory (OOM964): the counters of the report tell them
    ///   apart. The call trace does not: it shows who asked for one page more, which is often a read of a file.
    /// - A node without free memory (OOM944): there "global_oom" or "CONSTRAINT_NONE" stands in the report.
    ///
    /// ### How to prove it
    /// `dmesg -T | grep -B 90 'Killed process'` on the node: `oom_memcg` names the group whose limit it was (it may be
    /// the pod's and not the container's), the table all processes in it. `kubectl describe pod POD` for its last
    /// state. What filled the process is seen in its successor, before the next kill: `oomph attach PID`.
    ///
    /// ### Cure
    /// First see what grows: RocksDB (OOM902, OOM921), what the allocator keeps over restarts (OOM901), native memory
    /// of a library (OOM918), other processes of the container (OOM911). To gain time raise the limit with
    /// `taskmanager.memory.process.size`, and let the difference go to `taskmanager.memory.jvm-overhead.min` and
    /// `taskmanager.memory.jvm-overhead.max`: raised alone, the size gives most of it to heap and managed memory.
    ///
    /// ### Sources
    /// - Linux, mm/oom_kill.c (`dump_header`, `oom_kill_process`), mm/memcontrol.c (`mem_cgroup_out_of_memory`);
    ///   Documentation/admin-guide/cgroup-v2.rst (`memory.max`, `memory.events`).
    /// - [FLINK-22594](https://github.com/apache/flink/pull/16208): Flink does not say by itself that it was
    ///   `OOMKilled`.
    "OOM940" "container-limit" {
        late: Some(Late {
            required,
            supporting: marks::borne_out,
            weight: Weight::Bounds,
            area: |case| marks::area_by(case, &KILLER, Area::Container),
            title,
            decides: Some(Decides {
                evidence: "which part of the process grows: a look at its successor before the next kill",
                command: "oomph attach PID",
            }),
            ..Late::UNMARKED
        }),
    }
}

const KILLER: [Killer; 1] = [Killer::KernelMemcg];
/// What the counters of a report show to have filled a group, and other pages explain.
const SHOWN: [Area; 3] = [Area::PageCache, Area::Tmpfs, Area::Other];
/// What a table of its processes shows, and OOM911 or OOM959 explains.
const BESIDE: [&str; 2] = ["python-workers", "other-processes"];

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let is_shown = !marks::told_of(case, &KILLER, &SHOWN).is_empty() || !marks::strained(case, &BESIDE).is_empty();
    if is_shown { Vec::new() } else { marks::killed(case, &KILLER) }
}

fn title(case: &Case<'_>) -> String {
    format!(
        "the kernel killed {} with its container at {}{}; nothing shows what filled it",
        marks::victim(case),
        marks::its_limit(case),
        match case.death.as_ref().and_then(|told| told.usage()) {
            Some(usage) => format!(", {} in use", super::mib(usage)),
            None => String::new(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Bytes, Confidence};

    fn killed(area: Area) -> Left {
        Left::killed_by(Killer::KernelMemcg, area).limit(Bytes::mib(1728)).usage(Bytes::mib(1728)).process("java")
    }

    #[test]
    fn a_kill_at_the_containers_limit_is_bounded_and_its_numbers_are_told() {
        let verdict = killed(Area::Container).verdict();
        assert_eq!(
            (verdict.code, verdict.area, verdict.confidence),
            (Some("OOM940"), Area::Container, Confidence::Medium)
        );
        assert!(verdict.summary.contains("process 4711 (java)"), "{}", verdict.summary);
        assert!(verdict.summary.contains("its limit of 1728.0 MiB"), "{}", verdict.summary);
    }

    #[test]
    fn a_lost_taskmanager_and_counters_at_the_limit_bear_it_out() {
        let lost = killed(Area::Container).consequence("TaskManager with id a is no longer reachable.");
        assert_eq!(lost.verdict().confidence, Confidence::High);
        let counted = killed(Area::Container).strain(Origin::Counters, "limit-hit", Some(Area::Container));
        assert_eq!(counted.verdict().confidence, Confidence::High);
    }

    #[test]
    fn what_the_counters_show_and_a_heap_that_fails_by_itself_are_not() {
        for area in SHOWN {
            assert!(!killed(area).codes().contains(&"OOM940"), "{area:?}");
        }
        for name in BESIDE {
            let beside = killed(Area::Container).strain(Origin::Kernel, name, Some(Area::Container));
            assert_eq!(beside.codes(), ["OOM911"], "{name}");
        }
        assert!(!Left::killed_by(Killer::Jvm, Area::Heap).codes().contains(&"OOM940"));
        assert!(!Left::killed_by(Killer::KernelGlobal, Area::Container).codes().contains(&"OOM940"));
        assert!(!Left::default().ended(137).codes().contains(&"OOM940"));
    }

    #[test]
    fn what_the_process_said_of_itself_earlier_does_not_change_what_filled_the_container() {
        let both = killed(Area::Container).told_too(Origin::Jvm, Killer::Jvm, Some(Area::Heap), "Java heap space");
        assert_eq!((both.verdict().code, both.verdict().area), (Some("OOM940"), Area::Container));
    }
}
