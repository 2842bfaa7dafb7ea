use super::{marks, oom961_latency_histograms as latency, oom963_heap_state_surge as state};
use crate::diagnose::cause::cause;
use crate::diagnose::postmortem::case::Case;
use crate::diagnose::postmortem::late::{Decides, Late, Weight};
use crate::diagnose::postmortem::signal::Signal;
use crate::model::{Area, Role};

cause! {
    /// The Java heap was full of what is in use: OutOfMemoryError: Java heap space, GC overhead limit, or an array too
    /// large.
    ///
    /// ### What is seen
    /// `OutOfMemoryError: Java heap space` in whatever thread allocates next, "GC overhead limit exceeded" with the
    /// parallel collector, full collections one after another that free nothing. Often no log has the words, since a
    /// full heap cannot write them: stderr (the `.out` file) has "OutOfMemoryError thrown from the
    /// UncaughtExceptionHandler", the process hangs, and the JobManager says that a heartbeat timed out.
    ///
    /// ### What it is not
    /// - A kill by the container (OOM940): the heap is bounded by -Xmx and counts in full from the start.
    /// - Direct memory (OOM950) and metaspace (OOM948), which throw the same class with other words.
    /// - "Requested array size exceeds VM limit": one array, which no heap can hold.
    ///
    /// ### How to prove it
    /// `jcmd PID GC.class_histogram` on the successor when it is nearly full names the classes (it stops the process
    /// for a full collection); with -XX:+HeapDumpOnOutOfMemoryError in `env.java.opts.all` the next death leaves a
    /// dump. `jstat -gcutil PID 1000`: O above 90 while FGC counts up.
    ///
    /// ### Cure
    /// TaskManager: state on the heap belongs into RocksDB (OOM963); large batches of a connector are to be made
    /// smaller. Then `taskmanager.memory.task.heap.size`, or `taskmanager.memory.managed.size: 0` where neither RocksDB
    /// nor batch operators need managed memory: by default it takes 40 %. JobManager: `jobmanager.memory.heap.size`;
    /// many splits, histograms (OOM961) and a long `jobmanager.execution.attempts-history-size` fill it.
    /// `taskmanager.jvm-exit-on-oom: true` ends the process at once instead of letting it hang.
    ///
    /// ### Sources
    /// - HotSpot, debug.cpp (`report_java_out_of_memory`), gc_globals.hpp (`GCTimeLimit` 98, `GCHeapFreeLimit` 2).
    /// - Measured: Flink 1.20.5, hashmap state on 153.6 MiB: no "Java heap space" in any log
    ///   (`testdata/series/failures`).
    /// - [amoro#1907](https://github.com/apache/amoro/issues/1907): half of a TaskManager lost to managed memory that
    ///   nobody used.
    "OOM947" "heap-exhausted" {
        late: Some(Late {
            required,
            supporting: marks::heap_borne_out,
            weight: Weight::Explains,
            area: |_| Area::Heap,
            title,
            decides: Some(Decides {
                evidence: "what the heap is full of: a histogram of its classes when it is nearly full again",
                command: "jcmd PID GC.class_histogram",
            }),
            ..Late::UNMARKED
        }),
    }
}

fn required<'s>(case: &Case<'s>) -> Vec<&'s Signal> {
    // What fills it is said by those.
    if !state::required(case).is_empty() || !latency::required(case).is_empty() {
        return Vec::new();
    }
    marks::told_of(case, &marks::INSIDE, &[Area::Heap])
}

fn title(case: &Case<'_>) -> String {
    let flag = marks::given_as(case, "-Xmx");
    let spoken = |words: &[&str]| !case.told_with(words).is_empty();
    if spoken(&["array size exceeds", "array length"]) {
        return format!(
            "an array was asked for that is larger than {} can make one, whatever the heap's size",
            marks::of_role(case, "the JVM")
        );
    }
    let how = if spoken(&["GC overhead"]) {
        ": the collector took nearly all of the time and freed nearly nothing"
    } else if marks::role(case) == Some(Role::JobManager) {
        ": what it keeps of jobs does not fit"
    } else {
        ": what is in use does not fit"
    };
    let heap = marks::of_role(case, "the Java heap");
    format!("{heap} was exhausted{flag}{}{how}", marks::figures(case))
}

#[cfg(test)]
mod tests {
    use super::super::left::Left;
    use super::*;
    use crate::diagnose::postmortem::signal::Origin;
    use crate::model::{Confidence, Killer};

    fn failed() -> Left {
        Left::killed_by(Killer::Jvm, Area::Heap).quote("java.lang.OutOfMemoryError: Java heap space")
    }

    #[test]
    fn an_exhausted_heap_is_the_cause_and_its_flag_is_told() {
        let verdict = failed().given("-Xmx", "161061270").verdict();
        assert_eq!((verdict.code, verdict.area, verdict.confidence), (Some("OOM947"), Area::Heap, Confidence::Medium));
        assert!(verdict.summary.contains("(-Xmx161061270)"), "{}", verdict.summary);
    }

    #[test]
    fn full_collections_and_flinks_exit_bear_it_out() {
        assert_eq!(failed().ended(239).verdict().confidence, Confidence::High);
        let collected = failed().strain(Origin::GcLog, "full-collections", Some(Area::Heap));
        assert_eq!(collected.verdict().confidence, Confidence::High);
    }

    #[test]
    fn the_words_decide_the_title() {
        let left = Left::killed_by(Killer::Jvm, Area::Heap);
        let array = left.clone().quote("Requested array size exceeds VM limit").verdict().summary;
        assert!(array.starts_with("an array was asked for"), "{array}");
        let overhead = left.given("role", "taskmanager").quote("GC overhead limit exceeded").verdict().summary;
        assert!(overhead.starts_with("the TaskManager's Java heap") && overhead.contains("collector"), "{overhead}");
    }

    #[test]
    fn full_collections_alone_other_areas_and_a_kill_from_outside_are_not() {
        let collected = Left::default().strain(Origin::GcLog, "full-collections", Some(Area::Heap));
        assert!(!collected.codes().contains(&"OOM947"));
        for area in [Area::Direct, Area::Metaspace, Area::Threads, Area::Native] {
            assert!(!Left::killed_by(Killer::Jvm, area).codes().contains(&"OOM947"), "{area:?}");
        }
        assert!(!Left::killed_by(Killer::YarnPmem, Area::Container).codes().contains(&"OOM947"));
    }
}
