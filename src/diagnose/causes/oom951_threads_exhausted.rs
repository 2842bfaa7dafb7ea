use super::marks;
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::Area;

cause! {
    /// No further thread could be started: a limit of threads, rarely one of memory.
    ///
    /// ### What is seen
    /// `OutOfMemoryError: unable to create native thread: possibly out of memory or process/resource limits reached`
    /// (JDK 8: "new native thread"), before it the JVM's warning "Failed to start thread … pthread_create failed
    /// (EAGAIN)", on the node "cgroup: fork rejected by pids controller". Crash reports say "Cannot create GC thread"
    /// or "Out of swap space to map in thread stack". The heap has room.
    ///
    /// ### What it is not
    /// - A heap that is too small (OOM947): a smaller heap would rather help, a larger one never.
    /// - `vm.max_map_count` (OOM953): each thread has two mappings; `wc -l /proc/PID/maps` tells.
    /// - A machine without memory, of which a failed stack is the consequence (OOM952): then malloc and mmap fail as
    ///   well.
    ///
    /// ### How to prove it
    /// `cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids.events` in the container, `ulimit -u`, `cat
    /// /proc/sys/kernel/threads-max`; `jstack PID | grep -c '^"'` and the names of the threads show whose they are.
    ///
    /// ### Cure
    /// Raise the container's limit (kubelet's `podPidsLimit`, `docker run --pids-limit`) or `ulimit -u`. Where one name
    /// grows, a connector or client of the job leaks its pool: close it in `close()`. Fewer threads:
    /// `cluster.io-pool.size`, `state.backend.rocksdb.thread.num`, fewer slots (`taskmanager.numberOfTaskSlots`).
    ///
    /// ### Sources
    /// - HotSpot, os_linux.cpp (`os::create_thread`), javaThread.cpp; Linux, Documentation/admin-guide/cgroup-v2.rst
    ///   (`pids.max`).
    /// - [FLINK-2829](https://issues.apache.org/jira/browse/FLINK-2829), unable to create native threads.
    /// - Measured: Flink 1.20.5 with `pids.max` 64 ends with exit code 1, with 1024 it runs.
    "OOM951" "threads-exhausted" {
        late: Some(Late {
            required,
            supporting,
            weight: Weight::Explains,
            area: |_| Area::Threads,
            title,
            decides: Some(Decides {
                evidence: "which limit it was: of the container, of the user, or of mappings",
                command: "cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/pids.events /proc/PID/limits",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    marks::told_of(case, &marks::INSIDE, &[Area::Threads])
}

fn supporting<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    let mut found = case.strained(Area::Threads);
    found.extend(marks::said_with(case, &["fork rejected by pids controller", "pthread_create failed"]));
    found.extend(marks::ended_itself(case));
    found
}

fn title(case: &Case<'_>) -> String {
    let by = if !marks::said_with(case, &["pids controller"]).is_empty() || !case.told_with(&["pids"]).is_empty() {
        ": its container's limit of threads (pids.max) was reached"
    } else {
        ": a limit of threads or of stack memory was reached"
    };
    format!("{} could not start another thread{by}", marks::of_role(case, "the JVM"))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Confidence, Killer};

    #[test]
    fn a_thread_that_cannot_start_is_the_cause_and_the_kernels_word_bears_it_out() {
        let left = Left::killed_by(Killer::Jvm, Area::Threads).quote("unable to create native thread");
        let verdict = left.verdict();
        assert_eq!(
            (verdict.code, verdict.area, verdict.confidence),
            (Some("OOM951"), Area::Threads, Confidence::Medium)
        );
        let verdict =
            left.strain(Origin::Kernel, "cgroup: fork rejected by pids controller", Some(Area::Threads)).verdict();
        assert_eq!(verdict.confidence, Confidence::High);
        assert!(verdict.summary.contains("pids.max"), "{}", verdict.summary);
    }

    #[test]
    fn other_native_memory_is_not() {
        assert!(!Left::killed_by(Killer::Jvm, Area::Native).codes().contains(&"OOM951"));
        assert!(!Left::killed_by(Killer::Jvm, Area::Heap).codes().contains(&"OOM951"));
    }
}
